package quantize

import (
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// typicalValue is how large an 8-bit activation is, as a root mean square: rounding errors of many
// weights add up like noise of that size.
const typicalValue = 80

// roundingNoise is the standard deviation of a rounding error, in last places: 1/√12.
const roundingNoise = 0.29

// Shifts are even, so that fewer sizes of tables occur. A layer that needs more than maxSharedShift has
// its own.
const (
	minShift       = 12
	maxSharedShift = 16
	maxShift       = 24
)

// sharedShift is the least one that is precise enough for every layer which maxSharedShift is for.
func (n *network) sharedShift() uint {
	shared := uint(minShift)
	for i, node := range n.g.Nodes {
		if n.merged[i] || !linear(node.Op) {
			continue
		}
		if s := n.leastShift(node); s <= maxSharedShift {
			shared = max(shared, s)
		}
	}
	return shared
}

func (n *network) layerShift(node float.Node) uint {
	if s := n.leastShift(node); s > maxSharedShift {
		return s
	}
	return n.shift
}

// leastShift is the least even shift at which rounding the parameters moves a quotient by less than
// a quarter.
func (n *network) leastShift(node float.Node) uint {
	need := math.Log2(4 * n.lastPlaces(node))
	return uint(min(max(2*math.Ceil(need/2), minShift), maxShift))
}

// lastPlaces is how far rounding the parameters moves an accumulator: as a root mean square for the many
// weights of a convolution or dense layer, at worst for a few multipliers. It depends on the
// architecture alone.
func (n *network) lastPlaces(node float.Node) float64 {
	x := node.In[0]
	greatest := n.greatest(x)
	weights := func(fanIn int) float64 {
		return roundingNoise * math.Sqrt(float64(fanIn)) * typicalValue * greatest / 255
	}
	switch op := node.Op.(type) {
	case float.Conv:
		return weights(n.g.Tensors[node.In[1]].Len() / n.g.Tensors[node.In[1]].Shape[0])
	case float.Dense:
		return weights(n.g.Tensors[node.In[1]].Shape[0])
	case float.Binary:
		if op.Func == "mul" {
			return greatest * n.greatest(node.In[1]) / 2
		}
		return (greatest + n.greatest(node.In[1])) / 2
	case float.AvgPool:
		return float64(op.Kernel[0]*op.Kernel[1]) * greatest / 2
	case float.Mean:
		return float64(averaged(n.g.Tensors[x].Shape, op.Axes)) * greatest / 2
	}
	return greatest / 2
}

// greatest is the largest magnitude of a tensor's integers.
func (n *network) greatest(tensor int) float64 {
	g := n.scales.of(tensor)
	return float64(max(-g.lo, g.hi))
}

// averaged is how many elements a mean over axes takes together.
func averaged(shape, axes []int) int {
	n := 1
	for _, a := range axes {
		n *= shape[a]
	}
	return n
}

// bias is operand 2, zeros where there is none.
func (e *emitter) bias(node float.Node, n int) []float32 {
	if len(node.In) < 3 {
		return make([]float32, n)
	}
	return e.g.Tensors[node.In[2]].Const
}

func scaled(w []float32, s float64, parameter func(float64) int64) []int64 {
	out := make([]int64, len(w))
	for i, v := range w {
		out[i] = parameter(float64(v) * s)
	}
	return out
}

func (e *emitter) conv(i int, node float.Node, op float.Conv) error {
	x, w := node.In[0], e.g.Tensors[node.In[1]]
	outputs := w.Shape[0]
	return e.add(i, node, []int{x}, func(parameter func(float64) int64) model.Rescaled {
		return &model.Conv{Window: model.Window(op.Window), Groups: op.Groups, OutC: outputs,
			Weights: scaled(w.Const, e.scaleOf(x), parameter), Bias: scaled(e.bias(node, outputs), 1, parameter)}
	})
}

func (e *emitter) dense(i int, node float.Node) error {
	x, w := node.In[0], e.g.Tensors[node.In[1]]
	k, n := w.Shape[0], w.Shape[1]
	rows := make([]float32, 0, len(w.Const)) // by output
	for o := range n {
		for c := range k {
			rows = append(rows, w.Const[c*n+o])
		}
	}
	return e.add(i, node, []int{x}, func(parameter func(float64) int64) model.Rescaled {
		return &model.Dense{OutN: n, Weights: scaled(rows, e.scaleOf(x), parameter), Bias: scaled(e.bias(node, n), 1, parameter)}
	})
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
	return e.add(i, node, []int{x}, func(parameter func(float64) int64) model.Rescaled {
		return &model.Affine{ParamShape: shape, Scale: scaled(spread(a), e.scaleOf(x), parameter), Shift: scaled(spread(b), 1, parameter)}
	})
}

func (e *emitter) binary(i int, node float.Node, op float.Binary) error {
	sx, sy := e.scaleOf(node.In[0]), e.scaleOf(node.In[1])
	switch op.Func {
	case "mul":
		return e.add(i, node, node.In, func(parameter func(float64) int64) model.Rescaled {
			return &model.Mul{Multiplier: []int64{parameter(sx * sy)}}
		})
	case "sub":
		sy = -sy
	case "add":
	default:
		return fmt.Errorf("%w: %s of two computed tensors", ErrUnsupportedOp, op.Func)
	}
	return e.add(i, node, node.In, func(parameter func(float64) int64) model.Rescaled {
		return &model.Add{Zeros: []int64{0, 0}, Multipliers: []int64{parameter(sx), parameter(sy)}, Bias: []int64{0}}
	})
}

func (e *emitter) avgPool(i int, node float.Node, op float.AvgPool) error {
	x := node.In[0]
	return e.add(i, node, []int{x}, func(parameter func(float64) int64) model.Rescaled {
		p := &model.AvgPool{Window: model.Window(op.Window), CountPad: op.CountPad}
		for _, n := range p.Counts(e.g.Tensors[x].Shape) {
			p.Multipliers = append(p.Multipliers, parameter(e.scaleOf(x)/float64(n)))
		}
		return p
	})
}

func (e *emitter) mean(i int, node float.Node, op float.Mean) error {
	x := node.In[0]
	in, out := e.g.Tensors[x].Shape, e.g.Tensors[node.Out].Shape
	return e.add(i, node, []int{x}, func(parameter func(float64) int64) model.Rescaled {
		return &model.Mean{Axes: op.Axes, KeepDims: len(in) == len(out), Multiplier: []int64{parameter(e.scaleOf(x) / float64(averaged(in, op.Axes)))}}
	})
}
