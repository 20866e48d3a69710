package sumcheck

import (
	"runtime"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// Fractions is a tree of fractions with all its levels and leaves: the reference for tree.
type Fractions struct {
	p, q [][]fr.Element // by level, 2^level nodes

	lambda         fr.Element
	p0, p1, q0, q1 []fr.Element // of the variables that are not bound
	eq             []fr.Element // of the point's coordinates after the round's
}

// NewFractions adds up 2^h fractions of the given numerators and denominators. It keeps the slices.
func NewFractions(p, q []fr.Element) *Fractions {
	f := &Fractions{p: [][]fr.Element{p}, q: [][]fr.Element{q}}
	for len(p) > 1 {
		p, q = above(p, q)
		f.p, f.q = append(f.p, p), append(f.q, q)
	}
	for i, j := 0, len(f.p)-1; i < j; i, j = i+1, j-1 {
		f.p[i], f.p[j] = f.p[j], f.p[i]
		f.q[i], f.q[j] = f.q[j], f.q[i]
	}
	return f
}

// above adds neighbours.
func above(p, q []fr.Element) (sum, product []fr.Element) {
	n := len(p) / 2
	sum, product = make([]fr.Element, n), make([]fr.Element, n)
	parallel(n, func(_, from, to int) {
		var v fr.Element
		for i := from; i < to; i++ {
			sum[i].Mul(&p[2*i], &q[2*i+1])
			sum[i].Add(&sum[i], v.Mul(&p[2*i+1], &q[2*i]))
			product[i].Mul(&q[2*i], &q[2*i+1])
		}
	})
	return sum, product
}

// Root implements claims.TreeProver.
func (f *Fractions) Root() (p, q fr.Element) { return f.p[0][0], f.q[0][0] }

// Level implements claims.TreeProver.
func (f *Fractions) Level(k int, point []fr.Element, lambda fr.Element) {
	f.lambda = lambda
	f.p0, f.p1 = halves(f.p[k+1])
	f.q0, f.q1 = halves(f.q[k+1])
	if k > 0 {
		f.eq = claims.EqTable(point[:k-1])
	}
}

// halves are the even and the odd elements.
func halves(v []fr.Element) (even, odd []fr.Element) {
	even, odd = make([]fr.Element, len(v)/2), make([]fr.Element, len(v)/2)
	for i := range even {
		even[i], odd[i] = v[2*i], v[2*i+1]
	}
	return even, odd
}

// Round implements claims.TreeProver.
func (f *Fractions) Round() (difference, leading fr.Element) {
	half := len(f.p0) / 2
	sums := make([][2]fr.Element, runtime.GOMAXPROCS(0))
	parts := parallel(half, func(part, from, to int) {
		sums[part][0], sums[part][1] = f.sum(from, to)
	})
	for _, s := range sums[:parts] {
		difference.Add(&difference, &s[0])
		leading.Add(&leading, &s[1])
	}
	return difference, leading
}

// sum is the part of a round's message that the given pairs make.
func (f *Fractions) sum(from, to int) (difference, leading fr.Element) {
	var v fr.Element
	for x := from; x < to; x++ {
		low := f.node(f.p0[2*x], f.p1[2*x], f.q0[2*x], f.q1[2*x])
		high := f.node(f.p0[2*x+1], f.p1[2*x+1], f.q0[2*x+1], f.q1[2*x+1])
		var d [4]fr.Element
		for i, t := range [4][]fr.Element{f.p0, f.p1, f.q0, f.q1} {
			d[i].Sub(&t[2*x+1], &t[2*x])
		}
		top := f.node(d[0], d[1], d[2], d[3])
		high.Sub(&high, &low)
		difference.Add(&difference, v.Mul(&f.eq[x], &high))
		leading.Add(&leading, v.Mul(&f.eq[x], &top))
	}
	return difference, leading
}

// node is p0·q1 + q0·(p1 + λ·q1).
func (f *Fractions) node(p0, p1, q0, q1 fr.Element) fr.Element {
	var a, b fr.Element
	a.Mul(&f.lambda, &q1).Add(&a, &p1).Mul(&a, &q0)
	b.Mul(&p0, &q1)
	return *a.Add(&a, &b)
}

// Bind implements claims.TreeProver.
func (f *Fractions) Bind(r fr.Element) {
	half := len(f.p0) / 2
	for _, t := range []*[]fr.Element{&f.p0, &f.p1, &f.q0, &f.q1} {
		claims.Fold(*t, &r)
		*t = (*t)[:half]
	}
	// eq adds up to 1 over the next coordinate.
	n := len(f.eq) / 2
	for i := range n {
		f.eq[i].Add(&f.eq[2*i], &f.eq[2*i+1])
	}
	f.eq = f.eq[:n]
}

// Children implements claims.TreeProver.
func (f *Fractions) Children() [4]fr.Element {
	return [4]fr.Element{f.p0[0], f.p1[0], f.q0[0], f.q1[0]}
}
