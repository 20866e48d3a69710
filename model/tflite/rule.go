package tflite

import (
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/fixedpoint"
)

// fixedRule is the requantization by a quantized multiplier of the reference kernels, with two roundings
// or a single one. It errs where the multiplier has no such form or the accumulators, at most |reach|,
// leave 32 bits.
func (r Rounding) fixedRule(real float64, reach int64) (rule, error) {
	m, shift, err := fixedpoint.QuantizeMultiplier(real)
	if err != nil {
		return rule{}, fmt.Errorf("%w: %w", ErrUnsupportedModel, err)
	}
	return r.quantizedRule(m, shift, reach)
}

// quantizedRule is fixedRule for the multiplier m·2^(shift−31).
func (r Rounding) quantizedRule(m int32, shift int, reach int64) (rule, error) {
	if reach > math.MaxInt32>>max(shift, 0) {
		return rule{}, fmt.Errorf("%w: accumulators up to %d times %d·2^%d overflow 32 bits on a device", ErrUnsupportedModel, reach, m, shift-31)
	}
	out := rule{slope: math.Ldexp(float64(m), shift-31)}
	if r == Single {
		out.exact = uint(31 - shift)
		out.quotient = func(acc int64) int64 { return fixedpoint.SingleRoundMBQM(int32(acc), m, shift) }
		return out, nil
	}
	out.ties = uint(max(-shift, 0))
	out.exact = 31 + out.ties
	out.quotient = func(acc int64) int64 { return int64(fixedpoint.MBQM(int32(acc), m, shift)) }
	return out, nil
}

// floatRule is XNNPACK's: the accumulator as binary32 times the scale, half to even.
func floatRule(scale float32, reach int64) (rule, error) {
	if !(scale > 0) || scale >= 256 {
		return rule{}, fmt.Errorf("%w: scale %g, XNNPACK takes positive ones below 256", ErrUnsupportedModel, scale)
	}
	if reach > math.MaxInt32 {
		return rule{}, fmt.Errorf("%w: accumulators up to %d overflow 32 bits on a device", ErrUnsupportedModel, reach)
	}
	fraction, exponent := math.Frexp(float64(scale))
	out := rule{
		slope: float64(scale),
		quotient: func(acc int64) int64 {
			return int64(math.RoundToEven(float64(float32(acc) * scale)))
		},
	}
	if e := 24 - exponent; e > 0 && e <= maxShift {
		out.mantissa, out.exponent = int64(fraction*(1<<24)), uint(e)
	}
	return out, nil
}

// layerRule is the requantization of a convolution or a matrix product. The reference kernels multiply
// the scales of a layer that is quantized as a whole in binary32 if the layer is fully connected.
func (r Rounding) layerRule(in, weight, out float32, whole bool, reach int64) (rule, error) {
	if r == LiteRT {
		return floatRule(float32(in*weight)/out, reach)
	}
	product := float64(in) * float64(weight)
	if whole {
		product = float64(float32(in * weight))
	}
	return r.fixedRule(product/float64(out), reach)
}

// quantized is the integer of a real number in an output's scale, where an activation clamps.
func (r Rounding) quantized(x, scale float32, zero, lo, hi int64) int64 {
	if r == LiteRT {
		q := float32(float32(x/scale) + float32(zero))
		return int64(math.RoundToEven(min(max(float64(q), float64(lo)), float64(hi))))
	}
	return min(max(zero+int64(math.Round(float64(float32(x/scale)))), lo), hi)
}

// halfAway is a/n, truncated after adding half of n away from zero: how averages are taken everywhere.
func halfAway(a, n int64) int64 {
	if a > 0 {
		return (a + n/2) / n
	}
	return (a - n/2) / n
}
