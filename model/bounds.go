package model

import (
	"fmt"
	"math/bits"
)

// accLimit bounds |accumulator|, in every order of summation: 62 bits leave room for the rounding
// constant and for the difference of two accumulators in an int64.
const accLimit = uint64(1) << 62

// maxZero bounds zero points, so that x − zero never overflows.
const maxZero = int64(1) << 32

// span is an inclusive range of integers.
type span struct{ min, max int64 }

// centered is the range of x − zero for an element x of t.
func centered(t Tensor, zero int64) span { return span{t.Min - zero, t.Max - zero} }

// times is the range of w·x.
func (s span) times(w int64) span {
	if w < 0 {
		return span{w * s.max, w * s.min}
	}
	return span{w * s.min, w * s.max}
}

func (s span) plus(o span) span { return span{s.min + o.min, s.max + o.max} }

func (s span) hull(o span) span { return span{min(s.min, o.min), max(s.max, o.max)} }

// magnitude is the largest absolute value.
func (s span) magnitude() uint64 { return max(magnitude(s.min), magnitude(s.max)) }

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// saturatingAdd and saturatingMul stop at accLimit; the summands must not exceed it.
func saturatingAdd(a, b uint64) uint64 {
	return min(a+b, accLimit)
}

func saturatingMul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi != 0 || lo > accLimit {
		return accLimit
	}
	return lo
}

// worstCase is the exact range of a linear form Σ w_k·x_k + b over independent x_k, as long as its
// size, the sum of absolute values, stays below accLimit. No partial sum exceeds size.
type worstCase struct {
	span
	size uint64
}

// add appends the term weight·x for x in s.
func (w *worstCase) add(weight int64, s span) {
	w.size = saturatingAdd(w.size, saturatingMul(magnitude(weight), s.magnitude()))
	if !w.overflows() {
		w.span = w.span.plus(s.times(weight))
	}
}

// shift appends the constant b.
func (w *worstCase) shift(b int64) { w.add(b, span{1, 1}) }

func (w *worstCase) overflows() bool { return w.size >= accLimit }

func checkZero(name string, zero int64) error {
	if magnitude(zero) > uint64(maxZero) {
		return fmt.Errorf("%w: %s is %d, expected at most 2^32 in absolute value", ErrAttribute, name, zero)
	}
	return nil
}
