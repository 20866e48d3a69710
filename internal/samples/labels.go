package samples

import (
	"encoding/binary"
	"fmt"
	"math"
)

// ReadLabels reads one class index a sample from path: IDX (also gzipped), an integer .npy, a JSON
// array, or raw little-endian int32.
func ReadLabels(path string) ([]int, error) {
	b, err := readFile(path, nil)
	if err != nil {
		return nil, err
	}
	labels, err := DecodeLabels(b)
	if err != nil {
		return nil, fmt.Errorf("labels %s: %w", path, err)
	}
	return labels, nil
}

// DecodeLabels is ReadLabels for a file of which all bytes are at hand.
func DecodeLabels(b []byte) ([]int, error) {
	b, err := gunzip(b)
	if err != nil {
		return nil, err
	}
	a, err := labelArray(b)
	if err != nil {
		return nil, err
	}
	if len(squeeze(a.shape)) > 1 {
		return nil, fmt.Errorf("%w: labels of shape %v, expected a flat array, one number a sample", ErrShape, a.shape)
	}
	labels := make([]int, volume(a.shape))
	for i := range labels {
		v := a.at(i)
		if v != math.Trunc(v) || v < 0 || v > math.MaxInt32 {
			return nil, fmt.Errorf("%w: label %v at index %d, expected an integer from 0", ErrValue, v, i)
		}
		labels[i] = int(v)
	}
	return labels, nil
}

func labelArray(b []byte) (array, error) {
	switch f := detect(b); f {
	case IDX:
		return parseIDX(b)
	case NPY:
		return parseNPY(b)
	case JSON:
		return parseJSON(b)
	case Raw:
		e, _ := elementOf('i', 4, binary.LittleEndian)
		if len(b)%e.size != 0 {
			return array{}, fmt.Errorf("%w: %d bytes of raw labels, expected a multiple of %d (int32)", ErrShape, len(b), e.size)
		}
		return e.over(b, []int{len(b) / e.size}), nil
	default:
		return array{}, fmt.Errorf("%w: labels in a %s file, expected idx, npy, json or raw int32", ErrFormat, f)
	}
}
