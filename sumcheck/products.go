package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// Product is Σ_x A(x)·B(x) over two tables; it implements claims.ProductProver.
type Product struct{ a, b []fr.Element }

// NewProduct takes tables of the same length, a power of two. It overwrites them.
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
	half := len(p.a) / 2
	var v, da, db fr.Element
	for i := range half {
		zero.Add(&zero, v.Mul(&p.a[2*i], &p.b[2*i]))
		da.Sub(&p.a[2*i+1], &p.a[2*i])
		db.Sub(&p.b[2*i+1], &p.b[2*i])
		leading.Add(&leading, v.Mul(&da, &db))
	}
	return zero, leading
}

// Bind implements claims.ProductProver.
func (p *Product) Bind(r fr.Element) {
	for _, t := range []*[]fr.Element{&p.a, &p.b} {
		claims.Fold(*t, &r)
		*t = (*t)[:len(*t)/2]
	}
}

// Values implements claims.ProductProver.
func (p *Product) Values() (a, b fr.Element) { return p.a[0], p.b[0] }
