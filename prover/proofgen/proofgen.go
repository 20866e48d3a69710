// Package proofgen makes Groth16 proofs with commitments (BSB22, ePrint 2022/1072) for gnark's constraint systems and proving keys.
//
// The promise: from the same randomness come the same proofs as gnark makes, whose verifiers are told to use Keccak
// (backend/solidity). What differs is the time, since sums of multiples are those of package msm, and the memory, since one is computed
// after the other.
//
// Pitfall: a proof is not verified here. A key made by somebody malicious could make it leak the witness; whoever releases proofs verifies
// them first.
package proofgen

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	gnarkcs "github.com/consensys/gnark/frontend/cs"
	"golang.org/x/crypto/sha3"

	"github.com/zkinfer/zkinfer/internal/msm"
)

// Options of a proof.
type Options struct {
	// Solver has hints that stand in for those of the circuit.
	Solver []solver.Option
	// Commitments are those, by number, that the caller has computed already.
	Commitments map[int]bn254.G1Affine
}

// errKey is a proving key of another circuit.
var errKey = errors.New("the proving key is for another circuit")

// Prove solves the constraint system for a witness and proves that there is a solution.
func Prove(system *cs.R1CS, pk *groth16.ProvingKey, full witness.Witness, o Options) (*groth16.Proof, error) {
	c, err := newCommitter(system, pk, o.Commitments)
	if err != nil {
		return nil, err
	}
	solved, err := system.Solve(full, append(o.Solver[:len(o.Solver):len(o.Solver)], c.solverOption())...)
	if err != nil {
		return nil, err
	}
	solution := solved.(*cs.R1CSSolution)
	proof := &groth16.Proof{Commitments: c.commitments}
	if proof.CommitmentPok, err = c.knowledge(solution.W); err != nil {
		return nil, err
	}
	c.values = nil
	a := &arguer{pk: pk, wires: solution.W}
	if err := a.check(system.GetNbPublicVariables(), c.absent(solution.W)); err != nil {
		return nil, err
	}
	if err := a.drawMasks(); err != nil {
		return nil, err
	}
	h := quotient(solution.A, solution.B, solution.C, &pk.Domain)
	solution.A, solution.B, solution.C = nil, nil, nil
	a.sumQuotient(h)
	proof.Ar, proof.Krs = a.sumG1(system.GetNbPublicVariables(), c.absent(solution.W))
	proof.Bs, err = a.sumG2()
	return proof, err
}

// committer makes the commitments while the system is solved.
type committer struct {
	pk          *groth16.ProvingKey
	info        constraint.Groth16Commitments
	known       map[int]bn254.G1Affine
	commitments []bn254.G1Affine
	values      [][]fr.Element // of committed wires, by commitment
}

func newCommitter(system *cs.R1CS, pk *groth16.ProvingKey, known map[int]bn254.G1Affine) (*committer, error) {
	info := system.CommitmentInfo.(constraint.Groth16Commitments)
	if len(pk.CommitmentKeys) != len(info) {
		return nil, fmt.Errorf("%w: it has %d commitments, expected %d", errKey, len(pk.CommitmentKeys), len(info))
	}
	for i, k := range pk.CommitmentKeys {
		if n := len(info[i].PrivateCommitted); len(k.Basis) != n || len(k.BasisExpSigma) != n {
			return nil, fmt.Errorf("%w: commitment %d has %d bases, expected %d", errKey, i, len(k.Basis), n)
		}
	}
	return &committer{pk: pk, info: info, known: known, commitments: make([]bn254.G1Affine, len(info)), values: make([][]fr.Element, len(info))}, nil
}

// solverOption replaces gnark's hint for a challenge. Its inputs are the commitment's number, what is hashed, and what is committed.
func (c *committer) solverOption() solver.Option {
	return solver.OverrideHint(solver.GetHintID(gnarkcs.Bsb22CommitmentComputePlaceholder), func(_ *big.Int, in, out []*big.Int) error {
		i := int(in[0].Int64())
		hashed := len(c.info[i].PublicAndCommitmentCommitted)
		c.commit(i, in[1+hashed:])
		challenge := c.challenge(i, in[1:1+hashed])
		challenge.BigInt(out[0])
		return nil
	})
}

func (c *committer) commit(i int, values []*big.Int) {
	v := make([]fr.Element, len(values))
	for j, x := range values {
		v[j].SetBigInt(x)
	}
	c.values[i] = v
	known, ok := c.known[i]
	if !ok {
		sum := msm.MultiExp(c.pk.CommitmentKeys[i].Basis, v)
		known.FromJacobian(&sum)
	}
	c.commitments[i] = known
}

// challenge is the element drawn from a commitment and what is hashed with it.
func (c *committer) challenge(i int, hashed []*big.Int) (out fr.Element) {
	h := sha3.NewLegacyKeccak256()
	h.Write(constraint.SerializeCommitment(c.commitments[i].Marshal(), hashed, fr.Bytes))
	out.SetBytes(h.Sum(nil))
	return out
}

// knowledge is the proof that the committed values are known, of all commitments at once.
func (c *committer) knowledge(wires fr.Vector) (out bn254.G1Affine, err error) {
	var challenges []byte
	for _, info := range c.info {
		challenges = append(challenges, wires[info.CommitmentIndex].Marshal()...)
	}
	fold, err := fr.Hash(challenges, []byte("G16-BSB22"), 1)
	if err != nil || len(c.info) == 0 {
		return out, err
	}
	// One by one, because small values are cheaper than the same times a challenge.
	proofs := make([]bn254.G1Affine, len(c.info))
	for i, v := range c.values {
		sum := msm.MultiExp(c.pk.CommitmentKeys[i].BasisExpSigma, v)
		proofs[i].FromJacobian(&sum)
	}
	_, err = out.Fold(proofs, fold[0], ecc.MultiExpConfig{})
	return out, err
}

// absent says of every wire whether it is committed or a challenge: such wires have no points in K.
func (c *committer) absent(wires fr.Vector) []bool {
	out := make([]bool, len(wires))
	for _, info := range c.info {
		out[info.CommitmentIndex] = true
		for _, w := range info.PrivateCommitted {
			out[w] = true
		}
	}
	return out
}
