package tflite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/model"
)

// classified tells whether an error is one of those that are promised.
func classified(err error) bool {
	for _, e := range []error{ErrMalformed, ErrUnsupportedOp, ErrUnsupportedModel, ErrLimit,
		model.ErrShape, model.ErrAttribute, model.ErrRange, model.ErrLimit, model.ErrGraph, model.ErrConstantModel} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// FuzzImport: any bytes give a graph that runs, or an error of the package's. Offsets out of range, cycles
// and huge shapes are what a mutated file is full of.
func FuzzImport(f *testing.F) {
	files, err := filepath.Glob("../../testvectors/tflite/ops/*/model.tflite")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range append(files, "../../testvectors/tflite/hello-world/model.tflite") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 4096 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			if !classified(err) {
				t.Fatalf("%v wraps none of the package's errors", err)
			}
			return
		}
		total := 0
		for i := range m.f.tensors {
			total += m.f.tensors[i].volume()
		}
		if total > 1<<12 {
			return // right or wrong, it takes too long here
		}
		for _, r := range roundings {
			res, err := m.Integer(r, "fuzz")
			if err != nil {
				if !classified(err) {
					t.Fatalf("%v wraps none of the package's errors", err)
				}
				continue
			}
			var x [][]int64
			for _, id := range res.Graph.Inputs {
				in := res.Graph.Tensors[id]
				v := make([]int64, in.Len())
				for i := range v {
					v[i] = in.Min + int64(i)%(in.Max-in.Min+1)
				}
				x = append(x, v)
			}
			if _, err := res.Graph.Run(context.Background(), x); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := m.Real("fuzz"); err != nil && !classified(err) {
			t.Fatalf("%v wraps none of the package's errors", err)
		}
	})
}
