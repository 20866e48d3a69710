package prepared

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/verifier"
)

// lines are what the Miller loop needs of a fixed point: two for each of its steps.
type lines = [2][len(bn254.LoopCounter)]bn254.LineEvaluationAff

// equations are what the pairing equations of a Groth16 proof with commitments need of its key.
type equations struct {
	fixed     []lines // of γ, δ, the commitments' common G, and −σG of each commitment
	alphaBeta bn254.GT
}

func newEquations(alpha bn254.G1Affine, beta, gamma, delta, g bn254.G2Affine, sigmas []bn254.G2Affine) (*equations, error) {
	e := &equations{}
	for _, q := range append([]bn254.G2Affine{gamma, delta, g}, sigmas...) {
		e.fixed = append(e.fixed, bn254.PrecomputeLines(q))
	}
	var err error
	e.alphaBeta, err = bn254.MillerLoop([]bn254.G1Affine{alpha}, []bn254.G2Affine{beta})
	return e, err
}

// equationPoints are those of one proof. public is Σ x·K without the commitments.
type equationPoints struct {
	a, c, knowledge, public bn254.G1Affine
	b                       bn254.G2Affine
	commitments             []bn254.G1Affine
}

// check checks e(A, B) = e(α, β)·e(Σ x·K + Σ D, γ)·e(C, δ) and Π e(rⁱ·Dᵢ, −σᵢG)·e(PoK, G) = 1, the second raised to the
// power of the combining factor ρ. r is drawn from the commitments' challenges, as gnark's prover does.
func (e *equations) check(p *equationPoints, challenges []fr.Element, rho fr.Element) error {
	fold, err := knowledgeFactor(challenges)
	if err != nil {
		return err
	}
	sum := p.public
	for i := range p.commitments {
		sum.Add(&sum, &p.commitments[i])
	}
	points := []bn254.G1Affine{sum, p.c, times(&p.knowledge, &rho)}
	scale := rho
	for i := range p.commitments {
		points = append(points, times(&p.commitments[i], &scale))
		scale.Mul(&scale, &fold)
	}
	// gnark-crypto computes in place: it must not get the key's own lines.
	fixed, err := bn254.MillerLoopFixedQ(points, slices.Clone(e.fixed))
	if err != nil {
		return fmt.Errorf("%w: %w", verifier.ErrInvalidProof, err)
	}
	var negA bn254.G1Affine
	negA.Neg(&p.a)
	own, err := bn254.MillerLoop([]bn254.G1Affine{negA}, []bn254.G2Affine{p.b})
	if err != nil {
		return fmt.Errorf("%w: %w", verifier.ErrInvalidProof, err)
	}
	var one bn254.GT
	one.SetOne()
	if f := bn254.FinalExponentiation(&fixed, &own, &e.alphaBeta); !f.Equal(&one) {
		return fmt.Errorf("%w: the pairing equations do not hold", verifier.ErrInvalidProof)
	}
	return nil
}

// knowledgeFactor is the r by which gnark's prover folds the proofs of knowledge.
func knowledgeFactor(challenges []fr.Element) (fr.Element, error) {
	var hashed []byte
	for i := range challenges {
		b := challenges[i].Bytes()
		hashed = append(hashed, b[:]...)
	}
	fold, err := fr.Hash(hashed, []byte("G16-BSB22"), 1)
	if err != nil {
		return fr.Element{}, err
	}
	return fold[0], nil
}

// combiningFactor is 128 bits drawn from the statement's digest, the first challenge and all of the proof.
func combiningFactor(s, challenge fr.Element, proof []byte) (rho fr.Element) {
	a, b := s.Bytes(), challenge.Bytes()
	h := statement.Keccak([]byte("zkinfer/canister/combine/1"), a[:], b[:], proof)
	return *rho.SetBytes(h[:16])
}
