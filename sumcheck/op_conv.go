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
	in := b.operand(n.In[0], op.Zero)
	return shown(b.requantize(node, op, true, func(channels []int) claims.Expression {
		w, shift := weights, reshape(bias, 1, 1, 1, op.OutC)
		x, groups, part := in, op.Groups, shape
		if channels != nil {
			w = choose(w, 0, channels)
			if groups > 1 { // each channel is a group of its own
				x, groups = choose(in, 3, inputsOf(op, in.Shape[3], channels)), len(channels)
			}
			shift = choose(shift, 3, channels)
			part = []int{1, shape[1], shape[2], len(channels)}
		}
		c := b.contract(claims.Contraction{
			Kind: claims.Convolution, Weight: w.Linear[0].View, Input: x, Groups: groups,
			Out: [2]int{shape[1], shape[2]}, Stride: op.Stride, Dilation: op.Dilation, Pad: op.PadBefore,
		})
		e := broadcast(shift, part).Expression
		e.Contractions = []claims.ContractionTimes{c}
		return e
	}))
}

// inputsOf are the input channels of some output channels' groups, one after the other.
func inputsOf(op *model.Conv, inputs int, channels []int) (out []int) {
	per := inputs / op.Groups
	for _, o := range channels {
		first := o / (op.OutC / op.Groups) * per
		for c := range per {
			out = append(out, first+c)
		}
	}
	return out
}
