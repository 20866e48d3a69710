package sumcheck

import (
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// activation looks (x, f(x)) up.
func (b *builder) activation(n *model.Node, op *model.Activation) claims.Shaped {
	t := b.tensor(n.In[0])
	in := b.operand(n.In[0], 0)
	out := b.trace(in.Shape, func(w *Witness) []int64 { return w.stored(n.Out) })
	b.apply(b.function(&op.Table, t.Min, t.Max), in, out)
	return shown(out)
}

// apply says that out = f(in), elementwise.
func (b *builder) apply(f function, in, out claims.Shaped) {
	b.lookup(in.Shape, f.table, []claims.Expression{times(1, in, -f.from).Expression, times(1, out, -f.image).Expression}, nil)
}
