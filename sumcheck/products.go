package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// Product is Σ_x A(x)·B(x) over two tables; it implements claims.ProductProver.
type Product struct{ a, b []fr.Element }

// NewProduct takes tables of the same length; what they lack to a power of two is 0. It overwrites them.
func NewProduct(a, b []fr.Element) *Product { return &Product{a, b} }

// Sum implements claims.ProductProver.
func (p *Product) Sum() (s fr.Element) {
	var v fr.Element
	for i := range p.a {
		s.Add(&s, v.Mul(&p.a[i], &p.b[i]))
	}
	return s
}

// Round implements claims.ProductProver.
func (p *Product) Round() (zero, leading fr.Element) {
	p.pad()
	half := len(p.a) / 2
	sums := make([][2]fr.Element, processors())
	parts := parallel(half, func(part, from, to int) {
		sums[part][0], sums[part][1] = p.sum(from, to)
	})
	for _, s := range sums[:parts] {
		zero.Add(&zero, &s[0])
		leading.Add(&leading, &s[1])
	}
	return zero, leading
}

// sum is the part of a round's message that the given pairs make.
func (p *Product) sum(from, to int) (zero, leading fr.Element) {
	var v, da, db fr.Element
	for i := from; i < to; i++ {
		zero.Add(&zero, v.Mul(&p.a[2*i], &p.b[2*i]))
		da.Sub(&p.a[2*i+1], &p.a[2*i])
		db.Sub(&p.b[2*i+1], &p.b[2*i])
		leading.Add(&leading, v.Mul(&da, &db))
	}
	return zero, leading
}

// pad makes the length even.
func (p *Product) pad() {
	if len(p.a)&1 == 1 {
		p.a, p.b = append(p.a, fr.Element{}), append(p.b, fr.Element{})
	}
}

// Bind implements claims.ProductProver.
func (p *Product) Bind(r fr.Element) {
	p.pad()
	for _, t := range []*[]fr.Element{&p.a, &p.b} {
		claims.Fold(*t, &r)
		*t = (*t)[:len(*t)/2]
	}
}

// Values implements claims.ProductProver.
func (p *Product) Values() (a, b fr.Element) { return p.a[0], p.b[0] }
