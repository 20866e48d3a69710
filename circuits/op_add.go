package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// newAdd is a 1×1 convolution with one output channel whose input channels are the summands.
func newAdd(p *Plan, node int, op *model.Add) gadget {
	n := &p.graph.Nodes[node]
	out := p.tensor(n.Out)
	sources := make([][]int, len(n.In))
	for k, id := range n.In {
		sources[k] = model.BroadcastIndex(p.tensor(id).Shape, out.Shape)
	}
	return newRescaled(p, node, op, &linear{
		window: pointwiseWindow(), h: out.Len(), w: 1, oh: out.Len(), ow: 1, outC: 1, hasBias: true,
		groups: []channelGroup{{outputs: []int{0}, inputs: upTo(len(n.In))}},
		input: func(b *builder, c, y, _ int) frontend.Variable {
			return b.less(b.values[n.In[c]][sources[c][y]], op.Zeros[c])
		},
		index:  func(_, y, _ int) int { return y },
		weight: func(op model.Op, _, c, _, _ int) int64 { return op.(*model.Add).Multipliers[c] },
		bias:   func(op model.Op, _ int) int64 { return op.(*model.Add).Bias[0] },
	})
}
