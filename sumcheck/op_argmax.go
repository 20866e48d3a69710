package sumcheck

import (
	"slices"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// argMax chooses one element of each line, which none exceeds, nor equals where the tie would be the other's.
func (b *builder) argMax(n *model.Node, op *model.ArgMax) claims.Shaped {
	t, x := b.tensor(n.In[0]), b.values[n.In[0]]
	count := t.Shape[op.Axis]
	line := slices.Clone(t.Shape)
	line[op.Axis] = 1
	hot := b.trace(t.Shape, func(w *Witness) []int64 {
		return chosen(w.trace.Values[n.Out], t.Shape, op.Axis)
	})
	b.inRange(hot, 0, 2)
	b.zero(times(1, sum(hot, op.Axis), -1))
	winner := total(b.product(hot, x), op.Axis, count)
	margin := plus(winner, -1, x)
	if count > 1 {
		margin = plus(margin, -1, beyond(hot, op.Axis, count, op.LastIndex))
	}
	b.hasBits(margin, max(bitsFor(t.Max-t.Min+1), 1))
	if count == 1 {
		return reshape(constant(line, 0), b.tensor(n.Out).Shape...)
	}
	// Σ k·hot_k is the sum, over all j, of those beyond j.
	return reshape(sum(beyond(hot, op.Axis, count-1, false), op.Axis), b.tensor(n.Out).Shape...)
}

// beyond is, for the first of the positions along an axis, the sum of the elements after it, or before it.
func beyond(x claims.Shaped, axis, positions int, before bool) claims.Shaped {
	n := x.Shape[axis]
	w := claims.Window{Axis: axis, Length: positions, Kernel: n - 1, Stride: 1, Dilation: 1, Pad: -1}
	if before {
		w.Pad = n - 1
	}
	return then(x, claims.Step{Window: &w})
}

// chosen is 1 at the index of each line, 0 elsewhere.
func chosen(index []int64, shape []int, axis int) []int64 {
	inner := 1
	for _, d := range shape[axis+1:] {
		inner *= d
	}
	out := make([]int64, len(index)*shape[axis])
	for l, k := range index {
		out[(l/inner*shape[axis]+int(k))*inner+l%inner] = 1
	}
	return out
}
