package groth16

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/onnx/onnxtest"
	"github.com/zkinfer/zkinfer/model/quantize"
	"github.com/zkinfer/zkinfer/prover"
)

// Every model and every case of the ONNX suites that can be quantized has a circuit which accepts
// what the executor computes for it, on several inputs: from file to constraints, nothing in between
// made by hand.
func TestEveryImportedModelIsProvable(t *testing.T) {
	solved := 0
	for _, g := range importedGraphs(t) {
		if solveGraph(t, g) {
			solved++
		}
	}
	t.Logf("%d models", solved)
	if solved < 200 {
		t.Errorf("only %d models were solved", solved)
	}
}

func importedGraphs(t *testing.T) map[string]*float.Graph {
	t.Helper()
	out := map[string]*float.Graph{}
	cases, err := filepath.Glob("../../testvectors/onnx-node/test_*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range cases {
		if c, err := onnxtest.LoadCase(dir); err == nil {
			out[filepath.Base(dir)] = c.Graph
		}
	}
	models, err := filepath.Glob("../../testvectors/onnx/models/*/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range models {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if g, err := onnx.Import(b, onnx.Options{}); err == nil {
			out[filepath.Base(filepath.Dir(path))] = g
		}
	}
	return out
}

// solveGraph reports whether the graph could be quantized; what is wrong after that fails the test.
func solveGraph(t *testing.T, fg *float.Graph) bool {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var samples [][][]float32
	for range 6 {
		var s [][]float32
		for _, id := range fg.Inputs {
			v := make([]float32, fg.Tensors[id].Len())
			for i := range v {
				v[i] = float32(r.Float64()*2 - 0.5)
			}
			s = append(s, v)
		}
		samples = append(samples, s)
	}
	ctx := context.Background()
	g, err := quantize.Quantize(ctx, fg, quantize.Options{Calibration: samples})
	if err != nil {
		if !errors.Is(err, quantize.ErrUnsupportedOp) && !errors.Is(err, quantize.ErrCalibration) {
			t.Logf("%s: %v", fg.Name, err) // the quantizer's own test knows which these are
		}
		return false
	}
	var inputs [][][]int64
	for _, x := range samples[:2] {
		inputs = append(inputs, quantize.Inputs(g, x))
	}
	solveInputs(t, fg.Name, g, inputs)
	return true
}

// solveInputs demands that the graph's circuit accepts what the executor computes on each input.
func solveInputs(t *testing.T, name string, g *model.Graph, inputs [][][]int64) {
	t.Helper()
	ctx := context.Background()
	c, err := Compile(ctx, g, prover.Options{FoldRows: 4})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	params, err := c.Plan.Parameters(g)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	for _, x := range inputs {
		trace, err := g.Execute(ctx, x)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		w, err := c.Plan.Assign(trace)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		full, err := w.Full(fr.One())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.system.IsSolved(full, params.SolverOption()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
