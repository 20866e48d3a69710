package model

import (
	"fmt"
	"slices"
)

// Gather picks constant Indices along Axis.
type Gather struct {
	Axis    int
	Indices []int
}

// Kind implements Op.
func (*Gather) Kind() string { return "gather" }

// Infer implements Op: the axis has one element for each index, at most 2^16.
func (g *Gather) Infer(in []Tensor) (Tensor, error) {
	if err := checkAxis(in, g.Axis); err != nil {
		return Tensor{}, err
	}
	x := in[0]
	if n := len(g.Indices); n > 1<<16 {
		return Tensor{}, fmt.Errorf("%w: %d indices, at most 2^16 are supported", ErrLimit, n)
	}
	for _, i := range g.Indices {
		if i < 0 || i >= x.Shape[g.Axis] {
			return Tensor{}, fmt.Errorf("%w: index %d along axis %d of %d elements", ErrAttribute, i, g.Axis, x.Shape[g.Axis])
		}
	}
	shape := slices.Clone(x.Shape)
	shape[g.Axis] = len(g.Indices)
	return inferred(shape, span{x.Min, x.Max})
}

// Origins implements Rearrangement.
func (g *Gather) Origins(in []Tensor, out Tensor) []Origin {
	source := make([]int, len(out.Shape))
	return originsAt(in[0], out, func(at []int) []int {
		copy(source, at)
		source[g.Axis] = g.Indices[at[g.Axis]]
		return source
	})
}

// Eval implements Op.
func (g *Gather) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	return rearrange(g, in, inT, outT), nil
}

// Params implements Op.
func (*Gather) Params() []Param { return nil }

// MACs implements Op.
func (*Gather) MACs([]Tensor, Tensor) int64 { return 0 }
