package verifier

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// outsideSubgroup is a point of the twist that is in no group a pairing is defined on.
func outsideSubgroup(t *testing.T) bn254.G2Affine {
	t.Helper()
	_, _, _, g := bn254.Generators()
	var b, y2 bn254.E2 // y² = x³ + b
	b.Square(&g.X).Mul(&b, &g.X)
	y2.Square(&g.Y)
	b.Sub(&y2, &b)
	for x := uint64(1); x < 100; x++ {
		var p bn254.G2Affine
		p.X.A0.SetUint64(x)
		y2.Square(&p.X).Mul(&y2, &p.X)
		y2.Add(&y2, &b)
		if y2.Legendre() != 1 {
			continue
		}
		p.Y.Sqrt(&y2)
		if p.IsOnCurve() && !p.IsInSubGroup() {
			return p
		}
	}
	t.Fatal("no point outside of the subgroup found")
	return bn254.G2Affine{}
}

// The encodings of points that a decoder must not take for a point: each has another, or none.
func TestPointEncodings(t *testing.T) {
	_, _, g1, _ := bn254.Generators() // (1, 2): x + p still fits beside the flags
	outside := outsideSubgroup(t)
	small, raw := g1.Bytes(), g1.RawBytes()
	outsideSmall, outsideRaw := outside.Bytes(), outside.RawBytes()
	beyond := func(b []byte) []byte { // the coordinate in the first 32 bytes, plus p
		out := append([]byte{}, b...)
		flags := out[0] & 0xc0
		out[0] &= 0x3f
		x := new(big.Int).SetBytes(out[:fp.Bytes])
		x.Add(x, fp.Modulus()).FillBytes(out[:fp.Bytes])
		out[0] |= flags
		return out
	}
	flagged := func(b []byte, flag byte) []byte {
		out := append([]byte{}, b...)
		out[0] = out[0]&0x3f | flag
		return out
	}
	readG1 := func(r *reader) { r.g1() }
	readG1Raw := func(r *reader) { r.g1Raw() }
	for what, c := range map[string]struct {
		read  func(*reader)
		bytes []byte
		good  bool
	}{
		"point":                        {readG1, small[:], true},
		"raw point":                    {readG1Raw, raw[:], true},
		"x + p":                        {readG1, beyond(small[:]), false},
		"raw x + p":                    {readG1Raw, beyond(raw[:]), false},
		"infinity with a coordinate":   {readG1, flagged(small[:], 0x40), false},
		"compressed without its flag":  {readG1, flagged(small[:], 0), false},
		"raw with the compressed flag": {readG1Raw, flagged(raw[:], 0x80), false},
		"raw infinity by flag":         {readG1Raw, append([]byte{0x40}, make([]byte, 63)...), false},
		"not on the curve":             {readG1Raw, append(append([]byte{}, raw[:63]...), 3), false},
		"outside of the subgroup":      {func(r *reader) { r.g2() }, outsideSmall[:], false},
		"raw, outside of the subgroup": {func(r *reader) { r.g2Raw() }, outsideRaw[:], false},
		"scalar below the order":       {func(r *reader) { r.scalar() }, new(big.Int).Sub(fr.Modulus(), big.NewInt(1)).Bytes(), true},
		"scalar r":                     {func(r *reader) { r.scalar() }, fr.Modulus().Bytes(), false},
		"greatest scalar":              {func(r *reader) { r.scalar() }, bytesOf(0xff, 32), false},
	} {
		r := &reader{b: c.bytes}
		c.read(r)
		if err := r.done(); (err == nil) != c.good || !c.good && Class(err) != "malformed_proof" {
			t.Errorf("%s: %v, expected it to be accepted: %t", what, err, c.good)
		}
	}
}

func bytesOf(v byte, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// What cannot be decoded again is not encoded.
func TestEncodersRefuse(t *testing.T) {
	_, _, g1, _ := bn254.Generators()
	for what, c := range map[string]struct {
		edit  func(*Bundle)
		class string
	}{
		"value beyond 32 bits":   {func(b *Bundle) { b.Statement.Inputs[0].Values[3] = 1 << 32 }, "bad_statement"},
		"value below 32 bits":    {func(b *Bundle) { b.Statement.Inputs[0].Values[3] = -1<<31 - 1 }, "bad_statement"},
		"values and commitment":  {func(b *Bundle) { b.Statement.Inputs[0].Commitment = []bn254.G1Affine{g1} }, "bad_statement"},
		"long backend":           {func(b *Bundle) { b.Backend = string(bytesOf('x', maxStringBytes+1)) }, "malformed_proof"},
		"long context":           {func(b *Bundle) { b.Statement.Context = make([]byte, maxContextBytes+1) }, "malformed_proof"},
		"long proof":             {func(b *Bundle) { b.Proof = make([]byte, maxProofBytes+1) }, "malformed_proof"},
		"more tensors than keys": {func(b *Bundle) { b.Statement.Outputs = make([]TensorValue, maxTensors+1) }, "malformed_proof"},
	} {
		b := sampleBundle()
		c.edit(b)
		if out, err := b.MarshalBinary(); out != nil || Class(err) != c.class {
			t.Errorf("%s: %v, expected class %s", what, err, c.class)
		}
	}
	m := &ModelCommitment{Rows: make([]bn254.G1Affine, maxFoldRows+1)}
	if out, err := m.MarshalBinary(); out != nil || Class(err) != "malformed_proof" {
		t.Errorf("too many rows: %v", err)
	}
}

// The least and the greatest value of every width survive, and are laid out as the format says.
func TestElementBytes(t *testing.T) {
	for _, c := range []struct {
		spec   TensorSpec
		values []int64
		want   []byte
		public uint64 // the packed element
	}{
		{TensorSpec{Type: "int8", Min: -3, Max: 4}, []int64{-3, 4}, []byte{0, 7}, 7 << 8},
		{TensorSpec{Type: "uint8", Min: 5, Max: 5}, []int64{5, 5}, []byte{0, 0}, 0},
		{TensorSpec{Type: "int16", Min: -1, Max: 255}, []int64{-1, 255}, []byte{0, 0, 0, 1}, 256 << 16},
		{TensorSpec{Type: "int32", Min: 0, Max: 1 << 16}, []int64{1, 1 << 16}, []byte{1, 0, 0, 0, 0, 1}, 1 | 1<<40},
		{TensorSpec{Type: "int32", Min: -1 << 31, Max: 1<<31 - 1}, []int64{-1<<31 + 2, 1<<31 - 1}, []byte{2, 0, 0, 0, 255, 255, 255, 255}, 2 | 0xffffffff<<32},
	} {
		c.spec.Shape, c.spec.Binding = []int{len(c.values)}, BindingPacked
		v := TensorValue{Values: c.values}
		if err := c.spec.check(); err != nil {
			t.Fatal(err)
		}
		if got := v.bytes(&c.spec); string(got) != string(c.want) {
			t.Errorf("[%d, %d]: bytes %v, expected %v", c.spec.Min, c.spec.Max, got, c.want)
		}
		if got := packTensor(&c.spec, &v); len(got) != 1 || got[0].Uint64() != c.public || !got[0].IsUint64() {
			t.Errorf("[%d, %d]: packed as %v, expected %d", c.spec.Min, c.spec.Max, got, c.public)
		}
	}
}
