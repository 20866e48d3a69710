package tflite_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite"
)

// The output bytes of real devices' kernels: ours are equal, every one. The models of testvectors/tflite
// are checked always; ZKINFER_TFLITE names a folder of more, as NAME.tflite with NAME.in and
// NAME.tflm_double.out, NAME.xnn_single.out beside it, at any depth:
//
//	ZKINFER_TFLITE=folder go test -run Golden -v ./model/tflite

const vectors = "../../testvectors/tflite"

// golden is a model with inputs and the outputs of both oracles.
type golden struct {
	name, model, input string
	outputs            map[tflite.Rounding]string
}

func goldens(t *testing.T) []golden {
	t.Helper()
	var out []golden
	for _, name := range []string{"hello-world", "ad01", "kws", "resnet8", "vww"} {
		file := func(f string) string { return filepath.Join(vectors, name, f) }
		out = append(out, golden{name, file("model.tflite"), file("input.raw"),
			map[tflite.Rounding]string{tflite.TFLM: file("tflm.out"), tflite.LiteRT: file("litert.out")}})
	}
	folder := os.Getenv("ZKINFER_TFLITE")
	if folder == "" {
		return out
	}
	err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		base, found := strings.CutSuffix(path, ".in")
		if !found || err != nil {
			return err
		}
		g := golden{filepath.Base(base), base + ".tflite", path,
			map[tflite.Rounding]string{tflite.TFLM: base + ".tflm_double.out", tflite.LiteRT: base + ".xnn_single.out"}}
		if _, err := os.Stat(g.model); err != nil { // further inputs of a model: MODEL.more.in
			g.model = strings.TrimSuffix(base, filepath.Ext(base)) + ".tflite"
		}
		out = append(out, g)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func integer(t testing.TB, data []byte, r tflite.Rounding) *tflite.Result {
	t.Helper()
	m, err := tflite.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Quantized() {
		t.Fatal("not taken for a quantized model")
	}
	res, err := m.Integer(r, "golden")
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// samplesOf cuts raw bytes into samples of a tensor.
func samplesOf(raw []byte, in model.Tensor) [][]int64 {
	var out [][]int64
	for sample := range slices.Chunk(raw, in.Len()) {
		x := make([]int64, len(sample))
		for i, b := range sample {
			x[i] = int64(int8(b))
			if in.Type == model.Uint8 {
				x[i] = int64(b)
			}
		}
		out = append(out, x)
	}
	return out
}

func TestGolden(t *testing.T) {
	for _, g := range goldens(t) {
		for rounding, want := range g.outputs {
			t.Run(g.name+"/"+string(rounding), func(t *testing.T) {
				if _, err := os.Stat(want); err != nil {
					t.Logf("no outputs of this rounding: %v", err)
					return
				}
				res := integer(t, read(t, g.model), rounding)
				graph := res.Graph
				in, out := graph.Tensors[graph.Inputs[0]], graph.Tensors[graph.Outputs[0]]
				var got []byte
				for _, x := range samplesOf(read(t, g.input), in) {
					y, err := graph.Run(context.Background(), [][]int64{x})
					if err != nil {
						t.Fatal(err)
					}
					if len(res.Notes) > 0 { // a softmax left out
						y[0] = binary32Softmax(y[0], float32(out.Scale))
					}
					for _, v := range y[0] {
						got = append(got, byte(v))
					}
				}
				expected := read(t, want)
				if !bytes.Equal(got, expected) {
					t.Fatalf("%d of %d bytes differ", differences(got, expected), len(expected))
				}
				t.Logf("%d bytes equal", len(got))
			})
		}
	}
}

func differences(a, b []byte) int {
	n := max(len(a), len(b)) - min(len(a), len(b))
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// binary32Softmax is LiteRT's softmax on x86, which its proofs leave out: exponentials and their sum in
// binary32, in order; half away from zero.
func binary32Softmax(x []int64, scale float32) []int64 {
	greatest := slices.Max(x)
	exp := make([]float32, len(x))
	var sum float32
	for i, v := range x {
		exp[i] = float32(math.Exp(float64(float32(-scale) * float32(greatest-v))))
		sum += exp[i]
	}
	inverse := 1 / float32(sum*(1.0/256))
	out := make([]int64, len(x))
	for i, e := range exp {
		out[i] = min(max(int64(math.Round(float64(e*inverse)))-128, -128), 127)
	}
	return out
}

// TestRoundingsDiffer: the variants are not the same function, so which one is proved matters.
func TestRoundingsDiffer(t *testing.T) {
	data, input := read(t, vectors+"/ad01/model.tflite"), read(t, vectors+"/ad01/input.raw")
	outputs := map[tflite.Rounding][]int64{}
	digests := map[[32]byte]bool{}
	for _, r := range []tflite.Rounding{tflite.TFLM, tflite.LiteRT, tflite.Single} {
		g := integer(t, data, r).Graph
		y, err := g.Run(context.Background(), [][]int64{samplesOf(input, g.Tensors[g.Inputs[0]])[0]})
		if err != nil {
			t.Fatal(err)
		}
		outputs[r] = y[0]
		digests[g.ArchitectureDigest()] = true
		if g.Source.Rounding != string(r) || g.Source.Format != "tflite" {
			t.Errorf("source %+v", g.Source)
		}
	}
	if slices.Equal(outputs[tflite.TFLM], outputs[tflite.Single]) || slices.Equal(outputs[tflite.TFLM], outputs[tflite.LiteRT]) {
		t.Error("two roundings gave the same outputs")
	}
	if len(digests) != 3 {
		t.Error("two roundings have the same architecture: a verifying key would not tell them apart")
	}
}
