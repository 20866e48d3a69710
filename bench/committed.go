package bench

import (
	"context"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
)

// committed is a proof system as the command line has it, with weights in a model commitment.
func committed(b prover.Backend, weights ...Weights) system {
	plan := func(g *model.Graph, r *estimate.Rates) (*prover.Plan, error) { return b.Plan(g, prover.Options{}, r) }
	return system{
		name: b.Name(), weights: weights, offered: weights, plan: plan,
		new: func(g *model.Graph, w Weights) (Backend, error) {
			return newWork(b, g, w), nil
		},
		constraints: func(g *model.Graph, _ Weights) (int, error) {
			p, err := plan(g, estimate.Usual())
			if err != nil {
				return 0, err
			}
			return p.Constraints, nil
		},
	}
}

func newWork(b prover.Backend, g *model.Graph, w Weights) *work {
	privacy := prover.Private
	if w.public() {
		privacy = prover.Public
	}
	return &work{backend: b, graph: g, privacy: privacy}
}

// work is what zkinfer setup, commit, prove and verify do with a proof system.
type work struct {
	backend prover.Backend
	graph   *model.Graph
	privacy prover.Privacy
	circuit prover.Circuit
	keys    prover.Keys
	opening *prover.ModelOpening
	proved  *prover.Proved
}

func (w *work) Compile(ctx context.Context) (int, error) {
	var err error
	if w.circuit, err = w.backend.Compile(ctx, w.graph, prover.Options{}); err != nil {
		return 0, err
	}
	return w.circuit.Constraints(), nil
}

func (w *work) Setup(ctx context.Context) (err error) {
	w.keys, err = w.circuit.UnsafeDevSetup(ctx)
	return err
}

func (w *work) Commit(ctx context.Context) (err error) {
	w.opening, err = w.keys.CommitModel(ctx, w.graph, w.privacy)
	return err
}

func (w *work) Save(dir string) (Sizes, error) {
	m, err := w.keys.Save(keyFolder(dir), false)
	if err != nil {
		return Sizes{}, err
	}
	vk, err := w.keys.VerifyingKey().MarshalBinary()
	if err != nil {
		return Sizes{}, err
	}
	c, err := w.opening.Commitment.MarshalBinary()
	if err != nil {
		return Sizes{}, err
	}
	s := Sizes{m.Files[prover.ProvingKeyFile].Bytes, int64(len(vk) + len(c)), int64(len(c))}
	return s, prover.SaveOpening(keyFolder(dir), false, w.graph, w.opening, w.privacy)
}

func keyFolder(dir string) string { return dir + "/keys" }

func (w *work) Open(dir string) (err error) {
	m, err := prover.ReadManifest(keyFolder(dir))
	if err != nil {
		return err
	}
	if w.keys, err = w.backend.Open(keyFolder(dir), m); err != nil {
		return err
	}
	w.opening, err = prover.OpenOpening(keyFolder(dir))
	return err
}

func (w *work) Prove(ctx context.Context, inputs [][]int64) (int, error) {
	var err error
	if w.proved, err = w.keys.Prove(ctx, w.graph, w.opening, inputs, []byte("bench")); err != nil {
		return 0, err
	}
	return len(w.proved.Bundle.Proof), nil
}

func (w *work) Verify() error {
	return verifier.VerifyBundle(w.keys.VerifyingKey(), w.opening.Commitment, w.proved.Bundle)
}
