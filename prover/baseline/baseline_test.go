package baseline

import (
	"context"
	"testing"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
)

// layer is a dense layer of 4 inputs and 2 outputs.
func layer(t *testing.T) *model.Graph {
	t.Helper()
	b := model.NewBuilder("layer")
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{1, 4}, Min: 0, Max: 255, Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	rescale := model.Rescale{Shift: 7, QMin: -512, QMax: 511, Table: model.ClampTable(-512, 511, 0, 255)}
	y, err := b.Add("y", &model.Dense{OutN: 2, Weights: []int64{1, -2, 3, -4, 5, -6, 7, 8}, Bias: []int64{-900, 70}, Rescale: rescale}, 1, 0, x)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(y)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Keys made, saved, read by another value, used: each way to hold the weights gives proofs that verify
// for their own statement and for no other.
func TestProofs(t *testing.T) {
	ctx := context.Background()
	for _, h := range []circuits.Holding{circuits.PrivateWires, circuits.PublicWires, circuits.Constants} {
		maker := made(t, h)
		if n, err := maker.Compile(); err != nil || n == 0 {
			t.Fatal(n, err)
		}
		if err := maker.Setup(ctx); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		proving, verifying, err := maker.Save(dir)
		if err != nil || proving == 0 || verifying == 0 {
			t.Fatal(proving, verifying, err)
		}
		user := made(t, h)
		if err := user.Open(dir); err != nil {
			t.Fatal(err)
		}
		p, err := user.Prove(ctx, [][]int64{{1, 2, 3, 250}})
		if err != nil {
			t.Fatal(err)
		}
		if err := user.Verify(p); err != nil {
			t.Errorf("holding %d: %v", h, err)
		}
		if n, err := p.Bytes(); err != nil || n == 0 {
			t.Error(n, err)
		}
		other, err := user.Prove(ctx, [][]int64{{250, 2, 3, 1}})
		if err != nil {
			t.Fatal(err)
		}
		if err := user.Verify(&Proof{p.groth16, other.public}); err == nil {
			t.Errorf("holding %d: a proof verifies for another statement", h)
		}
	}
}

func made(t *testing.T, h circuits.Holding) *Baseline {
	t.Helper()
	b, err := New(layer(t), h)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpenErrs(t *testing.T) {
	if err := made(t, circuits.Constants).Open(t.TempDir()); err == nil {
		t.Error("an empty folder was opened")
	}
}
