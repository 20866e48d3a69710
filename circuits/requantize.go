package circuits

import (
	"math/big"

	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// requantizer checks a = f(q) with acc = q·2^T + rem − 2^(T−1), 0 ≤ rem < 2^T, for every element of
// a rescaled op. The accumulator is never a wire: it is this expression, and the linear layer
// constrains it.
type requantizer struct {
	node   int
	out    model.TensorID
	r      *model.Rescale
	count  int
	rem    *ranged   // nil for T = 0
	q      span      // q − QMin, unless the table is the identity
	q1     *ranged   // q − QMin for the identity, whose range check is all there is
	lookup *function // nil for the identity
}

func newRequantizer(p *Plan, node int, r *model.Rescale) *requantizer {
	out := p.graph.Nodes[node].Out
	z := &requantizer{node: node, out: out, r: r, count: p.tensor(out).Len()}
	if r.Shift > 0 {
		z.rem = newBits(r.Shift, z.count, false)
	}
	if isIdentity(&r.Table) {
		z.q1 = newRanged(r.QMax-r.QMin+1, z.count, false)
	} else {
		z.lookup = newFunction(r.Table, z.count)
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

func (z *requantizer) demand(d *demands) {
	if z.rem != nil {
		z.rem.demand(d)
	}
	if z.q1 != nil {
		z.q1.demand(d)
	}
}

func (z *requantizer) allocate(p *Plan) error {
	if z.rem != nil {
		z.rem.allocate(p)
	}
	if z.q1 != nil {
		z.q1.allocate(p)
		return nil
	}
	z.q = p.wires(z.count)
	return z.lookup.allocate(p)
}

func (z *requantizer) constraints() int {
	n := 0
	if z.rem != nil {
		n += z.rem.constraints()
	}
	if z.q1 != nil {
		return n + z.q1.constraints()
	}
	return n + z.lookup.constraints()
}

func (z *requantizer) assign(w *Witness) {
	for i, acc := range w.trace.Acc[z.node] {
		q := z.r.Quotient(acc)
		if z.rem != nil {
			z.rem.set(w, i, uint64(acc+1<<(z.r.Shift-1)-q<<z.r.Shift))
		}
		if z.q1 != nil {
			z.q1.set(w, i, uint64(q-z.r.QMin))
			continue
		}
		w.set(z.q, i, uint64(q-z.r.QMin))
		z.lookup.set(w, i, q)
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
		var index frontend.Variable
		if z.q1 != nil {
			index = z.q1.value(b, i)
			z.q1.define(b, i, index)
			out[i] = b.api.Add(index, z.r.QMin)
		} else {
			index = b.wire(z.q, i)
			out[i] = z.lookup.define(b, i, index)
		}
		acc[i] = b.scale(b.api.Add(index, z.r.QMin), pow2(z.r.Shift))
		if z.rem != nil {
			rem := z.rem.value(b, i)
			z.rem.define(b, i, rem)
			acc[i] = b.api.Sub(b.api.Add(acc[i], rem), half)
		}
	}
	b.values[z.out] = out
	return acc
}
