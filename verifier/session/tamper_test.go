package session_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/plonk"
	"github.com/zkinfer/zkinfer/verifier/session/vectortest"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// frozen is a proof of testvectors/proofs: its files, and what is in them.
type frozen struct {
	keyFile, commitmentFile, proofFile []byte
	payload                            []byte                 // of proofFile
	key                                *verifier.VerifyingKey // nil unless of Groth16
	plonk                              *plonk.VerifyingKey    // nil unless of PLONK
	class                              *wrapped.Key           // nil unless of the sumcheck backend
	model                              *artifact.ModelCommitment
}

func readFrozen(t testing.TB, name string) *frozen {
	t.Helper()
	dir := "../../testvectors/proofs/" + name + "/"
	f := &frozen{keyFile: readFile(t, dir+"verifying.key"), commitmentFile: readFile(t, dir+"model.zkc"), proofFile: readFile(t, dir+"proof.zkp")}
	key, err := artifact.DecodeVerifyingKey(f.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	f.key, _ = key.(*verifier.VerifyingKey)
	f.plonk, _ = key.(*plonk.VerifyingKey)
	f.class, _ = key.(*wrapped.Key)
	if f.model, err = artifact.DecodeModelCommitment(f.commitmentFile); err != nil {
		t.Fatal(err)
	}
	if _, f.payload, err = envelope.Decode(f.proofFile, artifact.KindProof); err != nil {
		t.Fatal(err)
	}
	return f
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bundle decodes the honest proof anew, for changing it.
func (f *frozen) bundle(t testing.TB) *verifier.Bundle {
	t.Helper()
	b, err := verifier.UnmarshalBundle(f.payload)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// framed is a whole proof file with a right digest: what is wrong with it is inside.
func framed(payload []byte) []byte { return envelope.Encode(artifact.KindProof, 1, payload) }

func encoded(t testing.TB, b *verifier.Bundle) []byte {
	t.Helper()
	payload, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return framed(payload)
}

// edited is the honest proof file after a change of its contents.
func (g *generator) edited(edit func(*verifier.Bundle)) []byte {
	g.t.Helper()
	b := g.bundle(g.t)
	edit(b)
	return encoded(g.t, b)
}

// honest cases are valid: as made, with the context demanded, and changed into another proof of the
// same statement, which anybody can do.
func (g *generator) honest() {
	context := "0x" + hex.EncodeToString(g.bundle(g.t).Statement.Context)
	other, empty := "0x00", "0x"
	g.proof("as made", g.proofFile, "")
	g.add(vectortest.Case{Name: "context as demanded", Proof: g.proofFile, Context: &context}, "")
	g.add(vectortest.Case{Name: "another context demanded", Proof: g.proofFile, Context: &other}, "rejected")
	g.add(vectortest.Case{Name: "empty context demanded", Proof: g.proofFile, Context: &empty}, "rejected")
	if g.plonk != nil {
		return
	}
	g.proof("A doubled and B halved", g.edited(func(b *verifier.Bundle) { b.Proof = g.malleated(b.Proof) }), "")
}

// malleated is another proof of the same statement.
func (g *generator) malleated(proof []byte) []byte {
	double := func(a *bn254.G1Affine, b *bn254.G2Affine) {
		a.ScalarMultiplication(a, big.NewInt(2))
		b.ScalarMultiplication(b, new(big.Int).ModInverse(big.NewInt(2), fr.Modulus()))
	}
	if g.class != nil {
		p, err := wrapped.DecodeProof(g.architecture(), proof)
		if err != nil {
			g.t.Fatal(err)
		}
		double(&p.Ar, &p.Bs)
		return p.Encode()
	}
	p, err := verifier.DecodeProof(g.key, proof)
	if err != nil {
		g.t.Fatal(err)
	}
	double(&p.Ar, &p.Bs)
	return p.Encode()
}

// frames are damaged where the framing of files notices.
func (g *generator) frames() {
	at := func(i int, v byte) []byte {
		b := bytes.Clone(g.proofFile)
		b[i] ^= v
		return b
	}
	g.proof("empty file", []byte{}, "malformed_proof")
	g.proof("magic altered", at(0, 1), "malformed_proof")
	g.proof("framing of another version", at(7, 3), "unsupported_version")
	g.proof("kind altered", at(8, 1), "wrong_kind")
	g.proof("another version", envelope.Encode(artifact.KindProof, 2, g.payload), "unsupported_version")
	g.proof("version altered, not the digest", at(13, 2), "malformed_proof")
	g.proof("length altered", at(21, 1), "malformed_proof")
	g.proof("length enormous", at(14, 0xff), "malformed_proof")
	g.proof("digest altered", at(22, 1), "malformed_proof")
	g.proof("contents altered, not the digest", at(len(g.proofFile)-1, 1), "malformed_proof")
	g.proof("frame without contents", framed(nil), "malformed_proof")
	g.proof("truncated in the header", g.proofFile[:30], "malformed_proof")
	g.proof("truncated in the contents", g.proofFile[:len(g.proofFile)-1], "malformed_proof")
	g.proof("a byte too many", append(bytes.Clone(g.proofFile), 0), "malformed_proof")
	g.proof("a verifying key instead", g.keyFile, "wrong_kind")
	g.proof("a model commitment instead", g.commitmentFile, "wrong_kind")
}

func (g *generator) anotherBackend() string {
	if g.plonk != nil {
		return verifier.BackendGroth16
	}
	return plonk.BackendName
}

// somePoint is a point of the key.
func (g *generator) somePoint() bn254.G1Affine {
	switch {
	case g.plonk != nil:
		return g.plonk.Ql
	case g.class != nil:
		return g.class.Alpha
	}
	return g.key.Alpha
}

// statement cases are proofs with another claim.
func (g *generator) statement() {
	for name, edit := range map[string]func(*verifier.Bundle){
		"another backend":         func(b *verifier.Bundle) { b.Backend = g.anotherBackend() },
		"digest of another key":   func(b *verifier.Bundle) { b.VKDigest[31] ^= 1 },
		"digest of another model": func(b *verifier.Bundle) { b.Model[0] ^= 1 },
		"digests exchanged":       func(b *verifier.Bundle) { b.VKDigest, b.Model = b.Model, b.VKDigest },
		"no context":              func(b *verifier.Bundle) { b.Statement.Context = nil },
		"context extended":        func(b *verifier.Bundle) { b.Statement.Context = append(b.Statement.Context, 0) },
		"context altered":         func(b *verifier.Bundle) { b.Statement.Context[0] ^= 1 },
		"no input":                func(b *verifier.Bundle) { b.Statement.Inputs = nil },
		"an output too many":      func(b *verifier.Bundle) { b.Statement.Outputs = append(b.Statement.Outputs, b.Statement.Outputs[0]) },
		"inputs and outputs moved": func(b *verifier.Bundle) {
			b.Statement.Inputs, b.Statement.Outputs = b.Statement.Outputs, b.Statement.Inputs
		},
	} {
		g.later(name, edit, "key_mismatch", "bad_statement", "rejected")
	}
	g.flush()
	for side, of := range map[string]func(*verifier.Bundle) *verifier.TensorValue{
		"input":  func(b *verifier.Bundle) *verifier.TensorValue { return &b.Statement.Inputs[0] },
		"output": func(b *verifier.Bundle) *verifier.TensorValue { return &b.Statement.Outputs[0] },
	} {
		if of(g.bundle(g.t)).Commitment != nil {
			g.privateTensor(side, of)
		} else {
			g.publicTensor(side, of)
		}
	}
	g.flush()
}

func (g *generator) publicTensor(side string, of func(*verifier.Bundle) *verifier.TensorValue) {
	for name, change := range map[string]func([]int64) []int64{
		"raised by one":         func(v []int64) []int64 { v[0]++; return v },
		"lowered by one":        func(v []int64) []int64 { v[len(v)-1]--; return v },
		"exchanged":             exchangeFirst,
		"beyond its range":      func(v []int64) []int64 { v[0] = math.MaxInt32; return v },
		"below its range":       func(v []int64) []int64 { v[1] = math.MinInt32; return v },
		"with a value missing":  func(v []int64) []int64 { return v[1:] },
		"with a value too many": func(v []int64) []int64 { return append(v, 0) },
		"without values":        func([]int64) []int64 { return nil },
	} {
		g.later(side+" "+name, func(b *verifier.Bundle) { v := of(b); v.Values = change(v.Values) }, "rejected", "bad_statement")
	}
	g.later(side+" as a commitment", func(b *verifier.Bundle) { v := of(b); v.Values, v.Commitment = nil, []bn254.G1Affine{g.somePoint()} }, "bad_statement")
}

// exchangeFirst exchanges the first value and the first that differs from it.
func exchangeFirst(v []int64) []int64 {
	for i := range v {
		if v[i] != v[0] {
			v[0], v[i] = v[i], v[0]
			break
		}
	}
	return v
}

func (g *generator) privateTensor(side string, of func(*verifier.Bundle) *verifier.TensorValue) {
	for name, change := range map[string]func(*bn254.G1Affine){
		"negated":     func(p *bn254.G1Affine) { p.Neg(p) },
		"doubled":     func(p *bn254.G1Affine) { p.Double(p) },
		"at infinity": func(p *bn254.G1Affine) { *p = bn254.G1Affine{} },
		"replaced":    func(p *bn254.G1Affine) { *p = g.somePoint() },
	} {
		g.later(side+"'s commitment "+name, func(b *verifier.Bundle) { change(&of(b).Commitment[0]) }, "rejected")
	}
	g.later(side+" shown", func(b *verifier.Bundle) { v := of(b); v.Values, v.Commitment = []int64{30, 12}, nil }, "bad_statement")
}

// later keeps a case until flush, which sorts: maps have no order.
func (g *generator) later(name string, edit func(*verifier.Bundle), declared ...string) {
	g.pending = append(g.pending, pending{name, g.edited(edit), declared})
}

// regions are the lengths, tags and counts of a proof file, set to what they must not be.
func (g *generator) regions() {
	for _, r := range layoutOf(g.bundle(g.t)) {
		for _, n := range r.wrong() {
			altered := bytes.Clone(g.payload)
			if r.size == 1 {
				altered[r.at] = byte(n)
			} else {
				binary.BigEndian.PutUint32(altered[r.at:], n)
			}
			g.proof(fmt.Sprintf("%s set to %d", r.what, n), framed(altered), "malformed_proof", "key_mismatch")
		}
	}
	g.proof("contents truncated", framed(g.payload[:len(g.payload)-1]), "malformed_proof")
	g.proof("contents extended", framed(append(bytes.Clone(g.payload), 0)), "malformed_proof")
}

// region is a number in a proof file that says how the rest is to be read.
type region struct {
	what   string
	at     int
	size   int
	honest uint32
}

// wrong are values that the number must not have.
func (r *region) wrong() []uint32 {
	if r.size == 1 {
		return []uint32{1 - r.honest, 2, 255}
	}
	all := []uint32{0, r.honest - 1, r.honest + 1, 1 << 24, math.MaxUint32}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(n uint32) bool { return n == r.honest })
}

func layoutOf(b *verifier.Bundle) []region {
	at := 0
	var out []region
	number := func(what string, size int, honest uint32) {
		out = append(out, region{what, at, size, honest})
		at += size
	}
	number("length of the backend's name", 4, uint32(len(b.Backend)))
	at += len(b.Backend) + 64
	for side, tensors := range [][]verifier.TensorValue{b.Statement.Inputs, b.Statement.Outputs} {
		what := []string{"input", "output"}[side]
		number("number of "+what+"s", 4, uint32(len(tensors)))
		for _, v := range tensors {
			if v.Commitment != nil {
				number(what+"'s tag", 1, 1)
				at += 32
				continue
			}
			number(what+"'s tag", 1, 0)
			number(what+"'s number of values", 4, uint32(len(v.Values)))
			at += 4 * len(v.Values)
		}
	}
	number("length of the context", 4, uint32(len(b.Statement.Context)))
	at += len(b.Statement.Context)
	number("length of the proof", 4, uint32(len(b.Proof)))
	return out
}

// proofFields tampers with every point and scalar of the proof itself.
func (g *generator) proofFields() {
	if g.class != nil {
		g.classProofFields()
		return
	}
	n := len(g.key.Commitments)
	g.point1("A", 0)
	g.point2("B", 32)
	g.point1("C", 96)
	for k := range n {
		g.point1(fmt.Sprintf("D%d", k+1), 128+32*k)
	}
	g.point1("proof of knowledge", 128+32*n)
	for k := range n - 1 {
		g.scalar(fmt.Sprintf("δ%d", k+2), 160+32*n+32*k)
	}
	size := verifier.ProofSize(g.key)
	g.bytesOf("proof with a byte missing", func(b []byte) []byte { return b[:size-1] }, "malformed_proof")
	g.bytesOf("proof with a byte too many", func(b []byte) []byte { return append(b, 0) }, "malformed_proof")
	g.bytesOf("no proof", func([]byte) []byte { return nil }, "malformed_proof")
	g.bytesOf("A and C exchanged", func(b []byte) []byte { return exchange(b, 0, 96) }, "rejected")
	g.bytesOf("commitments exchanged", func(b []byte) []byte { return exchange(b, 128, 160) }, "rejected")
	g.bytesOf("all zeros", func(b []byte) []byte { return make([]byte, len(b)) }, "malformed_proof")
	g.bytesOf("all points at infinity", func(b []byte) []byte {
		infinite := make([]byte, len(b))
		for _, at := range append([]int{0, 32, 96}, multiples(128, 32, n+1)...) {
			infinite[at] = 0x40
		}
		return infinite
	}, "rejected")
}

func exchange(b []byte, i, j int) []byte {
	out := bytes.Clone(b)
	copy(out[i:i+32], b[j:j+32])
	copy(out[j:j+32], b[i:i+32])
	return out
}

func multiples(from, step, n int) (out []int) {
	for i := range n {
		out = append(out, from+step*i)
	}
	return out
}

// bytesOf adds the honest proof with other proof bytes.
func (g *generator) bytesOf(name string, change func([]byte) []byte, declared ...string) {
	g.t.Helper()
	g.proof(name, g.edited(func(b *verifier.Bundle) { b.Proof = change(b.Proof) }), declared...)
}

// put adds the honest proof with other bytes at one place.
func (g *generator) put(name string, at int, field []byte, declared ...string) {
	g.t.Helper()
	g.bytesOf(name, func(b []byte) []byte { copy(b[at:], field); return b }, declared...)
}

func (g *generator) point1(what string, at int) {
	honest := g.bundle(g.t).Proof[at : at+32]
	modulus := fp.Modulus().FillBytes(make([]byte, 32))
	modulus[0] |= 0x80
	_, _, generator, _ := bn254.Generators()
	other := generator.Bytes()
	g.put(what+" negated", at, flip(honest, 0x40), "rejected")
	g.put(what+" replaced", at, other[:], "rejected")
	g.put(what+" at infinity", at, append([]byte{0x40}, make([]byte, 31)...), "rejected")
	g.put(what+" at infinity, with a remainder", at, append([]byte{0x40}, bytes.Repeat([]byte{1}, 31)...), "malformed_proof")
	g.put(what+" marked as uncompressed", at, flip(honest, 0x80|honest[0]&0x40), "malformed_proof")
	g.put(what+" not below the modulus", at, modulus, "malformed_proof")
	g.put(what+" not on the curve", at, offCurve(honest), "malformed_proof")
}

func flip(b []byte, mask byte) []byte {
	out := bytes.Clone(b)
	out[0] ^= mask
	return out
}

// offCurve is the next x of a compressed point for which there is no y.
func offCurve(b []byte) []byte {
	out := bytes.Clone(b)
	for {
		out[len(out)-1]++
		var p bn254.G1Affine
		if _, err := p.SetBytes(out); err != nil {
			return out
		}
	}
}

func (g *generator) point2(what string, at int) {
	honest := g.bundle(g.t).Proof[at : at+64]
	_, _, _, generator := bn254.Generators()
	other, stray := generator.Bytes(), outsideSubgroup()
	g.put(what+" negated", at, flip(honest, 0x40), "rejected")
	g.put(what+" replaced", at, other[:], "rejected")
	g.put(what+" at infinity", at, append([]byte{0x40}, make([]byte, 63)...), "rejected")
	g.put(what+" outside of the subgroup", at, stray[:], "malformed_proof")
	g.put(what+" marked as uncompressed", at, flip(honest, 0x80|honest[0]&0x40), "malformed_proof")
}

// outsideSubgroup is a point of the twist that is no multiple of the generator.
func outsideSubgroup() [64]byte {
	_, _, _, q := bn254.Generators()
	b, cube, y := q.Y, q.X, q.Y
	b.Square(&b)
	cube.Square(&cube).Mul(&cube, &q.X)
	b.Sub(&b, &cube) // the twist's constant
	for i := uint64(1); ; i++ {
		q.X.A0.SetUint64(i)
		q.X.A1.SetZero()
		cube.Square(&q.X).Mul(&cube, &q.X)
		y.Add(&cube, &b)
		if y.Legendre() != 1 {
			continue
		}
		if q.Y.Sqrt(&y); q.IsOnCurve() && !q.IsInSubGroup() {
			return q.Bytes()
		}
	}
}

func (g *generator) scalar(what string, at int) {
	honest := new(big.Int).SetBytes(g.bundle(g.t).Proof[at : at+32])
	bytes32 := func(v *big.Int) []byte { return v.FillBytes(make([]byte, 32)) }
	plusOne := new(big.Int).Add(honest, big.NewInt(1))
	g.put(what+" raised by one", at, bytes32(plusOne.Mod(plusOne, fr.Modulus())), "rejected")
	g.put(what+" negated", at, bytes32(new(big.Int).Sub(fr.Modulus(), honest)), "rejected")
	g.put(what+" raised by the order", at, bytes32(new(big.Int).Add(honest, fr.Modulus())), "malformed_proof")
	g.put(what+" equal to the order", at, bytes32(fr.Modulus()), "malformed_proof")
	g.put(what+" all ones", at, bytes.Repeat([]byte{0xff}, 32), "malformed_proof")
}
