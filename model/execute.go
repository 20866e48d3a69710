package model

import (
	"context"
	"fmt"
)

// Trace is every integer of one execution.
type Trace struct {
	Values [][]int64 // by TensorID, row-major
	Acc    [][]int64 // by node: accumulators of a Rescaled op, one an output element; else nil
}

// Execute computes the graph on inputs (one slice each, row-major, in the order of Inputs) and keeps
// everything. The graph must be valid. Errors: ErrInput where an input has the wrong length or
// leaves its declared range; the context's, which is looked at between nodes.
func (g *Graph) Execute(ctx context.Context, inputs [][]int64) (*Trace, error) {
	t := &Trace{Values: make([][]int64, len(g.Tensors)), Acc: make([][]int64, len(g.Nodes))}
	err := g.run(ctx, inputs, t.Values, func(node int, acc []int64) { t.Acc[node] = acc })
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Outputs are the values of g's outputs, in order; they alias the trace.
func (t *Trace) Outputs(g *Graph) [][]int64 {
	out := make([][]int64, len(g.Outputs))
	for i, id := range g.Outputs {
		out[i] = t.Values[id]
	}
	return out
}

// Run is Execute for the outputs only: it drops intermediates as soon as nothing needs them.
func (g *Graph) Run(ctx context.Context, inputs [][]int64) ([][]int64, error) {
	uses := make([]int, len(g.Tensors))
	for _, n := range g.Nodes {
		for _, id := range n.In {
			uses[id]++
		}
	}
	for _, id := range g.Outputs {
		uses[id]++ // never reaches 0
	}
	values := make([][]int64, len(g.Tensors))
	err := g.run(ctx, inputs, values, func(node int, _ []int64) {
		for _, id := range g.Nodes[node].In {
			if uses[id]--; uses[id] == 0 {
				values[id] = nil
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return (&Trace{Values: values}).Outputs(g), nil
}

// run fills values and reports every node's accumulators once its output is there.
func (g *Graph) run(ctx context.Context, inputs, values [][]int64, done func(node int, acc []int64)) error {
	if err := g.checkInputs(inputs); err != nil {
		return err
	}
	for i, id := range g.Inputs {
		values[id] = inputs[i]
	}
	for i, n := range g.Nodes {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("executing node %q: %w", n.Name, err)
		}
		in := make([][]int64, len(n.In))
		for k, id := range n.In {
			in[k] = values[id]
		}
		out, acc := n.Op.Eval(in, g.Operands(n), g.Tensors[n.Out])
		values[n.Out] = out
		done(i, acc)
	}
	return nil
}

func (g *Graph) checkInputs(inputs [][]int64) error {
	if len(inputs) != len(g.Inputs) {
		return fmt.Errorf("%w: %d inputs given, the model has %d", ErrInput, len(inputs), len(g.Inputs))
	}
	for i, id := range g.Inputs {
		t := g.Tensors[id]
		if len(inputs[i]) != t.Len() {
			return fmt.Errorf("%w: input %q has %d values, expected %d for shape %v", ErrInput, t.Name, len(inputs[i]), t.Len(), t.Shape)
		}
		for k, v := range inputs[i] {
			if v < t.Min || v > t.Max {
				return fmt.Errorf("%w: input %q: value %d at index %d is outside [%d, %d]", ErrInput, t.Name, v, k, t.Min, t.Max)
			}
		}
	}
	return nil
}
