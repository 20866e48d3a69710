package model

import (
	"fmt"
	"slices"
)

// Transpose: output axis i is input axis Perm[i].
type Transpose struct {
	Perm []int
}

// Kind implements Op.
func (*Transpose) Kind() string { return "transpose" }

// Infer implements Op.
func (t *Transpose) Infer(in []Tensor) (Tensor, error) {
	if err := checkArity(in, 1); err != nil {
		return Tensor{}, err
	}
	x := in[0]
	sorted := slices.Sorted(slices.Values(t.Perm))
	for i, a := range sorted {
		if a != i || len(sorted) != len(x.Shape) {
			return Tensor{}, fmt.Errorf("%w: %v is not a permutation of the %d axes of the input", ErrAttribute, t.Perm, len(x.Shape))
		}
	}
	if len(sorted) != len(x.Shape) {
		return Tensor{}, fmt.Errorf("%w: no permutation given for the %d axes of the input", ErrAttribute, len(x.Shape))
	}
	shape := make([]int, len(t.Perm))
	for i, a := range t.Perm {
		shape[i] = x.Shape[a]
	}
	return inferred(shape, span{x.Min, x.Max})
}

// Origins implements Rearrangement.
func (t *Transpose) Origins(in []Tensor, out Tensor) []Origin {
	source := make([]int, len(t.Perm))
	return originsAt(in[0], out, func(at []int) []int {
		for i, a := range t.Perm {
			source[a] = at[i]
		}
		return source
	})
}

// Eval implements Op.
func (t *Transpose) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	return rearrange(t, in, inT, outT), nil
}

// Params implements Op.
func (*Transpose) Params() []Param { return nil }

// MACs implements Op.
func (*Transpose) MACs([]Tensor, Tensor) int64 { return 0 }
