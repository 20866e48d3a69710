package model

import (
	"fmt"
	"math"
	"slices"
)

// Validate checks everything a graph promises: limits, topological order, that every op accepts its
// operands and parameters, and that declared shapes and ranges equal the inferred ones. After it,
// Execute cannot fail for an input within range.
//
// Errors wrap ErrGraph, ErrLimit, ErrShape, ErrAttribute, ErrRange, or ErrConstantModel where an
// output depends on no input.
func (g *Graph) Validate() error {
	if err := g.checkLimits(); err != nil {
		return err
	}
	// varies[id] is set once the tensor is made: whether an input can influence it.
	varies := make(map[TensorID]bool, len(g.Tensors))
	for _, id := range g.Inputs {
		if err := g.define(id, varies); err != nil {
			return fmt.Errorf("inputs: %w", err)
		}
		varies[id] = g.Tensors[id].Min < g.Tensors[id].Max
	}
	work := int64(0)
	for _, n := range g.Nodes {
		if n.Op == nil {
			return fmt.Errorf("node %q: %w: it has no op", n.Name, ErrGraph)
		}
		if err := g.checkNode(n, varies); err != nil {
			return fmt.Errorf("node %q (%s): %w", n.Name, n.Op.Kind(), err)
		}
		if work += g.work(n); work > maxWork {
			return fmt.Errorf("node %q (%s): %w: more than 2^36 steps", n.Name, n.Op.Kind(), ErrLimit)
		}
	}
	if len(varies) != len(g.Tensors) {
		return fmt.Errorf("%w: %d tensors, but inputs and nodes make %d", ErrGraph, len(g.Tensors), len(varies))
	}
	return g.checkOutputs(varies)
}

func (g *Graph) checkLimits() error {
	if len(g.Tensors) > maxTensors || len(g.Nodes) > maxNodes {
		return fmt.Errorf("%w: %d tensors and %d nodes, at most %d and %d are supported",
			ErrLimit, len(g.Tensors), len(g.Nodes), maxTensors, maxNodes)
	}
	total := 0
	for id, t := range g.Tensors {
		if err := t.check(); err != nil {
			return fmt.Errorf("tensor %d %q: %w", id, t.Name, err)
		}
		if total += t.Len(); total > maxTotal {
			return fmt.Errorf("%w: more than %d elements in all tensors", ErrLimit, maxTotal)
		}
	}
	for _, x := range slices.Concat(g.Source.PixelScale, g.Source.PixelMean) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%w: pixel scales and means must be finite, found %v", ErrAttribute, x)
		}
	}
	return nil
}

// check tests a tensor's description by itself.
func (t Tensor) check() error {
	if err := checkShape(t.Shape); err != nil {
		return err
	}
	if t.Type.Size() == 0 {
		return fmt.Errorf("%w: unknown type %v", ErrAttribute, t.Type)
	}
	if lo, hi := t.Type.Range(); t.Min > t.Max || t.Min < lo || t.Max > hi {
		return fmt.Errorf("%w: range [%d, %d] is empty or does not fit %v", ErrRange, t.Min, t.Max, t.Type)
	}
	if !(t.Scale > 0) || math.IsInf(t.Scale, 0) {
		return fmt.Errorf("%w: scale %v, expected a positive finite number (1 where integers mean themselves)", ErrAttribute, t.Scale)
	}
	return checkZero("zero", t.Zero)
}

// define marks a tensor as made, once.
func (g *Graph) define(id TensorID, varies map[TensorID]bool) error {
	if id < 0 || int(id) >= len(g.Tensors) {
		return fmt.Errorf("%w: there is no tensor %d", ErrGraph, id)
	}
	if _, made := varies[id]; made {
		return fmt.Errorf("%w: tensor %d is made twice", ErrGraph, id)
	}
	varies[id] = false
	return nil
}

// checkNode infers a node's output anew and compares.
func (g *Graph) checkNode(n Node, varies map[TensorID]bool) error {
	depends := false
	for _, id := range n.In {
		v, made := varies[id]
		if !made {
			return fmt.Errorf("%w: tensor %d is used before it is made", ErrGraph, id)
		}
		depends = depends || v
	}
	if err := g.define(n.Out, varies); err != nil {
		return err
	}
	want, err := n.Op.Infer(g.Operands(n))
	if err != nil {
		return err
	}
	got := g.Tensors[n.Out]
	if !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("%w: output declared as %v, inferred as %v", ErrShape, got.Shape, want.Shape)
	}
	if got.Min != want.Min || got.Max != want.Max {
		return fmt.Errorf("%w: output declared in [%d, %d], inferred as [%d, %d]", ErrRange, got.Min, got.Max, want.Min, want.Max)
	}
	varies[n.Out] = depends && got.Min < got.Max
	return nil
}

// work is the number of inner steps of a node whose operands were checked.
func (g *Graph) work(n Node) int64 {
	in, out := g.Operands(n), g.Tensors[n.Out]
	steps := n.Op.MACs(in, out) + int64(out.Len())
	switch op := n.Op.(type) {
	case *AvgPool:
		steps += int64(out.Len()) * int64(op.area())
	case *MaxPool:
		steps += int64(out.Len()) * int64(op.area())
	}
	return steps
}

func (g *Graph) checkOutputs(varies map[TensorID]bool) error {
	if len(g.Outputs) == 0 {
		return fmt.Errorf("%w: no outputs", ErrGraph)
	}
	seen := map[TensorID]bool{}
	for _, id := range g.Outputs {
		v, made := varies[id]
		switch {
		case !made:
			return fmt.Errorf("%w: output %d is no tensor", ErrGraph, id)
		case seen[id]:
			return fmt.Errorf("%w: tensor %d is an output twice", ErrGraph, id)
		case !v:
			return fmt.Errorf("%w: output %q does not depend on any input; export the model without constant inputs",
				ErrConstantModel, g.Tensors[id].Name)
		}
		seen[id] = true
	}
	return nil
}

// Operands are the descriptions of a node's inputs.
func (g *Graph) Operands(n Node) []Tensor {
	in := make([]Tensor, len(n.In))
	for i, id := range n.In {
		in[i] = g.Tensors[id]
	}
	return in
}
