package sumcheck

import (
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// maxPool takes the maximum along x, then along y, pair by pair. Padding holds the input's least value, which never wins
// against an element.
func (b *builder) maxPool(n *model.Node, op *model.MaxPool) claims.Shaped {
	t := b.tensor(n.In[0])
	shape := storedShape(b.tensor(n.Out).Shape)
	x := b.operand(n.In[0], t.Min)
	for _, a := range []int{1, 0} { // columns first: a pooled row is shorter
		axis := 1 + a
		tap := func(k int) claims.Shaped {
			return every(x, axis, shape[axis], k*op.Dilation[a]-op.PadBefore[a], op.Stride[a])
		}
		most := tap(0)
		for k := 1; k < op.Kernel[a]; k++ {
			most = b.greater(most, tap(k), t.Max-t.Min)
		}
		x = most
	}
	return shown(times(1, x, t.Min))
}

// greater commits max(x, y), for differences up to spread in absolute value: x + relu(y − x).
func (b *builder) greater(x, y claims.Shaped, spread int64) claims.Shaped {
	out := b.trace(x.Shape, func(w *Witness) []int64 {
		a, c := w.expression(&x), w.expression(&y)
		out := make([]int64, len(a))
		for i := range out {
			out[i] = max(a[i], c[i])
		}
		return out
	})
	b.apply(b.relu(spread), plus(y, -1, x), plus(out, -1, x))
	return out
}

// relu is max(d, 0) for |d| up to spread.
func (b *builder) relu(spread int64) function {
	f := model.Table{Min: -spread}
	for d := -spread; d <= spread; d++ {
		f.Values = append(f.Values, max(d, 0))
	}
	return b.function(&f, -spread, spread)
}

// maximum commits the greatest element along an axis, which has one element then.
func (b *builder) maximum(x claims.Shaped, axis int, spread int64) claims.Shaped {
	for n := x.Shape[axis]; n > 1; n = x.Shape[axis] {
		half := n / 2
		most := b.greater(every(x, axis, half, 0, 2), every(x, axis, half, 1, 2), spread)
		if n%2 == 1 { // the last one has no neighbour
			last := every(x, axis, 1, n-1, 1)
			most = plus(every(most, axis, half+1, 0, 1), 1, every(last, axis, half+1, -half, 1))
		}
		x = most
	}
	return x
}
