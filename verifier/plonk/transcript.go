package plonk

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/statement"
)

// challenge is keccak(name ‖ the challenge before ‖ what it covers), as gnark-crypto's transcripts draw it.
// bytes is what the next one is drawn with, which is not reduced.
type challenge struct {
	bytes [32]byte
	value fr.Element
}

// cover collects what a challenge covers.
type cover [][]byte

func (c *cover) points(points ...*bn254.G1Affine) {
	for _, p := range points {
		b := p.RawBytes()
		*c = append(*c, b[:])
	}
}

func (c *cover) scalars(scalars ...*fr.Element) {
	for _, s := range scalars {
		b := s.Bytes()
		*c = append(*c, b[:])
	}
}

func draw(name string, before []byte, c cover) challenge {
	var out challenge
	out.bytes = statement.Keccak(append([][]byte{[]byte(name), before}, c...)...)
	out.value.SetBytes(out.bytes[:])
	return out
}

// committed is the challenge that the circuit gets for a commitment.
func committed(p *bn254.G1Affine) fr.Element {
	b := p.RawBytes()
	h := statement.Keccak(b[:])
	var e fr.Element
	e.SetBytes(h[:])
	return e
}
