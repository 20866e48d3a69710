package sumcheck

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
)

// The constants of Newton's iteration, with two integer bits but for the last.
const (
	newtonFirst = 1515870810  // 48/17
	newtonSlope = -1010580540 // −32/17
	newtonOne   = 1 << 29
	fixedOne    = 1<<31 - 1
)

// fixedSoftmax follows the arithmetic of model.FixedSoftmax step by step. A line's sum is normalized by a power of
// two that is chosen one-hot; its reciprocal takes three Newton steps; every rounded product is a quotient and
// a remainder, both in range.
func (b *builder) fixedSoftmax(n *model.Node, op *model.FixedSoftmax) claims.Shaped {
	t, x := b.tensor(n.In[0]), b.values[n.In[0]]
	axis := len(t.Shape) - 1
	over := func(line claims.Shaped) claims.Shaped { return every(line, axis, t.Shape[axis], 0, 0) }
	distance := plus(x, -1, over(b.maximum(x, axis, t.Max-t.Min)))
	e, summand := b.exponentials(op, distance, t.Max-t.Min)
	power, half, widest := b.normalized(sum(summand, axis), int64(t.Shape[axis]))
	r := b.reciprocal(half)
	share := b.rounded(over(r), e, 0, 31)
	return b.probability(op, share, over(power), 35-(32-widest))
}

// exponentials looks (distance, e, RDBPOT(e, 12)) up.
func (b *builder) exponentials(op *model.FixedSoftmax, distance claims.Shaped, spread int64) (e, summand claims.Shaped) {
	t := b.find(fmt.Sprint("exponentials", op.Exp.Min, op.Exp.Values), -spread, 0, func() *table {
		return &table{values: []func([]int64, int64) int64{
			func(_ []int64, d int64) int64 { return op.Exp.At(d) },
			func(_ []int64, d int64) int64 { return model.SoftmaxSummand(op.Exp.At(d)) },
		}}
	})
	e = b.computed(distance, op.Exp.At)
	summand = b.computed(distance, func(d int64) int64 { return model.SoftmaxSummand(op.Exp.At(d)) })
	b.lookup(distance.Shape, t, []claims.Expression{distance.Expression, e.Expression, summand.Expression}, nil)
	return e, summand
}

// computed commits f of an expression, which somebody has to constrain.
func (b *builder) computed(x claims.Shaped, f func(v int64) int64) claims.Shaped {
	return b.trace(x.Shape, func(w *Witness) []int64 { return mapped(w.expression(&x), f) })
}

// bit commits a bit that f computes.
func (b *builder) bit(x claims.Shaped, f func(v int64) bool) claims.Shaped {
	out := b.computed(x, func(v int64) int64 {
		if f(v) {
			return 1
		}
		return 0
	})
	b.inRange(out, 0, 2)
	return out
}

// normalized shifts sums of count summands into [2^31, 2^32), 2·half + odd. power is by how much a sum is below
// the widest possible.
func (b *builder) normalized(s claims.Shaped, count int64) (power, half claims.Shaped, widest uint) {
	least := model.SoftmaxSummand(fixedOne)
	narrowest := uint(bits.Len64(uint64(least)))
	widest = uint(bits.Len64(uint64(least * count)))
	power = constant(s.Shape, 0)
	one := constant(s.Shape, -1)
	for width := narrowest; width <= widest; width++ {
		selected := b.bit(s, func(v int64) bool { return uint(bits.Len64(uint64(v))) == width })
		power, one = plus(power, 1<<(widest-width), selected), plus(one, 1, selected)
	}
	b.zero(one)
	top := func(v int64) int64 { return v << (32 - bits.Len64(uint64(v))) }
	odd := b.bit(s, func(v int64) bool { return top(v)&1 == 1 })
	above := b.computed(s, func(v int64) int64 { return top(v)>>1 - 1<<30 })
	b.hasBits(above, 30)
	half = times(1, above, 1<<30)
	b.multiply(times(1<<(32-widest), s, 0), power, plus(odd, 2, half))
	return power, half, widest
}

// rounded commits ⌊(x·y + 2^30)/2^31⌋, which lies in [least, least + 2^width).
func (b *builder) rounded(x, y claims.Shaped, least int64, width uint) claims.Shaped {
	pair := func(w *Witness, f func(x, y int64) int64) []int64 {
		out := slices.Clone(w.expression(&x))
		for i, v := range w.expression(&y) {
			out[i] = f(out[i], v)
		}
		return out
	}
	product := func(x, y int64) int64 { return int64(fixedpoint.SRDHM(int32(x), int32(y))) }
	v := b.trace(x.Shape, func(w *Witness) []int64 { return pair(w, product) })
	rest := b.trace(x.Shape, func(w *Witness) []int64 {
		return pair(w, func(x, y int64) int64 { return x*y + 1<<30 - product(x, y)<<31 })
	})
	b.hasBits(times(1, v, -least), width)
	b.hasBits(rest, 31)
	b.multiply(x, y, times(1, plus(rest, 1<<31, v), -1<<30))
	return v
}

// reciprocal is min(2x, 2^31 − 1) for x of Newton's iteration.
func (b *builder) reciprocal(half claims.Shaped) claims.Shaped {
	x := times(1, b.rounded(half, constant(half.Shape, newtonSlope), -1<<30, 30), newtonFirst)
	for range 3 {
		t := b.rounded(half, x, 0, 30)
		x = plus(x, 4, b.rounded(x, times(-1, t, newtonOne), -1<<27, 28))
	}
	excess := times(2, x, -fixedOne)
	saturated := b.bit(excess, func(v int64) bool { return v > 0 })
	distance := b.computed(excess, func(v int64) int64 { return max(v, -v) })
	b.hasBits(distance, 31) // says that the sign is that of the excess
	b.multiply(times(2, saturated, -1), excess, distance)
	out := b.computed(excess, func(v int64) int64 { return min(v, 0) + fixedOne })
	// saturated·excess is (distance + excess)/2: 2·out = 4x − distance − excess.
	b.zero(plus(plus(plus(times(2, out, 0), -4, x), 1, distance), 1, excess))
	return out
}

// probability rounds share·power to 8 fraction bits.
func (b *builder) probability(op *model.FixedSoftmax, share, power claims.Shaped, shift uint) claims.Shaped {
	scaled := func(w *Witness, f func(v int64) int64) []int64 {
		out := slices.Clone(w.expression(&share))
		for i, v := range w.expression(&power) {
			out[i] = f(out[i]*v + 1<<(shift-1))
		}
		return out
	}
	y := b.trace(share.Shape, func(w *Witness) []int64 { return scaled(w, func(v int64) int64 { return v >> shift }) })
	rest := b.trace(share.Shape, func(w *Witness) []int64 { return scaled(w, func(v int64) int64 { return v & (1<<shift - 1) }) })
	b.hasBits(rest, shift)
	b.multiply(share, power, times(1, plus(rest, 1<<shift, y), -1<<(shift-1)))
	top := model.ClampTable(0, model.SoftmaxTop+1, 0, model.SoftmaxTop)
	out := b.computed(y, top.At)
	b.apply(b.function(&top, 0, model.SoftmaxTop+1), y, out)
	return times(1, out, op.Zero)
}
