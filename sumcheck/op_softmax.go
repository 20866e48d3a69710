package sumcheck

import (
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// softmax checks y = ⌊(2·Steps·e + S)/(2·S)⌋: e is looked up under the distance to the line's greatest element, and what
// the division leaves lies in [0, 2·S).
func (b *builder) softmax(n *model.Node, op *model.Softmax) claims.Shaped {
	t, x := b.tensor(n.In[0]), b.values[n.In[0]]
	count := t.Shape[op.Axis]
	spread := t.Max - t.Min
	distance := plus(x, -1, every(b.maximum(x, op.Axis, spread), op.Axis, count, 0, 0))
	e := b.trace(t.Shape, func(w *Witness) []int64 { return mapped(w.expression(&distance), op.Exp.At) })
	b.apply(b.function(&op.Exp, -spread, 0), distance, e)
	s := total(e, op.Axis, count)
	y := b.trace(t.Shape, func(w *Witness) []int64 { return w.ordered(w.trace.Values[n.Out], n.Out, false) })
	b.inRange(y, 0, op.Steps+1)
	product := b.product(y, times(2, s, 0))
	rest := plus(plus(s, 2*op.Steps, e), -1, product)
	_, greatest := op.Exp.Range()
	width := bitsFor(2 * greatest * int64(count))
	b.hasBits(rest, width)
	b.hasBits(times(1, plus(times(2, s, 0), -1, rest), -1), width)
	return y
}
