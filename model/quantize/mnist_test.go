package quantize

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/onnx"
)

// mnist8 is the float model, with the images and labels in two IDX files.
func mnist8(t *testing.T, images, labels string) (*float.Graph, [][][]float32, []int) {
	t.Helper()
	b, err := os.ReadFile("../../testvectors/mnist-8/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	g, err := onnx.Import(b, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := g.Tensors[g.Inputs[0]]
	set, err := samples.Open(images, nil, []samples.Input{{Name: in.Name, Shape: in.Shape}}, samples.Options{})
	if err != nil {
		t.Fatal(err)
	}
	classes, err := samples.ReadLabels(labels)
	if err != nil {
		t.Fatal(err)
	}
	data, err := set.Floats(set.Len())
	if err != nil {
		t.Fatal(err)
	}
	return g, data, classes
}

func quantizedMNIST(t *testing.T, g *float.Graph, data [][][]float32) *model.Graph {
	t.Helper()
	return mustQuantize(t, g, Options{Calibration: data[:min(len(data), 256)], PixelScale: []float64{1}})
}

// The MNIST model quantizes without loss on the bundled digits and fits into 2^16 constraints.
func TestMNIST(t *testing.T) {
	dir := "../../testvectors/digits"
	g, data, labels := mnist8(t, filepath.Join(dir, "images.idx.gz"), filepath.Join(dir, "labels.idx"))
	ig := quantizedMNIST(t, g, data)
	a, err := Measure(context.Background(), g, ig, data, labels)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", a)
	if a.ArgmaxAgreement < 1 || a.IntegerCorrect < a.FloatCorrect {
		t.Errorf("on the bundled digits: %+v", a)
	}
	e, err := quantize(context.Background(), g, Options{Calibration: data, PixelScale: []float64{1}})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range data {
		if _, err := check(e, s); err != nil {
			t.Errorf("digit %d: %v", i, err)
		}
	}
	for name, o := range map[string]circuits.Options{"public": {}, "private": {PrivateInput: true, PrivateOutput: true}} {
		p, err := circuits.NewPlan(ig, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d constraints", name, p.Constraints)
		if p.Constraints > 1<<16 {
			t.Errorf("%s: %d constraints, at most 65,536", name, p.Constraints)
		}
		for _, n := range p.Nodes {
			if per := float64(n.Constraints) / float64(max(n.Activations, 1)); n.Kind == "conv" && per > 3.7 {
				t.Errorf("%s: %.2f constraints an activation, at most 3.7", n.Name, per)
			}
		}
	}
}

// Weights that training moved by three percent stay in the architecture without being told, so that keys
// made for the old ones serve.
func TestMNISTRetrained(t *testing.T) {
	dir := "../../testvectors/digits"
	g, data, _ := mnist8(t, filepath.Join(dir, "images.idx.gz"), filepath.Join(dir, "labels.idx"))
	first := quantizedMNIST(t, g, data)
	for seed := range uint64(5) {
		again := quantizedMNIST(t, retrained(g, seed, 0.03, 1), data)
		if again.ArchitectureDigest() != first.ArchitectureDigest() {
			t.Errorf("seed %d: %s", seed, difference(again, first))
		}
		if again.ParameterDigest() == first.ParameterDigest() {
			t.Errorf("seed %d: the same parameters", seed)
		}
	}
}
