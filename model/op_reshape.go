package model

import (
	"fmt"
	"slices"
)

// Reshape keeps the elements' order.
type Reshape struct {
	Shape []int
}

// Kind implements Op.
func (*Reshape) Kind() string { return "reshape" }

// Infer implements Op.
func (r *Reshape) Infer(in []Tensor) (Tensor, error) {
	if err := checkArity(in, 1); err != nil {
		return Tensor{}, err
	}
	out, err := inferred(slices.Clone(r.Shape), span{in[0].Min, in[0].Max})
	if err != nil {
		return Tensor{}, err
	}
	if out.Len() != in[0].Len() {
		return Tensor{}, fmt.Errorf("%w: input %v has %d elements, the new shape %v has %d",
			ErrShape, in[0].Shape, in[0].Len(), r.Shape, out.Len())
	}
	return out, nil
}

// Origins implements Rearrangement.
func (r *Reshape) Origins(_ []Tensor, out Tensor) []Origin {
	origins := make([]Origin, out.Len())
	for i := range origins {
		origins[i].Index = i
	}
	return origins
}

// Eval implements Op.
func (r *Reshape) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	return rearrange(r, in, inT, outT), nil
}

// Params implements Op.
func (*Reshape) Params() []Param { return nil }

// MACs implements Op.
func (*Reshape) MACs([]Tensor, Tensor) int64 { return 0 }
