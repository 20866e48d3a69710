package provertest

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/quantize"
	"github.com/zkinfer/zkinfer/prover"
)

// MNIST is the float network for digits, quantized.
func MNIST(t *testing.T) *model.Graph {
	t.Helper()
	fg, err := onnx.Import(vector(t, "mnist-8", "model.onnx"), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	images := digits(t, samples.Input{Name: fg.Tensors[fg.Inputs[0]].Name, Shape: fg.Tensors[fg.Inputs[0]].Shape}, "images.idx.gz")
	g, err := quantize.Quantize(context.Background(), fg, quantize.Options{Calibration: images, PixelScale: []float64{1}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func digits(t *testing.T, in samples.Input, file string) [][][]float32 {
	t.Helper()
	set, err := samples.Open(filepath.Join(vectors(), "digits", file), nil, []samples.Input{in}, samples.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := set.Floats(set.Len())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Digit is the image of a digit, in the integers of MNIST.
func Digit(t *testing.T, g *model.Graph, digit int) []int64 {
	t.Helper()
	in := g.Tensors[g.Inputs[0]]
	image := digits(t, samples.Input{Name: in.Name, Shape: in.Shape}, fmt.Sprintf("%d.png", digit))[0]
	return quantize.Inputs(g, image)[0]
}

// ProveDigits proves the first n bundled digits and demands that the proved class is the digit, in proofs of at
// most so many bytes.
func ProveDigits(t *testing.T, b prover.Backend, o prover.Options, n, most int) {
	t.Helper()
	g := MNIST(t)
	keys, opening := Keys(t, b, g, o)
	for digit := range n {
		p, err := keys.Prove(context.Background(), g, opening, [][]int64{Digit(t, g, digit)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		best := 0
		for k, v := range p.Outputs[0] {
			if v > p.Outputs[0][best] {
				best = k
			}
		}
		if best != digit || len(p.Bundle.Proof) > most {
			t.Errorf("digit %d: proved %d in %d bytes, at most %d", digit, best, len(p.Bundle.Proof), most)
		}
	}
}
