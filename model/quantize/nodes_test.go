package quantize

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/onnx/onnxtest"
)

// notQuantized lists the cases of the ONNX backend suite that import as real-valued graphs but have no
// integer form here, with the reason. A case that begins to work has to leave the list.
var notQuantized = map[string]string{
	"clip_min_greater_than_max": "every output is the same number: a constant model",
	"div":                       "division of two computed tensors has no gadget",
	"div_bcast":                 "division of two computed tensors has no gadget",
	"div_example":               "division of two computed tensors has no gadget",
}

// Every case of the ONNX backend suite that imports agrees, as an integer graph, with the expected
// output within its quantization error: four steps of the output, one of what lies between, and one
// and a half times what moving every input by a step does to the float graph. Each is planned as a
// circuit too.
func TestOnnxNodeSuite(t *testing.T) {
	dirs, err := filepath.Glob("../../testvectors/onnx-node/test_*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	quantized := 0
	for _, dir := range dirs {
		name := strings.TrimPrefix(filepath.Base(dir), "test_")
		c, err := onnxtest.LoadCase(dir)
		if err != nil {
			continue // the importer's own test keeps the list of what it refuses, and why
		}
		err = checkCase(c)
		reason, excepted := notQuantized[name]
		switch {
		case err != nil && !excepted:
			t.Errorf("%s: %v", name, err)
		case err == nil && excepted:
			t.Errorf("%s is listed as not quantized (%s) but works", name, reason)
		case err == nil:
			quantized++
		}
	}
	t.Logf("%d cases agree", quantized)
}

// calibration is the case's own input and points around it.
func calibration(inputs [][]float32) [][][]float32 {
	r := rand.New(rand.NewPCG(1, 2))
	out := [][][]float32{inputs}
	for range 7 {
		s := make([][]float32, len(inputs))
		for k, v := range inputs {
			for _, x := range v {
				s[k] = append(s[k], x*float32(0.9+0.1*r.Float64()))
			}
		}
		out = append(out, s)
	}
	return out
}

func checkCase(c onnxtest.Case) error {
	ig, err := Quantize(context.Background(), c.Graph, Options{Calibration: calibration(c.Inputs), ActivationBits: 12})
	if err != nil {
		return err
	}
	got, err := ig.Run(context.Background(), Inputs(ig, c.Inputs))
	if err != nil {
		return err
	}
	moved, err := movedOutputs(c, ig)
	if err != nil {
		return err
	}
	for k, want := range c.Outputs {
		t := ig.Tensors[ig.Outputs[k]]
		for i, w := range want {
			bound := 4*t.Scale + 1.5*moved[k][i] + between(ig)
			if d := math.Abs(t.Real(got[k][i]) - float64(w)); d > bound || math.IsNaN(d) {
				return fmt.Errorf("output %d, element %d: %v, expected %v within %v", k, i, t.Real(got[k][i]), w, bound)
			}
		}
	}
	_, err = circuits.NewPlan(ig, circuits.Options{})
	return err
}

// between is the coarsest step of a tensor between two nodes.
func between(ig *model.Graph) float64 {
	coarsest := 0.0
	for _, n := range ig.Nodes[:len(ig.Nodes)-1] {
		coarsest = max(coarsest, ig.Tensors[n.Out].Scale)
	}
	return coarsest
}

// movedOutputs is how far each output element moves when every input element moves by half a step, in
// the worst of several random directions.
func movedOutputs(c onnxtest.Case, ig *model.Graph) ([][]float64, error) {
	base, err := c.Graph.Run(c.Inputs)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(base))
	for k := range base {
		out[k] = make([]float64, len(base[k]))
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 24 {
		moved := make([][]float32, len(c.Inputs))
		for k, v := range c.Inputs {
			step := ig.Tensors[ig.Inputs[k]].Scale
			for _, x := range v {
				moved[k] = append(moved[k], x+float32(step*float64(2*r.IntN(2)-1)))
			}
		}
		y, err := c.Graph.Run(moved)
		if err != nil {
			return nil, err
		}
		for k := range y {
			for i := range y[k] {
				out[k][i] = max(out[k][i], math.Abs(float64(y[k][i]-base[k][i])))
			}
		}
	}
	return out, nil
}
