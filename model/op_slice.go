package model

import (
	"fmt"
	"slices"
)

// Slice takes Start[a] + i·Step[a], i < Size[a], along each axis a.
type Slice struct {
	Start, Step, Size []int
}

// Kind implements Op.
func (*Slice) Kind() string { return "slice" }

// Infer implements Op.
func (s *Slice) Infer(in []Tensor) (Tensor, error) {
	if err := checkArity(in, 1); err != nil {
		return Tensor{}, err
	}
	x := in[0]
	if n := len(x.Shape); len(s.Start) != n || len(s.Step) != n || len(s.Size) != n {
		return Tensor{}, fmt.Errorf("%w: start %v, step %v, size %v, expected one entry for each of %d axes",
			ErrAttribute, s.Start, s.Step, s.Size, n)
	}
	if err := checkShape(s.Size); err != nil {
		return Tensor{}, err
	}
	for a, d := range x.Shape {
		start, step := s.Start[a], s.Step[a]
		if step == 0 || step > maxElements || step < -maxElements {
			return Tensor{}, fmt.Errorf("%w: step %d along axis %d, expected a number other than 0 up to 2^24", ErrAttribute, step, a)
		}
		last := start + (s.Size[a]-1)*step
		if start < 0 || start >= d || last < 0 || last >= d {
			return Tensor{}, fmt.Errorf("%w: elements %d to %d of axis %d, which has %d", ErrAttribute, start, last, a, d)
		}
	}
	return inferred(slices.Clone(s.Size), span{x.Min, x.Max})
}

// Origins implements Rearrangement.
func (s *Slice) Origins(in []Tensor, out Tensor) []Origin {
	source := make([]int, len(s.Size))
	return originsAt(in[0], out, func(at []int) []int {
		for a, i := range at {
			source[a] = s.Start[a] + i*s.Step[a]
		}
		return source
	})
}

// Eval implements Op.
func (s *Slice) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	return rearrange(s, in, inT, outT), nil
}

// Params implements Op.
func (*Slice) Params() []Param { return nil }

// MACs implements Op.
func (*Slice) MACs([]Tensor, Tensor) int64 { return 0 }
