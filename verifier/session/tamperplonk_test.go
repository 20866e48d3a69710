package session_test

import (
	"bytes"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/plonk"
)

// everythingOfPlonk is what can be wrong with a PLONK proof, beside what is framed like every other.
func (g *generator) everythingOfPlonk() {
	g.honest()
	g.frames()
	g.statement()
	g.regions()
	g.plonkFields()
	g.plonkKeys()
	g.plonkCommitments()
}

func (g *generator) claimsOfPlonk() {
	g.honest()
	g.statement()
	g.plonkCommitments()
}

// plonkFields tampers with every point and scalar of the proof itself.
func (g *generator) plonkFields() {
	points := []string{"trace", "first challenge", "L", "R", "O", "Z", "H0", "H1", "H2", "opening", "shifted opening"}
	for i, what := range points {
		g.point1(what, 32*i)
	}
	for i, what := range []string{"value of L", "value of R", "value of O", "value of S1", "value of S2", "value of qCp0", "value of qCp1", "value of Z"} {
		g.scalar(what, 32*(len(points)+i))
	}
	g.bytesOf("proof with a byte missing", func(b []byte) []byte { return b[:plonk.ProofSize-1] }, "malformed_proof")
	g.bytesOf("proof with a byte too many", func(b []byte) []byte { return append(b, 0) }, "malformed_proof")
	g.bytesOf("no proof", func([]byte) []byte { return nil }, "malformed_proof")
	g.bytesOf("L and R exchanged", func(b []byte) []byte { return exchange(b, 64, 96) }, "rejected")
	g.bytesOf("commitments exchanged", func(b []byte) []byte { return exchange(b, 0, 32) }, "rejected")
	g.bytesOf("openings exchanged", func(b []byte) []byte { return exchange(b, 288, 320) }, "rejected")
	g.bytesOf("all zeros", func(b []byte) []byte { return make([]byte, len(b)) }, "malformed_proof")
	g.bytesOf("all points at infinity, all values 0", func(b []byte) []byte {
		infinite := make([]byte, len(b))
		for i := range points {
			infinite[32*i] = 0x40
		}
		return infinite
	}, "rejected")
}

// plonkKeys are damaged verifying keys, and other ones to which everything else was made to fit.
func (g *generator) plonkKeys() {
	_, payload, err := envelope.Decode(g.keyFile, artifact.KindVerifyingKey)
	if err != nil {
		g.t.Fatal(err)
	}
	framed := func(b []byte) []byte { return envelope.Encode(artifact.KindVerifyingKey, 1, b) }
	set := func(at int, field ...byte) []byte {
		out := bytes.Clone(payload)
		copy(out[at:], field)
		return framed(out)
	}
	const size = 4 + len("zkinfer/vk/plonk/1")
	const tau = size + 1 + 10*64 + 2*4
	g.with("key truncated", framed(payload[:len(payload)-1]), nil, g.proofFile, "malformed_key")
	g.with("key extended", framed(append(bytes.Clone(payload), 0)), nil, g.proofFile, "malformed_key")
	g.with("key with another tag", set(4, 'Z'), nil, g.proofFile, "malformed_key")
	g.with("key for no gates", set(size, 0), nil, g.proofFile, "malformed_key")
	g.with("key for 2^255 gates", set(size, 255), nil, g.proofFile, "malformed_key")
	g.with("key with S1 at infinity", set(size+1, make([]byte, 64)...), nil, g.proofFile, "malformed_key")
	g.with("key with S1 off the curve", set(size+64, payload[size+64]^1), nil, g.proofFile, "malformed_key")
	g.with("key with τ off the curve", set(tau+127, payload[tau+127]^1), nil, g.proofFile, "malformed_key")
	_, _, _, one := bn254.Generators()
	raw := one.RawBytes()
	g.with("key with τ = 1", set(tau, raw[:]...), nil, g.proofFile, "malformed_key")
	for i, what := range []string{"S1", "S2", "S3", "Ql", "Qr", "Qm", "Qo", "Qk", "qCp0", "qCp1"} {
		negated := bytes.Clone(payload)
		var p bn254.G1Affine
		if _, err := p.SetBytes(negated[size+1+64*i:][:64]); err != nil {
			g.t.Fatal(err)
		}
		p.Neg(&p)
		b := p.RawBytes()
		copy(negated[size+1+64*i:], b[:])
		g.otherPlonkKey(what+" of the key negated", negated)
	}
	last := bytes.Clone(payload)
	last[len(last)-1] ^= 1
	g.otherPlonkKey("number of gates in the key's description", last)
}

// otherPlonkKey is a key with the proof as made, and with model commitment and proof fitted to it.
func (g *generator) otherPlonkKey(name string, payload []byte) {
	g.t.Helper()
	key, err := plonk.UnmarshalVerifyingKey(payload)
	if err != nil {
		g.t.Fatal(err)
	}
	file := envelope.Encode(artifact.KindVerifyingKey, 1, payload)
	g.with(name, file, nil, g.proofFile, "key_mismatch")
	digest := key.Digest()
	m := &plonk.ModelCommitment{Key: digest}
	commitment := g.commitmentFileOf(func(f map[string]any) { f["key"], f["commitment"] = digest[:], digest[:] })
	fitted := g.edited(func(b *verifier.Bundle) { b.VKDigest, b.Model = digest, m.Digest() })
	g.with(name+", the rest fitted to it", file, commitment, fitted, "rejected")
}

// plonkCommitments are model commitments of other keys, and of no form.
func (g *generator) plonkCommitments() {
	other := g.plonk.Digest()
	other[0] ^= 1
	m := &plonk.ModelCommitment{Key: other}
	of := func(payload []byte) []byte {
		return g.commitmentFileOf(func(f map[string]any) { f["commitment"] = payload })
	}
	g.with("the model of another key", nil, of(other[:]), g.proofFile, "key_mismatch")
	named := g.edited(func(b *verifier.Bundle) { b.Model = m.Digest() })
	g.with("the model of another key, named by the proof", nil, of(other[:]), named, "key_mismatch")
	for _, n := range []int{0, 31, 33} {
		g.with(fmt.Sprintf("a model commitment of %d bytes", n), nil, of(make([]byte, n)), g.proofFile, "malformed_key")
	}
}
