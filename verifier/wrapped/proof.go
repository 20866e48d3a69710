package wrapped

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/wire"
	"github.com/zkinfer/zkinfer/verifier"
)

// Proof is what a prover sends beside the statement.
type Proof struct {
	Rows        []bn254.G1Affine // of the trace, then of pads
	Sent        []fr.Element     // messages, under their pads
	Ar          bn254.G1Affine
	Bs          bn254.G2Affine
	Krs         bn254.G1Affine
	Commitments [commitments]bn254.G1Affine
	PoK         bn254.G1Affine
	Delta       fr.Element
}

// rows is the number of rows that a proof brings.
func (a *Architecture) rows() int { return a.layout.Trace.Rows + a.layout.Pads.Rows }

// ProofSize is the number of bytes of a proof.
func (a *Architecture) ProofSize() int {
	return a.rows()*wire.G1RawSize + a.Messages*fr.Bytes + (3+commitments)*wire.G1Size + wire.G2Size + fr.Bytes
}

// Encode is the proof in ProofSize bytes: rows, uncompressed because a square root a row would be most of a
// verification; messages; Ar, Bs, Krs, commitments, proof of knowledge, δ.
func (p *Proof) Encode() []byte {
	var b []byte
	for i := range p.Rows {
		b = wire.AppendG1Raw(b, &p.Rows[i])
	}
	for i := range p.Sent {
		s := p.Sent[i].Bytes()
		b = append(b, s[:]...)
	}
	b = wire.AppendG1(b, &p.Ar)
	bs := p.Bs.Bytes()
	b = append(b, bs[:]...)
	b = wire.AppendG1(b, &p.Krs)
	for i := range p.Commitments {
		b = wire.AppendG1(b, &p.Commitments[i])
	}
	b = wire.AppendG1(b, &p.PoK)
	s := p.Delta.Bytes()
	return append(b, s[:]...)
}

// DecodeProof decodes a proof for an architecture: exact length, points canonically encoded, on the curve and in the
// subgroup, no row at infinity, scalars below the field's order. Errors wrap verifier.ErrMalformed.
func DecodeProof(a *Architecture, b []byte) (*Proof, error) {
	if len(b) != a.ProofSize() {
		return nil, fmt.Errorf("%w: proof of %d bytes, expected %d for this model", verifier.ErrMalformed, len(b), a.ProofSize())
	}
	r := wire.NewReader(b)
	p := &Proof{Rows: make([]bn254.G1Affine, a.rows()), Sent: make([]fr.Element, a.Messages)}
	for i := range p.Rows {
		if p.Rows[i] = r.G1Raw(); p.Rows[i].IsInfinity() {
			r.Fail("row %d is the point at infinity", i)
		}
	}
	for i := range p.Sent {
		p.Sent[i] = r.Scalar()
	}
	p.Ar, p.Bs, p.Krs = r.G1(), r.G2(), r.G1()
	for i := range p.Commitments {
		p.Commitments[i] = r.G1()
	}
	p.PoK, p.Delta = r.G1(), r.Scalar()
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	return p, nil
}
