package plonk

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
)

// ErrPrivateTensor is a private input or output, for which PLONK keys have no commitment.
var ErrPrivateTensor = errors.New("PLONK proves public inputs and outputs only")

// Circuit are the gates for a model.
type Circuit struct {
	Plan *circuits.Plan

	graph   *model.Graph
	options prover.Options
	system  *cs.SparseR1CS
}

// gateOptions are what package circuits is asked for.
func gateOptions(o prover.Options) (prover.Options, error) {
	if o.PrivateInput || o.PrivateOutput {
		return o, fmt.Errorf("%w: use --backend groth16, or leave out --input private and --output private", ErrPrivateTensor)
	}
	o.Arithmetization, o.FoldRows = circuits.Gates, 1
	return o, nil
}

// Compile makes the gates for g and its parameters.
func Compile(ctx context.Context, g *model.Graph, o prover.Options) (*Circuit, error) {
	prover.SilenceGnark()
	o, err := gateOptions(o)
	if err != nil {
		return nil, err
	}
	plan, err := circuits.NewPlan(g, o)
	if err != nil {
		return nil, err
	}
	parameters, err := plan.Parameters(g)
	if err != nil {
		return nil, err
	}
	var hidden salts
	if !o.PublicParameters {
		for i := range hidden {
			if _, err := hidden[i].SetRandom(); err != nil {
				return nil, err
			}
		}
	}
	system, err := prover.Interruptible(ctx, func() (*cs.SparseR1CS, error) {
		return compile(plan, parameters, &hidden)
	})
	if err != nil {
		return nil, fmt.Errorf("compiling the circuit: %w", err)
	}
	return &Circuit{Plan: plan, graph: g, options: o, system: system}, nil
}

func compile(plan *circuits.Plan, parameters *circuits.Parameters, hidden *salts) (*cs.SparseR1CS, error) {
	c := plan.NewCircuit()
	var system constraint.ConstraintSystem
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c, circuits.CompileOption())
	if err != nil {
		return nil, err
	}
	return arithmetize(system.(*cs.R1CS), c, parameters.Rows[0], hidden)
}

// Constraints is the number of gates, public inputs among them.
func (c *Circuit) Constraints() int { return gatesOf(c.system) }

func gatesOf(system *cs.SparseR1CS) int {
	return system.GetNbConstraints() + system.GetNbPublicVariables()
}

// LogSize is log2 of the size of the domain, which the SRS must have.
func (c *Circuit) LogSize() int { return bits.Len(uint(c.Constraints() - 1)) }
