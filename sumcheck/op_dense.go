package sumcheck

import (
	"slices"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

func (b *builder) dense(node int, op *model.Dense) claims.Shaped {
	n := &b.graph.Nodes[node]
	params := op.Params()
	weights, bias := b.parameter(params[0]), b.parameter(params[1])
	shape := b.tensor(n.Out).Shape
	in := times(1, b.values[n.In[0]], -op.Zero)
	return b.requantize(node, op, false, func(channels []int) claims.Expression {
		w, shift, part := weights, bias, shape
		if channels != nil {
			w, shift = choose(w, 0, channels), choose(shift, 0, channels)
			part = slices.Clone(shape)
			part[len(part)-1] = len(channels)
		}
		c := b.contract(claims.Contraction{Kind: claims.MatMul, Weight: w.Linear[0].View, Input: in})
		e := broadcast(shift, part).Expression
		e.Contractions = []claims.ContractionTimes{c}
		return e
	})
}
