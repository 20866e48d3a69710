package sumcheck

import (
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

func (b *builder) add(node int, op *model.Add) claims.Shaped {
	n := &b.graph.Nodes[node]
	params := op.Params()
	multipliers, bias := b.parameter(params[0]), b.parameter(params[1])
	shape := b.tensor(n.Out).Shape
	at := storedShape(shape)
	acc := broadcast(scalar(bias, 0, len(shape)), at).Expression
	for k, id := range n.In {
		in := stored(broadcast(times(1, b.values[id], -op.Zeros[k]), shape))
		acc.Contractions = append(acc.Contractions, b.scaledBy(multipliers, k, in))
	}
	return shown(b.requantize(node, op, true, acc))
}
