package sumcheck

import (
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

func (b *builder) conv(node int, op *model.Conv) claims.Shaped {
	n := &b.graph.Nodes[node]
	params := op.Params()
	weights, bias := b.parameter(params[0]), b.parameter(params[1])
	shape := storedShape(b.tensor(n.Out).Shape)
	acc := broadcast(reshape(bias, 1, 1, 1, op.OutC), shape).Expression
	acc.Contractions = []claims.ContractionTimes{b.contract(claims.Contraction{
		Kind: claims.Convolution, Weight: weights.Linear[0].View, Input: b.operand(n.In[0], op.Zero), Groups: op.Groups,
		Out: [2]int{shape[1], shape[2]}, Stride: op.Stride, Dilation: op.Dilation, Pad: op.PadBefore,
	})}
	return shown(b.requantize(node, op, true, acc))
}
