package tflite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/tflite"
)

// testCase is a small model of testvectors/tflite/ops with the outputs of TensorFlow Lite Micro's reference
// kernels and of LiteRT; see the README there.
type testCase struct {
	Name    string
	Samples int
	Oracles map[string]string
	Refused string
	Inputs  []struct{ Dtype string }
	Outputs []struct{ Dtype string }
}

const opVectors = vectors + "/ops"

func opCases(t *testing.T) []testCase {
	t.Helper()
	var cases []testCase
	if err := json.Unmarshal(read(t, opVectors+"/index.json"), &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// refusals are the cases that have no integer graph, and why.
var refusals = map[string]string{
	"add_ratio_beyond_litert":  "XNNPACK takes 2^-10 to 256",
	"avgpool_batch2":           "expected [1, C, H, W]",
	"concat_with_const":        "is a constant",
	"conv_3x3_same_s2_relu6":   "model output is constant",
	"conv_batch3":              "expected [1, C, H, W]",
	"dw_nobias_batch2":         "expected [1, C, H, W]",
	"leaky_relu_6":             "XNNPACK takes 1/256 to 128",
	"maximum_channel":          "unsupported op: MAXIMUM",
	"maximum_different_q":      "unsupported op: MAXIMUM",
	"maximum_same_q":           "unsupported op: MAXIMUM",
	"maximum_scalar_const":     "unsupported op: MAXIMUM",
	"maxpool_batch2":           "expected [1, C, H, W]",
	"minimum_channel":          "unsupported op: MINIMUM",
	"minimum_different_q":      "unsupported op: MINIMUM",
	"minimum_same_q":           "unsupported op: MINIMUM",
	"minimum_scalar_const":     "unsupported op: MINIMUM",
	"net_resnet_relu_uint8_in": "a softmax that QUANTIZE reads",
	"pad_different_q":          "quantized differently",
	"quantize_1_int8_int8":     "model output is constant",
	"quantize_6_uint8_int8":    "with another scale",
	"quantize_8_int8_uint8":    "with another scale",
	"quantize_int8_uint8_tail": "with another scale",
	"quantize_u8_fine_4":       "with another scale",
	"quantize_uint8_int8_tail": "with another scale",
	"relu6_1":                  "quantized differently",
	"relu6_2":                  "quantized differently",
	"relu6_4":                  "quantized differently",
	"softmax_huge_scale":       "softmax with beta",
	"sub_relu6":                "model output is constant",
	"u8_concat_unequal":        "quantized differently",
	"u8_conv_3x3_relu6_s2":     "model output is constant",
}

// TestOps: every byte of every case is the oracle's. What is refused is refused for a reason listed here.
func TestOps(t *testing.T) {
	refused := map[string]bool{}
	equal := map[tflite.Rounding]int{}
	for _, c := range opCases(t) {
		dir := filepath.Join(opVectors, c.Name)
		m, err := tflite.Parse(read(t, dir+"/model.tflite"))
		if strings.HasPrefix(c.Name, "refused_") {
			checkRefused(t, c, m, err)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if !m.Quantized() {
			continue
		}
		for _, r := range []tflite.Rounding{tflite.TFLM, tflite.LiteRT, tflite.Single} {
			want, err := os.ReadFile(dir + "/" + string(r) + ".out")
			if err != nil {
				continue // this oracle cannot run it
			}
			res, err := m.Integer(r, c.Name)
			if err != nil {
				if reason := refusals[c.Name]; reason == "" || !strings.Contains(err.Error(), reason) {
					t.Errorf("%s, %s: %v", c.Name, r, err)
				}
				refused[c.Name] = true
				continue
			}
			if len(res.Notes) > 0 {
				continue // LiteRT's softmax, which is left out; TestGolden applies it
			}
			if strings.HasPrefix(c.Name, "quantize_float") {
				continue // how a real input is rounded is no part of what is proved
			}
			got, err := outputBytes(c, res.Graph, dir)
			if err != nil {
				t.Errorf("%s, %s: %v", c.Name, r, err)
				continue
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s, %s: %d of %d bytes differ from %s", c.Name, r, differences(got, want), len(want), c.Oracles[string(r)])
				continue
			}
			equal[r] += len(got)
		}
	}
	for name := range refusals {
		if !refused[name] {
			t.Errorf("%s is not refused any more: take it off the list", name)
		}
	}
	t.Logf("bytes equal: %v; %d cases refused", equal, len(refused))
	if equal[tflite.TFLM] < 50_000 || equal[tflite.LiteRT] < 50_000 {
		t.Error("too few: is the suite complete?")
	}
}

// checkRefused: files that are broken, or that no kernel of TensorFlow Lite Micro computes, are refused with one
// of the package's errors.
func checkRefused(t *testing.T, c testCase, m *tflite.Model, err error) {
	t.Helper()
	if err == nil {
		_, err = m.Integer(tflite.TFLM, c.Name)
	}
	for _, e := range []error{tflite.ErrMalformed, tflite.ErrUnsupportedOp, tflite.ErrUnsupportedModel, tflite.ErrLimit,
		model.ErrShape, model.ErrAttribute} {
		if errors.Is(err, e) {
			return
		}
	}
	t.Errorf("%s (%s): %v", c.Name, c.Refused, err)
}

// outputBytes runs all samples of a case and lays the outputs out as a device does.
func outputBytes(c testCase, g *model.Graph, dir string) ([]byte, error) {
	var inputs [][][]int64 // input, sample
	for k, id := range g.Inputs {
		raw, err := os.ReadFile(fmt.Sprintf("%s/input%d.bin", dir, k))
		if err != nil {
			return nil, err
		}
		if c.Inputs[k].Dtype == "float32" {
			var quantized []byte
			for _, v := range floats(raw) {
				quantized = append(quantized, byte(g.Tensors[id].Quantize(float64(v))))
			}
			raw = quantized
		}
		inputs = append(inputs, samplesOf(raw, g.Tensors[id]))
	}
	var out []byte
	for s := range inputs[0] {
		x := make([][]int64, len(inputs))
		for k := range inputs {
			x[k] = inputs[k][s]
		}
		y, err := g.Run(context.Background(), x)
		if err != nil {
			return nil, err
		}
		for k, values := range y {
			spec := g.Tensors[g.Outputs[k]]
			size := spec.Type.Size()
			for _, v := range values {
				if c.Outputs[k].Dtype == "float32" {
					out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(spec.Real(v))))
					continue
				}
				out = binary.LittleEndian.AppendUint64(out, uint64(v))[:len(out)+size]
			}
		}
	}
	return out, nil
}

// TestRealModels: models of real numbers give LiteRT's outputs to the precision of binary32.
func TestRealModels(t *testing.T) {
	checked := 0
	for _, c := range opCases(t) {
		dir := filepath.Join(opVectors, c.Name)
		want, err := os.ReadFile(dir + "/float.out")
		if err != nil {
			continue
		}
		m, err := tflite.Parse(read(t, dir+"/model.tflite"))
		if err != nil {
			t.Fatal(err)
		}
		if m.Quantized() {
			t.Errorf("%s: taken for a quantized model", c.Name)
		}
		g, err := m.Real(c.Name)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if err := compareReal(g, dir, floats(want)); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		checked++
	}
	if checked < 6 {
		t.Errorf("%d models of real numbers", checked)
	}
}

func floats(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

func compareReal(g *float.Graph, dir string, want []float32) error {
	var inputs [][]float32
	samples := 0
	for k, id := range g.Inputs {
		raw, err := os.ReadFile(fmt.Sprintf("%s/input%d.bin", dir, k))
		if err != nil {
			return err
		}
		inputs = append(inputs, floats(raw))
		samples = len(inputs[k]) / g.Tensors[id].Len()
	}
	for s := range samples {
		x := make([][]float32, len(inputs))
		for k, id := range g.Inputs {
			n := g.Tensors[id].Len()
			x[k] = inputs[k][s*n : (s+1)*n]
		}
		values, err := g.Execute(x)
		if err != nil {
			return err
		}
		for k, id := range g.Outputs {
			for i, v := range values[id] {
				if math.Abs(float64(v-want[i])) > 1e-4*max(1, math.Abs(float64(want[i]))) {
					return fmt.Errorf("sample %d, output %d, element %d: %g, LiteRT says %g", s, k, i, v, want[i])
				}
			}
			want = want[len(values[id]):]
		}
	}
	return nil
}
