package model

import "fmt"

// Add is a weighted sum of tensors that broadcast (as numpy does) to the output's shape:
//
//	acc = Bias + Σ_k Multipliers[k]·(x_k − Zeros[k])
//
// A subtraction is a negative multiplier.
type Add struct {
	Zeros       []int64
	Rescale     Rescale
	Multipliers []int64 `cbor:"-"` // parameter, one an input
	Bias        []int64 `cbor:"-"` // parameter, [1]
}

// Kind implements Op.
func (*Add) Kind() string { return "add" }

// Infer implements Op.
func (a *Add) Infer(in []Tensor) (Tensor, error) {
	if len(in) == 0 || len(a.Zeros) != len(in) {
		return Tensor{}, fmt.Errorf("%w: %d inputs and %d zeros, expected as many, at least one", ErrAttribute, len(in), len(a.Zeros))
	}
	if err := checkLength("multipliers", a.Multipliers, len(in)); err != nil {
		return Tensor{}, err
	}
	if err := checkLength("bias", a.Bias, 1); err != nil {
		return Tensor{}, err
	}
	shape, err := broadcastShape(in)
	if err != nil {
		return Tensor{}, err
	}
	out, err := a.Rescale.infer(shape, 1)
	if err != nil {
		return Tensor{}, err
	}
	var w worstCase
	for k, t := range in {
		if err := checkZero("zero", a.Zeros[k]); err != nil {
			return Tensor{}, err
		}
		w.add(a.Multipliers[k], centered(t, a.Zeros[k]))
	}
	w.shift(a.Bias[0])
	return out, a.Rescale.admit("sum", w)
}

// Eval implements Op.
func (a *Add) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	acc = make([]int64, outT.Len())
	for i := range acc {
		acc[i] = a.Bias[0]
	}
	for k, x := range in {
		m, z := a.Multipliers[k], a.Zeros[k]
		for i, source := range BroadcastIndex(inT[k].Shape, outT.Shape) {
			acc[i] += m * (x[source] - z)
		}
	}
	return a.Rescale.apply(acc, 1), acc
}

// Params implements Op.
func (a *Add) Params() []Param {
	return []Param{
		{"multipliers", []int{len(a.Multipliers)}, &a.Multipliers},
		{"bias", []int{len(a.Bias)}, &a.Bias},
	}
}

// MACs implements Op.
func (*Add) MACs(in []Tensor, out Tensor) int64 { return int64(len(in)) * int64(out.Len()) }

// Requantization implements Rescaled.
func (a *Add) Requantization() *Rescale { return &a.Rescale }
