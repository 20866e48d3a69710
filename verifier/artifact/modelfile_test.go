package artifact

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/zkinfer/zkinfer/internal/envelope"
)

func exampleFile() modelFile {
	return modelFile{
		Backend: "sumcheck", Commitment: bytes.Repeat([]byte{7}, 300), Key: make([]byte, 32), Public: true,
		Inputs:     []meaning{{Scale: 0.5, Zero: -128}, {Scale: 1.0 / 255, Zero: math.MinInt64}, {Scale: 65504, Zero: math.MaxInt64}, {Scale: 0x1p-24}},
		Outputs:    []meaning{{Scale: 1e300, Zero: 70000}, {Scale: -0.25}, {Scale: math.Inf(1)}, {Scale: float64(float32(0.1))}},
		PixelScale: []float64{1, 0x1p-14, 0x1.8p-15}, PixelMean: []float64{},
	}
}

// What package envelope writes is read here as it is there.
func TestModelFile(t *testing.T) {
	want := exampleFile()
	b, err := envelope.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeFile(b)
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("%+v, %v, expected %+v", got, err, want)
	}
}

// Every half of a floating-point number.
func TestHalf(t *testing.T) {
	for n := range 1 << 16 {
		b := []byte{0xf9, byte(n >> 8), byte(n)}
		var want float64
		if err := envelope.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		r := &reader{b: b}
		if got := r.float(); r.err != nil || math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("%x: %v, %v, expected %v", n, got, r.err, want)
		}
	}
}

// Of altered bytes, this reader takes none that package envelope refuses, and what both take is the same.
func TestModelFileAgrees(t *testing.T) {
	honest, err := envelope.Marshal(exampleFile())
	if err != nil {
		t.Fatal(err)
	}
	both, fewer := 0, 0
	for i := range honest {
		for delta := 1; delta < 256; delta++ {
			b := bytes.Clone(honest)
			b[i] ^= byte(delta)
			if agree(t, b) {
				both++
			} else {
				fewer++
			}
		}
		if agree(t, honest[:i]) {
			t.Errorf("%d bytes are a file", i)
		}
	}
	t.Logf("%d altered files are files, %d are none", both, fewer)
	if both == 0 || fewer == 0 {
		t.Error("nothing was compared")
	}
}

func agree(t *testing.T, b []byte) bool {
	t.Helper()
	var want modelFile
	refused := envelope.Unmarshal(b, &want)
	got, err := decodeFile(b)
	if err != nil && !errors.Is(err, ErrMalformed) {
		t.Fatalf("%x: %v", b, err)
	}
	if err == nil && refused != nil {
		t.Fatalf("%x: taken, refused by the library: %v", b, refused)
	}
	again, _ := envelope.Marshal(want)
	mine, _ := envelope.Marshal(*got)
	if err == nil && !bytes.Equal(again, mine) {
		t.Fatalf("%x: %+v, expected %+v", b, got, want)
	}
	return err == nil
}

func TestModelFileRefused(t *testing.T) {
	for what, b := range map[string][]byte{
		"an unknown field":    {0xa1, 0x61, 'x', 0xf5},
		"a field twice":       append(append([]byte{0xa2}, append([]byte("\x66public"), 0xf5)...), append([]byte("\x66public"), 0xf5)...),
		"no map":              {0x80},
		"nothing":             {},
		"an indefinite map":   {0xbf, 0xff},
		"a length of 64 bits": {0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a byte too many":     {0xa0, 0},
	} {
		if f, err := decodeFile(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", what, f, err)
		}
	}
}

func FuzzModelFile(f *testing.F) {
	honest, err := envelope.Marshal(exampleFile())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(honest)
	f.Fuzz(func(t *testing.T, b []byte) { agree(t, b) })
}
