package bench

import (
	"context"
	"errors"
	"testing"

	"github.com/zkinfer/zkinfer/model"
)

func build(t *testing.T, name string, seed uint64) *model.Graph {
	t.Helper()
	m, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Build(context.Background(), seed)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A name and a seed give one model, whoever builds it and in whatever order; another seed gives other
// weights.
func TestModelsAreReproducible(t *testing.T) {
	for _, name := range []string{"dense-8x2", "cnn-2x1", "dwcnn-3x1", "lenet-5"} {
		first := build(t, name, 1)
		build(t, "dense-9x1", 1)
		again, other := build(t, name, 1), build(t, name, 2)
		if first.ArchitectureDigest() != again.ArchitectureDigest() || first.ParameterDigest() != again.ParameterDigest() {
			t.Errorf("%s is another model the second time", name)
		}
		if first.ParameterDigest() == other.ParameterDigest() {
			t.Errorf("%s has the same weights with another seed", name)
		}
	}
}

// The named models have the sizes that their names promise.
func TestModelSizes(t *testing.T) {
	for _, c := range []struct {
		name       string
		parameters int64 // as published, biases included
		macs       int64
	}{
		{"lenet-5", 61706, 416520},
		{"credit-risk", 96*512 + 12*512*512 + 512 + 13*512 + 1, 96*512 + 12*512*512 + 512},
		{"mobilenetv2", 3487816 + 10*3, 300774272}, // normalization folded into biases; three parameters of each sum
		{"dense-256x3", 3 * (256*256 + 256), 3 * 256 * 256},
		{"ad01", 265864, 264192},
		{"mnist-8", 5994, 786560},
		{"hello-world", 321, 288},
	} {
		m, err := Find(c.name)
		if err != nil {
			t.Fatal(err)
		}
		r := newResult(m, build(t, c.name, 1))
		// Average pooling is a layer of one parameter, whose multiplications count too.
		if d := r.Parameters - c.parameters; d < 0 || d > 4 {
			t.Errorf("%s has %d parameters, expected %d", c.name, r.Parameters, c.parameters)
		}
		if d := r.MACs - c.macs; d < 0 || float64(d) > 0.02*float64(c.macs) {
			t.Errorf("%s has %d multiplications, expected %d", c.name, r.MACs, c.macs)
		}
	}
}

func TestUnknownModels(t *testing.T) {
	for _, name := range []string{"", "vgg", "dense", "dense-0x1", "dense-8x0", "dense-99999x1", "dense-8x2x", "fish-8x2", "dense-99999999999999999999x1"} {
		if _, err := Find(name); !errors.Is(err, ErrUnknownModel) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := Sweeps([]string{"fish"}, true); !errors.Is(err, ErrUnknownModel) {
		t.Error(err)
	}
	if _, err := FromFile("nothing.zkm").Build(context.Background(), 1); err == nil {
		t.Error("a missing file was read")
	}
}

// Every family has enough points for a law, in both runs, at more than one width and depth.
func TestSweeps(t *testing.T) {
	for _, quick := range []bool{true, false} {
		for _, family := range Families {
			models, err := Sweeps([]string{family}, quick)
			if err != nil {
				t.Fatal(err)
			}
			widths, depths, names := map[int]bool{}, map[int]bool{}, map[string]bool{}
			for _, m := range models {
				widths[m.Width], depths[m.Depth], names[m.Name] = true, true, true
			}
			if len(models) < minFitPoints || len(widths) < 3 || len(depths) < 2 || len(names) != len(models) {
				t.Errorf("%s, quick %t: %d models, %d widths, %d depths", family, quick, len(models), len(widths), len(depths))
			}
		}
	}
}

// Inputs lie in the range of each tensor and depend on the seed alone.
func TestInputs(t *testing.T) {
	g := build(t, "hello-world", 1)
	a, b, c := Inputs(g, 1), Inputs(g, 1), Inputs(g, 2)
	tensor := g.Tensors[g.Inputs[0]]
	if len(a) != 1 || len(a[0]) != tensor.Len() || a[0][0] != b[0][0] || a[0][0] == c[0][0] {
		t.Errorf("%v %v %v", a, b, c)
	}
	for _, v := range a[0] {
		if v < tensor.Min || v > tensor.Max {
			t.Errorf("input %d outside [%d, %d]", v, tensor.Min, tensor.Max)
		}
	}
}
