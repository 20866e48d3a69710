package onnx_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/onnx/onnxtest"
)

const casesDir = "../../testvectors/onnx-node"

// exceptedOps are operators of the suite that are not supported at all, with the reason.
var exceptedOps = map[string]string{
	"ConvInteger":           "integer arithmetic without requantization",
	"DequantizeLinear":      "models that are quantized already are not imported",
	"DynamicQuantizeLinear": "models that are quantized already are not imported",
	"LayerNormalization":    "not in the op list",
	"MatMulInteger":         "integer arithmetic without requantization",
	"QLinearConv":           "models that are quantized already are not imported",
	"QLinearMatMul":         "models that are quantized already are not imported",
	"QuantizeLinear":        "models that are quantized already are not imported",
	"RMSNormalization":      "not in the op list",
	"Where":                 "a selection by a computed condition",
}

const (
	wraps = "arithmetic on integers wraps"
	empty = "a tensor without elements"
)

// exceptedCases are the other cases that do not import, with the reason.
var exceptedCases = map[string]string{
	"test_add_int16":  wraps,
	"test_add_int8":   wraps,
	"test_add_uint16": wraps,
	"test_add_uint32": wraps,
	"test_add_uint8":  wraps,
	"test_sub_int16":  wraps,
	"test_sub_int8":   wraps,
	"test_sub_uint16": wraps,
	"test_sub_uint32": wraps,
	"test_sub_uint8":  wraps,
	"test_mul_int16":  wraps,
	"test_mul_int8":   wraps,
	"test_mul_uint16": wraps,
	"test_mul_uint32": wraps,
	"test_mul_uint8":  wraps,

	"test_div_int16":       wraps,
	"test_div_int32_trunc": wraps,
	"test_div_int8":        wraps,
	"test_div_uint16":      wraps,
	"test_div_uint32":      wraps,
	"test_div_uint8":       wraps,

	"test_reshape_allowzero_reordered":                empty,
	"test_slice_start_out_of_bounds":                  empty,
	"test_split_zero_size_splits_opset13":             empty,
	"test_split_zero_size_splits_opset18":             empty,
	"test_maxpool_with_argmax_2d_precomputed_pads":    "the indices of the maxima are an output",
	"test_maxpool_with_argmax_2d_precomputed_strides": "the indices of the maxima are an output",
}

// roundedCases are those whose expected output has four decimal digits.
var roundedCases = map[string]bool{"test_averagepool_2d_ceil_last_window_starts_on_pad": true}

// TestNodeCases runs every case of the suite and checks that exactly the excepted ones are refused.
func TestNodeCases(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(casesDir, "test_*"))
	if err != nil || len(dirs) < 200 {
		t.Fatalf("%d cases found in %s (%v)", len(dirs), casesDir, err)
	}
	unused := map[string]bool{}
	for name := range exceptedCases {
		unused[name] = true
	}
	for op := range exceptedOps {
		unused[op] = true
	}
	for _, dir := range dirs {
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			c, err := onnxtest.LoadCase(dir)
			reason, excepted := exceptedCases[name]
			delete(unused, name)
			if !excepted {
				reason, excepted = exceptedOps[c.Op]
				delete(unused, c.Op)
			}
			switch {
			case excepted && err == nil:
				t.Fatalf("imports although it is excepted: %s", reason)
			case excepted:
				if !errors.Is(err, onnx.ErrUnsupportedOp) && !errors.Is(err, onnx.ErrUnsupportedModel) {
					t.Fatalf("refused with %v, expected an error of what is unsupported", err)
				}
			case err != nil:
				t.Fatal(err)
			default:
				tolerance := 1e-4
				if roundedCases[name] {
					tolerance = 1e-3
				}
				compare(t, c, tolerance)
			}
		})
	}
	for name := range unused {
		t.Errorf("exception %s is of no case", name)
	}
}

// compare executes the case and compares each element within a relative tolerance.
func compare(t *testing.T, c onnxtest.Case, tolerance float64) {
	t.Helper()
	got, err := c.Graph.Run(c.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(c.Outputs) {
		t.Fatalf("%d outputs, expected %d", len(got), len(c.Outputs))
	}
	for k, want := range c.Outputs {
		if len(got[k]) != len(want) {
			t.Fatalf("output %d has %d elements, expected %d", k, len(got[k]), len(want))
		}
		for i, w := range want {
			if diff := math.Abs(float64(got[k][i]) - float64(w)); !(diff <= tolerance*math.Abs(float64(w))+1e-6) {
				t.Fatalf("output %d, element %d is %v, expected %v", k, i, got[k][i], w)
			}
		}
	}
}

// kinds lists the ops of a graph.
func kinds(g *float.Graph) string {
	var list []string
	for _, n := range g.Nodes {
		list = append(list, n.Op.Kind())
	}
	return strings.Join(list, " ")
}

func TestMnist8(t *testing.T) {
	data, err := os.ReadFile("../../testvectors/mnist-8/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	g, err := onnx.Import(data, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// The two Adds after convolutions and the one after the product are in the biases.
	if got, want := kinds(g), "conv relu maxpool conv relu maxpool reshape dense"; got != want {
		t.Errorf("ops are %q, expected %q", got, want)
	}
	c := onnxtest.Case{Graph: g}
	for name, list := range map[string]*[][]float32{"input_0.pb": &c.Inputs, "output_0.pb": &c.Outputs} {
		v, err := onnxtest.ReadTensor(filepath.Join("../../testvectors/onnx/mnist-8", name))
		if err != nil {
			t.Fatal(err)
		}
		*list = [][]float32{v.AsFloats()}
	}
	compare(t, c, 1e-4)
}

func BenchmarkMnist8(b *testing.B) {
	data, err := os.ReadFile("../../testvectors/mnist-8/model.onnx")
	if err != nil {
		b.Fatal(err)
	}
	g, err := onnx.Import(data, onnx.Options{})
	if err != nil {
		b.Fatal(err)
	}
	v, err := onnxtest.ReadTensor("../../testvectors/onnx/mnist-8/input_0.pb")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := g.Run([][]float32{v.Floats}); err != nil {
			b.Fatal(err)
		}
	}
}
