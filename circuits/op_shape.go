package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// rearrangement moves expressions: reshape, transpose, concat, slice, pad and gather cost nothing.
type rearrangement struct {
	node    model.Node
	origins []model.Origin
}

func newRearrangement(p *Plan, node int, op model.Rearrangement) gadget {
	n := p.graph.Nodes[node]
	in := make([]model.Tensor, len(n.In))
	for i, id := range n.In {
		in[i] = *p.tensor(id)
	}
	return &rearrangement{n, op.Origins(in, *p.tensor(n.Out))}
}

func (g *rearrangement) demand(*demands)      {}
func (g *rearrangement) allocate(*Plan) error { return nil }
func (g *rearrangement) constraints() int     { return 0 }
func (g *rearrangement) assign(*Witness)      {}

func (g *rearrangement) define(b *builder) error {
	out := make([]frontend.Variable, len(g.origins))
	for i, o := range g.origins {
		if o.Input < 0 {
			out[i] = o.Value
			continue
		}
		out[i] = b.values[g.node.In[o.Input]][o.Index]
	}
	b.values[g.node.Out] = out
	return nil
}
