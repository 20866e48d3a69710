package provertest

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
)

// TFLiteOps are the models of the op suite that import, in both roundings, with extremes among the inputs.
func TFLiteOps(t *testing.T) []Case {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(vectors(), "tflite/ops/*/model.tflite"))
	if err != nil || len(paths) < 100 {
		t.Fatalf("%d models found (%v)", len(paths), err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var out []Case
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := tflite.Parse(data)
		if err != nil || !m.Quantized() {
			continue // package tflite's own test knows which
		}
		for _, r := range []tflite.Rounding{tflite.TFLM, tflite.LiteRT} {
			res, err := m.Integer(r, filepath.Base(filepath.Dir(path)))
			if err != nil {
				continue
			}
			out = append(out, Case{res.Graph.Name, res.Graph, [][][]int64{extremeInputs(rng, res.Graph)}})
		}
	}
	if len(out) < 180 {
		t.Errorf("only %d models could be imported", len(out))
	}
	return out
}

// TFLite is a shipped model by the name of its folder.
func TFLite(t *testing.T, name string, r tflite.Rounding) *model.Graph {
	t.Helper()
	m, err := tflite.Parse(vector(t, "tflite", name, "model.tflite"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := m.Integer(r, name)
	if err != nil {
		t.Fatal(err)
	}
	return res.Graph
}

// ProveGolden proves the first sample of a shipped model with private weights and demands that what was
// proved is, byte for byte, what the device answered.
func ProveGolden(t *testing.T, b prover.Backend, name string, r tflite.Rounding, golden string) {
	t.Helper()
	ctx := context.Background()
	g := TFLite(t, name, r)
	x, want := FirstSample(t, name, g), vector(t, "tflite", name, golden)
	keys, opening := Keys(t, b, g, prover.Options{})
	p, err := keys.Prove(ctx, g, opening, [][]int64{x}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.VerifyBundle(keys.VerifyingKey(), opening.Commitment, p.Bundle); err != nil {
		t.Fatal(err)
	}
	for i, v := range p.Outputs[0] {
		if int8(want[i]) != int8(v) {
			t.Fatalf("output %d is %d, the device says %d", i, v, int8(want[i]))
		}
	}
	t.Logf("%s, %s, %s: %d constraints, proof of %d bytes, %+v", b.Name(), name, r, p.Stats.Constraints, len(p.Bundle.Proof), p.Stats)
}

// FirstSample is the first input of a shipped model.
func FirstSample(t *testing.T, name string, g *model.Graph) []int64 {
	t.Helper()
	raw := vector(t, "tflite", name, "input.raw")
	x := make([]int64, g.Tensors[g.Inputs[0]].Len())
	for i := range x {
		x[i] = int64(int8(raw[i]))
	}
	return x
}

// Keys are those of an unsafe setup, with a private model commitment.
func Keys(t *testing.T, b prover.Backend, g *model.Graph, o prover.Options) (prover.Keys, *prover.ModelOpening) {
	t.Helper()
	keys := setup(t, b, g, o)
	opening, err := keys.CommitModel(context.Background(), g, prover.Private)
	if err != nil {
		t.Fatal(err)
	}
	return keys, opening
}

func setup(t *testing.T, b prover.Backend, g *model.Graph, o prover.Options) prover.Keys {
	t.Helper()
	ctx := context.Background()
	c, err := b.Compile(ctx, g, o)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.UnsafeDevSetup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func vector(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{vectors()}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// extremeInputs are random, the ends of the range often among them.
func extremeInputs(rng *rand.Rand, g *model.Graph) [][]int64 {
	var out [][]int64
	for _, id := range g.Inputs {
		t := g.Tensors[id]
		x := make([]int64, t.Len())
		for i := range x {
			switch rng.IntN(5) {
			case 0:
				x[i] = t.Min
			case 1:
				x[i] = t.Max
			default:
				x[i] = t.Min + rng.Int64N(t.Max-t.Min+1)
			}
		}
		out = append(out, x)
	}
	return out
}
