package model

import (
	"fmt"
	"slices"
)

// Builder makes a graph node by node, checking each as it comes. The zero value is not ready for
// use; see NewBuilder.
type Builder struct {
	g     Graph
	total int // elements of all tensors
}

// NewBuilder starts an empty graph.
func NewBuilder(name string) *Builder { return &Builder{g: Graph{Name: name}} }

// Source records where the graph comes from; see Source for what of it matters.
func (b *Builder) Source(s Source) { b.g.Source = s }

// Input declares an input of the model. t needs Name, Shape, Min, Max and Scale; without a Type it
// gets the narrowest one.
func (b *Builder) Input(t Tensor) (TensorID, error) {
	id, err := b.tensor(t)
	if err != nil {
		return 0, fmt.Errorf("input %q: %w", t.Name, err)
	}
	b.g.Inputs = append(b.g.Inputs, id)
	return id, nil
}

// Add applies op to tensors made before. Shape and range of the output are inferred, its type is
// the narrowest that holds them (see Retype), its name is the node's; scale and zero say what its
// integers mean. An error names the node.
func (b *Builder) Add(name string, op Op, scale float64, zero int64, in ...TensorID) (TensorID, error) {
	if len(b.g.Nodes) >= maxNodes {
		return 0, fmt.Errorf("%w: more than %d nodes", ErrLimit, maxNodes)
	}
	for _, id := range in {
		if !b.has(id) {
			return 0, fmt.Errorf("node %q (%s): %w: there is no tensor %d", name, op.Kind(), ErrGraph, id)
		}
	}
	t, err := op.Infer(b.g.Operands(Node{In: in}))
	if err != nil {
		return 0, fmt.Errorf("node %q (%s): %w", name, op.Kind(), err)
	}
	t.Name, t.Scale, t.Zero = name, scale, zero
	id, err := b.tensor(t)
	if err != nil {
		return 0, fmt.Errorf("node %q (%s): %w", name, op.Kind(), err)
	}
	b.g.Nodes = append(b.g.Nodes, Node{Name: name, Op: op, In: slices.Clone(in), Out: id})
	return id, nil
}

// Tensor is what is known of a tensor made before.
func (b *Builder) Tensor(id TensorID) Tensor { return b.g.Tensors[id] }

// Retype declares the machine type in which a tensor is held at the border of the model. It errs
// (ErrRange) where the type cannot hold the tensor's range.
func (b *Builder) Retype(id TensorID, t DType) error {
	if !b.has(id) {
		return fmt.Errorf("%w: there is no tensor %d", ErrGraph, id)
	}
	retyped := b.g.Tensors[id]
	retyped.Type = t
	if err := retyped.check(); err != nil {
		return fmt.Errorf("tensor %q: %w", retyped.Name, err)
	}
	b.g.Tensors[id] = retyped
	return nil
}

// Output declares outputs of the model, in order.
func (b *Builder) Output(ids ...TensorID) { b.g.Outputs = append(b.g.Outputs, ids...) }

// Graph is the finished, validated graph. The builder must not be used afterwards.
func (b *Builder) Graph() (*Graph, error) {
	if err := b.g.Validate(); err != nil {
		return nil, err
	}
	return &b.g, nil
}

func (b *Builder) has(id TensorID) bool { return id >= 0 && int(id) < len(b.g.Tensors) }

func (b *Builder) tensor(t Tensor) (TensorID, error) {
	if t.Type == 0 {
		narrowest, err := SmallestDType(t.Min, t.Max)
		if err != nil {
			return 0, err
		}
		t.Type = narrowest
	}
	t.Shape = slices.Clone(t.Shape)
	if err := t.check(); err != nil {
		return 0, err
	}
	if b.total += t.Len(); b.total > maxTotal || len(b.g.Tensors) >= maxTensors {
		return 0, fmt.Errorf("%w: more than %d tensors or %d elements in all of them", ErrLimit, maxTensors, maxTotal)
	}
	b.g.Tensors = append(b.g.Tensors, t)
	return TensorID(len(b.g.Tensors) - 1), nil
}
