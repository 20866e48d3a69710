// Package fixedpoint is the integer arithmetic of quantized networks: rounding, the requantization
// primitives of TensorFlow Lite, and tables of real functions.
//
// Every result is a fixed function of its arguments on every platform: floating point occurs only
// where a real scale or function is turned into integers once, when a model is prepared.
//
// The requantization primitives are those of gemmlowp and of TensorFlow Lite's reference kernels
// ("TFLite 8-bit quantization specification"; Jacob et al., 2018, section 2.2). Pitfall: the two
// roundings of MBQM and the single one of SingleRoundMBQM differ in about one result of a hundred;
// a model is proved as one of them, never as "close to both".
package fixedpoint

import "math"

// Quantize is the integer that stands for the real number x: x/scale rounded half to even, plus
// zero, clamped to [min, max]. Infinities clamp; NaN gives what 0 gives.
func Quantize(x, scale float64, zero, min, max int64) int64 {
	if math.IsNaN(x) {
		x = 0
	}
	steps := math.RoundToEven(x / scale)
	// Clamp as floats first: converting a float beyond int64 has no defined result.
	switch {
	case steps >= float64(max-zero):
		return max
	case steps <= float64(min-zero):
		return min
	}
	return zero + int64(steps)
}

// TableOf tabulates f over the integers q in [inMin, inMax], at the real numbers q·inScale: entry
// q − inMin is f(q·inScale)/outScale rounded half to even and clamped to [outMin, outMax].
// Zero points are the caller's: an input zero point z is inMin−z and inMax−z given here.
func TableOf(f func(float64) float64, inScale float64, inMin, inMax int64, outScale float64, outMin, outMax int64) []int64 {
	values := make([]int64, inMax-inMin+1)
	for i := range values {
		x := inScale * float64(inMin+int64(i))
		values[i] = Quantize(f(x), outScale, 0, outMin, outMax)
	}
	return values
}
