package sumcheck

import (
	"slices"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// concat adds up its inputs, each at its place among zeros.
func (b *builder) concat(n *model.Node, op *model.Concat) claims.Shaped {
	shape := b.tensor(n.Out).Shape
	out := constant(shape, 0)
	at := 0
	for _, id := range n.In {
		out = plus(out, 1, every(b.values[id], op.Axis, shape[op.Axis], -at, 1))
		at += b.tensor(id).Shape[op.Axis]
	}
	return out
}

func (b *builder) slice(n *model.Node, op *model.Slice) claims.Shaped {
	x := b.values[n.In[0]]
	for a := range op.Size {
		x = every(x, a, op.Size[a], op.Start[a], op.Step[a])
	}
	return x
}

// pad puts elements between others, or the difference to a constant between zeros.
func (b *builder) pad(n *model.Node, op *model.Pad) claims.Shaped {
	in, x := b.tensor(n.In[0]), b.values[n.In[0]]
	if op.Mode == "constant" {
		x = times(1, x, -op.Value)
		for a := range in.Shape {
			x = every(x, a, op.Before[a]+in.Shape[a]+op.After[a], -op.Before[a], 1)
		}
		return times(1, x, op.Value)
	}
	for a, d := range in.Shape {
		var indices []int
		for i := range op.Before[a] + d + op.After[a] {
			indices = append(indices, op.Source(i-op.Before[a], d))
		}
		if !slices.Equal(indices, upTo(d)) {
			x = choose(x, a, indices)
		}
	}
	return x
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
