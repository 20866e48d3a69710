package float

import (
	"fmt"
	"slices"
)

// array is a tensor at execution.
type array struct {
	shape []int
	data  []float32
}

// broadcast repeats the elements to the shape out; it aliases the array where that is its shape.
func (a array) broadcast(out []int) []float32 {
	if len(a.data) == volume(out) {
		return a.data
	}
	return separable(a.data, broadcastOffsets(a.shape, out), out, 0)
}

// Execute computes every tensor of the graph: values[i] are the elements of Tensors[i], row-major.
// inputs are those of Inputs, in order. Constants are not copied. [ErrInput] if the inputs do not
// fit, and Validate's structural errors.
func (g *Graph) Execute(inputs [][]float32) (values [][]float32, err error) {
	if err := g.checkStructure(); err != nil {
		return nil, err
	}
	if len(inputs) != len(g.Inputs) {
		return nil, fmt.Errorf("%w: %d inputs, the graph has %d", ErrInput, len(inputs), len(g.Inputs))
	}
	values = make([][]float32, len(g.Tensors))
	for i, t := range g.Tensors {
		values[i] = t.Const
	}
	for i, id := range g.Inputs {
		t := g.Tensors[id]
		if len(inputs[i]) != t.Len() {
			return nil, fmt.Errorf("%w: input %q has %d elements, expected %d for shape %v", ErrInput, t.Name, len(inputs[i]), t.Len(), t.Shape)
		}
		values[id] = inputs[i]
	}
	for _, n := range g.Nodes {
		in := make([]array, len(n.In))
		for i, id := range n.In {
			in[i] = array{g.Tensors[id].Shape, values[id]}
		}
		values[n.Out] = eval(n.Op, in, g.Tensors[n.Out].Shape)
	}
	return values, nil
}

// Run is Execute for the outputs only, in the order of Outputs.
func (g *Graph) Run(inputs [][]float32) (outputs [][]float32, err error) {
	values, err := g.Execute(inputs)
	if err != nil {
		return nil, err
	}
	for _, id := range g.Outputs {
		outputs = append(outputs, values[id])
	}
	return outputs, nil
}

// Eval applies op to constants and returns the elements of the output, which has the shape declared.
// Errors are InferShape's.
func Eval(op Op, in []Tensor, declared []int) ([]float32, error) {
	shapes := make([][]int, len(in))
	arrays := make([]array, len(in))
	for i, t := range in {
		if len(t.Const) != t.Len() {
			return nil, fmt.Errorf("%w: constant %q has %d elements, expected %d for shape %v", ErrShape, t.Name, len(t.Const), t.Len(), t.Shape)
		}
		shapes[i], arrays[i] = t.Shape, array{t.Shape, t.Const}
	}
	out, err := InferShape(op, shapes, declared)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(out, declared) {
		return nil, fmt.Errorf("%w: output %v, expected %v", ErrShape, declared, out)
	}
	return eval(op, arrays, out), nil
}

// eval computes op; the shapes have passed InferShape.
func eval(op Op, in []array, out []int) []float32 {
	switch op := op.(type) {
	case Conv:
		return op.eval(in, out)
	case Dense:
		return op.eval(in, out)
	case Affine:
		return op.eval(in, out)
	case Binary:
		return op.eval(in, out)
	case Unary:
		return op.eval(in, out)
	case MaxPool:
		return op.eval(in, out)
	case AvgPool:
		return op.eval(in, out)
	case Mean:
		return op.eval(in, out)
	case Softmax:
		return op.eval(in, out)
	case ArgMax:
		return op.eval(in, out)
	}
	data, shapes := make([][]float32, len(in)), make([][]int, len(in))
	for i, a := range in {
		data[i], shapes[i] = a.data, a.shape
	}
	y, _ := Rearrange(op, data, shapes, out, func(v float64) float32 { return float32(v) })
	return y
}

// Work is about the number of inner steps that op takes, for limiting what a file can ask for.
func Work(op Op, in [][]int, out []int) int64 {
	steps := int64(volume(out))
	for _, s := range in {
		steps += int64(volume(s))
	}
	switch op := op.(type) {
	case Conv:
		return steps + int64(volume(out))*int64(volume(in[1][1:]))
	case Dense:
		return steps + int64(volume(out))*int64(in[1][0])
	case MaxPool:
		return steps + int64(volume(out))*op.tapsAtMost(in[0])
	case AvgPool:
		return steps + int64(volume(out))*op.tapsAtMost(in[0])
	}
	return steps
}

// tapsAtMost bounds the taps that a window has on an image.
func (w Window) tapsAtMost(image []int) int64 {
	return int64(min(w.Kernel[0], image[2])) * int64(min(w.Kernel[1], image[3]))
}
