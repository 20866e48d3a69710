package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// newAvgPool sums windows for free (sums are expressions) and multiplies each sum by the parameter of
// its class: positions with the same number of taps are one input channel.
func newAvgPool(p *Plan, node int, op *model.AvgPool) gadget {
	n := &p.graph.Nodes[node]
	in := n.In[0]
	shape := p.tensor(in).Shape
	out := p.tensor(n.Out)
	oh, ow := out.Shape[2], out.Shape[3]
	positions := out.Len()
	return newRescaled(p, node, op, &linear{
		window: pointwiseWindow(), h: positions, w: 1, oh: positions, ow: 1, outC: 1,
		groups: []channelGroup{{outputs: []int{0}, inputs: upTo(len(op.Counts(shape)))}},
		input: func(b *builder, class, i, _ int) frontend.Variable {
			c, oy, ox := i/(oh*ow), i/ow%oh, i%ow
			if op.Class(shape, oy, ox) != class {
				return nil
			}
			var terms []frontend.Variable
			forWindow(op.Window, shape[2], shape[3], oy, ox, func(y, x int) {
				terms = append(terms, b.less(b.values[in][(c*shape[2]+y)*shape[3]+x], op.Zero))
			})
			return b.sum(terms)
		},
		index:  func(_, i, _ int) int { return i },
		weight: func(op model.Op, _, class, _, _ int) int64 { return op.(*model.AvgPool).Multipliers[class] },
	})
}

// forWindow visits the taps of output (oy, ox) that lie on the image of h×w.
func forWindow(win model.Window, h, w, oy, ox int, visit func(y, x int)) {
	for ky := range win.Kernel[0] {
		y := oy*win.Stride[0] + ky*win.Dilation[0] - win.PadBefore[0]
		for kx := range win.Kernel[1] {
			x := ox*win.Stride[1] + kx*win.Dilation[1] - win.PadBefore[1]
			if y >= 0 && y < h && x >= 0 && x < w {
				visit(y, x)
			}
		}
	}
}
