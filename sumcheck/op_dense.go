package sumcheck

import (
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

func (b *builder) dense(node int, op *model.Dense) claims.Shaped {
	n := &b.graph.Nodes[node]
	params := op.Params()
	weights, bias := b.parameter(params[0]), b.parameter(params[1])
	in := times(1, b.values[n.In[0]], -op.Zero)
	acc := broadcast(bias, b.tensor(n.Out).Shape).Expression
	acc.Contractions = []claims.ContractionTimes{b.contract(claims.Contraction{Kind: claims.MatMul, Weight: weights.Linear[0].View, Input: in})}
	return b.requantize(node, op, false, acc)
}
