package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// newDense takes the leading axes as positions of a 1×1 convolution.
func newDense(p *Plan, node int, op *model.Dense) gadget {
	in := p.graph.Nodes[node].In[0]
	t := p.tensor(in)
	k := t.Shape[len(t.Shape)-1]
	positions := t.Len() / k
	return newRescaled(p, node, op, &linear{
		window: pointwiseWindow(), h: positions, w: 1, oh: positions, ow: 1, outC: op.OutN, hasBias: true,
		groups: []channelGroup{{outputs: upTo(op.OutN), inputs: upTo(k)}},
		input: func(b *builder, c, y, _ int) frontend.Variable {
			return b.less(b.values[in][y*k+c], op.Zero)
		},
		index:  func(o, y, _ int) int { return y*op.OutN + o },
		weight: func(op model.Op, o, c, _, _ int) int64 { return op.(*model.Dense).Weights[o*k+c] },
		bias:   func(op model.Op, o int) int64 { return op.(*model.Dense).Bias[o] },
	})
}
