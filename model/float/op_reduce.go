package float

import (
	"fmt"
	"math"
	"slices"
)

// inferMean checks a reduction over axes; declared decides whether they stay as 1.
func inferMean(axes, x, declared []int) ([]int, error) {
	if len(axes) == 0 {
		return nil, fmt.Errorf("%w: no axes to reduce", ErrAttribute)
	}
	for i, a := range axes {
		if err := checkAxis(a, x); err != nil {
			return nil, err
		}
		if i > 0 && a <= axes[i-1] {
			return nil, fmt.Errorf("%w: axes %v, expected ascending", ErrAttribute, axes)
		}
	}
	kept, dropped := ReducedShape(x, axes, true), ReducedShape(x, axes, false)
	if !slices.Equal(declared, kept) && !slices.Equal(declared, dropped) {
		return nil, fmt.Errorf("%w: output %v, expected %v or %v", ErrShape, declared, kept, dropped)
	}
	return declared, nil
}

// ReducedShape is shape without the axes, or with 1 in their place if keep.
func ReducedShape(shape, axes []int, keep bool) []int {
	out := []int{}
	for a, d := range shape {
		switch {
		case !slices.Contains(axes, a):
			out = append(out, d)
		case keep:
			out = append(out, 1)
		}
	}
	return out
}

func (m Mean) eval(in []array, out []int) []float32 {
	shape := in[0].shape
	kept := ReducedShape(shape, m.Axes, true)
	index := make([]int, volume(out))
	for i := range index {
		index[i] = i
	}
	acc := make([]float64, len(index))
	for i, o := range separable(index, broadcastOffsets(kept, shape), shape, 0) {
		acc[o] += float64(in[0].data[i])
	}
	y := make([]float32, len(acc))
	count := float64(len(in[0].data) / len(acc))
	for i, v := range acc {
		y[i] = float32(v / count)
	}
	return y
}

func (s Softmax) eval(in []array, _ []int) []float32 {
	outer, n, inner := splitAxis(in[0].shape, s.Axis)
	y := make([]float32, len(in[0].data))
	e := make([]float64, n)
	for o := range outer {
		for i := range inner {
			at := func(k int) int { return (o*n+k)*inner + i }
			greatest, sum := math.Inf(-1), 0.0
			for k := range n {
				greatest = max(greatest, float64(in[0].data[at(k)]))
			}
			for k := range n {
				e[k] = math.Exp(float64(in[0].data[at(k)]) - greatest)
				sum += e[k]
			}
			for k := range n {
				y[at(k)] = float32(e[k] / sum)
			}
		}
	}
	return y
}

func (a ArgMax) eval(in []array, out []int) []float32 {
	outer, n, inner := splitAxis(in[0].shape, a.Axis)
	y := make([]float32, 0, volume(out))
	for o := range outer {
		for i := range inner {
			best, at := in[0].data[o*n*inner+i], 0
			for k := 1; k < n; k++ {
				if v := in[0].data[(o*n+k)*inner+i]; v > best || a.LastIndex && v == best {
					best, at = v, k
				}
			}
			y = append(y, float32(at))
		}
	}
	return y
}
