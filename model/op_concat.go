package model

import (
	"fmt"
	"slices"
)

// Concat joins its inputs along Axis. They need not share a range; that they share a scale is for
// the maker of the graph to see to.
type Concat struct {
	Axis int
}

// Kind implements Op.
func (*Concat) Kind() string { return "concat" }

// Infer implements Op.
func (c *Concat) Infer(in []Tensor) (Tensor, error) {
	if len(in) == 0 {
		return Tensor{}, fmt.Errorf("%w: no inputs, expected at least one", ErrShape)
	}
	if err := checkAxis(in[:1], c.Axis); err != nil {
		return Tensor{}, err
	}
	shape, s := slices.Clone(in[0].Shape), span{in[0].Min, in[0].Max}
	for _, t := range in[1:] {
		joined := slices.Clone(t.Shape)
		if len(joined) == len(shape) {
			joined[c.Axis] = shape[c.Axis]
		}
		if !slices.Equal(joined, shape) {
			return Tensor{}, fmt.Errorf("%w: inputs %v and %v differ in more than axis %d", ErrShape, in[0].Shape, t.Shape, c.Axis)
		}
		shape[c.Axis] += t.Shape[c.Axis]
		s = s.hull(span{t.Min, t.Max})
	}
	return inferred(shape, s)
}

// Origins implements Rearrangement.
func (c *Concat) Origins(in []Tensor, out Tensor) []Origin {
	origins := make([]Origin, 0, out.Len())
	outer, _, _ := splitAxis(out.Shape, c.Axis)
	for o := range outer {
		for k, t := range in {
			run := t.Len() / outer
			for i := range run {
				origins = append(origins, Origin{Input: k, Index: o*run + i})
			}
		}
	}
	return origins
}

// Eval implements Op.
func (c *Concat) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	return rearrange(c, in, inT, outT), nil
}

// Params implements Op.
func (*Concat) Params() []Param { return nil }

// MACs implements Op.
func (*Concat) MACs([]Tensor, Tensor) int64 { return 0 }
