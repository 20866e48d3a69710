package bench

import (
	"context"
	"fmt"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover/baseline"
	"github.com/zkinfer/zkinfer/prover/groth16"
)

// holdings are the ways to hold weights without folding.
var holdings = map[Weights]circuits.Holding{
	WiresPrivate: circuits.PrivateWires, WiresPublic: circuits.PublicWires, Constants: circuits.Constants,
}

// groth16System is Groth16 with all ways to hold weights: those that the command line offers, and a
// baseline for the others.
func groth16System() system {
	s := committed(groth16.Backend{}, FoldedPrivate, FoldedPublic)
	return system{
		name: s.name, weights: append(s.offered, WiresPrivate, WiresPublic, Constants), offered: s.offered, plan: s.plan,
		new: func(g *model.Graph, w Weights) (Backend, error) {
			if h, ok := holdings[w]; ok {
				b, err := baseline.New(g, h)
				return &plain{baseline: b}, err
			}
			return s.new(g, w)
		},
		constraints: func(g *model.Graph, w Weights) (int, error) {
			h, ok := holdings[w]
			if !ok {
				return s.constraints(g, w)
			}
			plan, err := circuits.NewPlan(g, circuits.Options{PackTensors: true})
			if err != nil {
				return 0, err
			}
			return plan.BaselineConstraints(h), nil
		},
	}
}

// plain is Groth16 without folding.
type plain struct {
	baseline *baseline.Baseline
	proof    *baseline.Proof
}

func (p *plain) Compile(context.Context) (int, error) { return p.baseline.Compile() }
func (p *plain) Setup(ctx context.Context) error      { return p.baseline.Setup(ctx) }
func (p *plain) Commit(context.Context) error         { return nil }
func (p *plain) Open(dir string) error                { return p.baseline.Open(dir) }
func (p *plain) Verify() error                        { return p.baseline.Verify(p.proof) }
func (p *plain) Save(dir string) (s Sizes, err error) {
	s.ProvingKey, s.VerifyingKey, err = p.baseline.Save(dir)
	return s, err
}

func (p *plain) Prove(ctx context.Context, inputs [][]int64) (int, error) {
	proof, err := p.baseline.Prove(ctx, inputs)
	if err != nil {
		return 0, err
	}
	p.proof = proof
	n, err := proof.Bytes()
	if err == nil {
		// The proof of the folded ways is verified before it is handed out; so that both do the same, so is this.
		err = p.baseline.Verify(proof)
	}
	if err != nil {
		return 0, fmt.Errorf("proof: %w", err)
	}
	return int(n), nil
}
