package sumcheck

import (
	"fmt"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// sums are terms of several lengths with their claim, the sum of all.
type sums struct {
	a, b  [][]fr.Element
	terms claims.Products
	claim fr.Element
}

func newSums(bits ...int) *sums {
	s := &sums{terms: claims.Products{Bits: bits}}
	for _, n := range bits {
		a, b := random(1<<n), random(1<<n)
		s.a, s.b = append(s.a, a), append(s.b, b)
		v := NewProduct(a, b).Sum()
		s.claim.Add(&s.claim, &v)
	}
	return s
}

func (s *sums) provers() []claims.ProductProver {
	var out []claims.ProductProver
	for t := range s.a {
		out = append(out, NewProduct(slices.Clone(s.a[t]), slices.Clone(s.b[t])))
	}
	return out
}

// run is the protocol with the values of all terms claimed at the end.
func (s *sums) run(r *claims.Run, provers []claims.ProductProver) {
	point, reduced, factors := s.terms.Reduce(r, claims.Public(s.claim), claims.Linear, provers)
	ends := s.terms.Split(r, reduced, factors, provers)
	one, minus := fr.One(), fr.One()
	minus.Neg(&minus)
	for t, bits := range s.terms.Bits {
		at := point[:bits]
		for k, values := range [][]fr.Element{s.a[t], s.b[t]} {
			var c claims.Check
			c.Form.Add(one, claims.Of(ends[t][k]))
			c.Form.Add(minus, claims.Public(claims.Extension(values, at)))
			r.Require(c)
		}
	}
}

func holds(r *claims.Run, secret []fr.Element) bool {
	for i := range r.Checks {
		if v := r.Checks[i].Value(secret, nil); !v.IsZero() {
			return false
		}
	}
	return true
}

// TestProducts: honest messages satisfy every check; a wrong sum does not, nor any message changed.
func TestProducts(t *testing.T) {
	for _, bits := range [][]int{{0}, {1}, {4}, {3, 1}, {0, 2, 5, 5}} {
		t.Run(fmt.Sprint(bits), func(t *testing.T) {
			s := newSums(bits...)
			var pads []fr.Element
			pad := func(claims.Kind, int) fr.Element {
				pads = append(pads, random(1)...)
				return pads[len(pads)-1]
			}
			r := claims.NewProver([32]byte{1}, pad)
			s.run(r, s.provers())
			secret := slices.Clone(r.Sent)
			for i := range secret {
				secret[i].Sub(&secret[i], &pads[i])
			}
			if !holds(r, secret) {
				t.Fatal("honest messages break a check")
			}
			v := claims.NewVerifier([32]byte{1}, r.Sent)
			s.run(v, nil)
			if err := v.Finish(); err != nil || !holds(v, secret) {
				t.Errorf("the verifier's checks are others (%v)", err)
			}
			one := fr.One()
			for i := range secret {
				lie := slices.Clone(secret)
				lie[i].Add(&lie[i], &one)
				if holds(r, lie) {
					t.Errorf("message %d changed: no check notices", i)
				}
			}
			s.claim.Add(&s.claim, &one)
			w := claims.NewVerifier([32]byte{1}, r.Sent)
			s.run(w, nil)
			if holds(w, secret) {
				t.Error("a sum one too large was accepted")
			}
		})
	}
}
