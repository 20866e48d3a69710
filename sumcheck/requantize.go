package sumcheck

import (
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// requantizer makes the outputs of a rescaled op: cells a with (q, a) in its table, where q is what accumulator and
// remainder make of it. All channels are one lookup; what some of them do otherwise is in cells of their own.
type requantizer struct {
	*builder
	node  int
	r     *model.Rescale
	shape []int // channels last if there are several
	// stored tells whether images have the order of stored.
	stored bool
	out    claims.Shaped
	acc    claims.Expression
	// moved says by how much boundaries are displaced, and offset what accumulators are less for it; nil where none is.
	moved  *displacement
	offset claims.Shaped
}

// requantize commits the outputs of a rescaled op in the shape in which they are stored, or in the graph's.
func (b *builder) requantize(node int, op model.Rescaled, stored bool, acc claims.Expression) claims.Shaped {
	id := b.graph.Nodes[node].Out
	shape := b.tensor(id).Shape
	if stored {
		shape = storedShape(shape)
	}
	z := &requantizer{builder: b, node: node, r: op.Requantization(), shape: shape, stored: stored, acc: acc}
	z.out = b.trace(shape, func(w *Witness) []int64 { return w.ordered(w.trace.Values[id], id, stored) })
	out := z.out
	if !slices.Contains(z.r.Roundings, model.Binary32) {
		z.quotients()
		return out
	}
	z.clamp()
	z.moved = z.newDisplacement()
	x := z.displaced(func(acc int64) int64 { _, _, x, _ := z.moved.of(acc); return x })
	z.offset = z.everywhere(x)
	z.displace(x, z.quotients())
	return out
}

// dividends are the accumulators as they are stored, less what displaces their boundaries.
func (z *requantizer) dividends(w *Witness) []int64 {
	acc := w.ordered(w.trace.Acc[z.node], z.graph.Nodes[z.node].Out, z.stored)
	if z.moved == nil {
		return acc
	}
	if w.lowered.of != &acc[0] {
		w.lowered = reordered{&acc[0], z.moved.lower(acc)}
	}
	return w.lowered.out
}

// cells commits a number that each dividend gives.
func (z *requantizer) cells(value func(dividend int64) int64) claims.Shaped {
	return z.trace(z.shape, func(w *Witness) []int64 { return mapped(z.dividends(w), value) })
}

func mapped(values []int64, f func(v int64) int64) []int64 {
	out := make([]int64, len(values))
	parallel(len(values), func(_, from, to int) {
		for i, v := range values[from:to] {
			out[from+i] = f(v)
		}
	})
	return out
}

// limb is bits [at, at+size) of a number, less 2^(size−1): signed digits are shorter.
type limb struct {
	at, size uint
	cells    claims.Shaped
}

// limbs commits the bits [0, width) of a number that each dividend gives, in ranges.
func (z *requantizer) limbs(width uint, number func(dividend int64) int64) []limb {
	return z.digits(width, func(l limb) claims.Shaped { return z.cells(l.digit(number)) })
}

// digits commits the bits [0, width) of some numbers, in ranges.
func (b *builder) digits(width uint, commit func(l limb) claims.Shaped) (limbs []limb) {
	for at := uint(0); at < width; {
		l := limb{at: at, size: min(limbBits, width-at)}
		l.cells = commit(l)
		b.lookup(l.cells.Shape, b.rangeTable(-1<<(l.size-1), 1<<l.size), []claims.Expression{l.cells.Expression}, nil)
		limbs = append(limbs, l)
		at += l.size
	}
	return limbs
}

func (l limb) digit(number func(acc int64) int64) func(acc int64) int64 {
	return func(acc int64) int64 { return number(acc)>>l.at&(1<<l.size-1) - 1<<(l.size-1) }
}

// value is the number that limbs make.
func value(shape []int, limbs []limb) claims.Shaped {
	out := constant(shape, 0)
	for _, l := range limbs {
		out = plus(out, 1<<l.at, times(1, l.cells, 1<<(l.size-1)))
	}
	return out
}

// half is the rounding constant.
func half(shift uint) int64 {
	if shift == 0 {
		return 0
	}
	return 1 << (shift - 1)
}

// quotients says that an output is that of its half-up quotient, or half away after fewer bits. It returns what
// remains of a division.
func (z *requantizer) quotients() []limb {
	if z.tied() {
		return z.away()
	}
	limbs := z.limbs(z.r.Shift, z.r.Remainder)
	f := z.function(&z.r.Table, z.r.QMin, z.r.QMax)
	q := z.quotient(limbs, f.from)
	z.lookup(z.shape, f.table, []claims.Expression{q, times(1, z.out, -f.image).Expression}, func(w *Witness) [][]int64 {
		return [][]int64{mapped(z.dividends(w), func(v int64) int64 { return z.r.Floor(v) - f.from })}
	})
	return limbs
}

// quotient is (acc − offset + 2^(T−1) − remainder)/2^T − from.
func (z *requantizer) quotient(limbs []limb, from int64) claims.Expression {
	e := z.acc
	rest := plus(constant(z.shape, half(z.r.Shift)-from<<z.r.Shift), -1, value(z.shape, limbs))
	if z.moved != nil {
		rest = plus(rest, -1, z.offset)
	}
	e.Constant += rest.Constant
	e.Linear = append(slices.Clone(e.Linear), rest.Linear...)
	e.Shift = z.r.Shift
	return e
}

// tied tells whether a tie changes an output of some channel.
func (z *requantizer) tied() bool {
	if !slices.ContainsFunc(z.r.Roundings, func(x model.Rounding) bool { return x.TieBits() > 0 }) {
		return false
	}
	for q := z.r.QMin; q <= min(z.r.QMax, 0); q++ {
		if z.at(q) != z.at(q-1) {
			return true
		}
	}
	return false
}

func (z *requantizer) at(q int64) int64 { return z.r.Table.At(z.r.Saturation(q)) }

// chooseTieBits takes as many leading bits as any channel looks at, so that all layers share one table.
func (b *builder) chooseTieBits() {
	for _, n := range b.graph.Nodes {
		if op, ok := n.Op.(model.Rescaled); ok {
			for _, r := range op.Requantization().Roundings {
				b.tieBits = max(b.tieBits, r.TieBits())
			}
		}
	}
}

// away is fixed where ties matter: a quotient of 0 or less counts as one less where the leading e bits of its remainder
// are 0. Those are among the topmost limb's; which e, is public.
func (z *requantizer) away() []limb {
	top := min(z.tieBits, z.r.Shift)
	limbs := z.limbs(z.r.Shift-top, z.r.Remainder)
	high := limb{at: z.r.Shift - top, size: top}
	high.cells = z.cells(high.digit(z.r.Remainder))
	limbs = append(limbs, high)
	roundings, last := z.r.Roundings, len(z.shape)-1
	tie := z.trace(z.shape, func(w *Witness) []int64 {
		acc := z.dividends(w)
		out := make([]int64, len(acc))
		for i, v := range acc {
			if z.r.Tie(roundings[i%len(roundings)], v) && roundings[i%len(roundings)].TieBits() > 0 {
				out[i] = 1
			}
		}
		return out
	})
	z.lookup(z.shape, z.tieTable(top), []claims.Expression{tieClasses(roundings, z.shape, last).Expression, high.cells.Expression, tie.Expression}, nil)
	t := z.tiedFunction()
	q := z.quotient(limbs, 0)
	z.lookup(z.shape, t, []claims.Expression{tie.Expression, q, z.out.Expression}, func(w *Witness) [][]int64 {
		return [][]int64{w.expression(&tie), mapped(z.dividends(w), z.r.Floor)}
	})
	return limbs
}

// tieTable has the rows (e, high, whether the leading e of high's bits are 0), with high less 2^(top−1).
func (z *requantizer) tieTable(top uint) *table {
	return z.find(fmt.Sprint("ties", top), -1<<(top-1), 1<<(top-1)-1, func() *table {
		return &table{fixed: []claims.Argument{{Min: 0, Len: int(top) + 1}}, values: []func([]int64, int64) int64{
			func(e []int64, high int64) int64 {
				if e[0] > 0 && (high+1<<(top-1))>>(int64(top)-e[0]) == 0 {
					return 1
				}
				return 0
			}}}
	})
}

// tieClasses is e of every channel.
func tieClasses(roundings []model.Rounding, shape []int, last int) claims.Shaped {
	out := constant(shape, 0)
	ones := slices.Clone(shape)
	for e := uint(1); e <= model.MaxTieBits; e++ {
		some := false
		indices := make([]int, len(roundings))
		for c, r := range roundings {
			if indices[c] = -1; r.TieBits() == e {
				indices[c], some = c, true
			}
		}
		if some {
			mask := claims.Shaped{Shape: ones, Expression: claims.Expression{Linear: []claims.Summand{{Coefficient: 1, View: claims.View{Tensor: claims.Ones, Shape: ones}}}}}
			out = plus(out, int64(e), choose(mask, last, indices))
		}
	}
	return out
}

// tiedFunction has the rows (tie, q, output).
func (z *requantizer) tiedFunction() *table {
	r := z.r
	key := fmt.Sprint("tied", r.Table.Min, r.Table.Values)
	return z.find(key, r.QMin, r.QMax, func() *table {
		return &table{fixed: []claims.Argument{{Min: 0, Len: 2}}, values: []func([]int64, int64) int64{
			func(tie []int64, q int64) int64 {
				if tie[0] == 1 && q <= 0 {
					q--
				}
				return r.Table.At(r.Saturation(q))
			}}}
	})
}
