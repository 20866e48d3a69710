// Package modeltest has the graphs that every backend is tested with: the smallest ones that have each op, rounding and
// border, so that what one backend proves all of them do.
package modeltest

import (
	"math/rand/v2"
	"slices"

	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
)

// Case is a small graph around one op. Every backend's tests run all of them.
type Case struct {
	Name string
	// FoldRows is a fold height that the case asks for, 0 for any.
	FoldRows int
	// Private says that input and output are.
	Private bool
	Build   func(r *rand.Rand) *model.Graph
}

func ReLU(lo, hi int64) model.Table {
	t := model.Table{Name: "relu", Min: lo}
	for q := lo; q <= hi; q++ {
		t.Values = append(t.Values, min(max(q, 0), 255))
	}
	return t
}

func Identity(lo, hi int64) model.Table {
	t := model.Table{Name: "identity", Min: lo}
	for q := lo; q <= hi; q++ {
		t.Values = append(t.Values, q)
	}
	return t
}

// Rescale is a shift of 7 bits with ReLU over q in [−2^(b−1), 2^(b−1)).
func Rescale(b uint) model.Rescale {
	h := int64(1) << (b - 1)
	return model.Rescale{Shift: 7, QMin: -h, QMax: h - 1, Table: ReLU(-h, h-1)}
}

// SomeFunction is a function without any structure.
func SomeFunction(lo, hi int64) model.Table {
	return model.Table{Name: "some", Min: lo, Values: Noise(rand.New(rand.NewPCG(13, 14)), int(hi-lo+1), 100)}
}

// Binary32Rescale has a table over [lo, hi] and a plainly rounded third channel of seven.
func Binary32Rescale(lo, hi, qMin, qMax int64) model.Rescale {
	roundings := slices.Repeat([]model.Rounding{model.Binary32}, 7)
	roundings[2] = model.HalfUp
	return model.Rescale{Shift: 25, QMin: qMin, QMax: qMax, Table: SomeFunction(lo, hi), Roundings: roundings}
}

func IdentityRescale(b uint) model.Rescale {
	r := Rescale(b)
	r.Table = Identity(r.QMin, r.QMax)
	return r
}

func Noise(r *rand.Rand, n int, spread int64) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = r.Int64N(2*spread+1) - spread
	}
	return out
}

func Bytes(shape ...int) model.Tensor {
	return model.Tensor{Name: "x", Shape: shape, Min: 0, Max: 255, Type: model.Uint8, Scale: 1}
}

func Signed(shape ...int) model.Tensor {
	return model.Tensor{Name: "x", Shape: shape, Min: -128, Max: 127, Type: model.Int8, Scale: 1}
}

// SomeTable is a function of a byte without any structure. Tables are architecture: always the same.
var SomeTable = Noise(rand.New(rand.NewPCG(11, 12)), 256, 100)

// Graph builds a graph of one op over the given inputs.
func Graph(op model.Op, inputs ...model.Tensor) *model.Graph {
	b := model.NewBuilder("case")
	var ids []model.TensorID
	for _, t := range inputs {
		id, err := b.Input(t)
		if err != nil {
			panic(err)
		}
		ids = append(ids, id)
	}
	id, err := b.Add("op", op, 1, 0, ids...)
	if err != nil {
		panic(err)
	}
	b.Output(id)
	g, err := b.Graph()
	if err != nil {
		panic(err)
	}
	return g
}

func Window(kernel, stride, dilation, pad int) model.Window {
	return model.Window{Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride}, Dilation: [2]int{dilation, dilation},
		PadBefore: [2]int{pad, pad}, PadAfter: [2]int{pad, pad}}
}

func Conv(r *rand.Rand, w model.Window, in, out, groups int, zero int64) *model.Conv {
	n := out * in / groups * w.Kernel[0] * w.Kernel[1]
	return &model.Conv{Window: w, Groups: groups, OutC: out, Zero: zero, Rescale: Rescale(10),
		Weights: Noise(r, n, 5), Bias: Noise(r, out, 500)}
}

func OneOp(op func(r *rand.Rand) model.Op, inputs ...model.Tensor) func(*rand.Rand) *model.Graph {
	return func(r *rand.Rand) *model.Graph { return Graph(op(r), inputs...) }
}

// FixedExp is exp(d/16) for differences of bytes.
func FixedExp() model.Table {
	t := model.Table{Min: -255}
	for d := int32(-255); d <= 0; d++ {
		t.Values = append(t.Values, int64(fixedpoint.Exp(d<<22, 5)))
	}
	return t
}

func convCase(name string, w model.Window, in, out, groups int, h, wd int, zero int64) Case {
	return Case{Name: name, Build: OneOp(func(r *rand.Rand) model.Op {
		return Conv(r, w, in, out, groups, zero)
	}, Bytes(1, in, h, wd))}
}

func Cases() []Case {
	cases := []Case{
		convCase("conv 3x3 same", Window(3, 1, 1, 1), 2, 5, 1, 6, 5, 3),
		convCase("conv 3x3 valid", Window(3, 1, 1, 0), 2, 3, 1, 6, 5, 0),
		convCase("conv 3x3 stride 2", Window(3, 2, 1, 1), 2, 3, 1, 9, 7, 3),
		convCase("conv 2x2 dilated", Window(2, 1, 2, 1), 2, 3, 1, 6, 6, 0),
		convCase("conv whole image", Window(4, 1, 1, 0), 2, 5, 1, 4, 4, 9),
		convCase("conv 3x3 on one pixel", Window(3, 1, 1, 1), 3, 4, 1, 1, 1, 0),
		convCase("conv 1x1", Window(1, 1, 1, 0), 3, 5, 1, 5, 3, 3),
		convCase("conv 1x1 stride 2", Window(1, 2, 1, 0), 3, 5, 1, 5, 4, 0),
		convCase("conv groups", Window(3, 1, 1, 1), 4, 6, 2, 4, 4, 0),
		convCase("depthwise", Window(3, 1, 1, 1), 5, 5, 5, 6, 4, 7),
		convCase("depthwise multiplier 2", Window(3, 2, 1, 1), 3, 6, 3, 7, 5, 0),
		{Name: "dense", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 7, Zero: 2, Rescale: Rescale(10), Weights: Noise(r, 7*12, 20), Bias: Noise(r, 7, 900)}
		}, Bytes(1, 12))},
		{Name: "dense identity, rows folded", FoldRows: 2, Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 65, Rescale: IdentityRescale(12), Weights: Noise(r, 65*6, 90), Bias: Noise(r, 65, 900)}
		}, Signed(1, 6))},
		{Name: "dense with saturation", Build: OneOp(func(r *rand.Rand) model.Op {
			table := ReLU(-20, 40)
			return &model.Dense{OutN: 7, Rescale: model.Rescale{Shift: 5, QMin: -20 - 1023, QMax: 40 + 2047, Table: table},
				Weights: Noise(r, 7*12, 20), Bias: Noise(r, 7, 900)}
		}, Bytes(1, 12))},
		{Name: "dense identity with saturation above", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 7, Rescale: model.Rescale{Shift: 5, QMin: -2000, QMax: 2100, Table: Identity(-2000, 52)},
				Weights: Noise(r, 7*12, 20), Bias: Noise(r, 7, 900)}
		}, Bytes(1, 12))},
		{Name: "dense on positions", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 3, Rescale: Rescale(10), Weights: Noise(r, 3*4, 50), Bias: Noise(r, 3, 90)}
		}, Bytes(5, 7, 4))},
		{Name: "conv rounded twice by channel", Build: OneOp(func(r *rand.Rand) model.Op {
			c := Conv(r, Window(3, 1, 1, 1), 2, 5, 1, 3)
			c.Rescale.Roundings = []model.Rounding{model.HalfUp, model.HalfAway(3), model.HalfAway(3), model.HalfAway(1), model.HalfUp}
			c.Rescale.Table = SomeFunction(c.Rescale.QMin-1, c.Rescale.QMax)
			return c
		}, Bytes(1, 2, 6, 5))},
		{Name: "dense rounded twice with saturation", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 7, Rescale: model.Rescale{Shift: 3, QMin: -20 - 4095, QMax: 40 + 4095, Table: SomeFunction(-20, 40),
				Roundings: slices.Repeat([]model.Rounding{model.HalfAway(3)}, 7)}, Weights: Noise(r, 7*12, 20), Bias: Noise(r, 7, 900)}
		}, Bytes(1, 12))},
		{Name: "dense binary32", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 7, Rescale: Binary32Rescale(-130, 127, -130, 127), Weights: Noise(r, 7*12, 1<<19), Bias: Noise(r, 7, 1<<29)}
		}, Bytes(1, 12))},
		{Name: "dense binary32 with saturation", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 7, Rescale: Binary32Rescale(-100, 50, -100-1023, 50+1023), Weights: Noise(r, 7*12, 1<<22), Bias: Noise(r, 7, 1<<29)}
		}, Bytes(1, 12))},
		{Name: "affine by channel", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Affine{ParamShape: []int{4, 1, 1}, Zero: 5, Rescale: Rescale(10), Scale: Noise(r, 4, 90), Shift: Noise(r, 4, 300)}
		}, Bytes(1, 4, 3, 5))},
		{Name: "affine by element", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Affine{ParamShape: []int{6}, Rescale: Rescale(10), Scale: Noise(r, 6, 90), Shift: Noise(r, 6, 300)}
		}, Bytes(1, 6))},
		{Name: "affine scalar", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Affine{Rescale: IdentityRescale(10), Scale: Noise(r, 1, 90), Shift: Noise(r, 1, 300)}
		}, Bytes(1, 30))},
		{Name: "add broadcast", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Add{Zeros: []int64{0, 3}, Rescale: Rescale(11), Multipliers: []int64{100, -77}, Bias: []int64{41}}
		}, Bytes(1, 3, 4, 5), Bytes(3, 1, 1))},
		{Name: "mul", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Mul{Zeros: [2]int64{0, 1}, Rescale: Rescale(12), Multiplier: []int64{3}}
		}, Bytes(1, 3, 7), Signed(1, 3, 7))},
		{Name: "avgpool", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.AvgPool{Window: Window(3, 2, 1, 1), Rescale: Rescale(10), Zero: 2, Multipliers: []int64{32, 21, 14}}
		}, Bytes(1, 2, 5, 5))},
		{Name: "avgpool counting padding", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.AvgPool{Window: Window(2, 2, 1, 1), CountPad: true, Rescale: Rescale(10), Multipliers: []int64{32}}
		}, Bytes(1, 2, 4, 4))},
		{Name: "mean", Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Mean{Axes: []int{2, 3}, KeepDims: true, Rescale: IdentityRescale(10), Multiplier: []int64{8}}
		}, Bytes(1, 6, 4, 4))},
		{Name: "activation", Build: OneOp(func(*rand.Rand) model.Op {
			return &model.Activation{Table: model.Table{Min: -128, Values: SomeTable}}
		}, Signed(1, 40))},
		{Name: "maxpool", Build: OneOp(func(*rand.Rand) model.Op {
			return &model.MaxPool{Window: Window(3, 2, 1, 1)}
		}, Signed(1, 2, 5, 6))},
		{Name: "maxpool of wide values", Build: OneOp(func(*rand.Rand) model.Op {
			return &model.MaxPool{Window: Window(2, 2, 1, 0)}
		}, model.Tensor{Shape: []int{1, 2, 4, 4}, Min: -3000, Max: 3000, Type: model.Int16, Scale: 1})},
		{Name: "softmax", Build: OneOp(func(r *rand.Rand) model.Op {
			exp := model.Table{Min: -255}
			for d := range 256 {
				exp.Values = append(exp.Values, int64(1+d*d/2))
			}
			return &model.Softmax{Axis: 1, Exp: exp, Steps: 255}
		}, Signed(2, 5))},
		{Name: "fixed softmax", Build: OneOp(func(*rand.Rand) model.Op {
			return &model.FixedSoftmax{Exp: FixedExp(), Zero: -128}
		}, Signed(3, 5))},
		{Name: "fixed softmax of one", Build: OneOp(func(*rand.Rand) model.Op {
			return &model.FixedSoftmax{Exp: FixedExp()}
		}, Signed(2, 1))},
		{Name: "argmax", Build: OneOp(func(*rand.Rand) model.Op {
			return &model.ArgMax{Axis: 1}
		}, Signed(2, 6, 2))},
		{Name: "argmax last index", Build: OneOp(func(*rand.Rand) model.Op {
			return &model.ArgMax{Axis: 1, LastIndex: true}
		}, model.Tensor{Shape: []int{1, 9}, Min: 0, Max: 2, Type: model.Uint8, Scale: 1})},
		{Name: "private input and output", Private: true, Build: OneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 3, Rescale: Rescale(10), Weights: Noise(r, 3*4, 50), Bias: Noise(r, 3, 90)}
		}, Bytes(1, 4))},
		{Name: "folded input and output", Build: OneOp(func(*rand.Rand) model.Op {
			return &model.Activation{Table: model.Table{Values: SomeTable}}
		}, Bytes(50, 44))},
		{Name: "input range of 5000 values", Build: OneOp(func(*rand.Rand) model.Op {
			return &model.Reshape{Shape: []int{3, 2}}
		}, model.Tensor{Shape: []int{6}, Min: -1000, Max: 3999, Type: model.Int16, Scale: 1})},
		{Name: "network", Build: Network},
	}
	return append(cases, rearrangementCases()...)
}

func rearrangementCases() []Case {
	x := Bytes(1, 2, 3, 4)
	ops := map[string]model.Op{
		"concat":    &model.Concat{Axis: 1},
		"slice":     &model.Slice{Start: []int{0, 1, 2, 3}, Step: []int{1, 1, -1, -2}, Size: []int{1, 1, 3, 2}},
		"pad":       &model.Pad{Before: []int{0, 0, 1, 0}, After: []int{0, 0, 1, 2}, Mode: "constant", Value: 7},
		"gather":    &model.Gather{Axis: 3, Indices: []int{3, 3, 0}},
		"transpose": &model.Transpose{Perm: []int{0, 2, 3, 1}},
	}
	var out []Case
	for _, name := range []string{"concat", "slice", "pad", "gather", "transpose"} {
		inputs := []model.Tensor{x}
		if name == "concat" {
			inputs = append(inputs, Bytes(1, 3, 3, 4))
		}
		op := ops[name]
		out = append(out, Case{Name: name, Build: func(*rand.Rand) *model.Graph { return Graph(op, inputs...) }})
	}
	return out
}

// must is an id where it is certain that there is one.
func must(id model.TensorID, err error) model.TensorID {
	if err != nil {
		panic(err)
	}
	return id
}

// Adder has one layer: y = (x0 + x1, x0 − x1).
func Adder() *model.Graph {
	b := model.NewBuilder("adder")
	x := must(b.Input(model.Tensor{Name: "x", Shape: []int{1, 2}, Min: 0, Max: 100, Scale: 1}))
	rescale := model.Rescale{QMin: -256, QMax: 255, Table: model.ClampTable(-256, 255, -256, 255)}
	b.Output(must(b.Add("y", &model.Dense{OutN: 2, Weights: []int64{1, 1, 1, -1}, Bias: []int64{0, 0}, Rescale: rescale}, 1, 0, x)))
	g, err := b.Graph()
	if err != nil {
		panic(err)
	}
	return g
}

// Network strings several ops together, shares tables, and branches.
func Network(r *rand.Rand) *model.Graph {
	b := model.NewBuilder("network")
	x := must(b.Input(Bytes(1, 1, 8, 8)))
	c1 := must(b.Add("c1", Conv(r, Window(3, 1, 1, 1), 1, 3, 1, 0), 1, 0, x))
	c2 := must(b.Add("c2", Conv(r, Window(3, 1, 1, 1), 3, 3, 3, 0), 1, 0, c1))
	sum := must(b.Add("sum", &model.Add{Zeros: []int64{0, 0}, Rescale: Rescale(10), Multipliers: []int64{64, 64}, Bias: []int64{0}}, 1, 0, c1, c2))
	pool := must(b.Add("pool", &model.MaxPool{Window: Window(2, 2, 1, 0)}, 1, 0, sum))
	flat := must(b.Add("flat", &model.Reshape{Shape: []int{1, 48}}, 1, 0, pool))
	fc := must(b.Add("fc", &model.Dense{OutN: 4, Rescale: IdentityRescale(11), Weights: Noise(r, 4*48, 10), Bias: Noise(r, 4, 900)}, 1, 0, flat))
	top := must(b.Add("top", &model.ArgMax{Axis: 1}, 1, 0, fc))
	b.Output(fc, top)
	g, err := b.Graph()
	if err != nil {
		panic(err)
	}
	return g
}
