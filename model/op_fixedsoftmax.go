package model

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/zkinfer/zkinfer/fixedpoint"
)

// FixedSoftmax is the softmax along the last axis of TensorFlow Lite's reference kernels, in 32-bit fixed
// point. With d_i = x_i − max x and e_i = Exp.At(d_i), a probability with 31 fraction bits:
//
//	S = Σ RDBPOT(e_i, 12),   h = leading zeros of S in 32 bits,   r = 1/(1 + a) for a = S·2^h − 2^31
//	y_i = min(RDBPOT(SRDHM(r, e_i), 35 − h), 255) + Zero
//
// all as package fixedpoint has it. Exp covers [min−max of the input's range, 0] with values in
// [0, 2^31), Exp.At(0) = 2^31 − 1. A real probability is (y − Zero)/256.
type FixedSoftmax struct {
	Exp  Table
	Zero int64 // of the output
}

// What the fixed-point formats say.
const (
	// SoftmaxSumShift is how many bits an exponential loses before it is added.
	SoftmaxSumShift = 12
	// SoftmaxTop is the greatest output less Zero.
	SoftmaxTop    = 255
	fixedOne      = 1<<31 - 1
	maxFixedLine  = 1<<12 - 1 // elements whose sum stays below 2^31
	fixedOutShift = 35
)

// Kind implements Op.
func (*FixedSoftmax) Kind() string { return "fixedsoftmax" }

// Infer implements Op: the output has the input's shape and the range [Zero, Zero + 255].
func (s *FixedSoftmax) Infer(in []Tensor) (Tensor, error) {
	if err := checkArity(in, 1); err != nil {
		return Tensor{}, err
	}
	x := in[0]
	if len(x.Shape) == 0 {
		return Tensor{}, fmt.Errorf("%w: input is a scalar, expected [..., N]", ErrShape)
	}
	if n := x.Shape[len(x.Shape)-1]; n > maxFixedLine {
		return Tensor{}, fmt.Errorf("%w: softmax over %d elements, expected at most %d", ErrLimit, n, maxFixedLine)
	}
	if err := checkZero("zero", s.Zero); err != nil {
		return Tensor{}, err
	}
	if _, err := s.Exp.over(x.Min-x.Max, 0); err != nil {
		return Tensor{}, err
	}
	if lo, hi := s.Exp.Range(); lo < 0 || hi > fixedOne || s.Exp.At(0) != fixedOne {
		return Tensor{}, fmt.Errorf("%w: exponentials in [%d, %d] with %d at 0, expected [0, 2^31) with 2^31−1 at 0", ErrAttribute, lo, hi, s.Exp.At(0))
	}
	return inferred(slices.Clone(x.Shape), span{s.Zero, s.Zero + SoftmaxTop})
}

// Eval implements Op.
func (s *FixedSoftmax) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	n := inT[0].Shape[len(inT[0].Shape)-1]
	out = make([]int64, 0, outT.Len())
	for x := range slices.Chunk(in[0], n) {
		greatest := slices.Max(x)
		var sum int64
		for _, v := range x {
			sum += SoftmaxSummand(s.Exp.At(v - greatest))
		}
		h := bits.LeadingZeros32(uint32(sum))
		r := fixedpoint.OneOverOnePlus(int32(sum<<h - 1<<31))
		for _, v := range x {
			p := int64(fixedpoint.SRDHM(r, int32(s.Exp.At(v-greatest))))
			// The kernels stop where this shift exceeds 31, at 512 equal logits; the rounded result is then 0.
			shift := fixedOutShift - h
			out = append(out, min((p+1<<(shift-1))>>shift, SoftmaxTop)+s.Zero)
		}
	}
	return out, nil
}

// SoftmaxSummand is what an exponential adds to the sum of its line.
func SoftmaxSummand(e int64) int64 { return int64(fixedpoint.RDBPOT(int32(e), SoftmaxSumShift)) }

// Params implements Op.
func (*FixedSoftmax) Params() []Param { return nil }

// MACs implements Op.
func (*FixedSoftmax) MACs([]Tensor, Tensor) int64 { return 0 }
