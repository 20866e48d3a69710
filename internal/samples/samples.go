// Package samples reads inputs for models from the files that people have: JSON, NumPy arrays, IDX,
// images, raw bytes.
//
// A Set is one file whose samples fill the inputs of one model. Values stay in the file's own
// encoding until a sample is asked for, so that a set takes little more memory than its file.
//
// What a number means follows from where it stands: JSON, floating-point arrays and pixels are real
// values, which quantization rounds and clamps; integer arrays and raw bytes are quantized values
// already, which have to lie in the input's range. Options.As says otherwise. A pixel p becomes the
// real value p·scale − mean.
//
// Formats: the NPY format versions 1.0 to 3.0 (NumPy Enhancement Proposal 1), IDX as on the MNIST
// page, RFC 8259, and what image/png and image/jpeg decode.
//
// Pitfalls: a JPEG decodes to slightly different pixels in different libraries, and its orientation
// tag is not looked at; transparency is ignored; 16-bit images are cut to 8 bits. Files are
// untrusted: sizes are bounded, and what a header claims is compared with what is there before
// anything of that size is allocated.
package samples

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/zkinfer/zkinfer/model"
)

// What can be wrong with a file of samples. Every error wraps one of these or is the operating
// system's.
var (
	// ErrMalformed: the file is not what its format demands.
	ErrMalformed = errors.New("malformed input")
	// ErrFormat: the format is not known, or cannot fill this model's inputs.
	ErrFormat = errors.New("unusable input format")
	// ErrShape: a well-formed file of other dimensions than the model's.
	ErrShape = errors.New("input has the wrong shape")
	// ErrValue: a number that the model's input cannot take.
	ErrValue = errors.New("invalid input value")
	// ErrTooLarge: more than this package reads.
	ErrTooLarge = errors.New("input too large")
	// ErrIndex: there is no such sample.
	ErrIndex = errors.New("no such sample")
)

// MaxFileSize bounds a file, also after decompression, in bytes.
const MaxFileSize = 1 << 28

// Format is how a file is encoded.
type Format string

// The formats. Detect means: by content.
const (
	Detect Format = ""
	JSON   Format = "json"
	NPY    Format = "npy"
	NPZ    Format = "npz"
	IDX    Format = "idx"
	PNG    Format = "png"
	JPEG   Format = "jpeg"
	Raw    Format = "raw"
)

// formats are all but Detect.
var formats = []Format{JSON, NPY, NPZ, IDX, PNG, JPEG, Raw}

// ParseFormat is the format of a name; "" is Detect, "jpg" is JPEG.
func ParseFormat(name string) (Format, error) {
	f := Format(strings.ToLower(name))
	if f == "jpg" {
		f = JPEG
	}
	if f == Detect || slices.Contains(formats, f) {
		return f, nil
	}
	return "", fmt.Errorf("%w: %q, expected one of %v", ErrFormat, name, formats)
}

// Interpretation says what the numbers of a file are.
type Interpretation int

const (
	// AsStored: integers are quantized values, everything else is real.
	AsStored Interpretation = iota
	// AsReal: all numbers are real values.
	AsReal
	// AsQuantized: all numbers are quantized values, pixels too.
	AsQuantized
)

// Input is one input of a model: what a sample has to fill.
type Input struct {
	Name  string
	Shape []int
	// Type is how raw files hold a value; 0 stands for float32, which are real values.
	Type model.DType
}

func (in Input) len() int { return volume(in.Shape) }

// rawSize is the number of bytes of a value in a raw file.
func (in Input) rawSize() int {
	if in.Type == 0 {
		return 4
	}
	return in.Type.Size()
}

// InputsOf are the inputs that tensors of an integer graph make.
func InputsOf(tensors []model.Tensor) []Input {
	out := make([]Input, len(tensors))
	for i, t := range tensors {
		out[i] = Input{Name: t.Name, Shape: t.Shape, Type: t.Type}
	}
	return out
}

// Options choose how a file is read. The zero value reads by content, without resizing.
type Options struct {
	Format Format
	As     Interpretation
	// Resize scales an image to the model's height and width, bilinearly. Without, an image of other
	// dimensions is an error.
	Resize bool
	// PixelScale and PixelMean turn pixels into real values, pixel·scale − mean: one number or one a
	// channel. Empty: 1 and 0.
	PixelScale, PixelMean []float64
}

// Tensor are the numbers for one input of a model, row-major: real values or quantized ones.
type Tensor struct {
	Values    []float64
	Quantized bool
}

// Sample holds a tensor for each input of the model, in order.
type Sample []Tensor

// Set is the samples of one file.
type Set struct {
	Format Format // the one that was found

	inputs  []Input
	columns []column // one an input
	n       int
	options Options
}

// column holds one input's numbers of all samples.
type column struct {
	array
	pixels bool // real value = pixel·scale − mean
}

// Open reads the file at path, or stdin for "-", as samples for a model with the given inputs.
func Open(path string, stdin io.Reader, inputs []Input, o Options) (*Set, error) {
	b, err := readFile(path, stdin)
	if err != nil {
		return nil, err
	}
	s, err := Decode(b, inputs, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Decode is Open for a file of which all bytes are at hand. The set aliases b.
func Decode(b []byte, inputs []Input, o Options) (*Set, error) {
	if err := checkInputs(inputs); err != nil {
		return nil, err
	}
	if err := CheckPixels(inputs, o.PixelScale, o.PixelMean); err != nil {
		return nil, err
	}
	b, err := gunzip(b)
	if err != nil {
		return nil, err
	}
	f := o.Format
	if f == Detect {
		f = detect(b)
	}
	s := &Set{Format: f, inputs: inputs, options: o}
	switch f {
	case JSON:
		err = s.readJSON(b)
	case NPY:
		err = s.readNPY(b)
	case NPZ:
		err = s.readNPZ(b)
	case IDX:
		err = s.readIDX(b)
	case PNG, JPEG:
		err = s.readImage(b)
	case Raw:
		err = s.readRaw(b, o.Format == Detect)
	default:
		err = fmt.Errorf("%w: %q, expected one of %v", ErrFormat, f, formats)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Len is the number of samples, at least 1.
func (s *Set) Len() int { return s.n }

// Sample decodes sample i, 0 ≤ i < Len. It errs (ErrIndex, ErrValue) where there is no such sample
// or a value is not a number, or not an integer where a quantized value is wanted.
func (s *Set) Sample(i int) (Sample, error) {
	if i < 0 || i >= s.n {
		return nil, fmt.Errorf("%w: index %d, the file has %d (0 to %d)", ErrIndex, i, s.n, s.n-1)
	}
	out := make(Sample, len(s.inputs))
	for k := range s.inputs {
		t, err := s.tensor(k, i)
		if err != nil {
			return nil, fmt.Errorf("sample %d, input %q: %w", i, s.inputs[k].Name, err)
		}
		out[k] = t
	}
	return out, nil
}

func (s *Set) tensor(k, i int) (Tensor, error) {
	c, n := &s.columns[k], s.inputs[k].len()
	t := Tensor{Values: make([]float64, n), Quantized: s.quantized(c)}
	for j := range t.Values {
		v := c.at(i*n + j)
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return t, fmt.Errorf("%w: %v at index %d, expected a finite number", ErrValue, v, j)
		case t.Quantized && v != math.Trunc(v):
			return t, fmt.Errorf("%w: %v at index %d, expected an integer as quantized values are", ErrValue, v, j)
		}
		t.Values[j] = v
	}
	if c.pixels && !t.Quantized {
		s.scalePixels(t.Values, s.inputs[k].Shape)
	}
	return t, nil
}

func (s *Set) quantized(c *column) bool {
	switch s.options.As {
	case AsReal:
		return false
	case AsQuantized:
		return true
	}
	return c.integers && !c.pixels
}

// Floats are the first n samples as a float network takes them: sample → input → values.
func (s *Set) Floats(n int) ([][][]float32, error) {
	out := make([][][]float32, n)
	for i := range out {
		sample, err := s.Sample(i)
		if err != nil {
			return nil, err
		}
		for _, t := range sample {
			values := make([]float32, len(t.Values))
			for j, v := range t.Values {
				values[j] = float32(v)
			}
			out[i] = append(out[i], values)
		}
	}
	return out, nil
}

// Quantize turns a sample into the integers that the input tensors of a model take, in order: real
// values are rounded and clamped, quantized ones have to lie in the tensor's range (ErrValue).
func (s Sample) Quantize(inputs []model.Tensor) ([][]int64, error) {
	if len(s) != len(inputs) {
		return nil, fmt.Errorf("%w: %d tensors, the model has %d inputs", ErrShape, len(s), len(inputs))
	}
	out := make([][]int64, len(s))
	for k, in := range inputs {
		values, err := s[k].quantize(in)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", in.Name, err)
		}
		out[k] = values
	}
	return out, nil
}

func (t Tensor) quantize(in model.Tensor) ([]int64, error) {
	out := make([]int64, len(t.Values))
	for i, v := range t.Values {
		switch {
		case !t.Quantized:
			out[i] = in.Quantize(v)
		case v < float64(in.Min) || v > float64(in.Max):
			return nil, fmt.Errorf("%w: quantized value %.0f at index %d, expected %d to %d; if these are real values, say so (--real)",
				ErrValue, v, i, in.Min, in.Max)
		default:
			out[i] = int64(v)
		}
	}
	return out, nil
}

func checkInputs(inputs []Input) error {
	if len(inputs) == 0 {
		return fmt.Errorf("%w: the model has no inputs", ErrFormat)
	}
	for _, in := range inputs {
		if _, ok := boundedVolume(in.Shape, MaxFileSize); !ok {
			return fmt.Errorf("%w: the model's input %q has shape %v, expected at most %d values", ErrTooLarge, in.Name, in.Shape, MaxFileSize)
		}
	}
	return nil
}

func readFile(path string, stdin io.Reader) ([]byte, error) {
	r := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	b, err := readBounded(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// readBounded reads all of r, at most MaxFileSize bytes.
func readBounded(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) > MaxFileSize {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxFileSize)
	}
	return b, nil
}
