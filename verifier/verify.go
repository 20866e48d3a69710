package verifier

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
)

// Verify implements Key.
func (vk *VerifyingKey) Verify(m Commitment, st *Statement, proof []byte) error {
	if err := vk.check(); err != nil {
		return err
	}
	model, err := vk.points(m)
	if err != nil {
		return err
	}
	s, err := StatementDigest(vk, m, st)
	if err != nil {
		return err
	}
	p, err := DecodeProof(vk, proof)
	if err != nil {
		return err
	}
	c := &check{vk: vk, model: model, statement: st, proof: p, public: PublicInputs(vk.Fixed(), st, s)}
	c.drawChallenges()
	for _, step := range []func() error{c.knowledge, c.groth16, c.outer} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// check is one verification.
type check struct {
	vk         *VerifyingKey
	model      *ModelCommitment
	statement  *Statement
	proof      *Proof
	public     []fr.Element // public inputs, then challenges
	challenges []fr.Element
}

// drawChallenges hashes each commitment with what it covers (S, or the challenge before).
func (c *check) drawChallenges() {
	for k := range c.vk.Commitments {
		covered := c.public[c.vk.Commitments[k].PublicCommitted[0]-1]
		ch := Challenge(c.proof.Commitments[k], covered)
		c.challenges = append(c.challenges, ch)
		c.public = append(c.public, ch)
	}
}

// knowledge checks the folded proof of knowledge, each commitment with its own σ.
func (c *check) knowledge() error {
	keys := make([]pedersen.VerifyingKey, len(c.vk.Commitments))
	var hashed []byte
	for k := range keys {
		keys[k] = pedersen.VerifyingKey{G: c.vk.Commitments[k].G, GSigmaNeg: c.vk.Commitments[k].GSigmaNeg}
		b := c.challenges[k].Bytes()
		hashed = append(hashed, b[:]...)
	}
	fold, err := fr.Hash(hashed, []byte("G16-BSB22"), 1)
	if err != nil {
		return err
	}
	if err := pedersen.BatchVerifyMultiVk(keys, c.proof.Commitments, []bn254.G1Affine{c.proof.PoK}, fold[0]); err != nil {
		return fmt.Errorf("%w: proof of knowledge of the commitments: %w", ErrInvalidProof, err)
	}
	return nil
}

// groth16 checks e(A, B) = e(α, β)·e(Σ x·K + Σ D, γ)·e(C, δ).
func (c *check) groth16() error {
	var sum bn254.G1Affine
	if _, err := sum.MultiExp(c.vk.K[1:], c.public, ecc.MultiExpConfig{}); err != nil {
		return err
	}
	sum.Add(&sum, &c.vk.K[0])
	for i := range c.proof.Commitments {
		sum.Add(&sum, &c.proof.Commitments[i])
	}
	var negA bn254.G1Affine
	negA.Neg(&c.proof.Ar)
	ok, err := bn254.PairingCheck(
		[]bn254.G1Affine{negA, c.vk.Alpha, sum, c.proof.Krs},
		[]bn254.G2Affine{c.proof.Bs, c.vk.Beta, c.vk.Gamma, c.vk.Delta})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidProof, err)
	}
	if !ok {
		return fmt.Errorf("%w: the pairing equation does not hold", ErrInvalidProof)
	}
	return nil
}

// outer compares every committed object with what the statement says of it: D = object + δ·H.
func (c *check) outer() error {
	for k := 1; k < len(c.vk.Commitments); k++ {
		key := &c.vk.Commitments[k]
		object, err := c.object(key)
		if err != nil {
			return err
		}
		shift := times(&key.H, &c.proof.Deltas[k-1])
		object.Add(&object, &shift)
		if !object.Equal(&c.proof.Commitments[k]) {
			return fmt.Errorf("%w: %s", ErrInvalidProof, mismatch[key.Role])
		}
	}
	return nil
}

var mismatch = map[Role]string{
	RoleParameters: "it was not made with the weights of this model commitment, or not with the stated values",
	RoleInput:      "it was not made with the committed input",
	RoleOutput:     "it does not give the committed output",
}

func (c *check) object(key *CommitmentKey) (bn254.G1Affine, error) {
	values := c.statement.Inputs
	if key.IsOutput {
		values = c.statement.Outputs
	}
	if key.Role != RoleParameters {
		return values[key.Tensor].Commitment[0], nil
	}
	alpha := c.challenges[0]
	object, err := FoldRows(c.model.Rows, alpha)
	if !key.Base.IsInfinity() {
		v := FoldTensors(c.vk.Fixed(), c.statement, alpha, c.vk.FoldRows)
		fold := times(&key.Base, &v)
		object.Add(&object, &fold)
	}
	return object, err
}

func times(p *bn254.G1Affine, s *fr.Element) (out bn254.G1Affine) {
	var b big.Int
	return *out.ScalarMultiplication(p, s.BigInt(&b))
}
