package model_test

import (
	"math/rand/v2"
	"testing"

	"github.com/zkinfer/zkinfer/model"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2026)) }

// integers are n random numbers in [−bound, bound].
func integers(rng *rand.Rand, n int, bound int64) []int64 {
	v := make([]int64, n)
	for i := range v {
		v[i] = rng.Int64N(2*bound+1) - bound
	}
	return v
}

// randomTensor has a random range around or beside zero.
func randomTensor(rng *rand.Rand, shape ...int) model.Tensor {
	lo := rng.Int64N(31) - 20
	return model.Tensor{Shape: shape, Min: lo, Max: lo + 1 + rng.Int64N(15), Scale: 1, Type: model.Int8}
}

// randomValues are elements of t, the ends of its range often among them.
func randomValues(rng *rand.Rand, t model.Tensor) []int64 {
	v := make([]int64, t.Len())
	for i := range v {
		switch rng.IntN(6) {
		case 0:
			v[i] = t.Min
		case 1:
			v[i] = t.Max
		default:
			v[i] = t.Min + rng.Int64N(t.Max-t.Min+1)
		}
	}
	return v
}

func between(rng *rand.Rand, lo, hi int) int { return lo + rng.IntN(hi-lo+1) }

// randomWindow fits over an image of at least 4×4.
func randomWindow(rng *rand.Rand) model.Window {
	var w model.Window
	for axis := range 2 {
		w.Kernel[axis] = between(rng, 1, 3)
		w.Stride[axis] = between(rng, 1, 3)
		w.Dilation[axis] = 1
		if w.Kernel[axis] < 3 {
			w.Dilation[axis] = between(rng, 1, 2)
		}
		// Less than the kernel: no window of a pooling lies wholly on padding.
		w.PadBefore[axis] = rng.IntN(w.Kernel[axis])
		w.PadAfter[axis] = rng.IntN(w.Kernel[axis])
	}
	return w
}

// randomImage is [1, c, h, w] with a height and width of 4 to 6.
func randomImage(rng *rand.Rand, c int) model.Tensor {
	return randomTensor(rng, 1, c, between(rng, 4, 6), between(rng, 4, 6))
}

func randomShape(rng *rand.Rand, rank int) []int {
	shape := make([]int, rank)
	for a := range shape {
		shape[a] = between(rng, 1, 4)
	}
	return shape
}

// broadcastable is shape with some axes set to 1 and some leading ones dropped.
func broadcastable(rng *rand.Rand, shape []int) []int {
	out := append([]int{}, shape[rng.IntN(len(shape)+1):]...)
	for a := range out {
		if rng.IntN(3) == 0 {
			out[a] = 1
		}
	}
	return out
}

// wideRescale admits every case of this file without a shift.
func wideRescale() model.Rescale {
	return model.Rescale{QMin: -30000, QMax: 30000, Table: model.ClampTable(-30000, 30000, -30000, 30000)}
}

// fit gives op a random table, and the least shift from a random one on with which its worst case
// is admitted.
func fit(t testing.TB, rng *rand.Rand, op model.Rescaled, in []model.Tensor) {
	t.Helper()
	r := op.Requantization()
	*r = model.Rescale{QMin: -600, QMax: 500, Shift: uint(rng.IntN(3))}
	r.Table = model.Table{Name: "random", Min: -601, Values: integers(rng, 1102, 20)}
	for ; r.Shift < 40; r.Shift++ {
		if _, err := op.Infer(in); err == nil {
			return
		}
	}
	_, err := op.Infer(in)
	t.Fatalf("%s is never admitted: %v", op.Kind(), err)
}

// randomLinear is an op of one of the rescaled kinds, without a Rescale, and operands for it.
func randomLinear(rng *rand.Rand, kind string) (model.Rescaled, []model.Tensor) {
	switch kind {
	case "conv":
		groups, depth := between(rng, 1, 3), between(rng, 1, 2)
		c := &model.Conv{Window: randomWindow(rng), Groups: groups, OutC: groups * between(rng, 1, 2), Zero: rng.Int64N(9) - 4}
		c.Weights = integers(rng, c.OutC*depth*c.Kernel[0]*c.Kernel[1], 5)
		c.Bias = integers(rng, c.OutC, 100)
		return c, []model.Tensor{randomImage(rng, groups*depth)}
	case "dense":
		x := randomTensor(rng, randomShape(rng, between(rng, 1, 3))...)
		d := &model.Dense{OutN: between(rng, 1, 4), Zero: rng.Int64N(9) - 4}
		d.Weights = integers(rng, d.OutN*x.Shape[len(x.Shape)-1], 5)
		d.Bias = integers(rng, d.OutN, 100)
		return d, []model.Tensor{x}
	case "affine":
		x := randomTensor(rng, randomShape(rng, between(rng, 1, 4))...)
		a := &model.Affine{ParamShape: broadcastable(rng, x.Shape), Zero: rng.Int64N(9) - 4}
		n := model.Tensor{Shape: a.ParamShape}.Len()
		a.Scale, a.Shift = integers(rng, n, 50), integers(rng, n, 100)
		return a, []model.Tensor{x}
	case "add":
		shape := randomShape(rng, between(rng, 1, 4))
		a := &model.Add{Bias: integers(rng, 1, 100)}
		var in []model.Tensor
		for range between(rng, 1, 3) {
			in = append(in, randomTensor(rng, broadcastable(rng, shape)...))
		}
		a.Zeros, a.Multipliers = integers(rng, len(in), 4), integers(rng, len(in), 50)
		return a, in
	case "mul":
		shape := randomShape(rng, between(rng, 1, 4))
		m := &model.Mul{Zeros: [2]int64{rng.Int64N(9) - 4, rng.Int64N(9) - 4}, Multiplier: integers(rng, 1, 9)}
		return m, []model.Tensor{randomTensor(rng, broadcastable(rng, shape)...), randomTensor(rng, shape...)}
	case "avgpool":
		x := randomImage(rng, between(rng, 1, 2))
		p := &model.AvgPool{Window: randomWindow(rng), CountPad: rng.IntN(2) == 0, Zero: rng.Int64N(9) - 4}
		p.Multipliers = integers(rng, len(p.Counts(x.Shape)), 50)
		return p, []model.Tensor{x}
	case "mean":
		x := randomTensor(rng, randomShape(rng, between(rng, 1, 4))...)
		m := &model.Mean{KeepDims: rng.IntN(2) == 0, Zero: rng.Int64N(9) - 4, Multiplier: integers(rng, 1, 5)}
		for a := range x.Shape {
			if rng.IntN(2) == 0 {
				m.Axes = append(m.Axes, a)
			}
		}
		if m.Axes == nil {
			m.Axes = []int{0}
		}
		return m, []model.Tensor{x}
	}
	return nil, nil
}

// randomCase is an op of the kind with operands it accepts; nil for an unknown kind.
func randomCase(t testing.TB, rng *rand.Rand, kind string) (model.Op, []model.Tensor) {
	if op, in := randomLinear(rng, kind); op != nil {
		fit(t, rng, op, in)
		return op, in
	}
	x := randomTensor(rng, randomShape(rng, between(rng, 1, 4))...)
	axis := rng.IntN(len(x.Shape))
	one := []model.Tensor{x}
	switch kind {
	case "activation":
		return &model.Activation{Table: model.Table{Min: x.Min - 2, Values: integers(rng, int(x.Max-x.Min)+5, 99)}}, one
	case "maxpool":
		return &model.MaxPool{Window: randomWindow(rng)}, []model.Tensor{randomImage(rng, 2)}
	case "softmax":
		s := &model.Softmax{Axis: axis, Steps: 1 + rng.Int64N(1<<15)}
		s.Exp = model.Table{Min: x.Min - x.Max, Values: make([]int64, x.Max-x.Min+1)}
		for i := range s.Exp.Values {
			s.Exp.Values[i] = 1 + rng.Int64N(1<<16-1)
		}
		return s, one
	case "fixedsoftmax":
		return &model.FixedSoftmax{Exp: randomExp(rng, x), Zero: rng.Int64N(9) - 4}, one
	case "argmax":
		return &model.ArgMax{Axis: axis, KeepDims: rng.IntN(2) == 0, LastIndex: rng.IntN(2) == 0}, one
	}
	return randomRearrangement(rng, kind, x, axis)
}

// randomExp has values of all sizes, 2^31 − 1 at 0.
func randomExp(rng *rand.Rand, x model.Tensor) model.Table {
	t := model.Table{Min: x.Min - x.Max, Values: make([]int64, x.Max-x.Min+1)}
	for i := range t.Values {
		t.Values[i] = rng.Int64N(1<<31) >> rng.IntN(31)
	}
	t.Values[len(t.Values)-1] = 1<<31 - 1
	return t
}

func randomRearrangement(rng *rand.Rand, kind string, x model.Tensor, axis int) (model.Op, []model.Tensor) {
	one := []model.Tensor{x}
	switch kind {
	case "reshape":
		return &model.Reshape{Shape: []int{1, x.Len(), 1}}, one
	case "transpose":
		return &model.Transpose{Perm: rng.Perm(len(x.Shape))}, one
	case "concat":
		y := randomTensor(rng, append([]int{}, x.Shape...)...)
		y.Shape[axis] = between(rng, 1, 3)
		return &model.Concat{Axis: axis}, []model.Tensor{x, y, x}
	case "slice":
		s := &model.Slice{}
		for _, d := range x.Shape {
			start, step := rng.IntN(d), between(rng, 1, 2)
			size := between(rng, 1, (d-1-start)/step+1)
			if rng.IntN(2) == 0 { // the same elements from the other end
				start, step = start+(size-1)*step, -step
			}
			s.Start, s.Step, s.Size = append(s.Start, start), append(s.Step, step), append(s.Size, size)
		}
		return s, one
	case "pad":
		p := &model.Pad{Mode: []string{"constant", "reflect", "edge", "wrap"}[rng.IntN(4)], Value: rng.Int64N(80) - 40}
		for _, d := range x.Shape {
			limit := 5
			if p.Mode == "reflect" {
				limit = d - 1
			}
			p.Before, p.After = append(p.Before, rng.IntN(limit+1)), append(p.After, rng.IntN(limit+1))
		}
		return p, one
	case "gather":
		g := &model.Gather{Axis: axis}
		for range between(rng, 1, 5) {
			g.Indices = append(g.Indices, rng.IntN(x.Shape[axis]))
		}
		return g, one
	}
	return nil, nil
}

// everyOp is a network with an op of every kind.
func everyOp(t testing.TB, seed uint64) *model.Graph {
	t.Helper()
	rng := newRand(seed)
	b := model.NewBuilder("every op")
	b.Source(model.Source{Format: "onnx", Rounding: "own", PixelScale: []float64{1.0 / 255}, PixelMean: []float64{0.5}})
	must := func(id model.TensorID, err error) model.TensorID {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	plain := func(op model.Op, in ...model.TensorID) model.TensorID {
		t.Helper()
		return must(b.Add(op.Kind(), op, 0.125, 3, in...))
	}
	linear := func(op model.Rescaled, in ...model.TensorID) model.TensorID {
		t.Helper()
		var operands []model.Tensor
		for _, id := range in {
			operands = append(operands, b.Tensor(id))
		}
		fit(t, rng, op, operands)
		return plain(op, in...)
	}
	square := func(k, stride, pad int) model.Window {
		return model.Window{Kernel: [2]int{k, k}, Stride: [2]int{stride, stride}, Dilation: [2]int{1, 1},
			PadBefore: [2]int{pad, pad}, PadAfter: [2]int{pad, pad}}
	}
	x := must(b.Input(model.Tensor{Name: "image", Shape: []int{1, 2, 8, 8}, Min: -8, Max: 7, Scale: 0.1}))
	y := linear(&model.Conv{Window: square(3, 1, 1), Groups: 1, OutC: 4, Zero: 1,
		Weights: integers(rng, 72, 300), Bias: integers(rng, 4, 5000)}, x)
	curve := model.Table{Name: "curve", Min: b.Tensor(y).Min, Values: integers(rng, 41, 12)}
	y = plain(&model.Activation{Table: curve}, y)
	most := plain(&model.MaxPool{Window: square(2, 2, 0)}, y)
	average := linear(&model.AvgPool{Window: square(3, 2, 1), Multipliers: []int64{90, 60, 40}}, y)
	sum := linear(&model.Add{Zeros: []int64{1, -2}, Multipliers: []int64{70, -50}, Bias: []int64{9}}, most, average)
	product := linear(&model.Mul{Multiplier: []int64{33}}, sum, most)
	scaled := linear(&model.Affine{ParamShape: []int{4, 1, 1}, Scale: integers(rng, 4, 99), Shift: integers(rng, 4, 99)}, product)
	y = plain(&model.Concat{Axis: 1}, sum, scaled)
	y = plain(&model.Slice{Start: []int{0, 1, 0, 3}, Step: []int{1, 2, 1, -1}, Size: []int{1, 3, 4, 4}}, y)
	y = plain(&model.Pad{Before: []int{0, 0, 1, 1}, After: []int{0, 0, 0, 0}, Mode: "constant", Value: 2}, y)
	y = plain(&model.Gather{Axis: 1, Indices: []int{2, 0, 2}}, y)
	y = plain(&model.Transpose{Perm: []int{0, 2, 3, 1}}, y)
	mean := linear(&model.Mean{Axes: []int{1, 2}, Multiplier: []int64{40}}, y)
	y = plain(&model.Reshape{Shape: []int{1, 75}}, y)
	y = linear(&model.Dense{OutN: 4, Weights: integers(rng, 300, 127), Bias: integers(rng, 4, 999)}, y)
	exp := model.Table{Name: "exp", Min: -40, Values: make([]int64, 41)}
	for i := range exp.Values {
		exp.Values[i] = int64(1 + i*i*40)
	}
	soft := plain(&model.Softmax{Axis: 1, Exp: exp, Steps: 256}, y)
	fixed := plain(&model.FixedSoftmax{Exp: randomExp(newRand(seed), b.Tensor(y))}, y)
	class := plain(&model.ArgMax{Axis: 1}, y)
	b.Output(soft, fixed, class, mean, sum)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}
