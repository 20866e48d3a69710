package samples

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/model"
)

// fuzz feeds one reader: whatever the bytes, it must return samples that fill the inputs, or one of
// this package's errors.
func fuzz(f *testing.F, format Format, pattern string, seeds ...string) {
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	models := [][]Input{
		{{Name: "x", Shape: []int{1, 1, 2, 3}, Type: model.Int8}},
		{{Name: "x", Shape: []int{1, 2, 3, 3}}},
		{{Name: "left", Shape: []int{2, 3}, Type: model.Int16}, {Name: "right", Shape: []int{3}, Type: model.Uint8}},
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		for _, inputs := range models {
			s, err := Decode(b, inputs, Options{Format: format, Resize: true, PixelMean: []float64{1}})
			if err == nil {
				err = decodeAll(t, s, inputs)
			}
			if err != nil && !ours(err) {
				t.Errorf("not an error of this package: %v", err)
			}
		}
	})
}

func decodeAll(t *testing.T, s *Set, inputs []Input) error {
	for i := range min(s.Len(), 8) {
		sample, err := s.Sample(i)
		if err != nil {
			return err
		}
		for k, in := range inputs {
			if len(sample[k].Values) != in.len() {
				t.Errorf("input %d has %d values, expected %d", k, len(sample[k].Values), in.len())
			}
		}
	}
	return nil
}

func ours(err error) bool {
	for _, known := range []error{ErrMalformed, ErrFormat, ErrShape, ErrValue, ErrTooLarge, ErrIndex} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

func FuzzJSON(f *testing.F) {
	fuzz(f, JSON, "none", "[1,2,3,4,5,6]", "[[1,2,3],[4,5,6]]", `{"input_data":[[1,2,3,4,5,6],[1,2,3]]}`, "[[],[]]", "[[[1]],[2]]")
}
func FuzzNPY(f *testing.F)  { fuzz(f, NPY, "*.npy") }
func FuzzNPZ(f *testing.F)  { fuzz(f, NPZ, "*.npz") }
func FuzzPNG(f *testing.F)  { fuzz(f, PNG, "*.png") }
func FuzzJPEG(f *testing.F) { fuzz(f, JPEG, "*.jpg") }
func FuzzIDX(f *testing.F) {
	fuzz(f, IDX, "none", "\x00\x00\x08\x02\x00\x00\x00\x02\x00\x00\x00\x03\x01\x02\x03\x04\x05\x06")
}
func FuzzRaw(f *testing.F) { fuzz(f, Raw, "none", "123456", "123456789012345") }

// FuzzDetect covers the choice of the format and decompression.
func FuzzDetect(f *testing.F) {
	fuzz(f, Detect, "*", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "[1", "\x00\x00\x08\x01")
}

func FuzzLabels(f *testing.F) {
	for _, s := range []string{"\x00\x00\x08\x01\x00\x00\x00\x02\x07\x01", "[7,1]", "\x07\x00\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		labels, err := DecodeLabels(b)
		if err != nil && !ours(err) {
			t.Errorf("not an error of this package: %v", err)
		}
		for _, l := range labels {
			if l < 0 {
				t.Errorf("label %d", l)
			}
		}
	})
}
