package plonk

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/internal/wire"
	"github.com/zkinfer/zkinfer/verifier"
)

// Proof is a PLONK proof. What gnark's holds beside, the value of the linearized polynomial at ζ, follows from
// the rest.
type Proof struct {
	Committed [Commitments]bn254.G1Affine // the trace, and the first challenge
	L, R, O   bn254.G1Affine              // the wires of the gates
	Z         bn254.G1Affine              // the permutation's running product
	H         [3]bn254.G1Affine           // the quotient
	Opening   bn254.G1Affine              // at ζ
	Shifted   bn254.G1Affine              // of Z at ωζ

	AtL, AtR, AtO fr.Element              // values at ζ
	AtS           [2]fr.Element           // of the permutation's first two polynomials
	AtQcp         [Commitments]fr.Element // of the commitments' places
	AtZ           fr.Element              // Z(ωζ)
}

// ProofSize is the number of bytes of every proof.
const ProofSize = (9+Commitments)*wire.G1Size + (6+Commitments)*fr.Bytes

// RawProofSize is that of EncodeRaw.
const RawProofSize = (9+Commitments)*wire.G1RawSize + (6+Commitments)*fr.Bytes

func (p *Proof) points() []*bn254.G1Affine {
	var out []*bn254.G1Affine
	for i := range p.Committed {
		out = append(out, &p.Committed[i])
	}
	return append(out, &p.L, &p.R, &p.O, &p.Z, &p.H[0], &p.H[1], &p.H[2], &p.Opening, &p.Shifted)
}

func (p *Proof) scalars() []*fr.Element {
	out := []*fr.Element{&p.AtL, &p.AtR, &p.AtO, &p.AtS[0], &p.AtS[1]}
	for i := range p.AtQcp {
		out = append(out, &p.AtQcp[i])
	}
	return append(out, &p.AtZ)
}

// Encode is the proof in ProofSize bytes: points, compressed, then scalars, in the order of the fields.
func (p *Proof) Encode() []byte {
	b := make([]byte, 0, ProofSize)
	for _, x := range p.points() {
		b = wire.AppendG1(b, x)
	}
	for _, x := range p.scalars() {
		s := x.Bytes()
		b = append(b, s[:]...)
	}
	return b
}

// EncodeRaw is Encode with uncompressed points, as contracts take it.
func (p *Proof) EncodeRaw() []byte {
	b := make([]byte, 0, RawProofSize)
	for _, x := range p.points() {
		b = wire.AppendG1Raw(b, x)
	}
	for _, x := range p.scalars() {
		s := x.Bytes()
		b = append(b, s[:]...)
	}
	return b
}

// DecodeProof decodes a proof: exact length, points canonically encoded and on the curve, scalars below the
// field's order. Errors wrap verifier.ErrMalformed.
func DecodeProof(b []byte) (*Proof, error) {
	if len(b) != ProofSize {
		return nil, fmt.Errorf("%w: proof of %d bytes, expected %d", verifier.ErrMalformed, len(b), ProofSize)
	}
	r := wire.NewReader(b)
	p := &Proof{}
	for _, x := range p.points() {
		*x = r.G1()
	}
	for _, x := range p.scalars() {
		*x = r.Scalar()
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	return p, nil
}

// ModelCommitment stands for the weights that a key holds: it is the key's digest under a tag.
type ModelCommitment struct{ Key [32]byte }

// modelTag tells M of a PLONK key from every other digest.
const modelTag = "zkinfer/v1/plonk/model"

// Backend implements verifier.Commitment.
func (m *ModelCommitment) Backend() string { return BackendName }

// Digest is M.
func (m *ModelCommitment) Digest() [32]byte { return statement.Keccak([]byte(modelTag), m.Key[:]) }

// Points implements verifier.Commitment: the key itself holds the parameters.
func (m *ModelCommitment) Points() int { return 0 }

// MarshalBinary is the digest of the key.
func (m *ModelCommitment) MarshalBinary() ([]byte, error) { return m.Key[:], nil }

// UnmarshalModelCommitment decodes what MarshalBinary gives. Errors wrap verifier.ErrMalformed.
func UnmarshalModelCommitment(b []byte) (*ModelCommitment, error) {
	r := wire.NewReader(b)
	m := &ModelCommitment{Key: r.Digest()}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("model commitment: %w", err)
	}
	return m, nil
}
