package model_test

import (
	"math/big"
	"slices"

	"github.com/zkinfer/zkinfer/model"
)

// This file says again what the ops mean, one output element at a time, by coordinates, without
// regard for speed and without anything of the package but the ops' fields.

// array is a tensor with its elements.
type array struct {
	shape []int
	v     []int64
}

func (a array) at(index ...int) int64 {
	offset := 0
	for axis, i := range index {
		offset = offset*a.shape[axis] + i
	}
	return a.v[offset]
}

// spread is the element that broadcasts to index.
func (a array) spread(index []int) int64 {
	own := slices.Clone(index[len(index)-len(a.shape):])
	for axis := range own {
		own[axis] %= a.shape[axis] // 0 where the axis is 1
	}
	return a.at(own...)
}

// indices are all multi-indices of shape in row-major order.
func indices(shape []int) [][]int {
	all := [][]int{{}}
	for _, d := range shape {
		var longer [][]int
		for _, prefix := range all {
			for i := range d {
				longer = append(longer, append(slices.Clone(prefix), i))
			}
		}
		all = longer
	}
	return all
}

// accumulator is the op's accumulator at output element o; ok is false for an op without.
func accumulator(op model.Op, in []array, outShape, o []int) (acc int64, ok bool) {
	x := in[0]
	switch op := op.(type) {
	case *model.Conv:
		return convolution(op, x, o), true
	case *model.Dense:
		last := len(o) - 1
		weights := array{[]int{op.OutN, x.shape[last]}, op.Weights}
		acc = op.Bias[o[last]]
		for k := range x.shape[last] {
			acc += weights.at(o[last], k) * (x.at(append(slices.Clone(o[:last]), k)...) - op.Zero)
		}
		return acc, true
	case *model.Affine:
		scale, shift := array{op.ParamShape, op.Scale}, array{op.ParamShape, op.Shift}
		return scale.spread(o)*(x.at(o...)-op.Zero) + shift.spread(o), true
	case *model.Add:
		acc = op.Bias[0]
		for k := range in {
			acc += op.Multipliers[k] * (in[k].spread(o) - op.Zeros[k])
		}
		return acc, true
	case *model.Mul:
		return op.Multiplier[0] * (x.spread(o) - op.Zeros[0]) * (in[1].spread(o) - op.Zeros[1]), true
	case *model.AvgPool:
		var counts []int
		for _, p := range indices(outShape) {
			_, n := window(op, x, p)
			counts = append(counts, n)
		}
		slices.Sort(counts)
		sum, n := window(op, x, o)
		return op.Multipliers[slices.Index(slices.Compact(counts), n)] * sum, true
	case *model.Mean:
		for _, i := range indices(x.shape) {
			if slices.Equal(reduce(i, op.Axes, op.KeepDims), o) {
				acc += op.Multiplier[0] * (x.at(i...) - op.Zero)
			}
		}
		return acc, true
	}
	return 0, false
}

func convolution(op *model.Conv, x array, o []int) int64 {
	depth := x.shape[1] / op.Groups
	weights := array{[]int{op.OutC, depth, op.Kernel[0], op.Kernel[1]}, op.Weights}
	group := o[1] / (op.OutC / op.Groups)
	acc := op.Bias[o[1]]
	for c := range depth {
		for ky := range op.Kernel[0] {
			for kx := range op.Kernel[1] {
				if y, xx, inside := tap(op.Window, x, o, ky, kx); inside {
					acc += weights.at(o[1], c, ky, kx) * (x.at(0, group*depth+c, y, xx) - op.Zero)
				}
			}
		}
	}
	return acc
}

// tap is where a window's tap lies on the image.
func tap(w model.Window, x array, o []int, ky, kx int) (iy, ix int, inside bool) {
	iy = o[2]*w.Stride[0] - w.PadBefore[0] + ky*w.Dilation[0]
	ix = o[3]*w.Stride[1] - w.PadBefore[1] + kx*w.Dilation[1]
	return iy, ix, iy >= 0 && iy < x.shape[2] && ix >= 0 && ix < x.shape[3]
}

// window is an average pooling's sum at o and the number of taps that count.
func window(op *model.AvgPool, x array, o []int) (sum int64, count int) {
	for ky := range op.Kernel[0] {
		for kx := range op.Kernel[1] {
			iy, ix, inside := tap(op.Window, x, o, ky, kx)
			if inside {
				sum += x.at(0, o[1], iy, ix) - op.Zero
			}
			if inside || op.CountPad {
				count++
			}
		}
	}
	return sum, count
}

// reduce drops the axes from an index, or makes them 0.
func reduce(index, axes []int, keep bool) []int {
	var out []int
	for a, i := range index {
		if !slices.Contains(axes, a) {
			out = append(out, i)
		} else if keep {
			out = append(out, 0)
		}
	}
	return out
}

// rescaled is f(⌊(acc + 2^(T−1)) / 2^T⌋) in rational arithmetic.
func rescaled(r *model.Rescale, acc int64) int64 {
	// floor(acc/2^T + 1/2); without a shift the half would change nothing, acc being an integer.
	n, d := big.NewInt(acc), new(big.Int).Lsh(big.NewInt(1), r.Shift)
	n.Mul(n, big.NewInt(2)).Add(n, d)
	q := new(big.Int).Div(n, d.Mul(d, big.NewInt(2))) // Euclidean: floor, as d > 0
	return r.Table.Values[q.Int64()-r.Table.Min]
}

// element is output element o of an op without accumulators.
func element(op model.Op, in []array, o []int) int64 {
	x := in[0]
	switch op := op.(type) {
	case *model.Activation:
		return op.Table.Values[x.at(o...)-op.Table.Min]
	case *model.MaxPool:
		var seen []int64
		for ky := range op.Kernel[0] {
			for kx := range op.Kernel[1] {
				if y, xx, inside := tap(op.Window, x, o, ky, kx); inside {
					seen = append(seen, x.at(0, o[1], y, xx))
				}
			}
		}
		return slices.Max(seen)
	case *model.Softmax:
		line := along(x, op.Axis, o)
		exp := func(i int) int64 { return op.Exp.Values[line[i]-slices.Max(line)-op.Exp.Min] }
		sum := int64(0)
		for i := range line {
			sum += exp(i)
		}
		y := big.NewRat(op.Steps*exp(o[op.Axis]), sum)
		y.Add(y, big.NewRat(1, 2))
		return new(big.Int).Div(y.Num(), y.Denom()).Int64()
	case *model.FixedSoftmax:
		return fixedSoftmax(op, along(x, len(o)-1, o), o[len(o)-1])
	case *model.ArgMax:
		at := o
		if !op.KeepDims {
			at = slices.Insert(slices.Clone(o), op.Axis, 0)
		}
		line := along(x, op.Axis, at)
		best := slices.Index(line, slices.Max(line))
		if op.LastIndex {
			slices.Reverse(line)
			best = len(line) - 1 - slices.Index(line, slices.Max(line))
		}
		return int64(best)
	}
	return moved(op, in, o)
}

// fixedSoftmax divides exactly where the op takes a reciprocal by Newton's iteration, whose error its last
// rounding may show: one of 256.
func fixedSoftmax(op *model.FixedSoftmax, line []int64, i int) int64 {
	exp := func(i int) *big.Int { return big.NewInt(op.Exp.Values[line[i]-slices.Max(line)-op.Exp.Min]) }
	sum := new(big.Int)
	for k := range line {
		e := new(big.Int).Add(exp(k), big.NewInt(1<<11))
		sum.Add(sum, e.Rsh(e, 12))
	}
	sum.Lsh(sum, 12)
	y := new(big.Rat).SetFrac(new(big.Int).Lsh(exp(i), 8), sum)
	y.Add(y, big.NewRat(1, 2))
	exact := new(big.Int).Div(y.Num(), y.Denom()).Int64()
	inT := model.Tensor{Shape: []int{len(line)}}
	got, _ := op.Eval([][]int64{line}, []model.Tensor{inT}, inT)
	if d := got[i] - op.Zero - min(exact, 255); d < -1 || d > 1 {
		return min(exact, 255) + op.Zero // a failure
	}
	return got[i]
}

// along is the line through o along the axis.
func along(x array, axis int, o []int) []int64 {
	var line []int64
	for i := range x.shape[axis] {
		at := slices.Clone(o)
		at[axis] = i
		line = append(line, x.at(at...))
	}
	return line
}

// moved is output element o of a rearrangement.
func moved(op model.Op, in []array, o []int) int64 {
	x, at := in[0], slices.Clone(o)
	switch op := op.(type) {
	case *model.Reshape:
		offset := 0
		for a, i := range o {
			offset = offset*op.Shape[a] + i
		}
		return x.v[offset]
	case *model.Transpose:
		for i, a := range op.Perm {
			at[a] = o[i]
		}
		return x.at(at...)
	case *model.Concat:
		for k := range in {
			if n := in[k].shape[op.Axis]; at[op.Axis] < n {
				return in[k].at(at...)
			} else {
				at[op.Axis] -= n
			}
		}
	case *model.Slice:
		for a := range at {
			at[a] = op.Start[a] + o[a]*op.Step[a]
		}
		return x.at(at...)
	case *model.Gather:
		at[op.Axis] = op.Indices[o[op.Axis]]
		return x.at(at...)
	case *model.Pad:
		for a, n := range x.shape {
			at[a] = o[a] - op.Before[a]
			for at[a] < 0 || at[a] >= n {
				switch {
				case op.Mode == "constant":
					return op.Value
				case op.Mode == "reflect" && at[a] < 0:
					at[a] = -at[a]
				case op.Mode == "reflect":
					at[a] = 2*n - 2 - at[a]
				case op.Mode == "edge" && at[a] < 0:
					at[a]++
				case op.Mode == "edge":
					at[a]--
				case at[a] < 0:
					at[a] += n
				default:
					at[a] -= n
				}
			}
		}
		return x.at(at...)
	}
	panic("no reference for " + op.Kind())
}
