package groth16

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
)

// Circuit is the constraint system of an architecture. It depends on no parameter of the graph.
type Circuit struct {
	Plan *circuits.Plan

	graph   *model.Graph
	options prover.Options
	system  *cs.R1CS
}

// Compile turns the architecture of g into constraints.
func Compile(ctx context.Context, g *model.Graph, o prover.Options) (*Circuit, error) {
	prover.SilenceGnark()
	plan, err := circuits.NewPlan(g, o)
	if err != nil {
		return nil, err
	}
	c := plan.NewCircuit()
	system, err := prover.Interruptible(ctx, func() (constraint.ConstraintSystem, error) {
		return frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c, circuits.CompileOption())
	})
	if err != nil {
		return nil, fmt.Errorf("compiling the circuit: %w", err)
	}
	out := &Circuit{Plan: plan, graph: g, options: plan.Options(), system: system.(*cs.R1CS)}
	return out, out.checkLayout(c)
}

// Constraints is the number of rank-1 constraints.
func (c *Circuit) Constraints() int { return c.system.GetNbConstraints() }

// checkLayout makes sure that each commitment holds exactly the wires of its object, in the order in
// which the outer checks count them. gnark sorts and merges committed wires by itself.
func (c *Circuit) checkLayout(defined *circuits.Circuit) error {
	info := c.system.CommitmentInfo.(constraint.Groth16Commitments)
	want := defined.CommittedWires()
	if len(info) != len(want) {
		return fmt.Errorf("the circuit has %d commitments, expected %d", len(info), len(want))
	}
	for k, wires := range want {
		got := info[k].PrivateCommitted
		if len(got) != len(wires)+1 { // the last is gnark's mask
			return fmt.Errorf("commitment %d holds %d wires, expected %d and a mask", k, len(got), len(wires))
		}
		for i := range wires {
			if got[i] != wires[i] {
				return fmt.Errorf("commitment %d: wire %d is %d, expected %d", k, i, got[i], wires[i])
			}
		}
	}
	if n := c.system.GetNbConstraints(); n != c.Plan.Constraints {
		return fmt.Errorf("the circuit has %d constraints, the plan says %d", n, c.Plan.Constraints)
	}
	return nil
}
