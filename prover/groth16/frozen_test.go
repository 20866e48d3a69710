package groth16_test

import (
	"context"
	"os"
	"testing"

	"github.com/zkinfer/zkinfer/bench"
	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/quantize"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/groth16"
	"github.com/zkinfer/zkinfer/prover/provertest"
)

// frozenProof is what was proved once, and kept in the folder of testvectors/proofs that has its name.
type frozenProof struct {
	name    string
	graph   func(t *testing.T) *model.Graph
	input   func(t *testing.T, g *model.Graph) []int64
	options prover.Options
	privacy prover.Privacy
}

var frozenProofs = []frozenProof{
	{"public", twoValues, two, prover.Options{}, prover.Public},
	{"private", twoValues, two, prover.Options{PrivateInput: true, PrivateOutput: true}, prover.Public},
	{"mnist", named("mnist-8"), seven, prover.Options{}, prover.Private},
	{"mnist-private", named("mnist-8"), seven, prover.Options{PrivateInput: true}, prover.Private},
	{"ad01", named("ad01"), window, prover.Options{}, prover.Private},
	{"folded", wide, wideRamp, prover.Options{}, prover.Private},
}

func twoValues(*testing.T) *model.Graph { return adder() }

func two(*testing.T, *model.Graph) []int64 { return []int64{30, 12} }

// named is the graph of one of the models that benchmarks know.
func named(name string) func(t *testing.T) *model.Graph {
	return func(t *testing.T) *model.Graph {
		t.Helper()
		m, err := bench.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.Build(context.Background(), 0)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
}

// window is the first sample for MLPerf Tiny's anomaly detection.
func window(t *testing.T, _ *model.Graph) []int64 {
	t.Helper()
	x := make([]int64, 640)
	for i, b := range readFile(t, "../../testvectors/tflite/ad01/input.raw")[:len(x)] {
		x[i] = int64(int8(b))
	}
	return x
}

// seven is the image of a digit, in the model's integers.
func seven(t *testing.T, g *model.Graph) []int64 {
	t.Helper()
	set, err := samples.Decode(readFile(t, "../../testvectors/digits/7.png"), samples.InputsOf(g.Tensors[g.Inputs[0]:][:1]), samples.Options{})
	if err != nil {
		t.Fatal(err)
	}
	image, err := set.Floats(1)
	if err != nil {
		t.Fatal(err)
	}
	return quantize.Inputs(g, image[0])[0]
}

// wide has inputs of three bytes.
func wide(t *testing.T) *model.Graph {
	t.Helper()
	weights := make([]int64, 2*wideInputs)
	for i := range weights {
		weights[i] = int64(i*i%5) - 2
	}
	b := model.NewBuilder("wide")
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{wideInputs}, Min: -wideRange, Max: wideRange, Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Add("y", &model.Dense{OutN: 2, Weights: weights, Bias: []int64{0, 0},
		Rescale: model.Rescale{Shift: 18, QMin: -512, QMax: 511, Table: model.ClampTable(-512, 511, -500, 500)}}, 1, 0, x)
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

const (
	wideInputs = 641
	wideRange  = 100_000
)

func wideRamp(*testing.T, *model.Graph) []int64 {
	x := make([]int64, wideInputs)
	for i := range x {
		x[i] = int64(i*317%(2*wideRange)) - wideRange
	}
	return x
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The artifacts in testvectors/proofs stay verifiable.
func TestFrozenArtifacts(t *testing.T) {
	for _, f := range frozenProofs {
		t.Run(f.name, func(t *testing.T) {
			dir := provertest.FrozenDir(f.name)
			if provertest.Refreeze() {
				g := f.graph(t)
				provertest.Freeze(t, dir, groth16.Backend{}, g, [][]int64{f.input(t, g)}, f.options, f.privacy)
			}
			provertest.VerifyFrozen(t, dir)
		})
	}
}
