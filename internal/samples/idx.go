package samples

import (
	"encoding/binary"
	"fmt"
)

// idxElements are the type codes of the format, by NumPy kind and size.
var idxElements = map[byte]struct {
	kind byte
	size int
}{
	0x08: {'u', 1}, 0x09: {'i', 1}, 0x0b: {'i', 2}, 0x0c: {'i', 4}, 0x0d: {'f', 4}, 0x0e: {'f', 8},
}

// readIDX reads images: their numbers are pixels.
func (s *Set) readIDX(b []byte) error {
	if err := s.single(); err != nil {
		return err
	}
	a, err := parseIDX(b)
	if err != nil {
		return err
	}
	return s.fill([]array{a}, true)
}

// parseIDX reads two zero bytes, a type, a rank, big-endian dimensions and values, no byte more.
func parseIDX(b []byte) (array, error) {
	if len(b) < 4 || b[0] != 0 || b[1] != 0 {
		return array{}, fmt.Errorf("%w: not an IDX file", ErrMalformed)
	}
	code, ok := idxElements[b[2]]
	rank := int(b[3])
	if !ok || rank < 1 || rank > maxRank || len(b) < 4+4*rank {
		return array{}, fmt.Errorf("%w: IDX type 0x%02x of rank %d, expected type 0x08 to 0x0e and rank 1 to %d", ErrMalformed, b[2], rank, maxRank)
	}
	e, _ := elementOf(code.kind, code.size, binary.BigEndian)
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = int(binary.BigEndian.Uint32(b[4+4*i:]))
	}
	data := b[4+4*rank:]
	if n, ok := boundedVolume(shape, len(data)); !ok || n*e.size != len(data) {
		return array{}, fmt.Errorf("%w: IDX: %d bytes of data do not make an array of shape %v with %d bytes a value", ErrMalformed, len(data), shape, e.size)
	}
	return e.over(data, shape), nil
}
