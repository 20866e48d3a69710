package circuits

import (
	"slices"

	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// newMean multiplies the sum over the axes, an expression, by one parameter.
func newMean(p *Plan, node int, op *model.Mean) gadget {
	n := &p.graph.Nodes[node]
	in := n.In[0]
	members := meanMembers(p.tensor(in).Shape, op.Axes)
	return newRescaled(p, node, op, &linear{
		window: pointwiseWindow(), h: len(members), w: 1, oh: len(members), ow: 1, outC: 1,
		groups: []channelGroup{{outputs: []int{0}, inputs: []int{0}}},
		input: func(b *builder, _, i, _ int) frontend.Variable {
			terms := make([]frontend.Variable, len(members[i]))
			for k, e := range members[i] {
				terms[k] = b.less(b.values[in][e], op.Zero)
			}
			return b.sum(terms)
		},
		index:  func(_, i, _ int) int { return i },
		weight: func(op model.Op, _, _, _, _ int) int64 { return op.(*model.Mean).Multiplier[0] },
	})
}

// meanMembers lists for each output element the input elements it averages.
func meanMembers(shape, axes []int) [][]int {
	outputs := 1
	for a, d := range shape {
		if !slices.Contains(axes, a) {
			outputs *= d
		}
	}
	members := make([][]int, outputs)
	index := make([]int, len(shape))
	for e := range product(shape) {
		rest := e
		for a := len(shape) - 1; a >= 0; a-- {
			index[a], rest = rest%shape[a], rest/shape[a]
		}
		o := 0
		for a, d := range shape {
			if !slices.Contains(axes, a) {
				o = o*d + index[a]
			}
		}
		members[o] = append(members[o], e)
	}
	return members
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
