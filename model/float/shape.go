package float

import (
	"fmt"
	"slices"
)

// Limits on what an op takes and makes, far above what can be proved and low enough that a small
// malicious file cannot exhaust memory. Parameters are limited by whoever read them.
const (
	MaxRank     = 8
	MaxElements = 1 << 26
)

// maxWindow bounds every number of a Window.
const maxWindow = 1 << 16

// InferShape is the shape that op makes of inputs of the given shapes, [ErrShape], [ErrAttribute] or
// [ErrLimit] where they do not fit. declared is the shape of the tensor to be written: ops whose
// attributes leave it open (Reshape: all of it; Slice: the counts; Mean and ArgMax: whether reduced
// axes stay as 1) check and return it, the others ignore it.
func InferShape(op Op, in [][]int, declared []int) ([]int, error) {
	if err := checkArity(op, len(in)); err != nil {
		return nil, err
	}
	out, err := inferShape(op, in, declared)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.Kind(), err)
	}
	if err := checkShape(out); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Kind(), err)
	}
	return out, nil
}

// checkArity checks the number of inputs.
func checkArity(op Op, n int) error {
	least, most := 1, 1
	switch op.(type) {
	case Conv, Dense:
		least, most = 2, 3
	case Affine:
		least, most = 3, 3
	case Binary:
		least, most = 2, 2
	case Concat:
		most = n
	}
	if n < least || n > most {
		return fmt.Errorf("%w: %s has %d inputs, expected %d to %d", ErrShape, op.Kind(), n, least, most)
	}
	return nil
}

func inferShape(op Op, in [][]int, declared []int) ([]int, error) {
	x := in[0]
	switch op := op.(type) {
	case Conv:
		return op.infer(in)
	case Dense:
		return inferDense(in)
	case Affine:
		return inferAffine(in)
	case Binary:
		if _, ok := binaries[op.Func]; !ok {
			return nil, fmt.Errorf("%w: unknown function %q of two tensors", ErrAttribute, op.Func)
		}
		return Broadcast(in...)
	case Unary:
		if _, err := op.Function(); err != nil {
			return nil, err
		}
		return x, nil
	case MaxPool:
		return op.Window.inferPool(x)
	case AvgPool:
		return op.Window.inferPool(x)
	case Mean:
		return inferMean(op.Axes, x, declared)
	case Softmax:
		return x, checkAxis(op.Axis, x)
	case ArgMax:
		return inferMean([]int{op.Axis}, x, declared)
	default:
		return inferRearranged(op, in, declared)
	}
}

// inferRearranged is inferShape for the ops that only move elements.
func inferRearranged(op Op, in [][]int, declared []int) ([]int, error) {
	x := in[0]
	switch op := op.(type) {
	case Reshape:
		n, err := boundedVolume(declared)
		if err == nil && n != volume(x) {
			err = fmt.Errorf("%w: %v has %d elements, %v has %d", ErrShape, x, volume(x), declared, n)
		}
		return declared, err
	case Transpose:
		return op.infer(x)
	case Concat:
		return op.infer(in)
	case Slice:
		return op.infer(x, declared)
	case Pad:
		return op.infer(x)
	case Gather:
		return op.infer(x)
	default:
		return nil, fmt.Errorf("%w: unknown op %T", ErrAttribute, op)
	}
}

// Broadcast is the shape that all of the shapes broadcast to, as in numpy.
func Broadcast(shapes ...[]int) ([]int, error) {
	out := []int{}
	for _, s := range shapes {
		for len(out) < len(s) {
			out = slices.Insert(out, 0, 1)
		}
		offset := len(out) - len(s)
		for a, d := range s {
			switch o := &out[offset+a]; {
			case *o == 1:
				*o = d
			case d != 1 && d != *o:
				return nil, fmt.Errorf("%w: %v does not broadcast with %v", ErrShape, s, out)
			}
		}
	}
	return out, nil
}

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// boundedVolume is the number of elements, if every dimension is at least 1 and it is at most
// MaxElements.
func boundedVolume(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 1 {
			return 0, fmt.Errorf("%w: dimension %d in %v, expected at least 1", ErrShape, d, shape)
		}
		if d > MaxElements/n {
			return 0, fmt.Errorf("%w: %v has more than %d elements", ErrLimit, shape, MaxElements)
		}
		n *= d
	}
	return n, nil
}

func checkShape(shape []int) error {
	if len(shape) > MaxRank {
		return fmt.Errorf("%w: shape %v has rank %d, expected at most %d", ErrLimit, shape, len(shape), MaxRank)
	}
	_, err := boundedVolume(shape)
	return err
}

func checkAxis(axis int, shape []int) error {
	if axis < 0 || axis >= len(shape) {
		return fmt.Errorf("%w: axis %d of input %v, expected 0 to %d", ErrAttribute, axis, shape, len(shape)-1)
	}
	return nil
}

// splitAxis views shape as [outer, n, inner], n being the axis.
func splitAxis(shape []int, axis int) (outer, n, inner int) {
	return volume(shape[:axis]), shape[axis], volume(shape[axis+1:])
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
