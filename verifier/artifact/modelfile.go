package artifact

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// modelFile is the contents of a .zkc file. Backend is left out for Groth16, as in files from before there were others.
// It is written by package envelope, and read here: the CBOR library would be a sixth of every embedding, for one map.
type modelFile struct {
	Backend    string    `cbor:"backend,omitempty"`
	Commitment []byte    `cbor:"commitment"`
	Key        []byte    `cbor:"key"`
	Public     bool      `cbor:"public"`
	Inputs     []meaning `cbor:"inputs"`
	Outputs    []meaning `cbor:"outputs"`
	PixelScale []float64 `cbor:"pixel_scale"`
	PixelMean  []float64 `cbor:"pixel_mean"`
}

type meaning struct {
	Scale float64 `cbor:"scale"`
	Zero  int64   `cbor:"zero"`
}

// decodeFile reads a modelFile. It refuses what package envelope does: other types, unknown and repeated fields,
// lengths that are not there, text that is not UTF-8, anything after the end. Errors wrap ErrMalformed.
func decodeFile(b []byte) (*modelFile, error) {
	f, r := &modelFile{}, &reader{b: b}
	r.fields(map[string]func(){
		"backend":     func() { f.Backend = r.text() },
		"commitment":  func() { f.Commitment = r.bytes() },
		"key":         func() { f.Key = r.bytes() },
		"public":      func() { f.Public = r.bool() },
		"inputs":      func() { f.Inputs = list(r, r.meaning) },
		"outputs":     func() { f.Outputs = list(r, r.meaning) },
		"pixel_scale": func() { f.PixelScale = list(r, r.float) },
		"pixel_mean":  func() { f.PixelMean = list(r, r.float) },
	})
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes after its end", len(r.b))
	}
	return f, r.err
}

// Major types of CBOR (RFC 8949).
const (
	cborUint, cborNegative, cborBytes, cborText = 0, 1, 2, 3
	cborArray, cborMap, cborSimple              = 4, 5, 7
)

// reader reads the CBOR that a modelFile is made of. The first failure sticks.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: model commitment: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	r.b = nil
}

// head reads a major type, the low bits of its first byte, and its argument.
func (r *reader) head() (major, low byte, argument uint64) {
	if len(r.b) == 0 {
		r.fail("truncated")
		return 0, 0, 0
	}
	major, low = r.b[0]>>5, r.b[0]&31
	r.b = r.b[1:]
	if low < 24 {
		return major, low, uint64(low)
	}
	size := 1 << (low - 24)
	if low > 27 || size > len(r.b) {
		r.fail("truncated, or of indefinite length")
		return 0, 0, 0
	}
	var full [8]byte
	copy(full[8-size:], r.b)
	r.b = r.b[size:]
	return major, low, binary.BigEndian.Uint64(full[:])
}

// length reads a head of this type, the argument of which is a length in things of a byte at least.
func (r *reader) length(want byte) int {
	major, _, n := r.head()
	if r.err == nil && (major != want || n > uint64(len(r.b))) {
		r.fail("type %d and length %d, expected type %d within %d bytes", major, n, want, len(r.b))
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *reader) take(n int) []byte {
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) bytes() []byte { return append([]byte{}, r.take(r.length(cborBytes))...) }

func (r *reader) text() string {
	s := r.take(r.length(cborText))
	if !utf8.Valid(s) {
		r.fail("text that is not UTF-8")
	}
	return string(s)
}

func (r *reader) bool() bool {
	major, low, _ := r.head()
	if r.err == nil && (major != cborSimple || low != 20 && low != 21) {
		r.fail("neither true nor false")
	}
	return low == 21
}

func (r *reader) int() int64 {
	major, _, n := r.head()
	if r.err == nil && (major != cborUint && major != cborNegative || n > math.MaxInt64) {
		r.fail("no integer of 64 bits")
	}
	if major == cborNegative {
		return -1 - int64(n)
	}
	return int64(n)
}

// float reads a number of 16, 32 or 64 bits.
func (r *reader) float() float64 {
	major, low, n := r.head()
	switch {
	case r.err != nil:
	case major == cborSimple && low == 25:
		return half(uint16(n))
	case major == cborSimple && low == 26:
		return float64(math.Float32frombits(uint32(n)))
	case major == cborSimple && low == 27:
		return math.Float64frombits(n)
	default:
		r.fail("no floating-point number")
	}
	return 0
}

// half is a number of 16 bits: one for the sign, five for the exponent.
func half(n uint16) float64 {
	exponent, fraction := int(n>>10&31), float64(n&1023)
	v := math.Ldexp(fraction, -24)
	switch {
	case exponent == 31 && fraction == 0:
		v = math.Inf(1)
	case exponent == 31:
		v = math.NaN()
	case exponent > 0:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if n>>15 == 1 {
		v = -v
	}
	return v
}

// fields reads a map, each of whose fields is read by the function of its name.
func (r *reader) fields(read map[string]func()) {
	for range r.length(cborMap) {
		name := r.text()
		value, ok := read[name]
		if !ok || r.err != nil {
			r.fail("unknown or repeated field %q", name)
			return
		}
		delete(read, name)
		value()
	}
}

func (r *reader) meaning() (m meaning) {
	r.fields(map[string]func(){"scale": func() { m.Scale = r.float() }, "zero": func() { m.Zero = r.int() }})
	return m
}

// maxList bounds lists; the tensors of a model are fewer by far.
const maxList = 1 << 12

func list[T any](r *reader, read func() T) []T {
	n := r.length(cborArray)
	if n > maxList {
		r.fail("list of %d elements, at most %d", n, maxList)
		n = 0
	}
	out := make([]T, n)
	for i := range out {
		out[i] = read()
	}
	return out
}
