package circuits

import (
	"math/big"
	"math/bits"

	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
)

// fixedSoftmax follows the arithmetic of model.FixedSoftmax step by step. A line's sum is normalized by a
// power of two that is chosen one-hot; its reciprocal takes three Newton steps; every rounded product is a
// quotient and a remainder, both range-checked.
type fixedSoftmax struct {
	in, out  model.TensorID
	op       *model.FixedSoftmax
	min      int64 // of the input
	lines, n int   // lines of n elements

	greatest span   // one a line, less min
	exps     *table // difference, exponential, summand
	exp      span   // one an element
	summand  span
	widths   []uint // of the sum that may occur
	selected span   // one-hot, line by line

	half       *ranged         // the normalized sum halved, less 2^30
	odd        span            // its lowest bit
	first      *fixedProduct   // half · (−32/17)
	halfX      [3]fixedProduct // half · x
	correction [3]fixedProduct // x · (1 − half·x)
	saturated  span            // whether 2x exceeds 2^31 − 1
	distance   *ranged         // |2x − (2^31 − 1)|
	share      *fixedProduct   // reciprocal · exponential, one an element
	rem        *ranged         // what its rounding to 8 fraction bits leaves
	clamp      *function       // min(y, 255)
	quotient   span
}

// fixedProduct is ⌊(a·b + 2^30) / 2^31⌋, which lies in [least, least + 2^bits).
type fixedProduct struct {
	least      int64
	value, rem *ranged
}

func newFixedProduct(least int64, width uint, count int) *fixedProduct {
	return &fixedProduct{least, newBits(width, count, false), newBits(31, count, false)}
}

func (p *fixedProduct) ranges() []*ranged { return []*ranged{p.value, p.rem} }

// set records product k and returns it.
func (p *fixedProduct) set(w *Witness, k int, a, c int64) int64 {
	v := int64(fixedpoint.SRDHM(int32(a), int32(c)))
	p.value.set(w, k, uint64(v-p.least))
	p.rem.set(w, k, uint64(a*c+1<<30-v<<31))
	return v
}

func (p *fixedProduct) define(b *builder, k int, x, y frontend.Variable) frontend.Variable {
	value, rem := p.value.value(b, k), p.rem.value(b, k)
	p.value.define(b, k, value)
	p.rem.define(b, k, rem)
	v := b.api.Add(value, p.least)
	b.product(x, y, b.api.Sub(b.api.Add(b.scale(v, pow2(31)), rem), pow2(30)))
	return v
}

// The constants of Newton's iteration, with two integer bits but for the last.
const (
	newtonFirst = 1515870810  // 48/17
	newtonSlope = -1010580540 // −32/17
	newtonOne   = 1 << 29
	fixedOne    = 1<<31 - 1
)

func newFixedSoftmax(p *Plan, node int, op *model.FixedSoftmax) gadget {
	n := &p.graph.Nodes[node]
	t := p.tensor(n.In[0])
	g := &fixedSoftmax{in: n.In[0], out: n.Out, op: op, min: t.Min, n: t.Shape[len(t.Shape)-1]}
	g.lines = t.Len() / g.n
	least := model.SoftmaxSummand(fixedOne)
	for w := bits.Len64(uint64(least)); w <= bits.Len64(uint64(least)*uint64(g.n)); w++ {
		g.widths = append(g.widths, uint(w))
	}
	g.half = newBits(30, g.lines, false)
	g.first = newFixedProduct(-1<<30, 30, g.lines)
	for i := range g.halfX {
		g.halfX[i] = *newFixedProduct(0, 30, g.lines)
		g.correction[i] = *newFixedProduct(-1<<27, 28, g.lines)
	}
	g.distance = newBits(31, g.lines, false)
	g.share = newFixedProduct(0, 31, t.Len())
	g.rem = newBits(g.outShift(), t.Len(), false)
	g.clamp = newFunction(model.ClampTable(0, model.SoftmaxTop+1, 0, model.SoftmaxTop), t.Len())
	return g
}

// outShift is by how much a share is shifted where the sum is widest.
func (g *fixedSoftmax) outShift() uint { return 35 - (32 - g.widths[len(g.widths)-1]) }

func (g *fixedSoftmax) ranges() []*ranged {
	out := []*ranged{g.half, g.distance, g.rem}
	out = append(out, g.first.ranges()...)
	for i := range g.halfX {
		out = append(out, g.halfX[i].ranges()...)
		out = append(out, g.correction[i].ranges()...)
	}
	return append(out, g.share.ranges()...)
}

func (g *fixedSoftmax) demand(d *demands) {
	for _, r := range g.ranges() {
		r.demand(d)
	}
}

func (g *fixedSoftmax) allocate(p *Plan) error {
	for _, r := range g.ranges() {
		r.allocate(p)
	}
	summands := make([]int64, len(g.op.Exp.Values))
	for i, e := range g.op.Exp.Values {
		summands[i] = model.SoftmaxSummand(e)
	}
	g.exps = p.tables.table(len(summands), nil, g.op.Exp.Values, summands)
	g.greatest, g.odd, g.saturated = p.wires(g.lines), p.wires(g.lines), p.wires(g.lines)
	g.selected = p.wires(g.lines * len(g.widths))
	g.exp, g.summand, g.quotient = p.wires(g.lines*g.n), p.wires(g.lines*g.n), p.wires(g.lines*g.n)
	return g.clamp.allocate(p)
}

func (g *fixedSoftmax) constraints() int {
	elements := g.lines * g.n
	// A line: the greatest is one of its own, bits and their sum, the normalized sum, seven products,
	// the saturation. An element: a query with two columns, two products, the clamp.
	n := g.lines*(max(g.n-1, 1)+len(g.widths)+1+1+1+7+2) + elements*(3+2) + g.clamp.constraints()
	for _, r := range g.ranges() {
		n += r.constraints()
	}
	return n
}

func (g *fixedSoftmax) assign(w *Witness) {
	x := w.values(g.in)
	for l := range g.lines {
		line := x[l*g.n : (l+1)*g.n]
		greatest := line[0]
		for _, v := range line {
			greatest = max(greatest, v)
		}
		g.assignLine(w, l, greatest)
	}
}

// assignLine fills the wires of a line whose greatest value is given.
func (g *fixedSoftmax) assignLine(w *Witness, l int, greatest int64) {
	x := w.values(g.in)[l*g.n : (l+1)*g.n]
	w.set(g.greatest, l, uint64(greatest-g.min))
	var sum int64
	for k, v := range x {
		row := int(v - greatest - g.op.Exp.Min)
		if row < 0 || row >= g.exps.n {
			w.fail(errOutsideTable)
			return
		}
		w.count(g.exps, uint64(row))
		w.set(g.exp, l*g.n+k, uint64(g.exps.at(1, row)))
		w.set(g.summand, l*g.n+k, uint64(g.exps.at(2, row)))
		sum += g.exps.at(2, row)
	}
	width := uint(bits.Len64(uint64(sum)))
	for j, v := range g.widths {
		if v == width {
			w.set(g.selected, l*len(g.widths)+j, 1)
		}
	}
	r := g.assignReciprocal(w, l, sum<<(32-width))
	for k, v := range x {
		g.assignShare(w, l*g.n+k, r, g.op.Exp.At(v-greatest), width)
	}
}

// assignReciprocal takes a sum in [2^31, 2^32).
func (g *fixedSoftmax) assignReciprocal(w *Witness, l int, sum int64) int64 {
	half := sum >> 1
	g.half.set(w, l, uint64(half-1<<30))
	w.set(g.odd, l, uint64(sum&1))
	x := newtonFirst + g.first.set(w, l, half, newtonSlope)
	for i := range g.halfX {
		t := g.halfX[i].set(w, l, half, x)
		x += 4 * g.correction[i].set(w, l, x, newtonOne-t)
	}
	distance := 2*x - fixedOne
	if distance > 0 {
		w.set(g.saturated, l, 1)
	}
	g.distance.set(w, l, uint64(max(distance, -distance)))
	return min(2*x, fixedOne)
}

func (g *fixedSoftmax) assignShare(w *Witness, at int, r, e int64, width uint) {
	c := g.share.set(w, at, r, e)
	shift := g.outShift()
	scaled := c<<(g.widths[len(g.widths)-1]-width) + 1<<(shift-1)
	y := scaled >> shift
	g.rem.set(w, at, uint64(scaled&(1<<shift-1)))
	w.set(g.quotient, at, uint64(y))
	g.clamp.set(w, at, y)
}

func (g *fixedSoftmax) define(b *builder) error {
	out := make([]frontend.Variable, g.lines*g.n)
	for l := range g.lines {
		exps, sum := g.defineExps(b, l)
		power := g.defineNormalization(b, l, sum)
		r := g.defineReciprocal(b, l)
		for k := range g.n {
			out[l*g.n+k] = g.defineShare(b, l*g.n+k, r, exps[k], power)
		}
	}
	b.values[g.out] = out
	return nil
}

// defineExps looks up the exponentials of a line relative to one of its own elements, which is the
// greatest because differences have to be in the table.
func (g *fixedSoftmax) defineExps(b *builder, l int) (exps []frontend.Variable, sum frontend.Variable) {
	greatest := b.api.Add(b.wire(g.greatest, l), g.min)
	gap := frontend.Variable(1)
	var summands []frontend.Variable
	for k := range g.n {
		at := l*g.n + k
		difference := b.api.Sub(b.values[g.in][at], greatest)
		e, s := b.wire(g.exp, at), b.wire(g.summand, at)
		b.lookup(g.exps, b.api.Add(b.less(difference, g.op.Exp.Min), b.column(1, e), b.column(2, s)))
		exps, summands = append(exps, e), append(summands, s)
		if k == g.n-1 {
			b.product(gap, difference, 0)
		} else if k == 0 {
			gap = difference
		} else {
			gap = b.api.Mul(gap, difference)
		}
	}
	return exps, b.sum(summands)
}

// defineNormalization shifts the sum into [2^31, 2^32), where it is 2·half + odd. It returns the power of
// two by which the sum is below the widest possible.
func (g *fixedSoftmax) defineNormalization(b *builder, l int, sum frontend.Variable) frontend.Variable {
	widest := g.widths[len(g.widths)-1]
	var bitsOfOne, powers []frontend.Variable
	for j, width := range g.widths {
		s := b.wire(g.selected, l*len(g.widths)+j)
		b.product(s, b.api.Sub(1, s), 0)
		bitsOfOne = append(bitsOfOne, s)
		powers = append(powers, b.scale(s, pow2(widest-width)))
	}
	b.product(b.sum(bitsOfOne), 1, 1)
	power := b.sum(powers)
	odd, half := b.wire(g.odd, l), g.halfOf(b, l)
	b.product(odd, b.api.Sub(1, odd), 0)
	normalized := b.api.Add(b.scale(half, pow2(1)), odd)
	b.product(b.scale(sum, pow2(32-widest)), power, normalized)
	return power
}

func (g *fixedSoftmax) halfOf(b *builder, l int) frontend.Variable {
	return b.api.Add(g.half.value(b, l), pow2(30))
}

// defineReciprocal is min(2x, 2^31 − 1) for x of Newton's iteration.
func (g *fixedSoftmax) defineReciprocal(b *builder, l int) frontend.Variable {
	g.half.define(b, l, g.half.value(b, l))
	half := g.halfOf(b, l)
	x := b.api.Add(g.first.define(b, l, half, newtonSlope), newtonFirst)
	for i := range g.halfX {
		t := g.halfX[i].define(b, l, half, x)
		x = b.api.Add(x, b.scale(g.correction[i].define(b, l, x, b.api.Sub(newtonOne, t)), pow2(2)))
	}
	excess := b.api.Sub(b.scale(x, pow2(1)), fixedOne)
	saturated, distance := b.wire(g.saturated, l), g.distance.value(b, l)
	g.distance.define(b, l, distance)
	b.product(saturated, b.api.Sub(1, saturated), 0)
	sign := b.api.Sub(b.scale(saturated, pow2(1)), 1)
	b.product(sign, excess, distance) // its range says that sign is that of the excess
	// saturated·excess is (distance + excess)/2.
	over := b.unscale(b.api.Add(distance, excess), 1)
	return b.api.Sub(b.scale(x, pow2(1)), over)
}

// defineShare rounds reciprocal·exponential to 8 fraction bits.
func (g *fixedSoftmax) defineShare(b *builder, at int, r, e, power frontend.Variable) frontend.Variable {
	c := g.share.define(b, at, r, e)
	shift := g.outShift()
	y, rem := b.wire(g.quotient, at), g.rem.value(b, at)
	g.rem.define(b, at, rem)
	scaled := new(big.Int).Neg(pow2(shift - 1))
	b.product(c, power, b.api.Add(b.scale(y, pow2(shift)), rem, scaled))
	return b.api.Add(g.clamp.define(b, at, y), g.op.Zero)
}
