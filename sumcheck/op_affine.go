package sumcheck

import (
	"slices"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

func (b *builder) affine(node int, op *model.Affine) claims.Shaped {
	n := &b.graph.Nodes[node]
	shape := b.tensor(n.Out).Shape
	params := op.Params()
	aligned := append(slices.Repeat([]int{1}, len(shape)-len(op.ParamShape)), op.ParamShape...)
	scale := stored(reshape(b.parameter(params[0]), aligned...))
	shift := stored(reshape(b.parameter(params[1]), aligned...))
	in := b.operand(n.In[0], op.Zero)
	acc := broadcast(shift, in.Shape).Expression
	acc.Contractions = []claims.ContractionTimes{b.scaling(scale, in)}
	return shown(b.requantize(node, op, true, acc))
}

// scalar is the k-th of a list of parameters, as a tensor of some axes.
func scalar(list claims.Shaped, k, rank int) claims.Shaped {
	return reshape(every(list, 0, 1, k, 1), slices.Repeat([]int{1}, rank)...)
}
