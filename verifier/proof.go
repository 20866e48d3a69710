package verifier

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/wire"
)

// Proof is a Groth16 proof with commitments, and the scalars of the outer checks: one for each
// commitment but the trace's, in order.
type Proof struct {
	Ar          bn254.G1Affine
	Bs          bn254.G2Affine
	Krs         bn254.G1Affine
	Commitments []bn254.G1Affine
	PoK         bn254.G1Affine
	Deltas      []fr.Element
}

// ProofSize is the number of bytes of a proof under a key.
func ProofSize(vk *VerifyingKey) int {
	n := len(vk.Commitments)
	return 2*wire.G1Size + wire.G2Size + n*wire.G1Size + wire.G1Size + (n-1)*fr.Bytes
}

// Encode is the proof in ProofSize bytes: Ar, Bs, Krs, commitments, proof of knowledge, scalars.
func (p *Proof) Encode() []byte {
	b := wire.AppendG1(nil, &p.Ar)
	bs := p.Bs.Bytes()
	b = append(b, bs[:]...)
	b = wire.AppendG1(b, &p.Krs)
	for i := range p.Commitments {
		b = wire.AppendG1(b, &p.Commitments[i])
	}
	b = wire.AppendG1(b, &p.PoK)
	for i := range p.Deltas {
		s := p.Deltas[i].Bytes()
		b = append(b, s[:]...)
	}
	return b
}

// DecodeProof decodes a proof for a key: exact length, points canonically encoded, on the curve and
// in the subgroup, scalars below the field's order. Errors wrap ErrMalformed.
func DecodeProof(vk *VerifyingKey, b []byte) (*Proof, error) {
	if len(b) != ProofSize(vk) {
		return nil, fmt.Errorf("%w: proof of %d bytes, expected %d for this key", ErrMalformed, len(b), ProofSize(vk))
	}
	r := wire.NewReader(b)
	p := &Proof{Ar: r.G1(), Bs: r.G2(), Krs: r.G1()}
	for range vk.Commitments {
		p.Commitments = append(p.Commitments, r.G1())
	}
	p.PoK = r.G1()
	for range len(vk.Commitments) - 1 {
		p.Deltas = append(p.Deltas, r.Scalar())
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	return p, nil
}
