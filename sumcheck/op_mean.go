package sumcheck

import (
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

func (b *builder) mean(node int, op *model.Mean) claims.Shaped {
	n := &b.graph.Nodes[node]
	multiplier := b.parameter(op.Params()[0])
	shape := b.tensor(n.Out).Shape
	in := times(1, b.values[n.In[0]], -op.Zero)
	for _, a := range op.Axes {
		in = sum(in, a)
	}
	in = stored(reshape(in, shape...))
	return shown(b.requantize(node, op, true, claims.Expression{Contractions: []claims.ContractionTimes{b.scaledBy(multiplier, 0, in)}}))
}
