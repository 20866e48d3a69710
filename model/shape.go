package model

import (
	"fmt"
	"slices"
)

// Limits on what Infer and Validate accept, far above what can be proved and low enough that a
// small malicious file cannot exhaust memory or time.
const (
	maxRank       = 8
	maxElements   = 1 << 24 // of a tensor
	maxParameters = 1 << 28 // of an array
	maxTotal      = 1 << 26 // elements of all tensors
	maxNodes      = 1 << 16
	maxTensors    = 1 << 16
	maxWork       = 1 << 36 // inner steps of one execution
)

// boundedVolume is the product of dims, all at least 1, if it does not exceed limit.
func boundedVolume(limit int, dims ...int) (int, error) {
	n := 1
	for _, d := range dims {
		if d < 1 {
			return 0, fmt.Errorf("%w: dimension %d in %v, expected at least 1", ErrShape, d, dims)
		}
		if d > limit/n {
			return 0, fmt.Errorf("%w: %v has more than %d elements", ErrLimit, dims, limit)
		}
		n *= d
	}
	return n, nil
}

func checkShape(shape []int) error {
	if len(shape) > maxRank {
		return fmt.Errorf("%w: shape %v has rank %d, at most %d is supported", ErrLimit, shape, len(shape), maxRank)
	}
	_, err := boundedVolume(maxElements, shape...)
	return err
}

// inferred is an op's output tensor, its shape checked.
func inferred(shape []int, s span) (Tensor, error) {
	if err := checkShape(shape); err != nil {
		return Tensor{}, err
	}
	return Tensor{Shape: shape, Min: s.min, Max: s.max}, nil
}

func checkArity(in []Tensor, n int) error {
	if len(in) != n {
		return fmt.Errorf("%w: %d inputs, expected %d", ErrShape, len(in), n)
	}
	return nil
}

// checkImage demands a single operand of shape [1, C, H, W].
func checkImage(in []Tensor) error {
	if err := checkArity(in, 1); err != nil {
		return err
	}
	if s := in[0].Shape; len(s) != 4 || s[0] != 1 {
		return fmt.Errorf("%w: input %v, expected [1, C, H, W]", ErrShape, s)
	}
	return nil
}

// checkAxis demands a single operand that has the axis.
func checkAxis(in []Tensor, axis int) error {
	if err := checkArity(in, 1); err != nil {
		return err
	}
	if n := len(in[0].Shape); axis < 0 || axis >= n {
		return fmt.Errorf("%w: axis %d of input %v, expected 0 to %d", ErrAttribute, axis, in[0].Shape, n-1)
	}
	return nil
}

// checkLength demands that the parameter array has n entries.
func checkLength(name string, values []int64, n int) error {
	if len(values) != n {
		return fmt.Errorf("%w: %s has %d entries, expected %d", ErrAttribute, name, len(values), n)
	}
	return nil
}

// splitAxis views shape as [outer, n, inner], n being the axis.
func splitAxis(shape []int, axis int) (outer, n, inner int) {
	return volume(shape[:axis]), shape[axis], volume(shape[axis+1:])
}

// reducedShape drops the axes, or leaves them as 1 if keep.
func reducedShape(shape, axes []int, keep bool) []int {
	out := []int{}
	for a, d := range shape {
		switch {
		case !slices.Contains(axes, a):
			out = append(out, d)
		case keep:
			out = append(out, 1)
		}
	}
	return out
}

// strides of a row-major tensor.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for a := len(shape) - 1; a >= 0; a-- {
		s[a] = n
		n *= shape[a]
	}
	return s
}

// eachIndex calls visit with every multi-index of shape in row-major order; at is reused.
func eachIndex(shape []int, visit func(at []int)) {
	at := make([]int, len(shape))
	for {
		visit(at)
		a := len(shape) - 1
		for ; a >= 0; a-- {
			if at[a]++; at[a] < shape[a] {
				break
			}
			at[a] = 0
		}
		if a < 0 {
			return
		}
	}
}

// broadcastShape is the shape that all of in broadcast to, as in numpy.
func broadcastShape(in []Tensor) ([]int, error) {
	out := []int{}
	for _, t := range in {
		for len(out) < len(t.Shape) {
			out = slices.Insert(out, 0, 1)
		}
		offset := len(out) - len(t.Shape)
		for a, d := range t.Shape {
			switch o := &out[offset+a]; {
			case *o == 1:
				*o = d
			case d != 1 && d != *o:
				return nil, fmt.Errorf("%w: input %v does not broadcast with %v", ErrShape, t.Shape, out)
			}
		}
	}
	return out, nil
}

// BroadcastIndex tells for each element of outShape, row-major, which element of a tensor of the
// given shape numpy's broadcasting takes. shape must broadcast to outShape; it panics otherwise.
func BroadcastIndex(shape, outShape []int) []int {
	offset := len(outShape) - len(shape)
	step := make([]int, len(outShape))
	for a, s := range strides(shape) {
		switch shape[a] {
		case outShape[offset+a]:
			step[offset+a] = s
		case 1:
		default:
			panic(fmt.Sprintf("model: shape %v does not broadcast to %v", shape, outShape))
		}
	}
	index := make([]int, 0, volume(outShape))
	eachIndex(outShape, func(at []int) {
		source := 0
		for a, i := range at {
			source += i * step[a]
		}
		index = append(index, source)
	})
	return index
}

// centeredCopy is x − zero; x itself for zero 0.
func centeredCopy(x []int64, zero int64) []int64 {
	if zero == 0 {
		return x
	}
	out := make([]int64, len(x))
	for i, v := range x {
		out[i] = v - zero
	}
	return out
}
