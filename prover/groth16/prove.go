package groth16

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/proofgen"
	"github.com/zkinfer/zkinfer/verifier"
)

// Prove runs g on inputs (flat, one slice an input) and proves the result in the given context, a
// value chosen by whoever asks for the proof. The proof is verified before it is returned.
func (k *Keys) Prove(ctx context.Context, g *model.Graph, opening *prover.ModelOpening, inputs [][]int64, context []byte) (*prover.Proved, error) {
	plan, err := k.plan(g)
	if err != nil {
		return nil, err
	}
	if err := opening.CheckFor(k.Verifying, g); err != nil {
		return nil, err
	}
	rows, ok := opening.Commitment.(*verifier.ModelCommitment)
	if !ok {
		return nil, fmt.Errorf("%w: the model commitment is of backend %q", prover.ErrKeyMismatch, opening.Commitment.Backend())
	}
	parameters, err := plan.Parameters(g)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	trace, err := g.Execute(ctx, inputs)
	if err != nil {
		return nil, err
	}
	executed := time.Now()
	assigned, err := plan.Assign(trace)
	if err != nil {
		return nil, err
	}
	a := &attempt{keys: k, plan: plan, opening: opening, rows: rows.Rows, parameters: parameters, witness: assigned, salts: map[int]fr.Element{}}
	if err := a.bindStatement(g, trace, context); err != nil {
		return nil, err
	}
	solved := time.Now()
	if err := a.prove(ctx); err != nil {
		return nil, err
	}
	proved := time.Now()
	out, err := a.finish(g, trace)
	if err != nil {
		return nil, err
	}
	out.Stats = prover.Stats{Execute: executed.Sub(start), Assign: solved.Sub(executed), Prove: proved.Sub(solved),
		Verify: time.Since(proved), Constraints: k.system.GetNbConstraints()}
	return out, nil
}

// attempt is the making of one proof. Its salts and masks are never used again.
type attempt struct {
	keys       *Keys
	plan       *circuits.Plan
	opening    *prover.ModelOpening
	rows       []bn254.G1Affine // of the model commitment
	parameters *circuits.Parameters
	witness    *circuits.Witness
	salts      map[int]fr.Element // by object, of private tensors
	statement  *verifier.Statement
	s          fr.Element
	masks      maskRecorder
	proof      *groth16.Proof
}

// bindStatement commits private tensors under fresh salts and computes the digest S.
func (a *attempt) bindStatement(g *model.Graph, t *model.Trace, context []byte) error {
	st := &verifier.Statement{Context: context}
	for _, id := range g.Inputs {
		st.Inputs = append(st.Inputs, verifier.TensorValue{Values: t.Values[id]})
	}
	for _, id := range g.Outputs {
		st.Outputs = append(st.Outputs, verifier.TensorValue{Values: t.Values[id]})
	}
	next := 0
	for k, object := range a.plan.Objects() {
		if object.Kind != circuits.InputObject && object.Kind != circuits.OutputObject {
			continue
		}
		c, err := a.commitTensor(k, a.witness.Private[next])
		if err != nil {
			return err
		}
		next++
		side := st.Inputs
		if object.Output {
			side = st.Outputs
		}
		side[object.Tensor] = verifier.TensorValue{Commitment: []bn254.G1Affine{c}}
	}
	s, err := verifier.StatementDigest(a.keys.Verifying, a.opening.Commitment, st)
	a.statement, a.s = st, s
	return err
}

func (a *attempt) commitTensor(object int, values []uint64) (bn254.G1Affine, error) {
	var salt fr.Element
	if _, err := salt.SetRandom(); err != nil {
		return bn254.G1Affine{}, err
	}
	a.salts[object] = salt
	elements := make([]fr.Element, len(values))
	for i, v := range values {
		elements[i].SetUint64(v)
	}
	return a.keys.commitRow(object, elements, salt)
}

// prove solves the circuit with the parameters, recording masks, and proves it.
func (a *attempt) prove(ctx context.Context) error {
	full, err := a.witness.Full(a.s)
	if err != nil {
		return err
	}
	a.proof, err = prover.Interruptible(ctx, func() (*groth16.Proof, error) {
		return proofgen.Prove(a.keys.system, a.keys.proving, full,
			proofgen.Options{Solver: []solver.Option{a.parameters.SolverOption(), a.masks.solverOption()}})
	})
	if err != nil {
		return fmt.Errorf("proving: %w", err)
	}
	return nil
}

// finish adds the scalars of the outer checks, encodes, and verifies.
func (a *attempt) finish(g *model.Graph, t *model.Trace) (*prover.Proved, error) {
	p := &verifier.Proof{Ar: a.proof.Ar, Bs: a.proof.Bs, Krs: a.proof.Krs,
		Commitments: a.proof.Commitments, PoK: a.proof.CommitmentPok}
	alpha := verifier.Challenge(p.Commitments[0], a.s)
	out := &prover.Proved{InputSalts: make([][]fr.Element, len(g.Inputs)), OutputSalts: make([][]fr.Element, len(g.Outputs))}
	for k, object := range a.plan.Objects() {
		if object.Kind == circuits.TraceObject {
			continue
		}
		delta, err := a.delta(k, object, alpha)
		if err != nil {
			return nil, err
		}
		p.Deltas = append(p.Deltas, delta)
		switch object.Kind {
		case circuits.InputObject:
			out.InputSalts[object.Tensor] = []fr.Element{a.salts[k]}
		case circuits.OutputObject:
			out.OutputSalts[object.Tensor] = []fr.Element{a.salts[k]}
		}
	}
	out.Outputs = t.Outputs(g)
	out.Bundle = &verifier.Bundle{Backend: verifier.BackendGroth16, VKDigest: a.keys.Verifying.Digest(),
		Model: a.opening.Commitment.Digest(), Statement: *a.statement, Proof: p.Encode()}
	if err := verifier.VerifyBundle(a.keys.Verifying, a.opening.Commitment, out.Bundle); err != nil {
		return nil, fmt.Errorf("the finished proof does not verify and is withheld (are the keys damaged or foreign?): %w", err)
	}
	return out, nil
}

// delta is the difference of the masks: D_k minus the object's commitment is δ·H. The recorder does
// not say which draw belongs to which commitment, so the one that fits is found.
func (a *attempt) delta(k int, object circuits.Object, alpha fr.Element) (fr.Element, error) {
	opened, salt, err := a.opened(k, object, alpha)
	if err != nil {
		return fr.Element{}, err
	}
	h := a.keys.Verifying.Commitments[k].H
	for _, mask := range a.masks.drawn {
		var delta fr.Element
		delta.Sub(&mask, &salt)
		shift := scalarMul(&h, &delta)
		var sum bn254.G1Affine
		if sum.Add(&opened, &shift); sum.Equal(&a.proof.Commitments[k]) {
			return delta, nil
		}
	}
	return fr.Element{}, fmt.Errorf("commitment %d of the proof opens to none of the masks drawn", k)
}

// opened is the commitment that D_k is compared with, and its salt.
func (a *attempt) opened(k int, object circuits.Object, alpha fr.Element) (c bn254.G1Affine, salt fr.Element, err error) {
	switch object.Kind {
	case circuits.ParameterObject:
		power := fr.One()
		for i := range a.rows {
			var t fr.Element
			t.Mul(&power, &a.opening.Salts[i])
			salt.Add(&salt, &t)
			power.Mul(&power, &alpha)
		}
		if c, err = verifier.FoldRows(a.rows, alpha); a.plan.FoldsTensors() {
			v := verifier.FoldTensors(a.keys.Verifying.Fixed(), a.statement, alpha, len(a.rows))
			fold := scalarMul(&a.keys.Verifying.Commitments[k].Base, &v)
			c.Add(&c, &fold)
		}
	case circuits.InputObject:
		c, salt = a.statement.Inputs[object.Tensor].Commitment[0], a.salts[k]
	case circuits.OutputObject:
		c, salt = a.statement.Outputs[object.Tensor].Commitment[0], a.salts[k]
	}
	return c, salt, err
}

// OpenTensor reports whether values and salt open the commitment of private input (or output) tensor
// of these keys.
func (k *Keys) OpenTensor(commitment bn254.G1Affine, output bool, tensor int, values []int64, salt fr.Element) (bool, error) {
	specs, kind := k.Verifying.Inputs, verifier.RoleInput
	if output {
		specs, kind = k.Verifying.Outputs, verifier.RoleOutput
	}
	object := slices.IndexFunc(k.Verifying.Commitments, func(c verifier.CommitmentKey) bool {
		return c.Role == kind && c.Tensor == tensor
	})
	if object < 0 {
		return false, fmt.Errorf("tensor %d is not private in these keys", tensor)
	}
	elements := make([]fr.Element, len(values))
	for i, v := range values {
		elements[i].SetBigInt(big.NewInt(v - specs[tensor].Min))
	}
	c, err := k.commitRow(object, elements, salt)
	return c.Equal(&commitment), err
}
