package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// pairs is Σ eq(point, i)·a_i·b_i; it implements claims.PairProver.
type pairs struct{ a, b, eq []fr.Element } // eq of the coordinates after the round's

func newPairs(a, b, point []fr.Element) *pairs {
	p := &pairs{a: a, b: b}
	if len(point) > 0 {
		p.eq = claims.EqTable(point[:len(point)-1])
	}
	return p
}

// Round implements claims.PairProver.
func (p *pairs) Round() (difference, leading fr.Element) {
	for i := range p.eq {
		var low, high, top, v fr.Element
		low.Mul(&p.a[2*i], &p.b[2*i])
		high.Mul(&p.a[2*i+1], &p.b[2*i+1])
		top.Sub(&p.a[2*i+1], &p.a[2*i])
		v.Sub(&p.b[2*i+1], &p.b[2*i])
		top.Mul(&top, &v)
		high.Sub(&high, &low)
		difference.Add(&difference, v.Mul(&high, &p.eq[i]))
		leading.Add(&leading, v.Mul(&top, &p.eq[i]))
	}
	return difference, leading
}

// Bind implements claims.PairProver.
func (p *pairs) Bind(r fr.Element) {
	claims.Fold(p.a, &r)
	claims.Fold(p.b, &r)
	p.a, p.b = p.a[:len(p.a)/2], p.b[:len(p.b)/2]
	n := len(p.eq) / 2
	for i := range n { // eq adds up to 1 over the next coordinate
		p.eq[i].Add(&p.eq[2*i], &p.eq[2*i+1])
	}
	p.eq = p.eq[:n]
}

// Values implements claims.PairProver.
func (p *pairs) Values() (a, b fr.Element) { return p.a[0], p.b[0] }
