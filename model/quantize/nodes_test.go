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
// output within its error bound (checker), and every tensor on the way does. Each is planned as a
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
		err = checkCase(name, c)
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

// largestBound is how large a case's error bound may be, as a part of its largest result: beyond, its
// agreement says little.
const largestBound = 0.02

// looseBounds lists the cases whose bound is larger, with the reason.
var looseBounds = map[string]string{
	"softmax_large_number": "logits of 10,000 in 12 bits are known to 2.5",
}

func checkCase(name string, c onnxtest.Case) error {
	e, err := quantize(context.Background(), c.Graph, Options{Calibration: calibration(c.Inputs), ActivationBits: 12})
	if err != nil {
		return err
	}
	bounds, err := check(e, c.Inputs)
	if err != nil {
		return err
	}
	got, err := e.result.Run(context.Background(), Inputs(e.result, c.Inputs))
	if err != nil {
		return err
	}
	for k, want := range c.Outputs {
		t := e.result.Tensors[e.result.Outputs[k]]
		greatest, widest := 0.0, 0.0
		for i, w := range want {
			greatest, widest = max(greatest, math.Abs(float64(w))), max(widest, bounds[k][i])
			bound := bounds[k][i] + reference*(1+math.Abs(float64(w)))
			if d := math.Abs(t.Real(got[k][i]) - float64(w)); !(d <= bound) {
				return fmt.Errorf("output %d, element %d: %v, expected %v within %v", k, i, t.Real(got[k][i]), w, bound)
			}
		}
		if _, listed := looseBounds[name]; (widest > largestBound*greatest) != listed {
			return fmt.Errorf("output %d: errors of up to %v are allowed for results up to %v; loose bounds are listed, and only they", k, widest, greatest)
		}
	}
	_, err = circuits.NewPlan(e.result, circuits.Options{})
	return err
}

// reference is how close the float graph is to the suite's outputs, relative to 1 and their size.
const reference = 1e-5
