package samples

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// array is an n-dimensional array, row-major unless a reader says otherwise in at.
type array struct {
	shape    []int
	integers bool // stored as integers
	at       func(i int) float64
}

// element is how numbers stand in a binary file.
type element struct {
	size     int
	integers bool
	decode   func(b []byte) float64
}

// elementOf is the decoder of a NumPy kind ('i', 'u', 'f', 'b') and size in bytes; false if there is
// none. 64-bit integers beyond 2^53 lose low bits: no model takes values that large.
func elementOf(kind byte, size int, order binary.ByteOrder) (element, bool) {
	e := element{size: size, integers: kind != 'f'}
	switch {
	case kind == 'b' && size == 1, kind == 'u' && size == 1:
		e.decode = func(b []byte) float64 { return float64(b[0]) }
	case kind == 'i' && size == 1:
		e.decode = func(b []byte) float64 { return float64(int8(b[0])) }
	case kind == 'u' && size == 2:
		e.decode = func(b []byte) float64 { return float64(order.Uint16(b)) }
	case kind == 'i' && size == 2:
		e.decode = func(b []byte) float64 { return float64(int16(order.Uint16(b))) }
	case kind == 'u' && size == 4:
		e.decode = func(b []byte) float64 { return float64(order.Uint32(b)) }
	case kind == 'i' && size == 4:
		e.decode = func(b []byte) float64 { return float64(int32(order.Uint32(b))) }
	case kind == 'u' && size == 8:
		e.decode = func(b []byte) float64 { return float64(order.Uint64(b)) }
	case kind == 'i' && size == 8:
		e.decode = func(b []byte) float64 { return float64(int64(order.Uint64(b))) }
	case kind == 'f' && size == 2:
		e.decode = func(b []byte) float64 { return half(order.Uint16(b)) }
	case kind == 'f' && size == 4:
		e.decode = func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) }
	case kind == 'f' && size == 8:
		e.decode = func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) }
	default:
		return element{}, false
	}
	return e, true
}

// over is the array of the given shape over data, whose length must fit.
func (e element) over(data []byte, shape []int) array {
	return array{shape: shape, integers: e.integers, at: func(i int) float64 { return e.decode(data[i*e.size:]) }}
}

// half is the value of an IEEE 754 binary16 number.
func half(h uint16) float64 {
	sign, exponent, fraction := h>>15, int(h>>10&31), float64(h&1023)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 31:
		v = math.Inf(1)
		if fraction != 0 {
			return math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if sign == 1 {
		return -v
	}
	return v
}

// boundedVolume is the product of dims if none is negative and it does not exceed limit.
func boundedVolume(dims []int, limit int) (int, bool) {
	n := 1
	for _, d := range dims {
		if d < 0 {
			return 0, false
		}
		if d == 0 {
			return 0, true
		}
		if n > limit/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// samplesIn is how many samples for an input an array of the given shape holds: one where the shape
// is the input's (dimensions of 1 do not matter) or flat, several where that follows on a first
// dimension.
func samplesIn(shape []int, in Input) (int, error) {
	switch {
	case fits(shape, in):
		return 1, nil
	case len(shape) > 0 && shape[0] > 0 && fits(shape[1:], in):
		return shape[0], nil
	}
	return 0, fmt.Errorf("%w: input %q: found %v, expected %v (nested or flat: %d values), or several such arrays in one",
		ErrShape, in.Name, shape, in.Shape, in.len())
}

func fits(shape []int, in Input) bool {
	if n, ok := boundedVolume(shape, MaxFileSize); !ok || n != in.len() {
		return false
	}
	found, want := squeeze(shape), squeeze(in.Shape)
	return len(found) <= 1 || len(want) <= 1 || slices.Equal(found, want)
}

// squeeze drops the dimensions of 1.
func squeeze(shape []int) []int {
	return slices.DeleteFunc(slices.Clone(shape), func(d int) bool { return d == 1 })
}

// fill gives each input its array; all must hold the same number of samples.
func (s *Set) fill(arrays []array, pixels bool) error {
	for k, a := range arrays {
		n, err := samplesIn(a.shape, s.inputs[k])
		if err != nil {
			return err
		}
		if k > 0 && n != s.n {
			return fmt.Errorf("%w: %d samples for input %q, %d for input %q", ErrShape, s.n, s.inputs[0].Name, n, s.inputs[k].Name)
		}
		s.n = n
		s.columns = append(s.columns, column{array: a, pixels: pixels})
	}
	return nil
}

// single errs unless the model has one input, as formats without names demand.
func (s *Set) single() error {
	if len(s.inputs) == 1 {
		return nil
	}
	names := make([]string, len(s.inputs))
	for i, in := range s.inputs {
		names[i] = in.Name
	}
	return fmt.Errorf("%w: a %s file holds one array, the model has %d inputs (%q); use npz, json or raw",
		ErrFormat, s.Format, len(names), names)
}
