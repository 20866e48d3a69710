package prepared

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/verifier"
)

// lines are what the Miller loop needs of a fixed point: two for each of its steps.
type lines = [2][len(bn254.LoopCounter)]bn254.LineEvaluationAff

// groth16Key is a verifying key with lines and tables of its points.
type groth16Key struct {
	*verifier.VerifyingKey
	fixed     []lines // of γ, δ, the commitments' common G, and −σG of each commitment
	alphaBeta bn254.GT
	public    *Table // K but the first point
}

func newGroth16Key(vk *verifier.VerifyingKey) (*groth16Key, error) {
	k := &groth16Key{VerifyingKey: vk, public: NewTable(vk.K[1:])}
	for _, q := range []bn254.G2Affine{vk.Gamma, vk.Delta, vk.Commitments[0].G} {
		k.fixed = append(k.fixed, bn254.PrecomputeLines(q))
	}
	for i := range vk.Commitments {
		k.fixed = append(k.fixed, bn254.PrecomputeLines(vk.Commitments[i].GSigmaNeg))
	}
	var err error
	k.alphaBeta, err = bn254.MillerLoop([]bn254.G1Affine{vk.Alpha}, []bn254.G2Affine{vk.Beta})
	return k, err
}

// Check implements Key.
func (k *groth16Key) Check(m Model, st *verifier.Statement, proof []byte) (fr.Element, error) {
	s, err := verifier.StatementDigest(k.VerifyingKey, m.Commitment(), st)
	if err != nil {
		return s, err
	}
	p, err := verifier.DecodeProof(k.VerifyingKey, proof)
	if err != nil {
		return s, err
	}
	c := &check{key: k, model: m.(*groth16Model), statement: st, proof: p, public: verifier.PublicInputs(k.Fixed(), st, s)}
	c.drawChallenges()
	if err := c.outer(); err != nil {
		return s, err
	}
	return s, c.pairings(proof)
}

// groth16Model is a model commitment with the table of its points.
type groth16Model struct {
	*verifier.ModelCommitment
	table *Table
}

// Commitment implements Model.
func (m *groth16Model) Commitment() verifier.Commitment { return m.ModelCommitment }

// AppendBinary implements Model.
func (m *groth16Model) AppendBinary(b []byte) []byte { return m.table.AppendBinary(b) }

func parseGroth16Model(b []byte) (*groth16Model, error) {
	t, err := ParseTable(b)
	if err != nil {
		return nil, err
	}
	m := &groth16Model{&verifier.ModelCommitment{}, t}
	for i := range t.Len() {
		m.Rows = append(m.Rows, t.Point(i))
	}
	return m, nil
}

// check is one verification.
type check struct {
	key        *groth16Key
	model      *groth16Model
	statement  *verifier.Statement
	proof      *verifier.Proof
	public     []fr.Element // public inputs, then challenges
	challenges []fr.Element
}

// drawChallenges hashes each commitment with what it covers (S, or the challenge before).
func (c *check) drawChallenges() {
	for i, d := range c.proof.Commitments {
		ch := verifier.Challenge(d, c.public[c.key.Commitments[i].PublicCommitted[0]-1])
		c.challenges = append(c.challenges, ch)
		c.public = append(c.public, ch)
	}
}

// pairings checks e(A, B) = e(α, β)·e(Σ x·K + Σ D, γ)·e(C, δ) and Π e(rⁱ·Dᵢ, −σᵢG)·e(PoK, G) = 1, the
// second raised to the power of the combining factor ρ.
func (c *check) pairings(proof []byte) error {
	sum := c.publicSum()
	fold, err := c.knowledgeFactor()
	if err != nil {
		return err
	}
	rho := c.combiningFactor(proof)
	points := []bn254.G1Affine{sum, c.proof.Krs, times(&c.proof.PoK, &rho)}
	scale := rho
	for i := range c.proof.Commitments {
		points = append(points, times(&c.proof.Commitments[i], &scale))
		scale.Mul(&scale, &fold)
	}
	// gnark-crypto computes in place: it must not get the key's own lines.
	fixed, err := bn254.MillerLoopFixedQ(points, slices.Clone(c.key.fixed))
	if err != nil {
		return fmt.Errorf("%w: %w", verifier.ErrInvalidProof, err)
	}
	var negA bn254.G1Affine
	negA.Neg(&c.proof.Ar)
	own, err := bn254.MillerLoop([]bn254.G1Affine{negA}, []bn254.G2Affine{c.proof.Bs})
	if err != nil {
		return fmt.Errorf("%w: %w", verifier.ErrInvalidProof, err)
	}
	var one bn254.GT
	one.SetOne()
	if f := bn254.FinalExponentiation(&fixed, &own, &c.key.alphaBeta); !f.Equal(&one) {
		return fmt.Errorf("%w: the pairing equations do not hold", verifier.ErrInvalidProof)
	}
	return nil
}

// publicSum is Σ x·K + Σ D.
func (c *check) publicSum() bn254.G1Affine {
	sum := c.key.public.Sum(c.public)
	sum.Add(&sum, &c.key.K[0])
	for i := range c.proof.Commitments {
		sum.Add(&sum, &c.proof.Commitments[i])
	}
	return sum
}

// knowledgeFactor is the r by which gnark's prover folds the proofs of knowledge.
func (c *check) knowledgeFactor() (fr.Element, error) {
	var hashed []byte
	for i := range c.challenges {
		b := c.challenges[i].Bytes()
		hashed = append(hashed, b[:]...)
	}
	fold, err := fr.Hash(hashed, []byte("G16-BSB22"), 1)
	if err != nil {
		return fr.Element{}, err
	}
	return fold[0], nil
}

// combiningFactor is 128 bits drawn from the statement, the challenges and all of the proof.
func (c *check) combiningFactor(proof []byte) (rho fr.Element) {
	s, alpha := c.public[0].Bytes(), c.challenges[0].Bytes()
	h := statement.Keccak([]byte("zkinfer/canister/combine/1"), s[:], alpha[:], proof)
	return *rho.SetBytes(h[:16])
}

// outer compares every committed object with what the statement says of it: D = object + δ·H.
func (c *check) outer() error {
	for i := 1; i < len(c.key.Commitments); i++ {
		key := &c.key.Commitments[i]
		object := c.object(key)
		shift := times(&key.H, &c.proof.Deltas[i-1])
		object.Add(&object, &shift)
		if !object.Equal(&c.proof.Commitments[i]) {
			return fmt.Errorf("%w: commitment %d is not of the model, or not of the values, in the statement", verifier.ErrInvalidProof, i)
		}
	}
	return nil
}

func (c *check) object(key *verifier.CommitmentKey) bn254.G1Affine {
	alpha := c.challenges[0]
	specs, values := c.key.Inputs, c.statement.Inputs
	if key.IsOutput {
		specs, values = c.key.Outputs, c.statement.Outputs
	}
	switch key.Role {
	case verifier.RoleParameters:
		return c.model.table.Sum(powers(alpha, len(c.model.Rows)))
	case verifier.RoleFold:
		v := verifier.FoldValue(specs[key.Tensor], values[key.Tensor].Values, alpha)
		return times(&key.Base, &v)
	}
	return values[key.Tensor].Commitment[0]
}

func times(p *bn254.G1Affine, s *fr.Element) (out bn254.G1Affine) {
	var b big.Int
	return *out.ScalarMultiplication(p, s.BigInt(&b))
}
