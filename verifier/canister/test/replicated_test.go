package test

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/zkinfer/zkinfer/bench"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/rewrite"
)

// replicated are the models whose execution by every node is measured, small ones first.
var replicated = []string{"hello-world", "ad01", "dense-512x1", "dwcnn-16x2", "lenet-5", "mnist-8", "credit-risk", "kws", "vww", "resnet8"}

// What it costs to run a model in a canister instead of verifying a proof, in instructions of the same host as a verification, in
// testdata/replicated.json. The answer is that of the executor outside.
func TestReplicatedExecution(t *testing.T) {
	compiled, err := rewrite.Compile(".", "./executor")
	if err != nil {
		t.Fatal(err)
	}
	module, err := rewrite.Module(compiled, "service : {}")
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(context.Background(), module)
	if err != nil {
		t.Fatal(err)
	}
	defer e.runtime.Close(context.Background())
	got := map[string]int64{}
	for _, name := range replicated {
		g := build(t, name)
		x := ramp(g)
		file, err := g.Encode()
		if err != nil {
			t.Fatal(err)
		}
		c, err := e.Install(context.Background(), controller, file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := g.Run(context.Background(), [][]int64{x})
		if err != nil {
			t.Fatal(err)
		}
		got[name+" MACs"], got[name+" activations"] = work(g)
		got[name+" install"] = c.Instructions
		checkRun(t, name, c, x, want[0])
		got[name+" run"] = c.Instructions
		if err := c.module.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	got[fmt.Sprintf("kernel, %d×%d products", kernelRows, kernelColumns)] = runKernel(t)
	compareGolden(t, "testdata/replicated.json", got)
}

func build(t *testing.T, name string) *model.Graph {
	t.Helper()
	m, err := bench.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Build(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// work is what an estimate of an execution counts.
func work(g *model.Graph) (macs, activations int64) {
	for _, n := range g.Nodes {
		out := g.Tensors[n.Out]
		macs += n.Op.MACs(g.Operands(n), out)
		if _, moves := n.Op.(model.Rearrangement); !moves {
			activations += int64(out.Len())
		}
	}
	return macs, activations
}

// ramp is an input that takes all values of its range that fit into a byte.
func ramp(g *model.Graph) []int64 {
	in := g.Tensors[g.Inputs[0]]
	x := make([]int64, in.Len())
	lo, hi := max(in.Min, -128), min(in.Max, 127)
	for i := range x {
		x[i] = lo + int64(i*37)%(hi-lo+1)
	}
	return x
}

func words(x []int64) (b []byte) {
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

func checkRun(t *testing.T, name string, c *Canister, x, want []int64) {
	t.Helper()
	answer, err := c.Update(context.Background(), somebody, "run", words(x))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	got := make([]int64, len(answer)/4)
	for i := range got {
		got[i] = int64(int32(binary.LittleEndian.Uint32(answer[4*i:])))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, expected %v", name, got, want)
	}
}
