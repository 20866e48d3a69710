package quantize

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// randomNet is a network of a few random layers on an image, then on a vector.
func randomNet(seed uint64) *float.Graph {
	b := newBuilder(seed)
	c, size := 1+b.r.IntN(3), 6+b.r.IntN(5)
	x := b.input(1, c, size, size)
	for l := range 1 + b.r.IntN(4) {
		x, c, size = b.imageLayer(fmt.Sprint("layer", l), x, c, size)
	}
	n := c * size * size
	x = b.node("flat", float.Reshape{}, []int{x}, 1, n)
	for l := range 1 + b.r.IntN(3) {
		k := n
		n = 2 + b.r.IntN(8)
		x = b.node(fmt.Sprint("dense", l), float.Dense{}, []int{x, b.normal(1.5/math.Sqrt(float64(k)), k, n), b.normal(0.3, n)}, 1, n)
		if b.r.IntN(2) == 0 {
			x = b.node(fmt.Sprint("function", l), b.function(), []int{x}, 1, n)
		}
	}
	if b.r.IntN(3) == 0 {
		x = b.node("softmax", float.Softmax{Axis: 1}, []int{x}, 1, n)
	}
	return b.finish(x)
}

// function is a random one.
func (b *builder) function() float.Unary {
	all := []float.Unary{{Func: "relu"}, {Func: "relu"}, {Func: "clip", Beta: 6}, {Func: "clip", Alpha: -1, Beta: 1}, {Func: "sigmoid"},
		{Func: "tanh"}, {Func: "silu"}, {Func: "gelu"}, {Func: "hardswish"}, {Func: "elu", Alpha: 1}, {Func: "leakyrelu", Alpha: 0.1},
		{Func: "softplus"}, {Func: "hardsigmoid", Alpha: 1.0 / 6, Beta: 0.5}, {Func: "abs"}, {Func: "neg"}, {Func: "erf"}}
	return all[b.r.IntN(len(all))]
}

// imageLayer adds a random layer to x [1, c, size, size].
func (b *builder) imageLayer(name string, x, c, size int) (out, channels, outSize int) {
	same := func(n int) []int { return []int{1, n, size, size} }
	switch b.r.IntN(9) {
	case 0:
		return b.node(name, float.Affine{}, []int{x, b.normal(1, c, 1, 1), b.normal(0.5, c, 1, 1)}, same(c)...), c, size
	case 1: // a residual
		y := b.conv(name+"/conv", x, c, c, size)
		return b.node(name, float.Binary{Func: []string{"add", "sub", "mul"}[b.r.IntN(3)]}, []int{x, y}, same(c)...), c, size
	case 2:
		y := b.conv(name+"/conv", x, c, 2, size)
		return b.node(name, float.Concat{Axis: 1}, []int{y, x}, same(c+2)...), c + 2, size
	case 3:
		if size >= 4 {
			return b.node(name, float.MaxPool{Window: window(2, 2, 0)}, []int{x}, 1, c, size/2, size/2), c, size / 2
		}
	case 4:
		return b.node(name, float.AvgPool{Window: window(3, 1, 1), CountPad: b.r.IntN(2) == 0}, []int{x}, same(c)...), c, size
	case 5:
		return b.node(name, b.function(), []int{x}, same(c)...), c, size
	case 6:
		return b.node(name, float.Mean{Axes: []int{2, 3}}, []int{x}, 1, c, 1, 1), c, 1
	}
	n := 1 + b.r.IntN(4)
	y := b.conv(name, x, c, n, size)
	return b.node(name+"/function", b.function(), []int{y}, same(n)...), n, size
}

// conv keeps the size of an image.
func (b *builder) conv(name string, x, c, n, size int) int {
	w := b.normal(1/math.Sqrt(float64(9*c)), n, c, 3, 3)
	return b.node(name, float.Conv{Window: window(3, 1, 1), Groups: 1}, []int{x, w, b.normal(0.2, n)}, 1, n, size, size)
}

// Every tensor of random networks stays within its error bound, on the samples of the calibration and on
// others, which saturate now and then.
func TestRandomNets(t *testing.T) {
	for seed := range uint64(120) {
		g := randomNet(seed)
		lo := []float64{0, -1}[seed%2]
		e, err := quantize(context.Background(), g, Options{Calibration: randomSamples(g, 12, lo, 1)})
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		for _, x := range append(randomSamples(g, 4, lo, 1), randomSamples(g, 4, -2, 2)...) {
			if _, err := check(e, x); err != nil {
				t.Errorf("seed %d: %v", seed, err)
				break
			}
		}
	}
}

// The bound notices mistakes: a wrong scale, wrong weights of one channel, a shifted table.
func TestBoundNoticesMistakes(t *testing.T) {
	g := convNet(0)
	s := randomSamples(g, 20, 0, 1)
	mistakes := map[string]func(e *emitter){
		"scale of the result": func(e *emitter) { e.result.Tensors[e.result.Outputs[0]].Scale *= 3 },
		"weights": func(e *emitter) {
			w := e.result.Nodes[0].Op.(*model.Conv).Weights
			for i := range w[:9] {
				w[i] += w[i] / 2
			}
		},
		"table": func(e *emitter) {
			v := e.result.Nodes[0].Op.(*model.Conv).Rescale.Table.Values
			copy(v, v[8:])
		},
	}
	for name, mistake := range mistakes {
		e, err := quantize(context.Background(), g, Options{Calibration: s})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := check(e, s[0]); err != nil {
			t.Fatal(err)
		}
		mistake(e)
		if _, err := check(e, s[0]); err == nil {
			t.Errorf("%s: unnoticed", name)
		}
	}
}

// Layers of one network share what they can: the shift of all, the width of all clamps.
func TestLayersShareClasses(t *testing.T) {
	for seed := range uint64(60) {
		g := randomNet(seed)
		ig := mustQuantize(t, g, Options{Calibration: randomSamples(g, 12, 0, 1)})
		widths := map[int]bool{} // of ReLU's tables
		shifts := map[uint]bool{}
		for _, n := range ig.Nodes {
			r := rescaleOf(n)
			if r == nil {
				continue
			}
			if r.Shift <= maxSharedShift {
				shifts[r.Shift] = true
			}
			if lo, hi, ok := r.Table.IsClamp(); ok && lo == 0 && hi == 255 && r.Table.Min == r.QMin {
				widths[len(r.Table.Values)] = true
			}
		}
		if len(widths) > 1 || len(shifts) > 1 {
			t.Errorf("seed %d: tables of ReLU of sizes %v, shifts %v", seed, widths, shifts)
		}
	}
}
