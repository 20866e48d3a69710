package groth16

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
)

// A private 1024×1024 layer with requantization and ReLU, from real keys to a verified proof: 1M
// weights in 16 points.
func TestPrivateDense(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	weights, bias := make([]int64, 1024*1024), make([]int64, 1024)
	for i := range weights {
		weights[i] = r.Int64N(31) - 15
	}
	for i := range bias {
		bias[i] = r.Int64N(1<<16) - 1<<15
	}
	b := model.NewBuilder("dense")
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{1, 1024}, Min: 0, Max: 255, Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Add("y", &model.Dense{OutN: 1024, Weights: weights, Bias: bias,
		Rescale: model.Rescale{Shift: 12, QMin: -1024, QMax: 1023, Table: model.ClampTable(-1024, 1023, 0, 255)}}, 1, 0, x)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(y)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	c, err := Compile(ctx, g, prover.Options{PrivateInput: true, FoldRows: 16})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.UnsafeDevSetup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	opening, err := keys.CommitModel(ctx, g, prover.Private)
	if err != nil {
		t.Fatal(err)
	}
	p, err := keys.Prove(ctx, g, opening, [][]int64{randomImage(1, 1024)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d constraints, %d points, proof of %d bytes, %+v", c.Constraints(), opening.Commitment.Points(), len(p.Bundle.Proof), p.Stats)
	if c.Constraints() > 25000 || opening.Commitment.Points() > 16 {
		t.Errorf("%d constraints (at most 25,000), %d points (at most 16)", c.Constraints(), opening.Commitment.Points())
	}
}
