package tflite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
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

// TestMutatedModels: models with a few bytes changed, where a table's numbers are, give a graph or an error. Blind
// mutations mostly break offsets; these reach the operators.
func TestMutatedModels(t *testing.T) {
	files, err := filepath.Glob("../../testvectors/tflite/ops/*/model.tflite")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d models (%v)", len(files), err)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 20_000 {
		data, err := os.ReadFile(files[rng.IntN(len(files))])
		if err != nil {
			t.Fatal(err)
		}
		if len(data) < 64 || len(data) > 2048 {
			continue
		}
		for range 1 + rng.IntN(4) {
			i := rng.IntN(len(data) - 4)
			switch rng.IntN(3) {
			case 0:
				data[i] ^= 1 << rng.IntN(8)
			case 1:
				data[i] += byte(rng.IntN(9)) - 4
			default:
				copy(data[i:], []byte{0, 0, byte(rng.Uint32()), byte(rng.IntN(4))})
			}
		}
		importAny(t, data)
	}
}

// What lies behind a slice in its capacity is no part of the file: flatbuffers slices up to where an offset says, and Go lets it.
func TestBehindTheFile(t *testing.T) {
	file, err := os.ReadFile("../../testvectors/tflite/ops/add_relu/model.tflite")
	if err != nil {
		t.Fatal(err)
	}
	name := bytes.Index(file, []byte("input0"))
	if name < 4 {
		t.Fatal("the file has no tensor of that name")
	}
	binary.LittleEndian.PutUint32(file[name-4:], uint32(len(file)-name+1000))
	if _, err := Parse(append(file, make([]byte, 2000)...)[:len(file)]); !errors.Is(err, ErrMalformed) {
		t.Errorf("a name that is longer than the file: %v", err)
	}
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
		defer allocation.Bound(t)()
		importAny(t, data)
	})
}

// importAny demands a graph that runs, or an error of the package's.
func importAny(t *testing.T, data []byte) {
	t.Helper()
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
}
