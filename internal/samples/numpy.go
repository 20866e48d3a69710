package samples

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
)

// maxHeader bounds the text of an NPY header in bytes; NumPy pads it to a multiple of 64.
const maxHeader = 1 << 12

// npyHeader is the one form in which NumPy writes the dictionary of a simple array. Go's packages
// for the format accept more and panic on some of it.
var npyHeader = regexp.MustCompile(`^\{'descr': '([<>|=])([a-zA-Z])([0-9]{1,2})', 'fortran_order': (True|False), 'shape': \(((?:[0-9]{1,10}, ?)*[0-9]{0,10})\), ?\} *\n?$`)

func (s *Set) readNPY(b []byte) error {
	if err := s.single(); err != nil {
		return err
	}
	a, err := parseNPY(b)
	if err != nil {
		return err
	}
	return s.fill([]array{a}, false)
}

// readNPZ reads an archive with one array an input, each under the input's name; the name does not
// matter where there is one array and one input.
func (s *Set) readNPZ(b []byte) error {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return fmt.Errorf("%w: npz: %w", ErrMalformed, err)
	}
	files := make(map[string]*zip.File, len(z.File))
	names := make([]string, len(z.File))
	for i, f := range z.File {
		names[i] = strings.TrimSuffix(f.Name, ".npy")
		files[names[i]] = f
	}
	arrays := make([]array, len(s.inputs))
	left := MaxFileSize
	for k, in := range s.inputs {
		f := files[in.Name]
		if f == nil && len(s.inputs) == 1 && len(names) == 1 {
			f = z.File[0]
		}
		if f == nil {
			return fmt.Errorf("%w: no array for input %q; the archive has %.10q", ErrShape, in.Name, names)
		}
		if arrays[k], err = unzipNPY(f, &left); err != nil {
			return fmt.Errorf("%.100q: %w", f.Name, err)
		}
	}
	return s.fill(arrays, false)
}

// unzipNPY reads one array of an archive and takes its size from left.
func unzipNPY(f *zip.File, left *int) (array, error) {
	r, err := f.Open()
	if err != nil {
		return array{}, fmt.Errorf("%w: npz: %w", ErrMalformed, err)
	}
	defer r.Close()
	b, err := readBounded(r)
	if err != nil {
		return array{}, fmt.Errorf("%w: npz: %w", ErrMalformed, err)
	}
	if *left -= len(b); *left < 0 {
		return array{}, fmt.Errorf("%w: more than %d bytes of arrays", ErrTooLarge, MaxFileSize)
	}
	return parseNPY(b)
}

func parseNPY(b []byte) (array, error) {
	header, data, err := splitNPY(b)
	if err != nil {
		return array{}, err
	}
	m := npyHeader.FindSubmatch(header)
	if m == nil {
		return array{}, fmt.Errorf("%w: npy header %.100q, expected a simple array as numpy.save writes it", ErrMalformed, header)
	}
	e, err := npyElement(string(m[1]), m[2][0], string(m[3]))
	if err != nil {
		return array{}, err
	}
	shape, err := npyShape(string(m[5]))
	if err != nil {
		return array{}, err
	}
	n, ok := boundedVolume(shape, len(data))
	if hi, bytes := bits.Mul64(uint64(n), uint64(e.size)); !ok || hi != 0 || bytes != uint64(len(data)) {
		return array{}, fmt.Errorf("%w: npy: %d bytes of data do not make an array of shape %v with %d bytes a value", ErrMalformed, len(data), shape, e.size)
	}
	a := e.over(data, shape)
	if string(m[4]) == "True" {
		a.at = columnMajor(a.at, shape)
	}
	return a, nil
}

// splitNPY separates the dictionary from the data.
func splitNPY(b []byte) (header, data []byte, err error) {
	const fixed = 8 // magic and version
	if len(b) < fixed+2 || !bytes.HasPrefix(b, npyMagic) {
		return nil, nil, fmt.Errorf("%w: not an npy file", ErrMalformed)
	}
	at, n := fixed+2, int(binary.LittleEndian.Uint16(b[fixed:]))
	switch major := b[6]; {
	case major == 1:
	case (major == 2 || major == 3) && len(b) >= fixed+4:
		at, n = fixed+4, int(binary.LittleEndian.Uint32(b[fixed:]))
	default:
		return nil, nil, fmt.Errorf("%w: npy version %d.%d, expected 1.0 to 3.0", ErrMalformed, major, b[7])
	}
	if n > maxHeader || n > len(b)-at {
		return nil, nil, fmt.Errorf("%w: npy header of %d bytes, expected at most %d within the file", ErrMalformed, n, maxHeader)
	}
	return b[at : at+n], b[at+n:], nil
}

func npyElement(order string, kind byte, size string) (element, error) {
	var byteOrder binary.ByteOrder = binary.LittleEndian
	if order == ">" {
		byteOrder = binary.BigEndian
	}
	n, _ := strconv.Atoi(size) // at most two digits
	e, ok := elementOf(kind, n, byteOrder)
	if !ok {
		return e, fmt.Errorf("%w: npy type %q, expected integers or floating-point numbers of at most 64 bits", ErrFormat, order+string(kind)+size)
	}
	return e, nil
}

func npyShape(list string) ([]int, error) {
	shape := []int{}
	for _, d := range strings.Split(list, ",") {
		if d = strings.TrimSpace(d); d == "" {
			continue
		}
		n, err := strconv.Atoi(d)
		if err != nil || len(shape) == maxRank {
			return nil, fmt.Errorf("%w: npy shape (%.100s), expected at most %d dimensions", ErrMalformed, list, maxRank)
		}
		shape = append(shape, n)
	}
	return shape, nil
}

// columnMajor is at for an array stored with the first index running fastest.
func columnMajor(at func(int) float64, shape []int) func(int) float64 {
	return func(i int) float64 {
		stored, step := 0, volume(shape)
		for a := len(shape) - 1; a >= 0; a-- {
			step /= shape[a]
			stored += i % shape[a] * step
			i /= shape[a]
		}
		return at(stored)
	}
}

// Array is the contents of an .npy file.
type Array struct {
	Shape    []int
	Values   []float64 // row-major; 64-bit integers beyond 2^53 lose low bits
	Integers bool
}

// ReadArray reads the .npy file at path.
func ReadArray(path string) (*Array, error) {
	b, err := readFile(path, nil)
	if err != nil {
		return nil, err
	}
	a, err := parseNPY(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out := &Array{Shape: a.shape, Values: make([]float64, volume(a.shape)), Integers: a.integers}
	for i := range out.Values {
		out.Values[i] = a.at(i)
	}
	return out, nil
}
