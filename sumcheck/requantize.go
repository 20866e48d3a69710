package sumcheck

import (
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// requantizer makes the outputs of a rescaled op: cells a with (q, a) in its table, where q is what accumulator and
// remainder make of it. Channels that round alike make a part.
type requantizer struct {
	*builder
	node  int
	r     *model.Rescale
	shape []int // channels last if there are several
	// stored tells whether images have the order of stored.
	stored bool
	out    claims.Shaped
	// acc is the accumulators of some channels, nil for all.
	acc func(channels []int) claims.Expression
}

// requantize commits the outputs of a rescaled op in the shape in which they are stored, or in the graph's.
func (b *builder) requantize(node int, op model.Rescaled, stored bool, acc func(channels []int) claims.Expression) claims.Shaped {
	id := b.graph.Nodes[node].Out
	shape := b.tensor(id).Shape
	if stored {
		shape = storedShape(shape)
	}
	z := &requantizer{builder: b, node: node, r: op.Requantization(), shape: shape, stored: stored, acc: acc}
	z.out = b.trace(shape, func(w *Witness) []int64 { return w.ordered(w.trace.Values[id], id, stored) })
	var plain, binary []int
	for c, rounding := range z.r.Roundings {
		if rounding == model.Binary32 {
			binary = append(binary, c)
		} else {
			plain = append(plain, c)
		}
	}
	switch {
	case len(binary) == 0:
		z.fixed(nil)
	case len(plain) == 0:
		z.binary(nil)
	default:
		z.fixed(plain)
		z.binary(binary)
	}
	return z.out
}

// part is the shape of some channels.
func (z *requantizer) part(channels []int) []int {
	if channels == nil {
		return z.shape
	}
	shape := slices.Clone(z.shape)
	shape[len(shape)-1] = len(channels)
	return shape
}

// image is the outputs of some channels.
func (z *requantizer) image(channels []int) claims.Shaped {
	if channels == nil {
		return z.out
	}
	return choose(z.out, len(z.shape)-1, channels)
}

// accumulators are those of some channels, as they are stored.
func (z *requantizer) accumulators(w *Witness, channels []int) []int64 {
	acc := w.ordered(w.trace.Acc[z.node], z.graph.Nodes[z.node].Out, z.stored)
	if channels == nil {
		return acc
	}
	n := z.shape[len(z.shape)-1]
	out := make([]int64, 0, len(acc)/n*len(channels))
	for ; len(acc) > 0; acc = acc[n:] {
		for _, c := range channels {
			out = append(out, acc[c])
		}
	}
	return out
}

// cells commits a number that each accumulator of some channels gives.
func (z *requantizer) cells(channels []int, value func(acc int64) int64) claims.Shaped {
	return z.trace(z.part(channels), func(w *Witness) []int64 { return mapped(z.accumulators(w, channels), value) })
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

// limbs commits the bits [0, width) of a number that each accumulator gives, in ranges.
func (z *requantizer) limbs(channels []int, width uint, number func(acc int64) int64) (limbs []limb) {
	for at := uint(0); at < width; {
		l := limb{at: at, size: min(limbBits, width-at)}
		l.cells = z.cells(channels, l.digit(number))
		z.lookup(l.cells.Shape, z.rangeTable(-1<<(l.size-1), 1<<l.size), []claims.Expression{l.cells.Expression}, nil)
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

// fixed makes the outputs of channels that round half up, or half away after fewer bits: q is the half-up quotient.
func (z *requantizer) fixed(channels []int) {
	if z.tied(channels) {
		z.away(channels)
		return
	}
	shape := z.part(channels)
	limbs := z.limbs(channels, z.r.Shift, z.r.Remainder)
	f := z.function(&z.r.Table, z.r.QMin, z.r.QMax)
	q := z.quotient(channels, shape, limbs, f.from)
	z.lookup(shape, f.table, []claims.Expression{q, times(1, z.image(channels), -f.image).Expression}, func(w *Witness) [][]int64 {
		return [][]int64{mapped(z.accumulators(w, channels), func(acc int64) int64 { return z.r.Floor(acc) - f.from })}
	})
}

// quotient is (acc + 2^(T−1) − remainder)/2^T − from.
func (z *requantizer) quotient(channels, shape []int, limbs []limb, from int64) claims.Expression {
	e := z.acc(channels)
	rest := plus(constant(shape, half(z.r.Shift)-from<<z.r.Shift), -1, value(shape, limbs))
	e.Constant += rest.Constant
	e.Linear = append(slices.Clone(e.Linear), rest.Linear...)
	e.Shift = z.r.Shift
	return e
}

// tied tells whether a tie changes an output of some channel.
func (z *requantizer) tied(channels []int) bool {
	if z.r.Roundings == nil || !slices.ContainsFunc(z.of(channels), func(x model.Rounding) bool { return x.TieBits() > 0 }) {
		return false
	}
	for q := z.r.QMin; q <= min(z.r.QMax, 0); q++ {
		if z.at(q) != z.at(q-1) {
			return true
		}
	}
	return false
}

// of are the roundings of some channels.
func (z *requantizer) of(channels []int) []model.Rounding {
	if channels == nil {
		return z.r.Roundings
	}
	var out []model.Rounding
	for _, c := range channels {
		out = append(out, z.r.Roundings[c])
	}
	return out
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
func (z *requantizer) away(channels []int) {
	shape, top := z.part(channels), min(z.tieBits, z.r.Shift)
	limbs := z.limbs(channels, z.r.Shift-top, z.r.Remainder)
	high := limb{at: z.r.Shift - top, size: top}
	high.cells = z.cells(channels, high.digit(z.r.Remainder))
	limbs = append(limbs, high)
	roundings, last := z.of(channels), len(shape)-1
	tie := z.trace(shape, func(w *Witness) []int64 {
		acc := z.accumulators(w, channels)
		out := make([]int64, len(acc))
		for i, v := range acc {
			if z.r.Tie(roundings[i%len(roundings)], v) && roundings[i%len(roundings)].TieBits() > 0 {
				out[i] = 1
			}
		}
		return out
	})
	z.lookup(shape, z.tieTable(top), []claims.Expression{tieClasses(roundings, shape, last).Expression, high.cells.Expression, tie.Expression}, nil)
	t := z.tiedFunction()
	q := z.quotient(channels, shape, limbs, 0)
	z.lookup(shape, t, []claims.Expression{tie.Expression, q, z.image(channels).Expression}, func(w *Witness) [][]int64 {
		return [][]int64{w.expression(&tie), mapped(z.accumulators(w, channels), z.r.Floor)}
	})
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

// binary makes the outputs of channels whose boundaries binary32 displaces: with rest = acc + 2^(T−1) − c·2^T,
//
//	d(c) ≤ rest < 2^T + d(c+1),
//
// where c is a cell, and its row of the table says both displacements: they are what the two ranges leave.
func (z *requantizer) binary(channels []int) {
	shape, r := z.part(channels), z.r
	quotient := func(acc int64) int64 { return r.Binary32Quotient(acc) }
	rest := func(acc int64) int64 { return acc - r.Least(quotient(acc)) }
	below := func(acc int64) int64 { return rest(acc) - r.Displacement(quotient(acc)) }
	above := func(acc int64) int64 { return 1<<r.Shift + r.Displacement(quotient(acc)+1) - 1 - rest(acc) }
	c := z.cells(channels, quotient)
	low := value(shape, z.limbs(channels, r.Shift+1, below))
	high := value(shape, z.limbs(channels, r.Shift+1, above))
	t := z.find(fmt.Sprint("binary32", r.Shift, r.Table.Min, r.Table.Values), r.QMin, r.QMax, func() *table {
		return &table{values: []func([]int64, int64) int64{
			func(_ []int64, q int64) int64 { return r.Table.At(r.Saturation(q)) },
			func(_ []int64, q int64) int64 { return r.Displacement(q) },
			func(_ []int64, q int64) int64 { return r.Displacement(q + 1) },
		}}
	})
	remainder := func(k int64, more claims.Shaped, less int64) claims.Expression { // acc + 2^(T−1) − c·2^T + k·more + less
		e := z.acc(channels)
		linear := plus(plus(constant(shape, half(r.Shift)+less), -1<<r.Shift, c), k, more)
		e.Constant += linear.Constant
		e.Linear = append(slices.Clone(e.Linear), linear.Linear...)
		return e
	}
	z.lookup(shape, t, []claims.Expression{c.Expression, z.image(channels).Expression,
		remainder(-1, low, 0), remainder(1, high, 1-1<<r.Shift)}, nil)
}
