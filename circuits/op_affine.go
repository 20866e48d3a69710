package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// newAffine is a depthwise layer: each parameter is a channel, the elements it applies to are the
// channel's positions.
func newAffine(p *Plan, node int, op *model.Affine) gadget {
	in := p.graph.Nodes[node].In[0]
	t := p.tensor(in)
	parameter := model.BroadcastIndex(op.ParamShape, t.Shape)
	channels := 0
	for _, j := range parameter {
		channels = max(channels, j+1)
	}
	elements := make([][]int, channels)
	for i, j := range parameter {
		elements[j] = append(elements[j], i)
	}
	positions := t.Len() / channels
	return newRescaled(p, node, op, &linear{
		window: pointwiseWindow(), h: positions, w: 1, oh: positions, ow: 1, outC: channels, hasBias: true,
		groups: []channelGroup{{outputs: upTo(channels), depthwise: true, inputOf: func(o int) int { return o }}},
		input: func(b *builder, c, y, _ int) frontend.Variable {
			return b.less(b.values[in][elements[c][y]], op.Zero)
		},
		index: func(o, y, _ int) int { return elements[o][y] },
		weight: func(op model.Op, o, c, _, _ int) int64 {
			if o != c {
				return 0 // a neighbour in the packed row
			}
			return op.(*model.Affine).Scale[o]
		},
		bias: func(op model.Op, o int) int64 { return op.(*model.Affine).Shift[o] },
	})
}
