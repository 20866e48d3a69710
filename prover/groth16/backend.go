package groth16

import (
	"context"

	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
)

// Backend is Groth16 among the proof systems.
type Backend struct{}

// Name implements prover.Backend.
func (Backend) Name() string { return verifier.BackendGroth16 }

// Plan implements prover.Backend.
func (Backend) Plan(g *model.Graph, o prover.Options, r *estimate.Rates) (*prover.Plan, error) {
	plan, err := circuits.NewPlan(g, o)
	if err != nil {
		return nil, err
	}
	parameters := 0
	for _, n := range g.Nodes {
		for _, p := range n.Op.Params() {
			parameters += len(*p.Values)
		}
	}
	shape := plan.Shape()
	out := &prover.Plan{Constraints: plan.Constraints, Border: plan.BorderCost, Tables: plan.TableCost, Fixed: plan.FixedCost,
		Proof: estimate.NewProof(shape, parameters, r), Verification: estimate.NewVerification(shape, r)}
	for _, n := range plan.Nodes {
		out.Layers = append(out.Layers, prover.LayerPlan{Constraints: n.Constraints, Note: n.Note})
	}
	return out, nil
}

// Compile implements prover.Backend.
func (Backend) Compile(ctx context.Context, g *model.Graph, o prover.Options) (prover.Circuit, error) {
	c, err := Compile(ctx, g, o)
	if err != nil {
		return nil, err
	}
	return compiled{c}, nil
}

// compiled is a circuit whose keys are those of any backend.
type compiled struct{ *Circuit }

var _ prover.CeremonyCircuit = compiled{}

// UnsafeDevSetup implements prover.Circuit.
func (c compiled) UnsafeDevSetup(ctx context.Context) (prover.Keys, error) {
	k, err := c.Circuit.UnsafeDevSetup(ctx)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// CeremonyKeys implements prover.CeremonyCircuit.
func (c compiled) CeremonyKeys(pk *groth16bn254.ProvingKey, vk *groth16bn254.VerifyingKey, digest [32]byte) (prover.Keys, error) {
	k, err := c.Circuit.CeremonyKeys(pk, vk, digest)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Open implements prover.Backend.
func (Backend) Open(dir string, m *prover.Manifest) (prover.Keys, error) {
	k, err := OpenKeys(dir, m)
	if err != nil {
		return nil, err
	}
	return k, nil
}
