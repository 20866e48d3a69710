package prepared

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/verifier"
)

// groth16Key is a verifying key with lines and tables of its points.
type groth16Key struct {
	*verifier.VerifyingKey
	equations *equations
	public    *Table   // K but the first point
	outer     []*Table // H of each commitment but the trace's, and the base of the fold
}

func newGroth16Key(vk *verifier.VerifyingKey) (*groth16Key, error) {
	var sigmas []bn254.G2Affine
	for i := range vk.Commitments {
		sigmas = append(sigmas, vk.Commitments[i].GSigmaNeg)
	}
	e, err := newEquations(vk.Alpha, vk.Beta, vk.Gamma, vk.Delta, vk.Commitments[0].G, sigmas)
	k := &groth16Key{vk, e, NewTable(vk.K[1:]), nil}
	for i := 1; i < len(vk.Commitments); i++ {
		bases := []bn254.G1Affine{vk.Commitments[i].H}
		if f := vk.Commitments[i].Base; !f.IsInfinity() {
			bases = append(bases, f)
		}
		k.outer = append(k.outer, NewTable(bases))
	}
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

// pairings checks the pairing equations.
func (c *check) pairings(proof []byte) error {
	p := c.proof
	return c.key.equations.check(&equationPoints{a: p.Ar, b: p.Bs, c: p.Krs, knowledge: p.PoK, commitments: p.Commitments, public: c.publicSum()},
		c.challenges, combiningFactor(c.public[0], c.challenges[0], proof))
}

// publicSum is Σ x·K.
func (c *check) publicSum() bn254.G1Affine {
	sum := c.key.public.Sum(c.public)
	return *sum.Add(&sum, &c.key.K[0])
}

// outer compares every committed object with what the statement says of it: D = object + δ·H.
func (c *check) outer() error {
	for i := 1; i < len(c.key.Commitments); i++ {
		object := c.object(&c.key.Commitments[i], part{c.key.outer[i-1], c.proof.Deltas[i-1 : i]})
		if !object.Equal(&c.proof.Commitments[i]) {
			return fmt.Errorf("%w: commitment %d is not of the model, or not of the values, in the statement", verifier.ErrInvalidProof, i)
		}
	}
	return nil
}

// object is what the statement says of a commitment, plus the shift δ·H.
func (c *check) object(key *verifier.CommitmentKey, shift part) bn254.G1Affine {
	values := c.statement.Inputs
	if key.IsOutput {
		values = c.statement.Outputs
	}
	if key.Role != verifier.RoleParameters {
		object := sumOf(shift)
		return *object.Add(&object, &values[key.Tensor].Commitment[0])
	}
	alpha, rows := c.challenges[0], len(c.model.Rows)
	if shift.table.Len() > 1 { // the base of the fold
		v := verifier.FoldTensors(c.key.Fixed(), c.statement, alpha, rows)
		shift.scalars = []fr.Element{shift.scalars[0], v}
	}
	return sumOf(part{c.model.table, powers(alpha, rows)}, shift)
}

func times(p *bn254.G1Affine, s *fr.Element) (out bn254.G1Affine) {
	var b big.Int
	return *out.ScalarMultiplication(p, s.BigInt(&b))
}
