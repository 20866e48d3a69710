package model

import (
	"fmt"
	"slices"
)

// Dense multiplies the last axis of x [..., K]; the output is [..., N]:
//
//	acc[…,n] = Bias[n] + Σ_k Weights[n,k]·(x[…,k] − Zero)
type Dense struct {
	OutN    int
	Zero    int64
	Rescale Rescale
	Weights []int64 `cbor:"-"` // parameter, [N, K]
	Bias    []int64 `cbor:"-"` // parameter, [N]
}

// Kind implements Op.
func (*Dense) Kind() string { return "dense" }

// Infer implements Op.
func (d *Dense) Infer(in []Tensor) (Tensor, error) {
	if err := checkArity(in, 1); err != nil {
		return Tensor{}, err
	}
	x := in[0]
	if len(x.Shape) == 0 {
		return Tensor{}, fmt.Errorf("%w: input is a scalar, expected [..., K]", ErrShape)
	}
	last := len(x.Shape) - 1
	k := x.Shape[last]
	n, err := boundedVolume(maxParameters, d.OutN, k)
	if err != nil {
		return Tensor{}, err
	}
	if err := checkLength("weights", d.Weights, n); err != nil {
		return Tensor{}, err
	}
	if err := checkLength("bias", d.Bias, d.OutN); err != nil {
		return Tensor{}, err
	}
	if err := checkZero("zero", d.Zero); err != nil {
		return Tensor{}, err
	}
	shape := slices.Clone(x.Shape)
	shape[last] = d.OutN
	out, err := d.Rescale.infer(shape, d.OutN)
	if err != nil {
		return Tensor{}, err
	}
	for row := range d.OutN {
		var w worstCase
		for _, v := range d.Weights[row*k:][:k] {
			w.add(v, centered(x, d.Zero))
		}
		w.shift(d.Bias[row])
		if err := d.Rescale.admit(fmt.Sprintf("output %d", row), w); err != nil {
			return Tensor{}, err
		}
	}
	return out, nil
}

// Eval implements Op.
func (d *Dense) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	acc = make([]int64, 0, outT.Len())
	x := centeredCopy(in[0], d.Zero)
	k := len(d.Weights) / d.OutN
	for ; len(x) > 0; x = x[k:] {
		for n, sum := range d.Bias {
			row := d.Weights[n*k:][:k]
			for i, v := range x[:k] {
				sum += row[i] * v
			}
			acc = append(acc, sum)
		}
	}
	return d.Rescale.apply(acc, 1), acc
}

// Params implements Op.
func (d *Dense) Params() []Param {
	n := max(d.OutN, 1)
	return []Param{
		{"weights", []int{d.OutN, len(d.Weights) / n}, &d.Weights},
		{"bias", []int{len(d.Bias)}, &d.Bias},
	}
}

// MACs implements Op.
func (d *Dense) MACs(in []Tensor, _ Tensor) int64 { return int64(in[0].Len()) * int64(d.OutN) }

// Requantization implements Rescaled.
func (d *Dense) Requantization() *Rescale { return &d.Rescale }
