package sumcheck

import (
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// mul commits the products: a proof of elementwise products, then a scaling of them.
func (b *builder) mul(node int, op *model.Mul) claims.Shaped {
	n := &b.graph.Nodes[node]
	multiplier := b.parameter(op.Params()[0])
	shape := b.tensor(n.Out).Shape
	factor := func(k int) claims.Shaped {
		return stored(broadcast(times(1, b.values[n.In[k]], -op.Zeros[k]), shape))
	}
	product := b.product(factor(0), factor(1))
	return shown(b.requantize(node, op, true, claims.Expression{Contractions: []claims.ContractionTimes{b.scaledBy(multiplier, 0, product)}}))
}

// product commits x·y, elementwise.
func (b *builder) product(x, y claims.Shaped) claims.Shaped {
	out := b.trace(x.Shape, func(w *Witness) []int64 {
		a, c := w.expression(&x), w.expression(&y)
		out := make([]int64, len(a))
		for i := range out {
			out[i] = a[i] * c[i]
		}
		return out
	})
	b.multiply(x, y, out)
	return out
}
