package quantize

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// builder makes float graphs for tests.
type builder struct {
	g float.Graph
	r *rand.Rand
}

func newBuilder(seed uint64) *builder {
	return &builder{g: float.Graph{Name: "test"}, r: rand.New(rand.NewPCG(seed, 1))}
}

func (b *builder) tensor(name string, constant []float32, shape ...int) int {
	b.g.Tensors = append(b.g.Tensors, float.Tensor{Name: name, Shape: shape, Const: constant})
	return len(b.g.Tensors) - 1
}

func (b *builder) input(shape ...int) int {
	id := b.tensor("x", nil, shape...)
	b.g.Inputs = append(b.g.Inputs, id)
	return id
}

func (b *builder) normal(scale float64, shape ...int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(b.r.NormFloat64() * scale)
	}
	return b.tensor("constant", v, shape...)
}

func (b *builder) node(name string, op float.Op, in []int, shape ...int) int {
	out := b.tensor(name, nil, shape...)
	b.g.Nodes = append(b.g.Nodes, float.Node{Name: name, Op: op, In: in, Out: out})
	return out
}

func (b *builder) finish(outputs ...int) *float.Graph {
	b.g.Outputs = outputs
	return &b.g
}

func window(k, s, p int) float.Window {
	return float.Window{Kernel: [2]int{k, k}, Stride: [2]int{s, s}, Dilation: [2]int{1, 1}, PadBefore: [2]int{p, p}, PadAfter: [2]int{p, p}}
}

// convNet is a small classifier; drift moves its weights a little, as further training would.
func convNet(drift float64) *float.Graph {
	b := newBuilder(7)
	x := b.input(1, 1, 12, 12)
	w1, w2 := b.normal(0.3, 6, 1, 3, 3), b.normal(0.2, 8, 6, 3, 3)
	w3 := b.normal(0.1, 288, 10)
	r := rand.New(rand.NewPCG(99, 1))
	for _, id := range []int{w1, w2, w3} {
		for i := range b.g.Tensors[id].Const {
			b.g.Tensors[id].Const[i] *= float32(1 + drift*r.NormFloat64())
		}
	}
	c1 := b.node("conv1", float.Conv{Window: window(3, 1, 1), Groups: 1}, []int{x, w1}, 1, 6, 12, 12)
	r1 := b.node("relu1", float.Unary{Func: "relu"}, []int{c1}, 1, 6, 12, 12)
	p1 := b.node("pool1", float.MaxPool{Window: window(2, 2, 0)}, []int{r1}, 1, 6, 6, 6)
	c2 := b.node("conv2", float.Conv{Window: window(3, 1, 1), Groups: 1}, []int{p1, w2}, 1, 8, 6, 6)
	r2 := b.node("relu2", float.Unary{Func: "relu"}, []int{c2}, 1, 8, 6, 6)
	f := b.node("flat", float.Reshape{}, []int{r2}, 1, 288)
	y := b.node("logits", float.Dense{}, []int{f, w3}, 1, 10)
	return b.finish(y)
}

func randomSamples(g *float.Graph, n int, lo, hi float64) [][][]float32 {
	r := rand.New(rand.NewPCG(5, 5))
	out := make([][][]float32, n)
	for s := range out {
		for _, id := range g.Inputs {
			v := make([]float32, g.Tensors[id].Len())
			for i := range v {
				v[i] = float32(lo + (hi-lo)*r.Float64())
			}
			out[s] = append(out[s], v)
		}
	}
	return out
}

func mustQuantize(t *testing.T, g *float.Graph, o Options) *model.Graph {
	t.Helper()
	ig, err := Quantize(context.Background(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	return ig
}

// The integer network stays close to the float one: the mean error of logits below one percent of
// their range.
func TestConvNet(t *testing.T) {
	g := convNet(0)
	s := randomSamples(g, 60, 0, 1)
	ig := mustQuantize(t, g, Options{Calibration: s})
	a, err := Measure(context.Background(), g, ig, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := ig.Tensors[ig.Outputs[0]]
	spread := out.Scale * (1 << (outputBits - 1))
	t.Logf("%+v, logits to ±%.3g", a, spread)
	if a.MeanError > 0.01*spread || a.ArgmaxAgreement < 0.9 {
		t.Errorf("mean error %.3g of ±%.3g, agreement %.2f", a.MeanError, spread, a.ArgmaxAgreement)
	}
}

// Further training stays within the architecture, so the keys stay; Like makes sure of it.
func TestRetrainedNetworkKeepsItsArchitecture(t *testing.T) {
	g := convNet(0)
	s := randomSamples(g, 20, 0, 1)
	first := mustQuantize(t, g, Options{Calibration: s})
	for _, drift := range []float64{0.01, 0.03, 0.05} {
		again, err := Quantize(context.Background(), convNet(drift), Options{Calibration: s, Like: first})
		if err != nil {
			t.Fatalf("drift %v: %v", drift, err)
		}
		if again.ParameterDigest() == first.ParameterDigest() {
			t.Errorf("drift %v left the parameters as they were", drift)
		}
	}
	b := newBuilder(1)
	x := b.input(1, 4)
	other := b.finish(b.node("logits", float.Dense{}, []int{x, b.normal(1, 4, 2)}, 1, 2))
	_, err := Quantize(context.Background(), other, Options{Calibration: randomSamples(other, 3, 0, 1), Like: first})
	if !errors.Is(err, ErrArchitecture) {
		t.Errorf("another network: %v, expected ErrArchitecture", err)
	}
}

// Every op that has an integer form, on random data: every tensor stays within its error bound, and
// the bound of the result is itself a small part of what was seen of it.
func TestEveryOp(t *testing.T) {
	for name, c := range opCases() {
		t.Run(name, func(t *testing.T) {
			g := c.build(newBuilder(3))
			s := randomSamples(g, 40, c.lo, c.hi)
			e, err := quantize(context.Background(), g, Options{Calibration: s})
			if err != nil {
				t.Fatal(err)
			}
			greatest := e.seen[e.g.Outputs[0]].magnitude()
			for _, x := range s {
				bounds, err := check(e, x)
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range bounds[0] {
					if b > c.most*greatest {
						t.Fatalf("error of up to %.3g, more than %v of ±%.3g", b, c.most, greatest)
					}
				}
			}
		})
	}
}

type opCase struct {
	lo, hi float64
	build  func(b *builder) *float.Graph
	most   float64 // largest bound, as a part of the greatest result
}

func dense(b *builder, x, k, n int, size float64) int {
	return b.node("d", float.Dense{}, []int{x, b.normal(size, k, n), b.normal(size, n)}, 1, n)
}

// function is a dense layer and a function of it.
func function(u float.Unary) func(b *builder) *float.Graph {
	return func(b *builder) *float.Graph {
		return b.finish(b.node("f", u, []int{dense(b, b.input(1, 20), 20, 6, 0.5)}, 1, 6))
	}
}

// alone is a function of an input.
func alone(u float.Unary) func(b *builder) *float.Graph {
	return func(b *builder) *float.Graph { return b.finish(b.node("f", u, []int{b.input(1, 50)}, 1, 50)) }
}

func opCases() map[string]opCase {
	return map[string]opCase{
		"sigmoid fused":     {-1, 1, function(float.Unary{Func: "sigmoid"}), 0.03},
		"tanh fused":        {-1, 1, function(float.Unary{Func: "tanh"}), 0.06},
		"silu fused":        {-1, 1, function(float.Unary{Func: "silu"}), 0.03},
		"gelu fused":        {-1, 1, function(float.Unary{Func: "gelu"}), 0.03},
		"hardswish fused":   {-1, 1, function(float.Unary{Func: "hardswish"}), 0.03},
		"elu fused":         {-1, 1, function(float.Unary{Func: "elu", Alpha: 1}), 0.03},
		"leakyrelu fused":   {-1, 1, function(float.Unary{Func: "leakyrelu", Alpha: 0.1}), 0.02},
		"softplus fused":    {-1, 1, function(float.Unary{Func: "softplus"}), 0.03},
		"exp fused":         {-0.2, 0.2, function(float.Unary{Func: "exp"}), 0.05},
		"hardsigmoid fused": {-1, 1, function(float.Unary{Func: "hardsigmoid", Alpha: 0.2, Beta: 0.5}), 0.02},
		"relu fused":        {-1, 1, function(float.Unary{Func: "relu"}), 0.03},
		"relu6 fused":       {-5, 5, function(float.Unary{Func: "clip", Alpha: 0, Beta: 6}), 0.1},
		"clip without end":  {-1, 1, function(float.Unary{Func: "clip", Alpha: -3e38, Beta: 3e38}), 0.03},
		"tanh alone":        {-2, 2, alone(float.Unary{Func: "tanh"}), 0.02},
		"relu alone":        {-2, 2, alone(float.Unary{Func: "relu"}), 0.02},
		"exp alone":         {-2, 2, alone(float.Unary{Func: "exp"}), 0.02},
		"add": {-1, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.Binary{Func: "add"}, []int{b.input(1, 3, 4), b.input(1, 3, 4)}, 1, 3, 4))
		}, 0.01},
		"sub broadcast": {-1, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.Binary{Func: "sub"}, []int{b.input(1, 3, 4), b.input(4)}, 1, 3, 4))
		}, 0.01},
		"mul": {-1, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.Binary{Func: "mul"}, []int{b.input(1, 3, 4), b.input(1, 3, 4)}, 1, 3, 4))
		}, 0.02},
		"affine": {-1, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.Affine{}, []int{b.input(1, 3, 4, 4), b.normal(1, 3, 1, 1), b.normal(1, 3, 1, 1)}, 1, 3, 4, 4))
		}, 0.01},
		"avgpool": {0, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.AvgPool{Window: window(3, 2, 1)}, []int{b.input(1, 2, 7, 7)}, 1, 2, 4, 4))
		}, 0.01},
		"avgpool counting padding": {0, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.AvgPool{Window: window(3, 2, 1), CountPad: true}, []int{b.input(1, 2, 7, 7)}, 1, 2, 4, 4))
		}, 0.01},
		"mean": {-1, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("m", float.Mean{Axes: []int{2, 3}}, []int{b.input(1, 5, 8, 8)}, 1, 5))
		}, 0.05},
		"depthwise": {0, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("c", float.Conv{Window: window(3, 1, 1), Groups: 4}, []int{b.input(1, 4, 6, 6), b.normal(1, 4, 1, 3, 3)}, 1, 4, 6, 6))
		}, 0.02},
		"concat of two scales": {-1, 1, func(b *builder) *float.Graph {
			x := b.input(1, 10)
			return b.finish(b.node("c", float.Concat{Axis: 1}, []int{dense(b, x, 10, 4, 2), dense(b, x, 10, 4, 0.1)}, 1, 8))
		}, 0.02},
		"padding below zero": {0, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("p", float.Pad{Before: []int{0, 1}, After: []int{0, 1}, Mode: "constant", Value: -0.75}, []int{b.input(1, 6)}, 1, 8))
		}, 0.01},
		"softmax": {-3, 3, func(b *builder) *float.Graph {
			return b.finish(b.node("s", float.Softmax{Axis: 1}, []int{dense(b, b.input(1, 8), 8, 5, 0.7)}, 1, 5))
		}, 0.3},
		"probabilities beside large values": {-3, 3, func(b *builder) *float.Graph {
			d := dense(b, b.input(1, 8), 8, 5, 0.7)
			s := b.node("s", float.Softmax{Axis: 1}, []int{d}, 1, 5)
			r := b.node("r", float.Unary{Func: "exp"}, []int{d}, 1, 5)
			return b.finish(b.node("c", float.Concat{Axis: 1}, []int{s, r}, 1, 10))
		}, 0.2},
		"an index reshaped": {-3, 3, func(b *builder) *float.Graph {
			a := b.node("i", float.ArgMax{Axis: 1}, []int{b.input(1, 8)}, 1, 1)
			return b.finish(b.node("r", float.Reshape{}, []int{a}, 1))
		}, 0},
		"clamps behind a pool": {-1, 1, func(b *builder) *float.Graph {
			c := b.node("c", float.Conv{Window: window(3, 1, 1), Groups: 1}, []int{b.input(1, 2, 6, 6), b.normal(1, 3, 2, 3, 3)}, 1, 3, 6, 6)
			p := b.node("p", float.MaxPool{Window: window(2, 2, 0)}, []int{c}, 1, 3, 3, 3)
			f := b.node("f", float.Reshape{}, []int{p}, 1, 27)
			return b.finish(b.node("r", float.Unary{Func: "relu"}, []int{f}, 1, 27))
		}, 0.02},
	}
}

// Every input of the input range runs, extremes included: no quotient leaves its declared range.
func TestEveryInputFits(t *testing.T) {
	g := convNet(0)
	ig := mustQuantize(t, g, Options{Calibration: randomSamples(g, 10, 0, 0.1)}) // calibrated on small values
	in := ig.Tensors[ig.Inputs[0]]
	r := rand.New(rand.NewPCG(1, 9))
	for range 50 {
		x := make([]int64, in.Len())
		for i := range x {
			x[i] = []int64{in.Min, in.Max}[r.IntN(2)]
		}
		if _, err := ig.Execute(context.Background(), [][]int64{x}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestErrors(t *testing.T) {
	g := convNet(0)
	if _, err := Quantize(context.Background(), g, Options{}); !errors.Is(err, ErrCalibration) || !strings.Contains(err.Error(), "--calibrate") {
		t.Errorf("no samples: %v", err)
	}
	for name, r := range map[string][2]float64{"y": {0, 1}, "x": {1, 0}} {
		if _, err := Quantize(context.Background(), g, Options{InputRange: map[string][2]float64{name: r}}); !errors.Is(err, ErrCalibration) {
			t.Errorf("range %v of input %q: %v", r, name, err)
		}
	}
	nan := randomSamples(g, 1, 0, 1)
	nan[0][0][3] = float32(math.NaN())
	if _, err := Quantize(context.Background(), g, Options{Calibration: nan}); !errors.Is(err, ErrCalibration) {
		t.Errorf("a sample that is not a number: %v", err)
	}
	if _, err := Quantize(context.Background(), g, Options{Calibration: [][][]float32{{{1, 2}}}}); !errors.Is(err, ErrCalibration) {
		t.Errorf("samples of another shape: %v", err)
	}
	b := newBuilder(1)
	x := b.input(1, 4)
	div := b.finish(b.node("d", float.Binary{Func: "div"}, []int{x, x}, 1, 4))
	if _, err := Quantize(context.Background(), div, Options{Calibration: randomSamples(div, 2, 1, 2)}); !errors.Is(err, ErrUnsupportedOp) {
		t.Errorf("division: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Quantize(ctx, g, Options{Calibration: randomSamples(g, 2, 0, 1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Without samples, stated ranges of the inputs serve, the same way on every run; stated ranges override
// what samples show.
func TestInputRange(t *testing.T) {
	g := convNet(0)
	ranges := map[string][2]float64{"x": {0, 1}}
	drawn := mustQuantize(t, g, Options{InputRange: ranges})
	again := mustQuantize(t, g, Options{InputRange: ranges})
	if drawn.ArchitectureDigest() != again.ArchitectureDigest() || drawn.ParameterDigest() != again.ParameterDigest() {
		t.Error("two runs give two graphs")
	}
	if in := drawn.Tensors[drawn.Inputs[0]]; in.Min != 0 || in.Max != 255 || in.Scale != 1.0/255 {
		t.Errorf("input is [%d, %d] in steps of %v, expected bytes in steps of 1/255", in.Min, in.Max, in.Scale)
	}
	wide := mustQuantize(t, g, Options{Calibration: randomSamples(g, 5, 0, 1), InputRange: map[string][2]float64{"x": {-4, 4}}})
	if in := wide.Tensors[wide.Inputs[0]]; in.Min != -128 || in.Max != 127 || in.Scale != 4.0/127 {
		t.Errorf("input is [%d, %d] in steps of %v, expected ±4 in signed bytes", in.Min, in.Max, in.Scale)
	}
}

// Pixels are quantized exactly, on their own grid; what only claims to be pixels is not.
func TestPixelGrid(t *testing.T) {
	g := convNet(0)
	pixels := randomSamples(g, 5, 0, 100)
	for _, s := range pixels {
		for i, v := range s[0] {
			s[0][i] = float32(math.Floor(float64(v))) / 255
		}
	}
	for name, c := range map[string]struct {
		samples [][][]float32
		o       Options
		exact   bool
	}{
		"pixels":             {pixels, Options{PixelScale: []float64{1.0 / 255}}, true},
		"12-bit activations": {pixels, Options{PixelScale: []float64{1.0 / 255}, ActivationBits: 12}, true},
		"with a mean":        {pixels, Options{PixelScale: []float64{1.0 / 255}, PixelMean: []float64{0.5}}, false},
		"two scales":         {pixels, Options{PixelScale: []float64{1.0 / 255, 1}}, false},
		"other values":       {randomSamples(g, 5, 0, 0.4), Options{PixelScale: []float64{1.0 / 255}}, false},
	} {
		c.o.Calibration = c.samples
		ig := mustQuantize(t, g, c.o)
		in := ig.Tensors[ig.Inputs[0]]
		if exact := in.Scale == 1.0/255 && in.Max == 255; exact != c.exact {
			t.Errorf("%s: steps of %v up to %d; on the grid is %t, expected %t", name, in.Scale, in.Max, exact, c.exact)
		}
	}
}

// A function behind a pooling goes into the layer before it, and the float graph stays as it was.
func TestHoist(t *testing.T) {
	c := opCases()["clamps behind a pool"]
	g := c.build(newBuilder(3))
	before := g.Nodes[1]
	ig := mustQuantize(t, g, Options{Calibration: randomSamples(g, 5, c.lo, c.hi)})
	for _, n := range ig.Nodes {
		if n.Op.Kind() == "activation" {
			t.Errorf("node %q is a table of its own", n.Name)
		}
	}
	if g.Nodes[1].In[0] != before.In[0] || g.Nodes[1].Out != before.Out || len(g.Tensors[before.Out].Shape) != 4 || g.Tensors[before.Out].Shape[2] != 3 {
		t.Error("the float graph was changed")
	}
	if err := g.Validate(); err != nil {
		t.Error(err)
	}
}

func TestProgress(t *testing.T) {
	g := convNet(0)
	last := 0
	mustQuantize(t, g, Options{Calibration: randomSamples(g, 9, 0, 1), Progress: func(done, total int) {
		if done != last+1 || total != 9 {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	}})
	if last != 9 {
		t.Errorf("progress ended at %d of 9", last)
	}
}

// A network that ends in argmax names classes by its value.
func TestMeasureArgMax(t *testing.T) {
	b := newBuilder(3)
	d := dense(b, b.input(1, 8), 8, 5, 1)
	g := b.finish(b.node("a", float.ArgMax{Axis: 1}, []int{d}, 1, 1))
	s := randomSamples(g, 40, -1, 1)
	labels := make([]int, len(s))
	for i := range s {
		y, err := g.Run(s[i])
		if err != nil {
			t.Fatal(err)
		}
		labels[i] = int(y[0][0])
	}
	a, err := Measure(context.Background(), g, mustQuantize(t, g, Options{Calibration: s}), s, labels)
	if err != nil || a.FloatCorrect != 40 || a.IntegerCorrect < 36 || float64(a.IntegerCorrect)/40 != a.ArgmaxAgreement {
		t.Errorf("%+v, %v", a, err)
	}
}

// An output that no input reaches, and indices put together with other values, are refused.
func TestMeaninglessGraphs(t *testing.T) {
	b := newBuilder(3)
	g := b.finish(b.node("c", float.Unary{Func: "clip", Alpha: 2, Beta: 2}, []int{b.input(1, 4)}, 1, 4))
	if _, err := Quantize(context.Background(), g, Options{Calibration: randomSamples(g, 3, 0, 1)}); !errors.Is(err, model.ErrConstantModel) {
		t.Errorf("a constant model: %v", err)
	}
	b = newBuilder(3)
	x := b.input(1, 4)
	g = b.finish(b.node("c", float.Concat{Axis: 1}, []int{x, b.node("i", float.ArgMax{Axis: 1}, []int{x}, 1, 1)}, 1, 5))
	if _, err := Quantize(context.Background(), g, Options{Calibration: randomSamples(g, 3, 0, 1)}); !errors.Is(err, ErrUnsupportedOp) {
		t.Errorf("indices beside values: %v", err)
	}
}
