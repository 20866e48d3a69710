package session_test

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// architecture is that of the model, decoded anew, for changing it.
func (g *generator) architecture() *wrapped.Architecture {
	g.t.Helper()
	a, err := wrapped.DecodeArchitecture(g.model.Commitment.(*wrapped.Commitment).Encoded())
	if err != nil {
		g.t.Fatal(err)
	}
	return a
}

// classLayout says where the parts of a sumcheck proof are: rows of 64 bytes, messages of 32, then the rest.
type classLayout struct{ rows, traceRows, messages, count, rest int }

func (g *generator) classLayout() classLayout {
	a := g.architecture()
	l := classLayout{traceRows: a.Layout().Trace.Rows, count: a.Messages}
	l.rows = l.traceRows + a.Layout().Pads.Rows
	l.messages = 64 * l.rows
	l.rest = l.messages + 32*l.count
	return l
}

// classProofFields tampers with rows of each owner, with messages from first to last, and with every point and scalar of
// the Groth16 proof.
func (g *generator) classProofFields() {
	l := g.classLayout()
	g.rawPoint("first row of the trace", 0)
	g.rawPoint("first row of pads", 64*l.traceRows)
	for name, k := range map[string]int{"first message": 0, "second message": 1, "middle message": l.count / 2, "last message": l.count - 1} {
		g.later(name+" raised by one", g.raised(l.messages+32*k), "rejected")
	}
	g.flush()
	g.scalar("a message", l.messages+32*(l.count/3))
	at := l.rest
	g.point1("A", at)
	g.point2("B", at+32)
	g.point1("C", at+96)
	for k, name := range []string{"commitment to the pads", "commitment to the form", "commitment to the row"} {
		g.point1(name, at+128+32*k)
	}
	g.point1("proof of knowledge", at+224)
	g.scalar("δ", at+256)
	g.bytesOf("proof with a byte missing", func(b []byte) []byte { return b[:len(b)-1] }, "malformed_proof")
	g.bytesOf("proof with a byte too many", func(b []byte) []byte { return append(b, 0) }, "malformed_proof")
	g.bytesOf("proof without its first row", func(b []byte) []byte { return b[64:] }, "malformed_proof")
	g.bytesOf("no proof", func([]byte) []byte { return nil }, "malformed_proof")
	g.bytesOf("A and C exchanged", func(b []byte) []byte { return exchange(b, at, at+96) }, "rejected")
	g.bytesOf("commitments exchanged", func(b []byte) []byte { return exchange(b, at+128, at+160) }, "rejected")
	g.bytesOf("first two messages exchanged", func(b []byte) []byte { return exchange(b, l.messages, l.messages+32) }, "rejected")
	g.bytesOf("rows of trace and pads exchanged", func(b []byte) []byte {
		out := slices.Clone(b)
		copy(out, b[64*l.traceRows:64*l.traceRows+64])
		copy(out[64*l.traceRows:], b[:64])
		return out
	}, "rejected")
	g.bytesOf("all zeros", func(b []byte) []byte { return make([]byte, len(b)) }, "malformed_proof")
}

// raised is a change of the scalar at a place of the proof.
func (g *generator) raised(at int) func(*verifier.Bundle) {
	return func(b *verifier.Bundle) {
		for i := at + 31; ; i-- { // far from the order, or this would be malformed
			if b.Proof[i]++; b.Proof[i] != 0 {
				return
			}
		}
	}
}

// rawPoint tampers with an uncompressed point.
func (g *generator) rawPoint(what string, at int) {
	var p bn254.G1Affine
	honest := g.bundle(g.t).Proof[at : at+64]
	if _, err := p.SetBytes(honest); err != nil {
		g.t.Fatal(err)
	}
	var negative bn254.G1Affine
	negative.Neg(&p)
	raw := negative.RawBytes()
	_, _, generator, _ := bn254.Generators()
	other := generator.RawBytes()
	modulus := fp.Modulus().FillBytes(make([]byte, 32))
	g.put(what+" negated", at, raw[:], "rejected")
	g.put(what+" replaced", at, other[:], "rejected")
	g.put(what+" at infinity", at, append([]byte{0x40}, make([]byte, 63)...), "malformed_proof")
	g.put(what+" as zeros", at, make([]byte, 64), "malformed_proof")
	g.put(what+" marked as compressed", at, flip(honest, 0x80), "malformed_proof")
	g.put(what+" not below the modulus", at, append(modulus, honest[32:]...), "malformed_proof")
	g.put(what+" not on the curve", at, append(slices.Clone(honest[:63]), honest[63]^1), "malformed_proof")
}

// classKeys are damaged keys of a size class, and other ones to which everything else was made to fit.
func (g *generator) classKeys() {
	g.brokenKeys(4 + len("zkinfer/class/1") + 3*4)
	for _, c := range []struct {
		name string
		edit func(*wrapped.Key)
		// fitted is the answer where the rest names the other key.
		fitted string
	}{
		{"α of the key negated", func(k *wrapped.Key) { k.Alpha.Neg(&k.Alpha) }, "rejected"},
		{"β of the key negated", func(k *wrapped.Key) { negate2(&k.Beta) }, "rejected"},
		{"γ of the key negated", func(k *wrapped.Key) { negate2(&k.Gamma) }, "rejected"},
		{"δ of the key negated", func(k *wrapped.Key) { negate2(&k.Delta) }, "rejected"},
		{"first K of the key doubled", func(k *wrapped.Key) { k.K[0].Double(&k.K[0]) }, "rejected"},
		{"σ of the pads negated", func(k *wrapped.Key) { negate2(&k.Knowledge[0].GSigmaNeg) }, "rejected"},
		{"σ of the form negated", func(k *wrapped.Key) { negate2(&k.Knowledge[1].GSigmaNeg) }, "rejected"},
		{"σ of the row negated", func(k *wrapped.Key) { negate2(&k.Knowledge[2].GSigmaNeg) }, "rejected"},
		{"H of the key doubled", func(k *wrapped.Key) { k.H.Double(&k.H) }, "rejected"},
		{"name in the key changed", func(k *wrapped.Key) { k.Description.Name += "!" }, "rejected"},
		{"more groups in the key", func(k *wrapped.Key) { k.Class.Groups++ }, "rejected"},
		{"hardly a group in the key", func(k *wrapped.Key) { k.Class.Groups = 1 }, "key_mismatch"},
		{"longer rows in the key", func(k *wrapped.Key) { k.Class.RowBits++ }, "key_mismatch"},
	} {
		k := *g.class
		c.edit(&k)
		payload, err := k.MarshalBinary()
		if err != nil {
			g.t.Fatal(err)
		}
		file := envelope.Encode(artifact.KindVerifyingKey, 1, payload)
		g.with(c.name, file, nil, g.proofFile, "key_mismatch")
		digest := k.Digest()
		commitment := g.commitmentFileOf(func(m map[string]any) { m["key"] = digest[:] })
		proof := g.edited(func(b *verifier.Bundle) { b.VKDigest = digest })
		g.with(c.name+", the rest fitted to it", file, commitment, proof, c.fitted)
	}
}

// otherArchitectures are commitments to other models of the same parameters, whose proofs name them.
func (g *generator) otherArchitectures() {
	for _, c := range []struct {
		name, class string
		edit        func(*wrapped.Architecture)
	}{
		{"name in the architecture changed", "rejected", func(a *wrapped.Architecture) { a.Name += "!" }},
		{"digest in the architecture changed", "rejected", func(a *wrapped.Architecture) { a.Graph[0] ^= 1 }},
		{"a function of the architecture changed", "rejected", func(a *wrapped.Architecture) {
			for i := range a.Network.Tables {
				for k := range a.Network.Tables[i].Values {
					a.Network.Tables[i].Values[k][0].First++
				}
			}
		}},
		{"a lookup of the architecture shifted", "rejected", func(a *wrapped.Architecture) { a.Network.Lookups[0].Columns[0].Constant++ }},
		{"a message fewer in the architecture", "malformed_proof", func(a *wrapped.Architecture) { a.Messages-- }},
		{"a group more in the architecture", "rejected", func(a *wrapped.Architecture) { a.Groups++ }},
		{"longer rows in the architecture", "key_mismatch", func(a *wrapped.Architecture) { a.RowBits++ }},
		{"too many groups in the architecture", "key_mismatch", func(a *wrapped.Architecture) { a.Groups = g.class.Class.Groups + 1 }},
		{"an input less in the architecture", "malformed_key", func(a *wrapped.Architecture) { a.Inputs = nil }},
		{"a tensor of the architecture without an end", "malformed_key", func(a *wrapped.Architecture) { a.Network.Tensors[0].Shape = []int{1 << 24, 1 << 24} }},
		{"a table of the architecture that is none", "malformed_key", func(a *wrapped.Architecture) {
			a.Network.Tables = append(a.Network.Tables, claims.Table{})
		}},
	} {
		a := g.architecture()
		c.edit(a)
		m, err := wrapped.NewCommitment(a, g.model.Commitment.(*wrapped.Commitment).Rows)
		if err != nil {
			g.t.Fatal(err)
		}
		g.otherArchitecture(c.name, m, c.class)
	}
	m := *g.model.Commitment.(*wrapped.Commitment)
	encoded, err := m.MarshalBinary()
	if err != nil {
		g.t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		encoded []byte
	}{
		{"architecture of an enormous length", append([]byte{0xff, 0xff, 0xff, 0xff}, encoded[4:]...)},
		{"architecture of no length", append([]byte{0, 0, 0, 0}, encoded[4:]...)},
		{"commitment with a byte too many", append(slices.Clone(encoded), 0)},
		{"commitment with a byte missing", encoded[:len(encoded)-1]},
	} {
		g.with(c.name, nil, g.commitmentFileOf(func(f map[string]any) { f["commitment"] = c.encoded }), g.proofFile, "malformed_key")
	}
}

// otherArchitecture adds a case whose proof names the commitment; where there is a class that the commitment alone
// has, the proof as it was has it too.
func (g *generator) otherArchitecture(name string, m *wrapped.Commitment, class string) {
	g.t.Helper()
	encoded, err := m.MarshalBinary()
	if err != nil {
		g.t.Fatal(err)
	}
	file := g.commitmentFileOf(func(f map[string]any) { f["commitment"] = encoded })
	g.with(name, nil, file, g.edited(func(b *verifier.Bundle) { b.Model = m.Digest() }), class)
	if class == "rejected" {
		g.with(fmt.Sprintf("%s, the proof as it was", name), nil, file, g.proofFile, "key_mismatch")
	}
}
