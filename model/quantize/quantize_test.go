package quantize

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
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

// Every op that has an integer form, on random data: the error stays within what steps of inputs and
// outputs explain.
func TestEveryOp(t *testing.T) {
	cases := map[string]struct {
		lo, hi float64
		build  func(b *builder) *float.Graph
		steps  float64 // error allowed, in steps of the output
	}{
		"sigmoid fused": {-1, 1, func(b *builder) *float.Graph {
			d := b.node("d", float.Dense{}, []int{b.input(1, 20), b.normal(0.5, 20, 6), b.normal(1, 6)}, 1, 6)
			return b.finish(b.node("f", float.Unary{Func: "sigmoid"}, []int{d}, 1, 6))
		}, 3},
		"silu fused": {-1, 1, func(b *builder) *float.Graph {
			d := b.node("d", float.Dense{}, []int{b.input(1, 20), b.normal(0.5, 20, 6)}, 1, 6)
			return b.finish(b.node("f", float.Unary{Func: "silu"}, []int{d}, 1, 6))
		}, 4},
		"relu6": {-1, 1, func(b *builder) *float.Graph {
			d := b.node("d", float.Dense{}, []int{b.input(1, 20), b.normal(2, 20, 6)}, 1, 6)
			return b.finish(b.node("f", float.Unary{Func: "clip", Alpha: 0, Beta: 6}, []int{d}, 1, 6))
		}, 4},
		"tanh alone": {-2, 2, func(b *builder) *float.Graph {
			return b.finish(b.node("f", float.Unary{Func: "tanh"}, []int{b.input(1, 50)}, 1, 50))
		}, 1.6},
		"add": {-1, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.Binary{Func: "add"}, []int{b.input(1, 3, 4), b.input(1, 3, 4)}, 1, 3, 4))
		}, 18},
		"sub broadcast": {-1, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.Binary{Func: "sub"}, []int{b.input(1, 3, 4), b.input(4)}, 1, 3, 4))
		}, 18},
		"mul": {-1, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.Binary{Func: "mul"}, []int{b.input(1, 3, 4), b.input(1, 3, 4)}, 1, 3, 4))
		}, 20},
		"affine": {-1, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.Affine{}, []int{b.input(1, 3, 4, 4), b.normal(1, 3, 1, 1), b.normal(1, 3, 1, 1)}, 1, 3, 4, 4))
		}, 16},
		"avgpool": {0, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("a", float.AvgPool{Window: window(3, 2, 1)}, []int{b.input(1, 2, 7, 7)}, 1, 2, 4, 4))
		}, 8},
		"mean": {-1, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("m", float.Mean{Axes: []int{2, 3}}, []int{b.input(1, 5, 8, 8)}, 1, 5))
		}, 40},
		"depthwise": {0, 1, func(b *builder) *float.Graph {
			return b.finish(b.node("c", float.Conv{Window: window(3, 1, 1), Groups: 4}, []int{b.input(1, 4, 6, 6), b.normal(1, 4, 1, 3, 3)}, 1, 4, 6, 6))
		}, 12},
		"concat of two scales": {-1, 1, func(b *builder) *float.Graph {
			x := b.input(1, 10)
			d := b.node("d", float.Dense{}, []int{x, b.normal(2, 10, 4)}, 1, 4)
			e := b.node("e", float.Dense{}, []int{x, b.normal(0.1, 10, 4)}, 1, 4)
			return b.finish(b.node("c", float.Concat{Axis: 1}, []int{d, e}, 1, 8))
		}, 20},
		"softmax": {-3, 3, func(b *builder) *float.Graph {
			d := b.node("d", float.Dense{}, []int{b.input(1, 8), b.normal(0.7, 8, 5)}, 1, 5)
			return b.finish(b.node("s", float.Softmax{Axis: 1}, []int{d}, 1, 5))
		}, 6},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g := c.build(newBuilder(3))
			s := randomSamples(g, 40, c.lo, c.hi)
			ig := mustQuantize(t, g, Options{Calibration: s})
			a, err := Measure(context.Background(), g, ig, s, nil)
			if err != nil {
				t.Fatal(err)
			}
			step := ig.Tensors[ig.Outputs[0]].Scale
			if steps := a.MaxError / step; steps > c.steps || math.IsNaN(steps) {
				t.Errorf("error of %.2f steps of %.3g, at most %v", steps, step, c.steps)
			} else {
				t.Logf("error %.2f steps", steps)
			}
		})
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
	if _, err := Quantize(context.Background(), g, Options{}); !errors.Is(err, ErrCalibration) {
		t.Errorf("no samples: %v", err)
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
