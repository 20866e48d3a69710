package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// activation looks every value up in the function's table.
type activation struct {
	in, out model.TensorID
	op      *model.Activation
	lookup  *function
}

func newActivation(p *Plan, node int, op *model.Activation) gadget {
	n := &p.graph.Nodes[node]
	return &activation{in: n.In[0], out: n.Out, op: op, lookup: newFunction(op.Table, p.tensor(n.Out).Len())}
}

func (g *activation) demand(*demands) {}

func (g *activation) allocate(p *Plan) error { return g.lookup.allocate(p) }

func (g *activation) constraints() int { return g.lookup.constraints() }

func (g *activation) assign(w *Witness) {
	for i, x := range w.values(g.in) {
		g.lookup.set(w, i, x)
	}
}

func (g *activation) define(b *builder) error {
	out := make([]frontend.Variable, g.lookup.count)
	for i := range out {
		out[i] = g.lookup.define(b, i, b.less(b.values[g.in][i], g.op.Table.Min))
	}
	b.values[g.out] = out
	return nil
}
