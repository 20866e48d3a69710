package float

import "math"

func (p MaxPool) eval(in []array, out []int) []float32 {
	return p.fold(in[0].data, in[0].shape, out, math.Inf(-1), math.Max, func(acc float64, _ int) float64 { return acc })
}

func (p AvgPool) eval(in []array, out []int) []float32 {
	sum := func(acc, v float64) float64 { return acc + v }
	return p.fold(in[0].data, in[0].shape, out, 0, sum, func(acc float64, taps int) float64 {
		if p.CountPad {
			taps = p.Kernel[0] * p.Kernel[1]
		}
		return acc / float64(taps)
	})
}
