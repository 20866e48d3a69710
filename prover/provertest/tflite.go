package provertest

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite"
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
