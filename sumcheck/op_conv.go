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
		groups, part := op.Groups, shape
		if channels != nil {
			// Channels of several groups at once have no groups in common: their weights are spread over all inputs.
			w, groups = b.spread(w, op, in.Shape[3], channels)
			shift = choose(shift, 3, channels)
			part = []int{1, shape[1], shape[2], len(channels)}
		}
		c := b.contract(claims.Contraction{
			Kind: claims.Convolution, Weight: w.Linear[0].View, Input: in, Groups: groups,
			Out: [2]int{shape[1], shape[2]}, Stride: op.Stride, Dilation: op.Dilation, Pad: op.PadBefore,
		})
		e := broadcast(shift, part).Expression
		e.Contractions = []claims.ContractionTimes{c}
		return e
	}))
}

// spread takes the weights of some output channels, [O, C/Groups, KY, KX]. With one group that is a choice.
func (b *builder) spread(w claims.Shaped, op *model.Conv, inputs int, channels []int) (claims.Shaped, int) {
	if op.Groups == 1 {
		return choose(w, 0, channels), 1
	}
	per := inputs / op.Groups
	// [O, C/G, KY, KX] → the row of o·(C/G) + c − first(o), for every input channel of every chosen o.
	flat := reshape(w, op.OutC*per, op.Kernel[0], op.Kernel[1])
	var rows []int
	for _, o := range channels {
		first := o / (op.OutC / op.Groups) * per
		for c := range inputs {
			row := -1
			if c >= first && c < first+per {
				row = o*per + c - first
			}
			rows = append(rows, row)
		}
	}
	return reshape(choose(flat, 0, rows), len(channels), inputs, op.Kernel[0], op.Kernel[1]), 1
}
