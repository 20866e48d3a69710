package quantize

import (
	"fmt"
	"math"
	"slices"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// typicalValue is how large an 8-bit activation is, as a root mean square: rounding errors of many
// weights add up like noise of that size.
const typicalValue = 80

// noise is the error, in last places of the weights, of a sum of n products with activations of
// tensor x.
func (e *emitter) noise(x, n int) float64 {
	size := typicalValue * float64(e.scales.of(x).hi) / 255
	return 0.29 * math.Sqrt(float64(n)) * size
}

// worst is the error of one multiplier, rounded by half a last place, of values up to `greatest`.
func worst(greatest float64) float64 { return greatest / 2 }

func (e *emitter) weights(node float.Node, k int) []float32 {
	if len(node.In) <= k {
		return nil
	}
	return e.g.Tensors[node.In[k]].Const
}

// biasOr is the bias, zeros where there is none.
func biasOr(b []float32, n int) []float32 {
	if b == nil {
		return make([]float32, n)
	}
	return b
}

func scaled(w []float32, s float64, perUnit func(float64) int64) []int64 {
	out := make([]int64, len(w))
	for i, v := range w {
		out[i] = perUnit(float64(v) * s)
	}
	return out
}

func (e *emitter) conv(i int, node float.Node, op float.Conv) error {
	w, shape := e.weights(node, 1), e.g.Tensors[node.In[1]].Shape
	if w == nil || len(node.In) > 2 && e.weights(node, 2) == nil {
		return fmt.Errorf("%w: convolution with computed weights", ErrUnsupportedOp)
	}
	x := node.In[0]
	bias := biasOr(e.weights(node, 2), shape[0])
	return e.add(i, node, []int{x}, func(r model.Rescale, perUnit func(float64) int64) model.Op {
		return &model.Conv{Window: model.Window(op.Window), Groups: op.Groups, OutC: shape[0], Rescale: r,
			Weights: scaled(w, e.scaleOf(x), perUnit), Bias: scaled(bias, 1, perUnit)}
	}, shiftFor(e.noise(x, shape[1]*shape[2]*shape[3])))
}

func (e *emitter) dense(i int, node float.Node) error {
	w, shape := e.weights(node, 1), e.g.Tensors[node.In[1]].Shape
	if w == nil || len(node.In) > 2 && e.weights(node, 2) == nil {
		return fmt.Errorf("%w: product with a computed matrix", ErrUnsupportedOp)
	}
	x, k, n := node.In[0], shape[0], shape[1]
	bias := biasOr(e.weights(node, 2), n)
	rows := make([]float32, 0, len(w)) // by output
	for o := range n {
		for c := range k {
			rows = append(rows, w[c*n+o])
		}
	}
	return e.add(i, node, []int{x}, func(r model.Rescale, perUnit func(float64) int64) model.Op {
		return &model.Dense{OutN: n, Rescale: r, Weights: scaled(rows, e.scaleOf(x), perUnit), Bias: scaled(bias, 1, perUnit)}
	}, shiftFor(e.noise(x, k)))
}

func (e *emitter) affine(i int, node float.Node) error {
	x := node.In[0]
	a, b := e.g.Tensors[node.In[1]], e.g.Tensors[node.In[2]]
	shape, err := float.Broadcast(a.Shape, b.Shape)
	if err != nil {
		return err
	}
	spread := func(t float.Tensor) []float32 {
		out := make([]float32, 0, len(t.Const))
		for _, j := range model.BroadcastIndex(t.Shape, shape) {
			out = append(out, t.Const[j])
		}
		return out
	}
	scale, shift := spread(a), spread(b)
	return e.add(i, node, []int{x}, func(r model.Rescale, perUnit func(float64) int64) model.Op {
		return &model.Affine{ParamShape: shape, Rescale: r, Scale: scaled(scale, e.scaleOf(x), perUnit), Shift: scaled(shift, 1, perUnit)}
	}, shiftFor(worst(float64(e.scales.of(x).hi))))
}

func (e *emitter) binary(i int, node float.Node, op float.Binary) error {
	x, y := node.In[0], node.In[1]
	if e.constant(x) || e.constant(y) {
		return fmt.Errorf("%w: %s with a constant that is larger than the other operand", ErrUnsupportedOp, op.Func)
	}
	sx, sy := e.scaleOf(x), e.scaleOf(y)
	hx, hy := float64(e.scales.of(x).hi), float64(e.scales.of(y).hi)
	sign := 1.0
	switch op.Func {
	case "mul":
		return e.add(i, node, []int{x, y}, func(r model.Rescale, perUnit func(float64) int64) model.Op {
			return &model.Mul{Rescale: r, Multiplier: []int64{perUnit(sx * sy)}}
		}, shiftFor(worst(hx*hy)))
	case "sub":
		sign = -1
	case "add":
	default:
		return fmt.Errorf("%w: %s of two computed tensors", ErrUnsupportedOp, op.Func)
	}
	return e.add(i, node, []int{x, y}, func(r model.Rescale, perUnit func(float64) int64) model.Op {
		return &model.Add{Zeros: []int64{0, 0}, Rescale: r, Multipliers: []int64{perUnit(sx), perUnit(sign * sy)}, Bias: []int64{0}}
	}, shiftFor(worst(hx+hy)))
}

func (e *emitter) avgPool(i int, node float.Node, op float.AvgPool) error {
	x := node.In[0]
	shape := e.g.Tensors[x].Shape
	pool := model.AvgPool{Window: model.Window(op.Window), CountPad: op.CountPad}
	counts := pool.Counts(shape)
	if len(counts) == 0 || counts[0] == 0 {
		return fmt.Errorf("%w: a pooling window lies entirely on padding", ErrUnsupportedOp)
	}
	return e.add(i, node, []int{x}, func(r model.Rescale, perUnit func(float64) int64) model.Op {
		p := pool
		p.Rescale = r
		for _, n := range counts {
			p.Multipliers = append(p.Multipliers, perUnit(e.scaleOf(x)/float64(n)))
		}
		return &p
	}, shiftFor(worst(float64(slices.Max(counts))*float64(e.scales.of(x).hi))))
}

func (e *emitter) mean(i int, node float.Node, op float.Mean) error {
	x := node.In[0]
	in, out := e.g.Tensors[x].Shape, e.g.Tensors[node.Out].Shape
	n := 1
	for _, a := range op.Axes {
		n *= in[a]
	}
	return e.add(i, node, []int{x}, func(r model.Rescale, perUnit func(float64) int64) model.Op {
		return &model.Mean{Axes: op.Axes, KeepDims: len(in) == len(out), Rescale: r, Multiplier: []int64{perUnit(e.scaleOf(x) / float64(n))}}
	}, shiftFor(worst(float64(n)*float64(e.scales.of(x).hi))))
}
