package samples

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model"
)

// halves is what most files of testdata hold, as a 2×3 array.
var halves = []float64{-1, -0.5, 0, 0.5, 1, 1.5}

func oneInput(t model.DType, shape ...int) []Input {
	return []Input{{Name: "x", Shape: shape, Type: t}}
}

func decodeOne(t *testing.T, b []byte, inputs []Input, o Options) (*Set, Tensor) {
	t.Helper()
	s, err := Decode(b, inputs, o)
	if err != nil {
		t.Fatal(err)
	}
	sample, err := s.Sample(0)
	if err != nil {
		t.Fatal(err)
	}
	return s, sample[0]
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNumPyFiles(t *testing.T) {
	for _, c := range []struct {
		file      string
		values    []float64
		quantized bool
	}{
		{"float16.npy", halves, false},
		{"float32.npy", halves, false},
		{"float64_big.npy", halves, false},
		{"fortran.npy", halves, false},
		{"anonymous.npz", halves, false},
		{"int8.npy", []float64{-3, -2, -1, 0, 1, 2}, true},
		{"version3.npy", []float64{-3, -2, -1, 0, 1, 2}, true},
		{"int64.npy", []float64{-3, -2, -1, 0, 1, 2}, true},
		{"uint16_big.npy", []float64{0, 300, 600, 900, 1200, 1500}, true},
		{"bool.npy", []float64{0, 1, 0, 1, 0, 1}, true},
	} {
		t.Run(c.file, func(t *testing.T) {
			s, got := decodeOne(t, file(t, c.file), oneInput(model.Int8, 1, 2, 3), Options{})
			if s.Len() != 1 || !slices.Equal(got.Values, c.values) || got.Quantized != c.quantized {
				t.Errorf("%d samples, %v, quantized %v; expected 1, %v, %v", s.Len(), got.Values, got.Quantized, c.values, c.quantized)
			}
		})
	}
}

func TestReadArray(t *testing.T) {
	a, err := ReadArray(filepath.Join("testdata", "fortran.npy"))
	if err != nil || a.Integers || !slices.Equal(a.Shape, []int{2, 3}) || !slices.Equal(a.Values, halves) {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = ReadArray(filepath.Join("testdata", "scalar.npy"))
	if err != nil || len(a.Shape) != 0 || !slices.Equal(a.Values, []float64{3}) {
		t.Errorf("a scalar: %+v, %v", a, err)
	}
	if _, err := ReadArray(filepath.Join("testdata", "grey.png")); !errors.Is(err, ErrMalformed) {
		t.Errorf("an image: %v", err)
	}
}

func TestSeveralSamplesAndInputs(t *testing.T) {
	s, _ := decodeOne(t, file(t, "batch.npy"), oneInput(model.Int8, 1, 2, 3), Options{})
	if s.Len() != 4 {
		t.Fatalf("%d samples, expected 4", s.Len())
	}
	last, err := s.Sample(3)
	if err != nil || !slices.Equal(last[0].Values, []float64{18, 19, 20, 21, 22, 23}) {
		t.Errorf("last sample %v, %v", last, err)
	}
	if _, err := s.Sample(4); !errors.Is(err, ErrIndex) {
		t.Errorf("sample 4 of 4: %v", err)
	}

	inputs := []Input{{Name: "right", Shape: []int{3}, Type: model.Int8}, {Name: "left", Shape: []int{1, 2, 3}, Type: model.Int16}}
	for name, b := range map[string][]byte{
		"npz":  file(t, "two.npz"),
		"json": []byte(`{"ignored": {"a": [1]}, "input_data": [[0, 1, 2], [[0,1,2],[3,4,5]]]}`),
		"raw":  {0, 1, 2, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0},
	} {
		s, err := Decode(b, inputs, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sample, err := s.Sample(0)
		if err != nil || !slices.Equal(sample[0].Values, []float64{0, 1, 2}) || !slices.Equal(sample[1].Values, []float64{0, 1, 2, 3, 4, 5}) {
			t.Errorf("%s: %v, %v", name, sample, err)
		}
		if s.Format != Format(name) {
			t.Errorf("%s was taken for %s", name, s.Format)
		}
	}
	for _, b := range [][]byte{file(t, "int8.npy"), []byte("[1]"), {0, 0, 8, 1, 0, 0, 0, 1, 7}, file(t, "grey.png")} {
		if _, err := Decode(b, inputs, Options{}); !errors.Is(err, ErrFormat) {
			t.Errorf("%.8q for two inputs: %v", b, err)
		}
	}
}

func TestJSON(t *testing.T) {
	in := oneInput(model.Int8, 1, 2, 2)
	for _, good := range []string{"[1,2,3,4]", "[[[1,2],[3,4]]]", "[[1,2],[3,4]]", ` [ 1, 2, 3e0, 4.0 ] `, `{"input_data":[[1,2,3,4]]}`, `{"input_data":[[[1,2],[3,4]]],"output_data":null}`} {
		s, got := decodeOne(t, []byte(good), in, Options{})
		if s.Len() != 1 || !slices.Equal(got.Values, []float64{1, 2, 3, 4}) || got.Quantized {
			t.Errorf("%s: %d samples, %v", good, s.Len(), got)
		}
	}
	if s, _ := decodeOne(t, []byte("[[1,2,3,4],[5,6,7,8]]"), in, Options{}); s.Len() != 2 {
		t.Errorf("%d samples, expected 2", s.Len())
	}
	for bad, want := range map[string]error{
		"[1,2,3]":                 ErrShape,
		"[[1,2,3,4,5]]":           ErrShape,
		"[]":                      ErrShape,
		"[[],[]]":                 ErrShape,
		"[[1,2],[3]]":             ErrMalformed,
		"[1,[2]]":                 ErrMalformed,
		"[[1],2]":                 ErrMalformed,
		"[[[1]],[2]]":             ErrMalformed,
		"[1,2,3,true]":            ErrMalformed,
		`[1,2,3,"4"]`:             ErrMalformed,
		"[1,2,3,4":                ErrMalformed,
		"[1,2,3,4] 5":             ErrMalformed,
		"[1,2,3,1e999]":           ErrMalformed,
		"[[[[[[[[[[1]]]]]]]]]]":   ErrMalformed,
		"7":                       ErrMalformed,
		"{}":                      ErrMalformed,
		`{"input_data":[1,2]}`:    ErrMalformed,
		`{"input_data":[[1],[]]}`: ErrShape,
		`{"input_data":[]}`:       ErrShape,
		`{"input_data":[[1,2,3,4]],"input_data":[[1,2,3,4]]}`: ErrMalformed,
	} {
		if _, err := Decode([]byte(bad), in, Options{Format: JSON}); !errors.Is(err, want) {
			t.Errorf("%s: %v, expected %v", bad, err, want)
		}
	}
}

func TestInterpretation(t *testing.T) {
	in := oneInput(model.Int8, 2, 3)
	if _, got := decodeOne(t, file(t, "int8.npy"), in, Options{As: AsReal}); got.Quantized {
		t.Error("integers asked for as real values came as quantized")
	}
	if _, got := decodeOne(t, []byte("[1,2,3,4,5,6]"), in, Options{As: AsQuantized}); !got.Quantized {
		t.Error("JSON asked for as quantized came as real values")
	}
	s, err := Decode(file(t, "float32.npy"), in, Options{As: AsQuantized})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sample(0); !errors.Is(err, ErrValue) {
		t.Errorf("halves as quantized values: %v", err)
	}
	// Pixels as quantized values are not scaled.
	_, got := decodeOne(t, file(t, "grey.png"), in, Options{As: AsQuantized, PixelScale: []float64{2}})
	if !slices.Equal(got.Values, []float64{0, 40, 80, 120, 160, 200}) {
		t.Errorf("pixels as quantized values: %v", got.Values)
	}
}

func TestQuantize(t *testing.T) {
	g := []model.Tensor{{Name: "x", Shape: []int{3}, Min: -100, Max: 127, Type: model.Int8, Scale: 0.5, Zero: 1}}
	if in := InputsOf(g); len(in) != 1 || in[0].Name != "x" || in[0].Type != model.Int8 {
		t.Fatalf("inputs %v", in)
	}
	got, err := Sample{{Values: []float64{-1e9, 1.25, 1e300}}}.Quantize(g)
	if err != nil || !slices.Equal(got[0], []int64{-100, 3, 127}) {
		t.Errorf("real values became %v, %v", got, err)
	}
	got, err = Sample{{Values: []float64{-100, 0, 127}, Quantized: true}}.Quantize(g)
	if err != nil || !slices.Equal(got[0], []int64{-100, 0, 127}) {
		t.Errorf("quantized values became %v, %v", got, err)
	}
	for _, v := range []float64{-101, 128, 1e300} {
		if _, err := (Sample{{Values: []float64{0, v, 0}, Quantized: true}}).Quantize(g); !errors.Is(err, ErrValue) {
			t.Errorf("quantized value %v: %v", v, err)
		}
	}
	if _, err := (Sample{}).Quantize(g); !errors.Is(err, ErrShape) {
		t.Errorf("a sample without tensors: %v", err)
	}
}

func TestNotANumber(t *testing.T) {
	b := binary.LittleEndian.AppendUint32(nil, 0x7fc00000)
	s, err := Decode(b, []Input{{Name: "x", Shape: []int{1}}}, Options{Format: Raw})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sample(0); !errors.Is(err, ErrValue) {
		t.Errorf("NaN: %v", err)
	}
}

const digits = "../../testvectors/digits"

func TestDigits(t *testing.T) {
	in := oneInput(model.Uint8, 1, 1, 28, 28)
	labels, err := ReadLabels(filepath.Join(digits, "labels.idx"))
	if err != nil {
		t.Fatal(err)
	}
	images, err := Open(filepath.Join(digits, "images.idx.gz"), nil, in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if images.Len() != 50 || len(labels) != 50 {
		t.Fatalf("%d images, %d labels, expected 50", images.Len(), len(labels))
	}
	for _, digit := range []string{"0", "7"} { // the first of their class among the first 50
		want := slices.Index(labels, int(digit[0]-'0'))
		png, err := Open(filepath.Join(digits, digit+".png"), nil, in, Options{})
		if err != nil {
			t.Fatal(err)
		}
		a, err1 := png.Sample(0)
		b, err2 := images.Sample(want)
		if err1 != nil || err2 != nil || !slices.Equal(a[0].Values, b[0].Values) {
			t.Errorf("digit %s as PNG differs from image %d (%v, %v)", digit, want, err1, err2)
		}
	}
}

func TestImageLayouts(t *testing.T) {
	rgb, grey := file(t, "rgb.png"), file(t, "grey.png")
	first := []float64{255, 0, 0, 10, 200, 255}
	green := []float64{0, 255, 0, 20, 100, 255}
	blue := []float64{0, 0, 255, 30, 50, 255}
	interleaved := make([]float64, 0, 18)
	for i := range first {
		interleaved = append(interleaved, first[i], green[i], blue[i])
	}
	steps := []float64{0, 40, 80, 120, 160, 200}
	for _, c := range []struct {
		name  string
		image []byte
		shape []int
		want  []float64
	}{
		{"channels first", rgb, []int{1, 3, 2, 3}, slices.Concat(first, green, blue)},
		{"channels last", rgb, []int{1, 2, 3, 3}, interleaved},
		{"colour to grey", rgb, []int{1, 1, 2, 3}, []float64{76, 150, 29, 18, 124, 255}},
		{"grey", grey, []int{1, 1, 2, 3}, steps},
		{"grey, channel last", grey, []int{1, 2, 3, 1}, steps},
		{"grey, no channel", grey, []int{2, 3}, steps},
		{"grey, flat", grey, []int{1, 6}, steps},
		{"grey to colour", grey, []int{3, 2, 3}, slices.Concat(steps, steps, steps)},
		{"jpeg", file(t, "grey.jpg"), []int{1, 1, 2, 3}, []float64{0, 40, 81, 120, 160, 201}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got := decodeOne(t, c.image, oneInput(model.Uint8, c.shape...), Options{})
			if !slices.Equal(got.Values, c.want) || got.Quantized {
				t.Errorf("got %v\nexpected %v", got.Values, c.want)
			}
		})
	}
}

func TestPixelScale(t *testing.T) {
	o := Options{PixelScale: []float64{0.5, 1, 2}, PixelMean: []float64{10}}
	_, got := decodeOne(t, file(t, "rgb.png"), oneInput(model.Uint8, 1, 2, 3, 3), o)
	if want := []float64{117.5, -10, -10}; !slices.Equal(got.Values[:3], want) {
		t.Errorf("channels last: %v, expected %v", got.Values[:3], want)
	}
	_, got = decodeOne(t, file(t, "rgb.png"), oneInput(model.Uint8, 1, 3, 2, 3), o)
	if got.Values[0] != 117.5 || got.Values[7] != 245 || got.Values[14] != 500 {
		t.Errorf("channels first: %v", got.Values)
	}
	// The same holds for IDX.
	idx := append([]byte{0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 3}, make([]byte, 18)...)
	_, got = decodeOne(t, idx, oneInput(model.Uint8, 1, 3, 2, 3), Options{PixelMean: []float64{1, 2, 3}})
	if got.Values[0] != -1 || got.Values[6] != -2 || got.Values[12] != -3 {
		t.Errorf("IDX: %v", got.Values)
	}
	if _, err := Decode(idx, oneInput(model.Uint8, 1, 3, 2, 3), Options{PixelMean: []float64{1, 2}}); !errors.Is(err, ErrShape) {
		t.Errorf("two means for three channels: %v", err)
	}
}

func TestResizeOnlyWhenAsked(t *testing.T) {
	in := oneInput(model.Uint8, 1, 1, 2, 2)
	_, err := Decode(file(t, "grey4x4.png"), in, Options{})
	if !errors.Is(err, ErrShape) || !strings.Contains(err.Error(), "--resize") {
		t.Errorf("4×4 for 2×2: %v", err)
	}
	_, got := decodeOne(t, file(t, "grey4x4.png"), in, Options{Resize: true})
	for i, want := range []float64{36, 52, 98, 114} { // what Pillow computes
		if d := got.Values[i] - want; d < -1 || d > 1 {
			t.Errorf("resized to %v, expected [36 52 98 114] up to 1", got.Values)
		}
	}
	if _, err := Decode(file(t, "grey4x4.png"), oneInput(model.Uint8, 5), Options{Resize: true}); !errors.Is(err, ErrShape) {
		t.Errorf("4×4 for 5 values: %v", err)
	}
}

func TestRaw(t *testing.T) {
	s, got := decodeOne(t, []byte{0xff, 2, 3, 4}, oneInput(model.Int8, 1, 2), Options{})
	if s.Len() != 2 || !got.Quantized || !slices.Equal(got.Values, []float64{-1, 2}) {
		t.Errorf("%d samples, %v", s.Len(), got)
	}
	second, err := s.Sample(1)
	if err != nil || !slices.Equal(second[0].Values, []float64{3, 4}) {
		t.Errorf("second sample %v, %v", second, err)
	}
	// Integers that happen to begin as JSON or IDX do.
	for _, b := range [][]byte{{'[', 0x80}, {'[', 1}, {0, 0}, {0, 0, 8, 1, 0, 0, 1, 0}} {
		if s, err := Decode(b, oneInput(model.Uint8, 2), Options{}); err != nil || s.Format != Raw {
			t.Errorf("%v: %v", b, err)
		}
	}
	_, err = Decode([]byte{1, 2, 3}, oneInput(model.Int16, 2), Options{})
	if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), `multiple of 4 for raw values of "x" int16[2]`) {
		t.Errorf("three bytes for two int16: %v", err)
	}
	if _, err := Decode(nil, oneInput(model.Int16, 2), Options{}); err == nil {
		t.Error("an empty file was taken")
	}
}

func TestHostileHeaders(t *testing.T) {
	in := oneInput(model.Int8, 2, 3)
	npy := func(header string) []byte {
		b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
		return append(append(b, header...), make([]byte, 6)...)
	}
	for name, b := range map[string][]byte{
		"npy without newline and keys": npy("{}"),
		"npy with keys out of order":   npy("{'shape': (2, 3), 'fortran_order': False, 'descr': '|i1', }\n"),
		"npy of huge shape":            npy("{'descr': '|i1', 'fortran_order': False, 'shape': (4294967296, 4294967296), }\n"),
		"npy of negative shape":        npy("{'descr': '|i1', 'fortran_order': False, 'shape': (-2, -3), }\n"),
		"npy of empty shape and data":  npy("{'descr': '|i1', 'fortran_order': False, 'shape': (0, 4294967296), }\n"),
		"npy of objects":               npy("{'descr': '|O', 'fortran_order': False, 'shape': (6,), }\n"),
		"npy header beyond the file":   []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{"),
		"npy cut in its magic":         []byte("\x93NUMPY"),
		"npy of version 9":             []byte("\x93NUMPY\x09\x00\x00\x00"),
		"npz without a directory":      []byte("PK\x03\x04 nothing more"),
		"png cut":                      file(t, "grey.png")[:40],
		"jpeg cut":                     file(t, "grey.jpg")[:40],
		"gzip cut":                     {0x1f, 0x8b, 8, 0, 0},
	} {
		if _, err := Decode(b, in, Options{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	huge := bytes.Clone(file(t, "grey.png"))
	copy(huge[16:], []byte{0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff})
	if _, err := Decode(huge, in, Options{Resize: true}); err == nil {
		t.Error("a PNG of 2^31 by 2^31 pixels was taken")
	}
	if _, err := Decode([]byte{1}, oneInput(model.Int8, 1<<31, 1<<31), Options{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a model with 2^62 inputs: %v", err)
	}
}

func TestDecompressionIsBounded(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range MaxFileSize>>20 + 1 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(bomb.Bytes(), oneInput(model.Int8, 1), Options{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%d bytes that decompress to more than %d: %v", bomb.Len(), MaxFileSize, err)
	}
}

func TestLabels(t *testing.T) {
	for name, b := range map[string][]byte{
		"idx":  {0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 1},
		"json": []byte("[7, 0, 1]"),
		"raw":  {7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0},
	} {
		if got, err := DecodeLabels(b); err != nil || !slices.Equal(got, []int{7, 0, 1}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, b := range map[string][]byte{
		"images":   {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4},
		"half":     []byte("[0.5]"),
		"negative": []byte("[-1]"),
		"5 bytes":  {1, 2, 3, 4, 5},
		"a png":    file(t, "grey.png"),
	} {
		if got, err := DecodeLabels(b); err == nil {
			t.Errorf("%s: taken as %v", name, got)
		}
	}
}

func TestOpen(t *testing.T) {
	in := oneInput(model.Int8, 2)
	s, err := Open("-", strings.NewReader("[1,2]"), in, Options{})
	if err != nil || s.Len() != 1 {
		t.Errorf("standard input: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), nil, in, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
	for name, want := range map[string]Format{"": Detect, "JPG": JPEG, "npy": NPY} {
		if f, err := ParseFormat(name); err != nil || f != want {
			t.Errorf("format %q is %q, %v", name, f, err)
		}
	}
	if _, err := ParseFormat("bmp"); !errors.Is(err, ErrFormat) {
		t.Errorf("bmp: %v", err)
	}
}
