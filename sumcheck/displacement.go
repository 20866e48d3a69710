package sumcheck

import (
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// displacement is what binary32 rounding does to the boundaries between quotients in some channels. With p an output's
// quotient as far as outputs tell quotients apart, and rest = acc + 2^(T−1) − q·2^T,
//
//	d(p) ≤ rest < 2^T + d(p+1),
//
// where d is positive for odd arguments and negative for even ones. For odd p both rest − d(p) and rest − d(p+1) lie
// in [0, 2^T); for even p one of them does. So there is a shift x with rest − x in [0, 2^T), and rest − x + y
// is too: that is d(p) with y = d(p) − d(p+1) for odd p, and either displacement with y = 0 for even p. A table of
// (p, which) says x and y.
//
// At either end of the quotients that are told apart there is one boundary: all beyond it are displaced as it is, so that
// outputs say enough of their quotients and tables need not have them all.
type displacement struct {
	r        *model.Rescale // its table adds a number to quotients in [from, to], and is constant beyond
	from, to int64
	channels []int // nil for all
}

// clamp puts quotients between accumulators and a function that does not only add a number, as far as it tells
// them apart.
func (z *requantizer) clamp() {
	from, to := z.told()
	if shifts(&z.r.Table, from, to) {
		return
	}
	r, out := z.r, z.out
	clamped := *r
	clamped.Table = model.ClampTable(from, to, from, to)
	z.r = &clamped
	z.out = z.trace(z.shape, func(w *Witness) []int64 {
		acc := w.ordered(w.trace.Acc[z.node], z.graph.Nodes[z.node].Out, z.stored)
		q := make([]int64, len(acc))
		for i, v := range acc {
			q[i] = clamped.Saturation(r.Quotient(i%len(r.Roundings), v))
		}
		return q
	})
	z.apply(z.function(&r.Table, from, to), z.out, out)
}

// told are the quotients that outputs tell apart: a tie takes one from the least.
func (z *requantizer) told() (from, to int64) { return active(&z.r.Table, z.r.QMin-1, z.r.QMax) }

// shifts tells whether a function adds a number.
func shifts(f *model.Table, from, to int64) bool {
	for q := from; q <= to; q++ {
		if f.At(q)-q != f.At(from)-from {
			return false
		}
	}
	return true
}

// newDisplacement is that of a requantization some of whose channels round so.
func (z *requantizer) newDisplacement() *displacement {
	d := &displacement{r: z.r}
	d.from, d.to = z.told()
	for c, rounding := range z.r.Roundings {
		if rounding == model.Binary32 {
			d.channels = append(d.channels, c)
		}
	}
	if len(d.channels) == len(z.r.Roundings) {
		d.channels = nil
	}
	return d
}

// A boundary is one of three: where p is even, that below it or that above, and that where p is odd.
const (
	evenLow  = 0
	odd      = 1
	evenHigh = 2
)

// rest is x and y of a quotient.
func (d *displacement) rest(which, p int64) (x, y int64) {
	switch p = min(max(p, d.from), d.to); {
	case d.from == d.to:
		return 0, 0
	case p == d.from:
		return d.r.Displacement(p + 1), 0
	case p == d.to || which == evenLow:
		return d.r.Displacement(p), 0
	case which == evenHigh:
		return d.r.Displacement(p + 1), 0
	}
	return d.r.Displacement(p), d.r.Displacement(p) - d.r.Displacement(p+1)
}

// of is the quotient and the boundary of an accumulator, with x and y.
func (d *displacement) of(acc int64) (p, which, x, y int64) {
	p = min(max(d.r.Binary32Quotient(acc), d.from), d.to)
	which = p & 1
	if x, y = d.rest(which, p); which == evenLow && p > d.from && p < d.to && d.r.Floor(acc-x) != p {
		which = evenHigh
		x, y = d.rest(which, p)
	}
	return p, which, x, y
}

// lower takes x from the accumulators.
func (d *displacement) lower(acc []int64) []int64 {
	out := make([]int64, len(acc))
	parallel(len(acc), func(_, from, to int) {
		copy(out[from:to], acc[from:to])
		for i := from; i < to; i++ {
			if d.r.Roundings[i%len(d.r.Roundings)] == model.Binary32 {
				_, _, x, _ := d.of(acc[i])
				out[i] -= x
			}
		}
	})
	return out
}

// displaced commits a number that each accumulator of the displaced channels gives.
func (z *requantizer) displaced(value func(acc int64) int64) claims.Shaped {
	shape := slices.Clone(z.shape)
	if z.moved.channels != nil {
		shape[len(shape)-1] = len(z.moved.channels)
	}
	return z.trace(shape, func(w *Witness) []int64 {
		acc := w.ordered(w.trace.Acc[z.node], z.graph.Nodes[z.node].Out, z.stored)
		if z.moved.channels == nil {
			return mapped(acc, value)
		}
		n := z.shape[len(z.shape)-1]
		out := make([]int64, 0, volume(shape))
		for ; len(acc) > 0; acc = acc[n:] {
			for _, c := range z.moved.channels {
				out = append(out, value(acc[c]))
			}
		}
		return out
	})
}

// among is an expression of the displaced channels.
func (z *requantizer) among(x claims.Shaped) claims.Shaped {
	if z.moved.channels == nil {
		return x
	}
	return choose(x, len(z.shape)-1, z.moved.channels)
}

// everywhere is an expression of the displaced channels, 0 in the others.
func (z *requantizer) everywhere(x claims.Shaped) claims.Shaped {
	if z.moved.channels == nil {
		return x
	}
	indices := slices.Repeat([]int{-1}, z.shape[len(z.shape)-1])
	for i, c := range z.moved.channels {
		indices[c] = i
	}
	return choose(x, len(z.shape)-1, indices)
}

// displace demands that the remainders of the displaced channels are those of outputs: x comes from its table, and what y adds
// leaves them in range. Selections are in demands that something is 0, which are about all elements at once: in
// a lookup each block would have its own.
func (z *requantizer) displace(x claims.Shaped, remainder []limb) {
	d := z.moved
	which := z.displaced(func(acc int64) int64 { _, which, _, _ := d.of(acc); return which })
	pair := z.displaced(func(acc int64) int64 { p, which, _, _ := d.of(acc); return (p - which) >> 1 })
	y := z.displaced(func(acc int64) int64 { _, _, _, y := d.of(acc); return y })
	z.lookup(x.Shape, z.displacements(), []claims.Expression{which.Expression, pair.Expression, x.Expression, y.Expression}, nil)
	p := plus(which, 2, pair)
	z.zero(plus(times(1, p, d.r.Table.At(d.from)-d.from), -1, z.among(z.out)))

	limbs := z.digits(z.r.Shift, func(l limb) claims.Shaped {
		return z.displaced(l.digit(func(acc int64) int64 {
			_, _, x, y := d.of(acc)
			return z.r.Remainder(acc-x) + y
		}))
	})
	z.zero(plus(plus(value(x.Shape, limbs), -1, y), -1, z.among(value(z.shape, remainder))))
}

// displacements has the rows (which, ⌊p/2⌋ or that less 1, x, y).
func (z *requantizer) displacements() *table {
	d := z.moved
	column := func(y bool) func([]int64, int64) int64 {
		return func(which []int64, pair int64) int64 {
			x, v := d.rest(which[0], 2*pair+which[0])
			if y {
				return v
			}
			return x
		}
	}
	return z.find(fmt.Sprint("displacements", d.r.Shift, d.from, d.to), d.from>>1-1, d.to>>1, func() *table {
		return &table{fixed: []claims.Argument{{Min: 0, Len: 3}}, values: []func([]int64, int64) int64{column(false), column(true)}}
	})
}
