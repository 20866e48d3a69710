package fixedpoint

import (
	"errors"
	"fmt"
	"math"
)

// ErrMultiplier: a real multiplier has no fixed-point form.
var ErrMultiplier = errors.New("multiplier cannot be represented")

// QuantizeMultiplier writes r as m·2^(shift−31) with |m| in [2^30, 2^31), rounded half away from
// zero: m = 0 and shift = 0 for r = 0 and where shift would be below −31. It errs for infinities,
// NaN and where shift would exceed 30.
func QuantizeMultiplier(r float64) (m int32, shift int, err error) {
	if r == 0 {
		return 0, 0, nil
	}
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return 0, 0, fmt.Errorf("%w: %v, expected a finite number", ErrMultiplier, r)
	}
	fraction, shift := math.Frexp(r)
	q := int64(math.Round(fraction * (1 << 31)))
	if q == 1<<31 || q == -1<<31 {
		q /= 2
		shift++
	}
	if shift < -31 {
		return 0, 0, nil
	}
	if shift > 30 {
		return 0, 0, fmt.Errorf("%w: %v, expected less than 2^30", ErrMultiplier, r)
	}
	return int32(q), shift, nil
}

// SRDHM is the saturating rounding doubling high multiplication: ⌊(a·b + 2^30) / 2^31⌋, and
// 2^31−1 for a = b = −2^31, the one case that does not fit.
func SRDHM(a, b int32) int32 {
	if a == math.MinInt32 && b == math.MinInt32 {
		return math.MaxInt32
	}
	return int32((int64(a)*int64(b) + 1<<30) >> 31)
}

// RDBPOT is the rounding division by a power of two: x / 2^exponent, half away from zero. exponent
// is 0 to 31.
func RDBPOT(x int32, exponent int) int32 {
	mask := int32(int64(1)<<exponent - 1)
	threshold := mask >> 1
	if x < 0 {
		threshold++
	}
	q := x >> exponent
	if x&mask > threshold {
		q++
	}
	return q
}

// MBQM multiplies by a quantized multiplier as TensorFlow Lite Micro does, with two roundings:
// RDBPOT(SRDHM(x << max(shift, 0), m), max(−shift, 0)). The left shift wraps at 32 bits, as the
// reference's does: the caller keeps x·2^shift within them. shift is −31 to 30.
func MBQM(x, m int32, shift int) int32 {
	return RDBPOT(SRDHM(x<<max(shift, 0), m), max(-shift, 0))
}

// SingleRoundMBQM is the multiplication with one rounding: ⌊(x·m + 2^(30−shift)) / 2^(31−shift)⌋,
// the rule of builds with single rounding and of XNNPACK's fully connected kernels. The result is
// the exact integer, not clamped to 32 bits. shift is −31 to 30.
func SingleRoundMBQM(x, m int32, shift int) int64 {
	// With |x·m| ≤ 2^62 and 2^(30−shift) ≤ 2^61 the sum stays below 2^63.
	return (int64(x)*int64(m) + 1<<(30-shift)) >> (31 - shift)
}
