package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// mul multiplies two tensors: a wire an element for the product, which a layer of one parameter then
// rescales.
type mul struct {
	*rescaled
	op       *model.Mul
	in       [2]model.TensorID
	sources  [2][]int
	products []frontend.Variable
}

func newMul(p *Plan, node int, op *model.Mul) gadget {
	n := &p.graph.Nodes[node]
	out := p.tensor(n.Out)
	g := &mul{op: op, in: [2]model.TensorID{n.In[0], n.In[1]}}
	for k, id := range g.in {
		g.sources[k] = model.BroadcastIndex(p.tensor(id).Shape, out.Shape)
	}
	g.rescaled = newRescaled(p, node, op, &linear{
		window: pointwiseWindow(), h: out.Len(), w: 1, oh: out.Len(), ow: 1, outC: 1,
		groups: []channelGroup{{outputs: []int{0}, inputs: []int{0}}},
		input:  func(_ *builder, _, y, _ int) frontend.Variable { return g.products[y] },
		index:  func(_, y, _ int) int { return y },
		weight: func(op model.Op, _, _, _, _ int) int64 { return op.(*model.Mul).Multiplier[0] },
	})
	return g
}

func (g *mul) constraints() int { return g.rescaled.constraints() + g.count }

func (g *mul) define(b *builder) error {
	g.products = make([]frontend.Variable, g.count)
	for i := range g.products {
		x := b.less(b.values[g.in[0]][g.sources[0][i]], g.op.Zeros[0])
		y := b.less(b.values[g.in[1]][g.sources[1][i]], g.op.Zeros[1])
		g.products[i] = b.api.Mul(x, y)
	}
	return g.rescaled.define(b)
}
