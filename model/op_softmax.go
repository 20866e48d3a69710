package model

import (
	"fmt"
	"slices"
)

// Softmax along Axis in integers: with d_i = x_i − max x, e_i = Exp.At(d_i) and S = Σ e_i,
//
//	y_i = ⌊(2·Steps·e_i + S) / (2·S)⌋,   real y = y_i / Steps
//
// Exp covers [min−max of the input's range, 0] with values in [0, 2^16); Exp.At(0) > 0, so S > 0.
type Softmax struct {
	Axis  int
	Exp   Table
	Steps int64 // at most 2^15
}

// Kind implements Op.
func (*Softmax) Kind() string { return "softmax" }

// Infer implements Op: the output has the input's shape and the range [0, Steps].
func (s *Softmax) Infer(in []Tensor) (Tensor, error) {
	if err := checkAxis(in, s.Axis); err != nil {
		return Tensor{}, err
	}
	if s.Steps < 1 || s.Steps > 1<<15 {
		return Tensor{}, fmt.Errorf("%w: %d steps, expected 1 to 2^15", ErrAttribute, s.Steps)
	}
	if _, err := s.Exp.over(in[0].Min-in[0].Max, 0); err != nil {
		return Tensor{}, err
	}
	if lo, hi := s.Exp.Range(); lo < 0 || hi >= 1<<16 || s.Exp.At(0) == 0 {
		return Tensor{}, fmt.Errorf("%w: exponentials in [%d, %d] with %d at 0, expected at least 0, below 2^16, and not 0 at 0",
			ErrAttribute, lo, hi, s.Exp.At(0))
	}
	return inferred(slices.Clone(in[0].Shape), span{0, s.Steps})
}

// Eval implements Op.
func (s *Softmax) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	outer, n, inner := splitAxis(inT[0].Shape, s.Axis)
	out = make([]int64, outT.Len())
	for o := range outer {
		for i := range inner {
			s.normalize(out, in[0], o*n*inner+i, n, inner)
		}
	}
	return out, nil
}

// normalize computes the softmax of the n elements that begin at start, step apart.
func (s *Softmax) normalize(out, x []int64, start, n, step int) {
	greatest := x[start]
	for k := range n {
		greatest = max(greatest, x[start+k*step])
	}
	sum := int64(0)
	for k := range n {
		sum += s.Exp.At(x[start+k*step] - greatest)
	}
	for k := range n {
		e := s.Exp.At(x[start+k*step] - greatest)
		out[start+k*step] = (2*s.Steps*e + sum) / (2 * sum)
	}
}

// Params implements Op.
func (*Softmax) Params() []Param { return nil }

// MACs implements Op.
func (*Softmax) MACs([]Tensor, Tensor) int64 { return 0 }
