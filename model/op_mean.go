package model

import "fmt"

// Mean averages over Axes (ascending, not negative): acc = Multiplier·Σ (x − Zero).
type Mean struct {
	Axes       []int
	KeepDims   bool
	Zero       int64
	Rescale    Rescale
	Multiplier []int64 `cbor:"-"` // parameter, [1]
}

// Kind implements Op.
func (*Mean) Kind() string { return "mean" }

// Infer implements Op.
func (m *Mean) Infer(in []Tensor) (Tensor, error) {
	if len(m.Axes) == 0 {
		return Tensor{}, fmt.Errorf("%w: no axes to average over", ErrAttribute)
	}
	count := 1
	for i, a := range m.Axes {
		if err := checkAxis(in, a); err != nil {
			return Tensor{}, err
		}
		if i > 0 && a <= m.Axes[i-1] {
			return Tensor{}, fmt.Errorf("%w: axes %v, expected ascending", ErrAttribute, m.Axes)
		}
		count *= in[0].Shape[a]
	}
	if err := checkLength("multiplier", m.Multiplier, 1); err != nil {
		return Tensor{}, err
	}
	if err := checkZero("zero", m.Zero); err != nil {
		return Tensor{}, err
	}
	out, err := m.Rescale.infer(reducedShape(in[0].Shape, m.Axes, m.KeepDims), 1)
	if err != nil {
		return Tensor{}, err
	}
	var sum, w worstCase // the sum cannot overflow: at most 2^24 elements of at most 2^33
	sum.add(int64(count), centered(in[0], m.Zero))
	w.add(m.Multiplier[0], sum.span)
	return out, m.Rescale.admit("mean", w)
}

// Eval implements Op.
func (m *Mean) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	acc = make([]int64, outT.Len())
	shape := inT[0].Shape
	for i, o := range BroadcastIndex(reducedShape(shape, m.Axes, true), shape) {
		acc[o] += in[0][i] - m.Zero
	}
	for o := range acc {
		acc[o] *= m.Multiplier[0]
	}
	return m.Rescale.apply(acc, 1), acc
}

// Params implements Op.
func (m *Mean) Params() []Param {
	return []Param{{"multiplier", []int{len(m.Multiplier)}, &m.Multiplier}}
}

// MACs implements Op.
func (*Mean) MACs(_ []Tensor, out Tensor) int64 { return int64(out.Len()) }

// Requantization implements Rescaled.
func (m *Mean) Requantization() *Rescale { return &m.Rescale }
