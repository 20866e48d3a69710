package model

import (
	"fmt"
	"slices"
)

// Affine scales and shifts each element: acc[i] = Scale[j(i)]·(x[i] − Zero) + Shift[j(i)], where
// the parameters have shape ParamShape, which broadcasts (as numpy does) to x's shape. With an
// empty ParamShape it is a plain requantization.
type Affine struct {
	ParamShape []int
	Zero       int64
	Rescale    Rescale
	Scale      []int64 `cbor:"-"` // parameter
	Shift      []int64 `cbor:"-"` // parameter
}

// Kind implements Op.
func (*Affine) Kind() string { return "affine" }

// Infer implements Op.
func (a *Affine) Infer(in []Tensor) (Tensor, error) {
	if err := checkArity(in, 1); err != nil {
		return Tensor{}, err
	}
	x := in[0]
	params := Tensor{Shape: a.ParamShape}
	if err := checkShape(a.ParamShape); err != nil {
		return Tensor{}, err
	}
	if shape, err := broadcastShape([]Tensor{x, params}); err != nil || !slices.Equal(shape, x.Shape) {
		return Tensor{}, fmt.Errorf("%w: parameters of shape %v do not broadcast to the input %v", ErrShape, a.ParamShape, x.Shape)
	}
	if err := checkLength("scale", a.Scale, params.Len()); err != nil {
		return Tensor{}, err
	}
	if err := checkLength("shift", a.Shift, params.Len()); err != nil {
		return Tensor{}, err
	}
	if err := checkZero("zero", a.Zero); err != nil {
		return Tensor{}, err
	}
	out, err := a.Rescale.infer(slices.Clone(x.Shape), 1)
	if err != nil {
		return Tensor{}, err
	}
	for j := range a.Scale {
		var w worstCase
		w.add(a.Scale[j], centered(x, a.Zero))
		w.shift(a.Shift[j])
		if err := a.Rescale.admit(fmt.Sprintf("parameter %d", j), w); err != nil {
			return Tensor{}, err
		}
	}
	return out, nil
}

// Eval implements Op.
func (a *Affine) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	acc = make([]int64, outT.Len())
	for i, j := range BroadcastIndex(a.ParamShape, outT.Shape) {
		acc[i] = a.Scale[j]*(in[0][i]-a.Zero) + a.Shift[j]
	}
	return a.Rescale.apply(acc, 1), acc
}

// Params implements Op.
func (a *Affine) Params() []Param {
	return []Param{
		{"scale", slices.Clone(a.ParamShape), &a.Scale},
		{"shift", slices.Clone(a.ParamShape), &a.Shift},
	}
}

// MACs implements Op.
func (*Affine) MACs(_ []Tensor, out Tensor) int64 { return int64(out.Len()) }

// Requantization implements Rescaled.
func (a *Affine) Requantization() *Rescale { return &a.Rescale }
