package groth16

import (
	"context"
	"fmt"
	"reflect"

	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
)

// CompareCircuit implements prover.CircuitKeys. Whether the points of the keys are of their circuit, this does not show: that is what a
// ceremony's transcript is verified for.
func (k *Keys) CompareCircuit(ctx context.Context, g *model.Graph) error {
	c, err := Compile(ctx, g, k.Options)
	if err != nil {
		return err
	}
	if d := difference(k.system, c.system); d != "" {
		return fmt.Errorf("%w: %s", prover.ErrArchitecture, d)
	}
	return nil
}

// difference is the first one of two circuits, "" for none: of what a setup depends on.
func difference(theirs, mine *cs.R1CS) string {
	a, b, c := theirs.GetNbVariables()
	x, y, z := mine.GetNbVariables()
	if a != x || b != y || c != z || theirs.GetNbConstraints() != mine.GetNbConstraints() {
		return fmt.Sprintf("the circuit has %d constraints on %d internal, %d secret and %d public wires, expected %d on %d, %d and %d",
			theirs.GetNbConstraints(), a, b, c, mine.GetNbConstraints(), x, y, z)
	}
	if !reflect.DeepEqual(committed(theirs), committed(mine)) {
		return "the circuit commits to other wires"
	}
	i, k := theirs.GetR1CIterator(), mine.GetR1CIterator()
	for n := range mine.GetNbConstraints() {
		p, q := i.Next(), k.Next()
		if !sameTerms(theirs, mine, p.L, q.L) || !sameTerms(theirs, mine, p.R, q.R) || !sameTerms(theirs, mine, p.O, q.O) {
			return fmt.Sprintf("constraint %d of %d of the circuit is another one", n, mine.GetNbConstraints())
		}
	}
	return ""
}

// committed are the commitments without what only the solver asks for.
func committed(system *cs.R1CS) (out [][]int) {
	for _, c := range system.CommitmentInfo.(constraint.Groth16Commitments) {
		out = append(out, []int{c.CommitmentIndex, c.NbPublicCommitted}, c.PublicAndCommitmentCommitted, c.PrivateCommitted)
	}
	return out
}

func sameTerms(theirs, mine *cs.R1CS, p, q constraint.LinearExpression) bool {
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i].WireID() != q[i].WireID() || theirs.Coefficients[p[i].CoeffID()] != mine.Coefficients[q[i].CoeffID()] {
			return false
		}
	}
	return true
}
