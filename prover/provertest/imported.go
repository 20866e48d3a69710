// Package provertest holds models that every proof system must prove. Tests only.
package provertest

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/onnx/onnxtest"
	"github.com/zkinfer/zkinfer/model/quantize"
)

// Case is a model with inputs, each flat, one slice an input of the model.
type Case struct {
	Name   string
	Graph  *model.Graph
	Inputs [][][]int64
}

// Imported are the models and cases of the ONNX suites that can be quantized.
func Imported(t *testing.T) []Case {
	t.Helper()
	var out []Case
	for _, g := range floatGraphs(t) {
		if c, ok := quantized(t, g); ok {
			out = append(out, c)
		}
	}
	if len(out) < 200 {
		t.Errorf("only %d models could be imported", len(out))
	}
	return out
}

func vectors() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../../testvectors")
}

func floatGraphs(t *testing.T) map[string]*float.Graph {
	t.Helper()
	out := map[string]*float.Graph{}
	cases, err := filepath.Glob(filepath.Join(vectors(), "onnx-node/test_*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range cases {
		if c, err := onnxtest.LoadCase(dir); err == nil {
			out[filepath.Base(dir)] = c.Graph
		}
	}
	models, err := filepath.Glob(filepath.Join(vectors(), "onnx/models/*/model.onnx"))
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

// quantized reports whether the graph could be quantized.
func quantized(t *testing.T, fg *float.Graph) (Case, bool) {
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
		return Case{}, false
	}
	c := Case{Name: fg.Name, Graph: g}
	for _, x := range samples[:2] {
		c.Inputs = append(c.Inputs, quantize.Inputs(g, x))
	}
	return c, true
}
