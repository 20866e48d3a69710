package groth16

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
)

// smallNet is a network with a convolution, pooling, and a dense layer, on 8×8 images.
func smallNet(t testing.TB, seed uint64) *model.Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, seed))
	noise := func(n int, spread int64) []int64 {
		out := make([]int64, n)
		for i := range out {
			out[i] = r.Int64N(2*spread+1) - spread
		}
		return out
	}
	rescale := func(bits uint, lo, hi int64) model.Rescale {
		h := int64(1) << (bits - 1)
		return model.Rescale{Shift: 7, QMin: -h, QMax: h - 1, Table: model.ClampTable(-h, h-1, lo, hi)}
	}
	b := model.NewBuilder("small net")
	must := func(id model.TensorID, err error) model.TensorID {
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	win := func(k, s, p int) model.Window {
		return model.Window{Kernel: [2]int{k, k}, Stride: [2]int{s, s}, Dilation: [2]int{1, 1}, PadBefore: [2]int{p, p}, PadAfter: [2]int{p, p}}
	}
	x := must(b.Input(model.Tensor{Name: "image", Shape: []int{1, 1, 8, 8}, Min: 0, Max: 255, Scale: 1}))
	c := must(b.Add("conv", &model.Conv{Window: win(3, 1, 1), Groups: 1, OutC: 4, Rescale: rescale(9, 0, 255), Weights: noise(36, 20), Bias: noise(4, 300)}, 1, 0, x))
	p := must(b.Add("pool", &model.MaxPool{Window: win(2, 2, 0)}, 1, 0, c))
	f := must(b.Add("flat", &model.Reshape{Shape: []int{1, 64}}, 1, 0, p))
	y := must(b.Add("logits", &model.Dense{OutN: 10, Rescale: rescale(10, -512, 511), Weights: noise(640, 6), Bias: noise(10, 300)}, 1, 0, f))
	b.Output(y)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func randomImage(seed uint64, n int) []int64 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]int64, n)
	for i := range out {
		out[i] = r.Int64N(256)
	}
	return out
}

func TestEndToEnd(t *testing.T) {
	for _, o := range []prover.Options{{}, {PrivateInput: true}, {PrivateInput: true, PrivateOutput: true, FoldRows: 2}} {
		g := smallNet(t, 1)
		start := time.Now()
		c, err := Compile(context.Background(), g, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v: %d constraints, compiled in %v", o, c.Constraints(), time.Since(start))
		keys, err := c.UnsafeDevSetup(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		opening, err := keys.CommitModel(context.Background(), g, prover.Private)
		if err != nil {
			t.Fatal(err)
		}
		p, err := keys.Prove(context.Background(), g, opening, [][]int64{randomImage(3, 64)}, []byte("task 7"))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("proof of %d bytes, %+v", len(p.Bundle.Proof), p.Stats)
	}
}
