package bench

import (
	"context"
	"fmt"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/baseline"
	"github.com/zkinfer/zkinfer/verifier"
)

// holdings are the ways to hold weights without folding.
var holdings = map[Weights]circuits.Holding{
	WiresPrivate: circuits.PrivateWires, WiresPublic: circuits.PublicWires, Constants: circuits.Constants,
}

func newGroth16(g *model.Graph, w Weights) (Backend, error) {
	if h, ok := holdings[w]; ok {
		b, err := baseline.New(g, h)
		return &plain{baseline: b}, err
	}
	privacy := prover.Private
	if w == FoldedPublic {
		privacy = prover.Public
	}
	return &folded{graph: g, privacy: privacy}, nil
}

func groth16Constraints(g *model.Graph, w Weights) (int, error) {
	plan, err := circuits.NewPlan(g, circuits.Options{})
	if err != nil {
		return 0, err
	}
	if h, ok := holdings[w]; ok {
		return plan.BaselineConstraints(h), nil
	}
	return plan.Constraints, nil
}

// folded is what zkinfer setup, commit, prove and verify do.
type folded struct {
	graph   *model.Graph
	privacy prover.Privacy
	circuit *prover.Circuit
	keys    *prover.Keys
	opening *prover.ModelOpening
	proved  *prover.Proved
}

func (f *folded) Compile(ctx context.Context) (int, error) {
	var err error
	if f.circuit, err = prover.Compile(ctx, f.graph, prover.Options{}); err != nil {
		return 0, err
	}
	return f.circuit.Constraints(), nil
}

func (f *folded) Setup(ctx context.Context) (err error) {
	f.keys, err = f.circuit.UnsafeDevSetup(ctx)
	return err
}

func (f *folded) Commit(ctx context.Context) (err error) {
	f.opening, err = f.keys.CommitModel(ctx, f.graph, f.privacy)
	return err
}

func (f *folded) Save(dir string) (Sizes, error) {
	m, err := f.keys.Save(keyFolder(dir), false)
	if err != nil {
		return Sizes{}, err
	}
	vk, err := f.keys.Verifying.MarshalBinary()
	if err != nil {
		return Sizes{}, err
	}
	c, err := f.opening.Commitment.MarshalBinary()
	if err != nil {
		return Sizes{}, err
	}
	s := Sizes{m.Files[prover.ProvingKeyFile].Bytes, int64(len(vk) + len(c))}
	return s, prover.SaveOpening(keyFolder(dir), false, f.graph, f.opening, f.privacy)
}

func keyFolder(dir string) string { return dir + "/keys" }

func (f *folded) Open(dir string) (err error) {
	if f.keys, _, err = prover.OpenKeys(keyFolder(dir)); err != nil {
		return err
	}
	f.opening, err = prover.OpenOpening(keyFolder(dir))
	return err
}

func (f *folded) Prove(ctx context.Context, inputs [][]int64) (int, error) {
	var err error
	if f.proved, err = f.keys.Prove(ctx, f.graph, f.opening, inputs, []byte("bench")); err != nil {
		return 0, err
	}
	return len(f.proved.Bundle.Proof), nil
}

func (f *folded) Verify() error {
	return verifier.VerifyBundle(f.keys.Verifying, f.opening.Commitment, f.proved.Bundle)
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
