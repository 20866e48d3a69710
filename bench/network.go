package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/quantize"
)

// network builds a float network layer by layer, its weights drawn at random: normal with variance
// 2/fan-in (He et al., 2015), so that activations keep their size through any depth.
type network struct {
	graph float.Graph
	rng   *rand.Rand
	last  int // tensor that the next layer reads
	macs  int // multiplications so far
}

// newNetwork begins a network that takes one tensor of values in [0, 1]. The same name and seed give
// the same weights.
func newNetwork(name string, seed uint64, shape ...int) *network {
	n := &network{graph: float.Graph{Name: name, Inputs: []int{0}}, rng: source(name, seed)}
	n.tensor("input", shape, nil)
	return n
}

// source is the random source of one name: models do not share a stream, so that each can be built
// alone.
func source(name string, seed uint64) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range []byte(name) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h))
}

func (n *network) tensor(name string, shape []int, values []float32) int {
	n.graph.Tensors = append(n.graph.Tensors, float.Tensor{Name: name, Shape: shape, Const: values})
	return len(n.graph.Tensors) - 1
}

func (n *network) shape() []int { return n.graph.Tensors[n.last].Shape }

// add appends a node that reads the last tensor and others.
func (n *network) add(op float.Op, shape []int, others ...int) *network {
	name := fmt.Sprintf("%s%d", op.Kind(), len(n.graph.Nodes))
	out := n.tensor(name, shape, nil)
	n.graph.Nodes = append(n.graph.Nodes, float.Node{Name: name, Op: op, In: append([]int{n.last}, others...), Out: out})
	n.last = out
	return n
}

// parameters are random weights of the given shape, and a bias for each output.
func (n *network) parameters(fanIn, outputs int, shape ...int) (weights, bias int) {
	size := 1
	for _, d := range shape {
		size *= d
	}
	w, b := make([]float32, size), make([]float32, outputs)
	spread := math.Sqrt(2 / float64(fanIn))
	for i := range w {
		w[i] = float32(spread * n.rng.NormFloat64())
	}
	for i := range b {
		b[i] = float32(0.05 * n.rng.NormFloat64())
	}
	k := len(n.graph.Nodes)
	return n.tensor(fmt.Sprintf("weights%d", k), shape, w), n.tensor(fmt.Sprintf("bias%d", k), []int{outputs}, b)
}

func (n *network) dense(outputs int) *network {
	inputs := n.shape()[1]
	w, b := n.parameters(inputs, outputs, inputs, outputs)
	n.macs += inputs * outputs
	return n.add(float.Dense{}, []int{1, outputs}, w, b)
}

// conv is a convolution with kernels of size×size, as large as its input where same.
func (n *network) conv(outputs, size int, same bool) *network {
	pad := 0
	if same {
		pad = size / 2
	}
	return n.convolution(outputs, size, 1, pad, 1)
}

// depthwise is a 3×3 convolution of each channel alone.
func (n *network) depthwise(stride int) *network {
	c := n.shape()[1]
	return n.convolution(c, 3, stride, 1, c)
}

func (n *network) convolution(outputs, size, stride, pad, groups int) *network {
	s := n.shape()
	depth := s[1] / groups
	w, b := n.parameters(depth*size*size, outputs, outputs, depth, size, size)
	h, wd := (s[2]+2*pad-size)/stride+1, (s[3]+2*pad-size)/stride+1
	n.macs += outputs * h * wd * depth * size * size
	return n.add(float.Conv{Window: window(size, stride, pad), Groups: groups}, []int{1, outputs, h, wd}, w, b)
}

func window(kernel, stride, pad int) float.Window {
	two := func(v int) [2]int { return [2]int{v, v} }
	return float.Window{Kernel: two(kernel), Stride: two(stride), Dilation: two(1), PadBefore: two(pad), PadAfter: two(pad)}
}

func (n *network) function(name string) *network { return n.add(float.Unary{Func: name}, n.shape()) }

func (n *network) relu() *network { return n.function("relu") }

func (n *network) relu6() *network { return n.add(float.Unary{Func: "clip", Beta: 6}, n.shape()) }

// plus adds an earlier tensor of the same shape.
func (n *network) plus(earlier int) *network {
	return n.add(float.Binary{Func: "add"}, n.shape(), earlier)
}

// mean is the mean of each channel.
func (n *network) mean() *network {
	return n.add(float.Mean{Axes: []int{2, 3}}, []int{1, n.shape()[1]})
}

// halve pools 2×2 windows.
func (n *network) halve(average bool) *network {
	s := n.shape()
	half := []int{1, s[1], s[2] / 2, s[3] / 2}
	if average {
		return n.add(float.AvgPool{Window: window(2, 2, 0)}, half)
	}
	return n.add(float.MaxPool{Window: window(2, 2, 0)}, half)
}

func (n *network) flatten() *network {
	return n.add(float.Reshape{}, []int{1, n.graph.Tensors[n.last].Len()})
}

// calibrationWork bounds the multiplications of calibration; two samples are always run.
const calibrationWork = 400e6

// quantized is the integer graph, by the project's own quantization.
func (n *network) quantized(ctx context.Context) (*model.Graph, error) {
	n.graph.Outputs = []int{n.last}
	samples := make([][][]float32, min(max(int(calibrationWork/float64(n.macs+1)), 2), 16))
	for i := range samples {
		x := make([]float32, n.graph.Tensors[0].Len())
		for k := range x {
			x[k] = n.rng.Float32()
		}
		samples[i] = [][]float32{x}
	}
	return quantize.Quantize(ctx, &n.graph, quantize.Options{
		Calibration: samples, InputRange: map[string][2]float64{"input": {0, 1}}, Name: n.graph.Name, Format: "bench"})
}
