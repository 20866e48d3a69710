package circuits

import (
	"math/big"

	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// requantizer checks a = f(q) with acc = q·2^T + rem − 2^(T−1), 0 ≤ rem < 2^T, for every element of
// a rescaled op. The accumulator is never a wire: it is this expression, and the linear layer
// constrains it.
//
// With a table that covers less than [QMin, QMax], q = c + over − under: c is the table's argument,
// over is not 0 only at its upper end, under only at its lower end.
type requantizer struct {
	node  int
	out   model.TensorID
	r     *model.Rescale
	table model.Table // the part of r's that quotients reach
	count int

	rem         *ranged   // nil for T = 0
	argument    span      // c less the table's least argument, unless the table is the identity
	identity    *ranged   // the same for the identity, whose range check is all there is
	lookup      *function // nil for the identity
	over, under *ranged   // nil where the table reaches QMax, QMin
}

func newRequantizer(p *Plan, node int, r *model.Rescale) *requantizer {
	out := p.graph.Nodes[node].Out
	z := &requantizer{node: node, out: out, r: r, table: r.Reached(), count: p.tensor(out).Len()}
	if r.Shift > 0 {
		z.rem = newBits(r.Shift, z.count, false)
	}
	if isIdentity(&z.table) {
		z.identity = newRanged(int64(len(z.table.Values)), z.count, false)
	} else {
		z.lookup = newFunction(z.table, z.count)
	}
	if excess := r.QMax - z.table.Max(); excess > 0 {
		z.over = newRanged(excess+1, z.count, false)
	}
	if excess := z.table.Min - r.QMin; excess > 0 {
		z.under = newRanged(excess+1, z.count, false)
	}
	return z
}

func isIdentity(t *model.Table) bool {
	for i, v := range t.Values {
		if v != t.Min+int64(i) {
			return false
		}
	}
	return true
}

// ranges are those that are there.
func (z *requantizer) ranges() []*ranged {
	var out []*ranged
	for _, r := range []*ranged{z.rem, z.identity, z.over, z.under} {
		if r != nil {
			out = append(out, r)
		}
	}
	return out
}

func (z *requantizer) demand(d *demands) {
	for _, r := range z.ranges() {
		r.demand(d)
	}
}

func (z *requantizer) allocate(p *Plan) error {
	for _, r := range z.ranges() {
		r.allocate(p)
	}
	if z.lookup == nil {
		return nil
	}
	z.argument = p.wires(z.count)
	return z.lookup.allocate(p)
}

func (z *requantizer) constraints() int {
	n := 0
	for _, r := range z.ranges() {
		n += r.constraints()
	}
	if z.lookup != nil {
		n += z.lookup.constraints()
	}
	for _, r := range []*ranged{z.over, z.under} {
		if r != nil {
			n += z.count
		}
	}
	return n
}

func (z *requantizer) assign(w *Witness) {
	for i, acc := range w.trace.Acc[z.node] {
		q := z.r.Quotient(acc)
		c := z.r.Saturation(q)
		if z.rem != nil {
			z.rem.set(w, i, uint64(acc+1<<(z.r.Shift-1)-q<<z.r.Shift))
		}
		if z.identity != nil {
			z.identity.set(w, i, uint64(c-z.table.Min))
		} else {
			w.set(z.argument, i, uint64(c-z.table.Min))
			z.lookup.set(w, i, c)
		}
		if z.over != nil {
			z.over.set(w, i, uint64(max(q-c, 0)))
		}
		if z.under != nil {
			z.under.set(w, i, uint64(max(c-q, 0)))
		}
	}
}

// define checks every element, sets the expressions of the output, and returns the accumulators'.
func (z *requantizer) define(b *builder) []frontend.Variable {
	acc := make([]frontend.Variable, z.count)
	out := make([]frontend.Variable, z.count)
	half := new(big.Int)
	if z.r.Shift > 0 {
		half = pow2(z.r.Shift - 1)
	}
	for i := range acc {
		var index frontend.Variable // of the table's row
		if z.identity != nil {
			index = z.identity.value(b, i)
			z.identity.define(b, i, index)
			out[i] = b.api.Add(index, z.table.Min)
		} else {
			index = b.wire(z.argument, i)
			out[i] = z.lookup.define(b, i, index)
		}
		q := b.api.Add(index, z.table.Min)
		if z.over != nil {
			q = b.api.Add(q, z.excess(b, z.over, i, b.api.Sub(len(z.table.Values)-1, index)))
		}
		if z.under != nil {
			q = b.api.Sub(q, z.excess(b, z.under, i, index))
		}
		acc[i] = b.scale(q, pow2(z.r.Shift))
		if z.rem != nil {
			rem := z.rem.value(b, i)
			z.rem.define(b, i, rem)
			acc[i] = b.api.Sub(b.api.Add(acc[i], rem), half)
		}
	}
	b.values[z.out] = out
	return acc
}

// excess is the value of r, which may differ from 0 only at distance 0 from an end of the table.
func (z *requantizer) excess(b *builder, r *ranged, i int, distance frontend.Variable) frontend.Variable {
	v := r.value(b, i)
	r.define(b, i, v)
	b.product(v, distance, 0)
	return v
}
