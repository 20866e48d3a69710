package wire

import (
	"bytes"
	"errors"
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
	readG1 := func(r *Reader) { r.G1() }
	readG1Raw := func(r *Reader) { r.G1Raw() }
	for what, c := range map[string]struct {
		read func(*Reader)
		in   []byte
		good bool
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
		"outside of the subgroup":      {func(r *Reader) { r.G2() }, outsideSmall[:], false},
		"raw, outside of the subgroup": {func(r *Reader) { r.G2Raw() }, outsideRaw[:], false},
		"scalar below the order":       {func(r *Reader) { r.Scalar() }, new(big.Int).Sub(fr.Modulus(), big.NewInt(1)).Bytes(), true},
		"scalar r":                     {func(r *Reader) { r.Scalar() }, fr.Modulus().Bytes(), false},
		"greatest scalar":              {func(r *Reader) { r.Scalar() }, bytes.Repeat([]byte{0xff}, 32), false},
	} {
		r := NewReader(c.in)
		c.read(r)
		if err := r.Done(); (err == nil) != c.good || !c.good && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, expected it to be accepted: %t", what, err, c.good)
		}
	}
}
