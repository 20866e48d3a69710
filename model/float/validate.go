package float

import (
	"fmt"
	"math"
	"slices"
)

// Validate checks that the graph is one: nodes in topological order, each tensor made once, shapes as
// inferred, parameters constant and of finite numbers. A valid graph executes on every input of the
// right sizes.
func (g *Graph) Validate() error {
	if err := g.checkStructure(); err != nil {
		return err
	}
	for _, t := range g.Tensors {
		for i, v := range t.Const {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("%w: element %d of constant %q is %v, expected a finite number", ErrGraph, i, t.Name, v)
			}
		}
	}
	return nil
}

// checkStructure is Validate without looking at the constants' elements.
func (g *Graph) checkStructure() error {
	known := make([]bool, len(g.Tensors))
	for i, t := range g.Tensors {
		if t.Const == nil {
			continue
		}
		if err := checkConstant(t); err != nil {
			return err
		}
		known[i] = true
	}
	if err := g.checkInputs(known); err != nil {
		return err
	}
	for _, n := range g.Nodes {
		if err := g.checkNode(n, known); err != nil {
			return fmt.Errorf("node %q: %w", n.Name, err)
		}
	}
	if len(g.Outputs) == 0 {
		return fmt.Errorf("%w: no outputs", ErrGraph)
	}
	for _, id := range g.Outputs {
		if id < 0 || id >= len(known) || !known[id] {
			return fmt.Errorf("%w: output tensor %d is not computed", ErrGraph, id)
		}
	}
	return nil
}

// checkConstant checks that the shape is that of the elements at hand, however large they claim to be.
func checkConstant(t Tensor) error {
	n := 1
	for _, d := range t.Shape {
		if d < 1 || d > len(t.Const)/n {
			n = 0
			break
		}
		n *= d
	}
	if n != len(t.Const) || len(t.Shape) > MaxRank {
		return fmt.Errorf("%w: constant %q has shape %v and %d elements", ErrGraph, t.Name, t.Shape, len(t.Const))
	}
	return nil
}

func (g *Graph) checkInputs(known []bool) error {
	for _, id := range g.Inputs {
		if id < 0 || id >= len(known) || known[id] {
			return fmt.Errorf("%w: input tensor %d is out of range, constant or listed twice", ErrGraph, id)
		}
		if err := checkShape(g.Tensors[id].Shape); err != nil {
			return fmt.Errorf("input %q: %w", g.Tensors[id].Name, err)
		}
		known[id] = true
	}
	return nil
}

// checkNode checks one node and marks its output as known.
func (g *Graph) checkNode(n Node, known []bool) error {
	if n.Op == nil {
		return fmt.Errorf("%w: no op", ErrGraph)
	}
	shapes := make([][]int, len(n.In))
	for i, id := range n.In {
		if id < 0 || id >= len(known) || !known[id] {
			return fmt.Errorf("%w: input tensor %d is not computed before", ErrGraph, id)
		}
		if parameter := i > 0 && takesParameters(n.Op); parameter != (g.Tensors[id].Const != nil) {
			return fmt.Errorf("%w: operand %d of %s: constant is %t, expected %t", ErrGraph, i, n.Op.Kind(), !parameter, parameter)
		}
		shapes[i] = g.Tensors[id].Shape
	}
	if n.Out < 0 || n.Out >= len(known) || known[n.Out] {
		return fmt.Errorf("%w: output tensor %d is out of range or made before", ErrGraph, n.Out)
	}
	declared := g.Tensors[n.Out].Shape
	out, err := InferShape(n.Op, shapes, declared)
	if err != nil {
		return err
	}
	if !slices.Equal(out, declared) {
		return fmt.Errorf("%w: output %v, expected %v", ErrShape, declared, out)
	}
	known[n.Out] = true
	return nil
}

// takesParameters tells whether all operands but the first are constants.
func takesParameters(op Op) bool {
	switch op.(type) {
	case Conv, Dense, Affine:
		return true
	}
	return false
}
