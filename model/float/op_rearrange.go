package float

import (
	"fmt"
	"slices"
)

// Rearrange computes the ops that only move elements (Reshape, Transpose, Concat, Slice, Pad,
// Gather), whatever the elements are; ok is false for every other op. The shapes must have passed
// InferShape. value converts Pad's Value.
func Rearrange[T any](op Op, in [][]T, shapes [][]int, out []int, value func(float64) T) (y []T, ok bool) {
	var offsets [][]int
	var fill T
	switch op := op.(type) {
	case Reshape:
		return slices.Clone(in[0]), true
	case Concat:
		return concat(op.Axis, in, shapes), true
	case Transpose:
		offsets = op.offsets(shapes[0])
	case Slice:
		offsets = op.offsets(shapes[0], out)
	case Gather:
		offsets = op.offsets(shapes[0])
	case Pad:
		offsets, fill = op.offsets(shapes[0]), value(op.Value)
	default:
		return nil, false
	}
	return separable(in[0], offsets, out, fill), true
}

// separable is the rearrangement y[i0, i1, …] = x[offsets[0][i0] + offsets[1][i1] + …] into the shape
// out, or fill where one of the offsets is negative.
func separable[T any](x []T, offsets [][]int, out []int, fill T) []T {
	y := make([]T, 0, volume(out))
	if len(out) == 0 {
		return append(y, x[0])
	}
	var walk func(axis, base int)
	walk = func(axis, base int) {
		for _, o := range offsets[axis] {
			switch {
			case o < 0:
				for range volume(out[axis+1:]) {
					y = append(y, fill)
				}
			case axis == len(out)-1:
				y = append(y, x[base+o])
			default:
				walk(axis+1, base+o)
			}
		}
	}
	walk(0, 0)
	return y
}

// arithmetic is start, start + step, … (n terms).
func arithmetic(start, step, n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = start + i*step
	}
	return s
}

// allOffsets are the offsets that leave a tensor as it is.
func allOffsets(shape []int) [][]int {
	offsets := make([][]int, len(shape))
	for a, s := range strides(shape) {
		offsets[a] = arithmetic(0, s, shape[a])
	}
	return offsets
}

// broadcastOffsets repeat a tensor of the given shape to the shape out.
func broadcastOffsets(shape, out []int) [][]int {
	offsets := make([][]int, len(out))
	skip := len(out) - len(shape)
	step := strides(shape)
	for a, d := range out {
		if a < skip || shape[a-skip] == 1 {
			offsets[a] = make([]int, d)
		} else {
			offsets[a] = arithmetic(0, step[a-skip], d)
		}
	}
	return offsets
}

func (t Transpose) infer(x []int) ([]int, error) {
	sorted := slices.Sorted(slices.Values(t.Perm))
	if !slices.Equal(sorted, arithmetic(0, 1, len(x))) {
		return nil, fmt.Errorf("%w: %v is not a permutation of the axes of %v", ErrAttribute, t.Perm, x)
	}
	out := make([]int, len(x))
	for a, from := range t.Perm {
		out[a] = x[from]
	}
	return out, nil
}

func (t Transpose) offsets(x []int) [][]int {
	all := allOffsets(x)
	offsets := make([][]int, len(x))
	for a, from := range t.Perm {
		offsets[a] = all[from]
	}
	return offsets
}

// after is the transposition that does first, then t.
func (t Transpose) after(first Transpose) Transpose {
	perm := make([]int, len(t.Perm))
	for a, from := range t.Perm {
		perm[a] = first.Perm[from]
	}
	return Transpose{Perm: perm}
}

// inverse is the transposition that undoes this one.
func (t Transpose) inverse() Transpose {
	perm := make([]int, len(t.Perm))
	for a, from := range t.Perm {
		perm[from] = a
	}
	return Transpose{Perm: perm}
}

func (c Concat) infer(in [][]int) ([]int, error) {
	if err := checkAxis(c.Axis, in[0]); err != nil {
		return nil, err
	}
	out := slices.Clone(in[0])
	for _, s := range in[1:] {
		if len(s) != len(out) || !slices.Equal(s[:c.Axis], out[:c.Axis]) || !slices.Equal(s[c.Axis+1:], out[c.Axis+1:]) {
			return nil, fmt.Errorf("%w: %v and %v differ outside axis %d", ErrShape, in[0], s, c.Axis)
		}
		out[c.Axis] += s[c.Axis]
		if out[c.Axis] > MaxElements {
			return nil, fmt.Errorf("%w: more than %d elements along axis %d", ErrLimit, MaxElements, c.Axis)
		}
	}
	return out, nil
}

func concat[T any](axis int, in [][]T, shapes [][]int) []T {
	var y []T
	for o := range volume(shapes[0][:axis]) {
		for i, x := range in {
			n := volume(shapes[i][axis:])
			y = append(y, x[o*n:][:n]...)
		}
	}
	return y
}

func (s Slice) infer(x, declared []int) ([]int, error) {
	if len(s.Start) != len(x) || len(s.Step) != len(x) || len(declared) != len(x) {
		return nil, fmt.Errorf("%w: start %v, step %v and output %v for the axes of %v", ErrAttribute, s.Start, s.Step, declared, x)
	}
	for a, d := range x {
		if declared[a] < 1 || declared[a] > d {
			return nil, fmt.Errorf("%w: output %v of input %v, expected between 1 and its dimension on axis %d", ErrShape, declared, x, a)
		}
		step := s.Step[a]
		inside := s.Start[a] >= 0 && s.Start[a] < d && step != 0 && step >= -MaxElements && step <= MaxElements
		if inside && declared[a] > 1 {
			last := s.Start[a] + step*(declared[a]-1)
			inside = last >= 0 && last < d
		}
		if !inside {
			return nil, fmt.Errorf("%w: start %d, step %d and count %d leave axis %d of %v",
				ErrAttribute, s.Start[a], step, declared[a], a, x)
		}
	}
	return declared, nil
}

func (s Slice) offsets(x, out []int) [][]int {
	offsets := make([][]int, len(x))
	for a, stride := range strides(x) {
		offsets[a] = arithmetic(s.Start[a]*stride, s.Step[a]*stride, out[a])
	}
	return offsets
}

func (g Gather) infer(x []int) ([]int, error) {
	if err := checkAxis(g.Axis, x); err != nil {
		return nil, err
	}
	for _, i := range g.Indices {
		if i < 0 || i >= x[g.Axis] {
			return nil, fmt.Errorf("%w: index %d on axis %d of %v", ErrAttribute, i, g.Axis, x)
		}
	}
	out := slices.Clone(x)
	out[g.Axis] = len(g.Indices)
	return out, nil
}

func (g Gather) offsets(x []int) [][]int {
	offsets := allOffsets(x)
	stride := strides(x)[g.Axis]
	picked := make([]int, len(g.Indices))
	for i, at := range g.Indices {
		picked[i] = at * stride
	}
	offsets[g.Axis] = picked
	return offsets
}

func (p Pad) infer(x []int) ([]int, error) {
	if len(p.Before) != len(x) || len(p.After) != len(x) {
		return nil, fmt.Errorf("%w: padding %v before, %v after for the axes of %v", ErrAttribute, p.Before, p.After, x)
	}
	out := slices.Clone(x)
	for a, d := range x {
		// A reflection does not repeat the edge, and one bounce must do; a wrap takes one turn.
		most := map[string]int{"constant": MaxElements, "edge": MaxElements, "reflect": d - 1, "wrap": d}
		limit, known := most[p.Mode]
		if !known {
			return nil, fmt.Errorf("%w: unknown padding mode %q", ErrAttribute, p.Mode)
		}
		if p.Before[a] < 0 || p.After[a] < 0 || p.Before[a] > limit || p.After[a] > limit {
			return nil, fmt.Errorf("%w: padding %d before, %d after axis %d of %v, expected 0 to %d in mode %q",
				ErrAttribute, p.Before[a], p.After[a], a, x, limit, p.Mode)
		}
		out[a] += p.Before[a] + p.After[a]
	}
	return out, nil
}

func (p Pad) offsets(x []int) [][]int {
	offsets := make([][]int, len(x))
	for a, stride := range strides(x) {
		offsets[a] = make([]int, p.Before[a]+x[a]+p.After[a])
		for i := range offsets[a] {
			if at := p.source(i-p.Before[a], x[a]); at < 0 {
				offsets[a][i] = -1
			} else {
				offsets[a][i] = at * stride
			}
		}
	}
	return offsets
}

// source is the position in an axis of n elements that position i of the padded axis copies, −1 for
// the constant.
func (p Pad) source(i, n int) int {
	switch {
	case i >= 0 && i < n:
		return i
	case p.Mode == "edge":
		return min(max(i, 0), n-1)
	case p.Mode == "wrap":
		return (i + n) % n
	case p.Mode == "reflect" && i < 0:
		return -i
	case p.Mode == "reflect":
		return 2*(n-1) - i
	default:
		return -1
	}
}
