package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// pairs is Σ eq(point, i)·a_i·b_i; it implements claims.PairProver. Both vectors are prefixes, of even length while
// there are variables: what lies beyond is 0, and so is what it adds to any round.
type pairs struct {
	point  []fr.Element // the coordinates that are not bound
	ints   [2][]int64   // a and b before the first variable is bound, if products of their differences are words
	values [2][]fr.Element
	spare  [2][]fr.Element // what values were folded from
}

// maxFactor bounds integers of which a difference of two products, and a product of two differences, is a word.
const maxFactor = 1 << 30

// newPairs keeps a and b, of one length up to 2^len(point).
func newPairs(a, b []int64, point []fr.Element) *pairs {
	p := &pairs{point: point, ints: [2][]int64{a, b}}
	for k := range p.ints {
		if len(point) > 0 && len(p.ints[k])%2 == 1 {
			p.ints[k] = append(p.ints[k], 0)
		}
	}
	if len(point) == 0 || !small(a) || !small(b) {
		for k, v := range p.ints {
			p.values[k] = make([]fr.Element, len(v))
			parallel(len(v), func(_, from, to int) {
				for i := from; i < to; i++ {
					p.values[k][i].SetInt64(v[i])
				}
			})
		}
		p.ints = [2][]int64{}
	}
	return p
}

func small(values []int64) bool {
	for _, v := range values {
		if v > maxFactor || v < -maxFactor {
			return false
		}
	}
	return true
}

// Round implements claims.PairProver.
func (p *pairs) Round() (difference, leading fr.Element) {
	rest := p.point[:len(p.point)-1]
	eq := pairEq{splitEq: newSplitEq(rest), bits: min(chunkBits, len(rest))}
	eq.excess = claims.Excess(eq.low)
	sums := make([][2]fr.Element, processors())
	parts := parallel(max(len(p.ints[0]), len(p.values[0]))/2, func(part, from, to int) {
		sums[part] = p.sum(&eq, from, to)
	})
	for _, s := range sums[:parts] {
		difference.Add(&difference, &s[0])
		leading.Add(&leading, &s[1])
	}
	return difference, leading
}

// pairEq is eq of the coordinates after the round's, with what integers under its chunks need.
type pairEq struct {
	*splitEq
	bits   int        // of a chunk
	excess fr.Element // of low
}

// sum is the part of a round's message that the given pairs make.
func (p *pairs) sum(eq *pairEq, from, to int) (out [2]fr.Element) {
	for from < to {
		block, first := from>>eq.bits, from&(1<<eq.bits-1)
		n := min(1<<eq.bits-first, to-from)
		var sums [2]fr.Element
		if p.ints[0] != nil {
			sums = p.sumInts(eq, first, from, n)
		} else {
			sums = p.sumValues(eq.low[first:][:n], from)
		}
		for k := range sums {
			sums[k].Mul(&sums[k], &eq.high[block])
			out[k].Add(&out[k], &sums[k])
		}
		from += n
	}
	return out
}

// sumInts is h(1) − h(0) and the leading coefficient over n pairs of integers, under the low eq from first on.
func (p *pairs) sumInts(eq *pairEq, first, from, n int) (out [2]fr.Element) {
	var factors [2][1 << chunkBits]int64
	a, b := p.ints[0][2*from:][:2*n], p.ints[1][2*from:][:2*n]
	for i := range n {
		a0, a1, b0, b1 := a[2*i], a[2*i+1], b[2*i], b[2*i+1]
		factors[0][i], factors[1][i] = a1*b1-a0*b0, (a1-a0)*(b1-b0)
	}
	weights, over := eq.low[first:][:n], eq.excess
	if n < len(eq.low) {
		over = claims.Excess(weights)
	}
	for k := range out {
		var s claims.Accumulator
		s.Add(weights, factors[k][:])
		out[k] = s.Value(&over)
	}
	return out
}

// sumValues is that of elements.
func (p *pairs) sumValues(weights []fr.Element, from int) (out [2]fr.Element) {
	a, b := p.values[0][2*from:], p.values[1][2*from:]
	for i := range weights {
		var low, high, top, v fr.Element
		low.Mul(&a[2*i], &b[2*i])
		high.Mul(&a[2*i+1], &b[2*i+1])
		high.Sub(&high, &low)
		top.Sub(&a[2*i+1], &a[2*i])
		v.Sub(&b[2*i+1], &b[2*i])
		top.Mul(&top, &v)
		out[0].Add(&out[0], v.Mul(&high, &weights[i]))
		out[1].Add(&out[1], v.Mul(&top, &weights[i]))
	}
	return out
}

// Bind implements claims.PairProver.
func (p *pairs) Bind(r fr.Element) {
	p.point = p.point[:len(p.point)-1]
	for k := range p.values {
		n := max(len(p.ints[k]), len(p.values[k])) / 2
		out := p.spare[k]
		if length := n + n%2; cap(out) < length {
			out = make([]fr.Element, length)
		}
		out = out[:n]
		if p.ints[k] != nil {
			foldInts(out, p.ints[k], r)
		} else {
			foldTo(out, p.values[k], r)
		}
		if n%2 == 1 && len(p.point) > 0 {
			out = append(out, fr.Element{})
		}
		p.values[k], p.spare[k] = out, p.values[k]
	}
	p.ints = [2][]int64{}
}

// foldInts is (1−r)·v[2i] + r·v[2i+1].
func foldInts(out []fr.Element, v []int64, r fr.Element) {
	weights := make([]fr.Element, 2)
	weights[0].SetOne().Sub(&weights[0], &r)
	weights[1] = r
	over := claims.Excess(weights)
	parallel(len(out), func(_, from, to int) {
		for i := from; i < to; i++ {
			var s claims.Accumulator
			s.Add(weights, v[2*i:])
			out[i] = s.Value(&over)
		}
	})
}

// foldTo is claims.Fold to another vector, on all processors.
func foldTo(out, v []fr.Element, r fr.Element) {
	parallel(len(out), func(_, from, to int) {
		var d fr.Element
		for i := from; i < to; i++ {
			d.Sub(&v[2*i+1], &v[2*i]).Mul(&d, &r)
			out[i].Add(&v[2*i], &d)
		}
	})
}

// Values implements claims.PairProver.
func (p *pairs) Values() (a, b fr.Element) { return p.values[0][0], p.values[1][0] }
