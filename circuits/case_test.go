package circuits

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"

	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
)

func TestMain(m *testing.M) {
	logger.Disable()
	m.Run()
}

// gadgetCase is a small graph around one op. Every test of this package runs all of them.
type gadgetCase struct {
	name  string
	opts  Options
	build func(r *rand.Rand) *model.Graph
}

func relu(lo, hi int64) model.Table {
	t := model.Table{Name: "relu", Min: lo}
	for q := lo; q <= hi; q++ {
		t.Values = append(t.Values, min(max(q, 0), 255))
	}
	return t
}

func identity(lo, hi int64) model.Table {
	t := model.Table{Name: "identity", Min: lo}
	for q := lo; q <= hi; q++ {
		t.Values = append(t.Values, q)
	}
	return t
}

// rescale is a shift of 7 bits with ReLU over q in [−2^(b−1), 2^(b−1)).
func rescale(b uint) model.Rescale {
	h := int64(1) << (b - 1)
	return model.Rescale{Shift: 7, QMin: -h, QMax: h - 1, Table: relu(-h, h-1)}
}

// someFunction is a function without any structure.
func someFunction(lo, hi int64) model.Table {
	return model.Table{Name: "some", Min: lo, Values: noise(rand.New(rand.NewPCG(13, 14)), int(hi-lo+1), 100)}
}

// binary32Rescale has a table over [lo, hi] and a plainly rounded third channel of seven.
func binary32Rescale(lo, hi, qMin, qMax int64) model.Rescale {
	roundings := slices.Repeat([]model.Rounding{model.Binary32}, 7)
	roundings[2] = model.HalfUp
	return model.Rescale{Shift: 25, QMin: qMin, QMax: qMax, Table: someFunction(lo, hi), Roundings: roundings}
}

func identityRescale(b uint) model.Rescale {
	r := rescale(b)
	r.Table = identity(r.QMin, r.QMax)
	return r
}

func noise(r *rand.Rand, n int, spread int64) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = r.Int64N(2*spread+1) - spread
	}
	return out
}

func bytesTensor(shape ...int) model.Tensor {
	return model.Tensor{Name: "x", Shape: shape, Min: 0, Max: 255, Type: model.Uint8, Scale: 1}
}

func signedTensor(shape ...int) model.Tensor {
	return model.Tensor{Name: "x", Shape: shape, Min: -128, Max: 127, Type: model.Int8, Scale: 1}
}

// someTable is a function of a byte without any structure. Tables are architecture: always the same.
var someTable = noise(rand.New(rand.NewPCG(11, 12)), 256, 100)

// graph builds a graph of one op over the given inputs.
func graph(op model.Op, inputs ...model.Tensor) *model.Graph {
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

func window(kernel, stride, dilation, pad int) model.Window {
	return model.Window{Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride}, Dilation: [2]int{dilation, dilation},
		PadBefore: [2]int{pad, pad}, PadAfter: [2]int{pad, pad}}
}

func conv(r *rand.Rand, w model.Window, in, out, groups int, zero int64) *model.Conv {
	n := out * in / groups * w.Kernel[0] * w.Kernel[1]
	return &model.Conv{Window: w, Groups: groups, OutC: out, Zero: zero, Rescale: rescale(10),
		Weights: noise(r, n, 5), Bias: noise(r, out, 500)}
}

func oneOp(op func(r *rand.Rand) model.Op, inputs ...model.Tensor) func(*rand.Rand) *model.Graph {
	return func(r *rand.Rand) *model.Graph { return graph(op(r), inputs...) }
}

// fixedExp is exp(d/16) for differences of bytes.
func fixedExp() model.Table {
	t := model.Table{Min: -255}
	for d := int32(-255); d <= 0; d++ {
		t.Values = append(t.Values, int64(fixedpoint.Exp(d<<22, 5)))
	}
	return t
}

func convCase(name string, w model.Window, in, out, groups int, h, wd int, zero int64) gadgetCase {
	return gadgetCase{name: name, build: oneOp(func(r *rand.Rand) model.Op {
		return conv(r, w, in, out, groups, zero)
	}, bytesTensor(1, in, h, wd))}
}

func gadgetCases() []gadgetCase {
	cases := []gadgetCase{
		convCase("conv 3x3 same", window(3, 1, 1, 1), 2, 5, 1, 6, 5, 3),
		convCase("conv 3x3 valid", window(3, 1, 1, 0), 2, 3, 1, 6, 5, 0),
		convCase("conv 3x3 stride 2", window(3, 2, 1, 1), 2, 3, 1, 9, 7, 3),
		convCase("conv 2x2 dilated", window(2, 1, 2, 1), 2, 3, 1, 6, 6, 0),
		convCase("conv whole image", window(4, 1, 1, 0), 2, 5, 1, 4, 4, 9),
		convCase("conv 3x3 on one pixel", window(3, 1, 1, 1), 3, 4, 1, 1, 1, 0),
		convCase("conv 1x1", window(1, 1, 1, 0), 3, 5, 1, 5, 3, 3),
		convCase("conv 1x1 stride 2", window(1, 2, 1, 0), 3, 5, 1, 5, 4, 0),
		convCase("conv groups", window(3, 1, 1, 1), 4, 6, 2, 4, 4, 0),
		convCase("depthwise", window(3, 1, 1, 1), 5, 5, 5, 6, 4, 7),
		convCase("depthwise multiplier 2", window(3, 2, 1, 1), 3, 6, 3, 7, 5, 0),
		{name: "dense", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 7, Zero: 2, Rescale: rescale(10), Weights: noise(r, 7*12, 20), Bias: noise(r, 7, 900)}
		}, bytesTensor(1, 12))},
		{name: "dense identity, rows folded", opts: Options{FoldRows: 2}, build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 65, Rescale: identityRescale(12), Weights: noise(r, 65*6, 90), Bias: noise(r, 65, 900)}
		}, signedTensor(1, 6))},
		{name: "dense with saturation", build: oneOp(func(r *rand.Rand) model.Op {
			table := relu(-20, 40)
			return &model.Dense{OutN: 7, Rescale: model.Rescale{Shift: 5, QMin: -20 - 1023, QMax: 40 + 2047, Table: table},
				Weights: noise(r, 7*12, 20), Bias: noise(r, 7, 900)}
		}, bytesTensor(1, 12))},
		{name: "dense identity with saturation above", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 7, Rescale: model.Rescale{Shift: 5, QMin: -2000, QMax: 2100, Table: identity(-2000, 52)},
				Weights: noise(r, 7*12, 20), Bias: noise(r, 7, 900)}
		}, bytesTensor(1, 12))},
		{name: "dense on positions", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 3, Rescale: rescale(10), Weights: noise(r, 3*4, 50), Bias: noise(r, 3, 90)}
		}, bytesTensor(5, 7, 4))},
		{name: "conv rounded twice by channel", build: oneOp(func(r *rand.Rand) model.Op {
			c := conv(r, window(3, 1, 1, 1), 2, 5, 1, 3)
			c.Rescale.Roundings = []model.Rounding{model.HalfUp, model.HalfAway(3), model.HalfAway(3), model.HalfAway(1), model.HalfUp}
			c.Rescale.Table = someFunction(c.Rescale.QMin-1, c.Rescale.QMax)
			return c
		}, bytesTensor(1, 2, 6, 5))},
		{name: "dense rounded twice with saturation", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 7, Rescale: model.Rescale{Shift: 3, QMin: -20 - 4095, QMax: 40 + 4095, Table: someFunction(-20, 40),
				Roundings: slices.Repeat([]model.Rounding{model.HalfAway(3)}, 7)}, Weights: noise(r, 7*12, 20), Bias: noise(r, 7, 900)}
		}, bytesTensor(1, 12))},
		{name: "dense binary32", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 7, Rescale: binary32Rescale(-130, 127, -130, 127), Weights: noise(r, 7*12, 1<<19), Bias: noise(r, 7, 1<<29)}
		}, bytesTensor(1, 12))},
		{name: "dense binary32 with saturation", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 7, Rescale: binary32Rescale(-100, 50, -100-1023, 50+1023), Weights: noise(r, 7*12, 1<<22), Bias: noise(r, 7, 1<<29)}
		}, bytesTensor(1, 12))},
		{name: "affine by channel", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Affine{ParamShape: []int{4, 1, 1}, Zero: 5, Rescale: rescale(10), Scale: noise(r, 4, 90), Shift: noise(r, 4, 300)}
		}, bytesTensor(1, 4, 3, 5))},
		{name: "affine by element", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Affine{ParamShape: []int{6}, Rescale: rescale(10), Scale: noise(r, 6, 90), Shift: noise(r, 6, 300)}
		}, bytesTensor(1, 6))},
		{name: "affine scalar", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Affine{Rescale: identityRescale(10), Scale: noise(r, 1, 90), Shift: noise(r, 1, 300)}
		}, bytesTensor(1, 30))},
		{name: "add broadcast", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Add{Zeros: []int64{0, 3}, Rescale: rescale(11), Multipliers: []int64{100, -77}, Bias: []int64{41}}
		}, bytesTensor(1, 3, 4, 5), bytesTensor(3, 1, 1))},
		{name: "mul", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Mul{Zeros: [2]int64{0, 1}, Rescale: rescale(12), Multiplier: []int64{3}}
		}, bytesTensor(1, 3, 7), signedTensor(1, 3, 7))},
		{name: "avgpool", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.AvgPool{Window: window(3, 2, 1, 1), Rescale: rescale(10), Zero: 2, Multipliers: []int64{32, 21, 14}}
		}, bytesTensor(1, 2, 5, 5))},
		{name: "avgpool counting padding", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.AvgPool{Window: window(2, 2, 1, 1), CountPad: true, Rescale: rescale(10), Multipliers: []int64{32}}
		}, bytesTensor(1, 2, 4, 4))},
		{name: "mean", build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Mean{Axes: []int{2, 3}, KeepDims: true, Rescale: identityRescale(10), Multiplier: []int64{8}}
		}, bytesTensor(1, 6, 4, 4))},
		{name: "activation", build: oneOp(func(*rand.Rand) model.Op {
			return &model.Activation{Table: model.Table{Min: -128, Values: someTable}}
		}, signedTensor(1, 40))},
		{name: "maxpool", build: oneOp(func(*rand.Rand) model.Op {
			return &model.MaxPool{Window: window(3, 2, 1, 1)}
		}, signedTensor(1, 2, 5, 6))},
		{name: "maxpool of wide values", build: oneOp(func(*rand.Rand) model.Op {
			return &model.MaxPool{Window: window(2, 2, 1, 0)}
		}, model.Tensor{Shape: []int{1, 2, 4, 4}, Min: -3000, Max: 3000, Type: model.Int16, Scale: 1})},
		{name: "softmax", build: oneOp(func(r *rand.Rand) model.Op {
			exp := model.Table{Min: -255}
			for d := range 256 {
				exp.Values = append(exp.Values, int64(1+d*d/2))
			}
			return &model.Softmax{Axis: 1, Exp: exp, Steps: 255}
		}, signedTensor(2, 5))},
		{name: "fixed softmax", build: oneOp(func(*rand.Rand) model.Op {
			return &model.FixedSoftmax{Exp: fixedExp(), Zero: -128}
		}, signedTensor(3, 5))},
		{name: "fixed softmax of one", build: oneOp(func(*rand.Rand) model.Op {
			return &model.FixedSoftmax{Exp: fixedExp()}
		}, signedTensor(2, 1))},
		{name: "argmax", build: oneOp(func(*rand.Rand) model.Op {
			return &model.ArgMax{Axis: 1}
		}, signedTensor(2, 6, 2))},
		{name: "argmax last index", build: oneOp(func(*rand.Rand) model.Op {
			return &model.ArgMax{Axis: 1, LastIndex: true}
		}, model.Tensor{Shape: []int{1, 9}, Min: 0, Max: 2, Type: model.Uint8, Scale: 1})},
		{name: "private input and output", opts: Options{PrivateInput: true, PrivateOutput: true}, build: oneOp(func(r *rand.Rand) model.Op {
			return &model.Dense{OutN: 3, Rescale: rescale(10), Weights: noise(r, 3*4, 50), Bias: noise(r, 3, 90)}
		}, bytesTensor(1, 4))},
		{name: "folded input and output", build: oneOp(func(*rand.Rand) model.Op {
			return &model.Activation{Table: model.Table{Values: someTable}}
		}, bytesTensor(50, 44))},
		{name: "input range of 5000 values", build: oneOp(func(*rand.Rand) model.Op {
			return &model.Reshape{Shape: []int{3, 2}}
		}, model.Tensor{Shape: []int{6}, Min: -1000, Max: 3999, Type: model.Int16, Scale: 1})},
		{name: "network", build: network},
	}
	return append(cases, rearrangementCases()...)
}

func rearrangementCases() []gadgetCase {
	x := bytesTensor(1, 2, 3, 4)
	ops := map[string]model.Op{
		"concat":    &model.Concat{Axis: 1},
		"slice":     &model.Slice{Start: []int{0, 1, 2, 3}, Step: []int{1, 1, -1, -2}, Size: []int{1, 1, 3, 2}},
		"pad":       &model.Pad{Before: []int{0, 0, 1, 0}, After: []int{0, 0, 1, 2}, Mode: "constant", Value: 7},
		"gather":    &model.Gather{Axis: 3, Indices: []int{3, 3, 0}},
		"transpose": &model.Transpose{Perm: []int{0, 2, 3, 1}},
	}
	var out []gadgetCase
	for _, name := range []string{"concat", "slice", "pad", "gather", "transpose"} {
		inputs := []model.Tensor{x}
		if name == "concat" {
			inputs = append(inputs, bytesTensor(1, 3, 3, 4))
		}
		op := ops[name]
		out = append(out, gadgetCase{name: name, build: func(*rand.Rand) *model.Graph { return graph(op, inputs...) }})
	}
	return out
}

// network strings several ops together, shares tables, and branches.
func network(r *rand.Rand) *model.Graph {
	b := model.NewBuilder("network")
	must := func(id model.TensorID, err error) model.TensorID {
		if err != nil {
			panic(err)
		}
		return id
	}
	x := must(b.Input(bytesTensor(1, 1, 8, 8)))
	c1 := must(b.Add("c1", conv(r, window(3, 1, 1, 1), 1, 3, 1, 0), 1, 0, x))
	c2 := must(b.Add("c2", conv(r, window(3, 1, 1, 1), 3, 3, 3, 0), 1, 0, c1))
	sum := must(b.Add("sum", &model.Add{Zeros: []int64{0, 0}, Rescale: rescale(10), Multipliers: []int64{64, 64}, Bias: []int64{0}}, 1, 0, c1, c2))
	pool := must(b.Add("pool", &model.MaxPool{Window: window(2, 2, 1, 0)}, 1, 0, sum))
	flat := must(b.Add("flat", &model.Reshape{Shape: []int{1, 48}}, 1, 0, pool))
	fc := must(b.Add("fc", &model.Dense{OutN: 4, Rescale: identityRescale(11), Weights: noise(r, 4*48, 10), Bias: noise(r, 4, 900)}, 1, 0, flat))
	top := must(b.Add("top", &model.ArgMax{Axis: 1}, 1, 0, fc))
	b.Output(fc, top)
	g, err := b.Graph()
	if err != nil {
		panic(err)
	}
	return g
}

// compiled is a case ready to be solved.
type compiled struct {
	graph   *model.Graph
	plan    *Plan
	system  *cs.R1CS
	circuit *Circuit
	params  *Parameters
}

func compile(t testing.TB, c gadgetCase) *compiled {
	t.Helper()
	return compileGraph(t, c.build(rand.New(rand.NewPCG(1, 2))), c.opts)
}

func compileGraph(t testing.TB, g *model.Graph, o Options) *compiled {
	t.Helper()
	p, err := NewPlan(g, o)
	if err != nil {
		t.Fatal(err)
	}
	return compilePlan(t, p)
}

func compilePlan(t testing.TB, p *Plan) *compiled {
	t.Helper()
	g := p.graph
	circuit := p.NewCircuit()
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, circuit, CompileOption())
	if err != nil {
		t.Fatal(err)
	}
	params, err := p.Parameters(g)
	if err != nil {
		t.Fatal(err)
	}
	return &compiled{g, p, system.(*cs.R1CS), circuit, params}
}

// execute runs the graph on a random input, extremes included.
func (c *compiled) execute(t testing.TB, r *rand.Rand) *model.Trace {
	t.Helper()
	var inputs [][]int64
	for _, id := range c.graph.Inputs {
		x := make([]int64, c.graph.Tensors[id].Len())
		lo, hi := c.graph.Tensors[id].Min, c.graph.Tensors[id].Max
		for i := range x {
			switch r.IntN(5) {
			case 0:
				x[i] = lo
			case 1:
				x[i] = hi
			default:
				x[i] = lo + r.Int64N(hi-lo+1)
			}
		}
		inputs = append(inputs, x)
	}
	trace, err := c.graph.Execute(context.Background(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}
