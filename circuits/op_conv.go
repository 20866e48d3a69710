package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

func newConv(p *Plan, node int, op *model.Conv) gadget {
	in := p.graph.Nodes[node].In[0]
	shape := p.tensor(in).Shape
	c, h, w := shape[1], shape[2], shape[3]
	oh, ow := op.OutSize(h, w)
	perGroup, outPerGroup := c/op.Groups, op.OutC/op.Groups
	l := &linear{
		window: op.Window, h: h, w: w, oh: oh, ow: ow, outC: op.OutC, hasBias: true,
		groups: convGroups(op, perGroup, outPerGroup),
		input: func(b *builder, c, y, x int) frontend.Variable {
			return b.less(b.values[in][(c*h+y)*w+x], op.Zero)
		},
		index: func(o, y, x int) int { return (o*oh+y)*ow + x },
		weight: func(op model.Op, o, c, ky, kx int) int64 {
			conv := op.(*model.Conv)
			first := o / outPerGroup * perGroup
			if c < first || c >= first+perGroup {
				return 0 // a neighbour in the packed row of a depthwise layer
			}
			return conv.Weights[((o*perGroup+c-first)*conv.Kernel[0]+ky)*conv.Kernel[1]+kx]
		},
		bias: func(op model.Op, o int) int64 { return op.(*model.Conv).Bias[o] },
	}
	return newRescaled(p, node, op, l)
}

// convGroups lists which outputs read which inputs. Groups of one input channel are packed together.
func convGroups(op *model.Conv, in, out int) []channelGroup {
	if in == 1 && op.Groups > 1 {
		return []channelGroup{{outputs: upTo(op.OutC), depthwise: true, inputOf: func(o int) int { return o / out }}}
	}
	groups := make([]channelGroup, op.Groups)
	for g := range groups {
		groups[g] = channelGroup{outputs: shifted(upTo(out), g*out), inputs: shifted(upTo(in), g*in)}
	}
	return groups
}

func shifted(v []int, by int) []int {
	for i := range v {
		v[i] += by
	}
	return v
}
