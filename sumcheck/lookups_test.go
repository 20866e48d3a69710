package sumcheck

import (
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// lookup is a table with queries, of which the last few are not live.
type lookup struct {
	alpha    fr.Element
	table    []fr.Element
	queries  []fr.Element
	live     []fr.Element
	uses     []fr.Element
	describe claims.Lookup
}

func newLookup(queries, rows int, members []int) *lookup {
	l := &lookup{alpha: random(1)[0], table: random(1 << rows), queries: make([]fr.Element, 1<<queries),
		live: make([]fr.Element, 1<<queries), uses: make([]fr.Element, 1<<rows)}
	one := fr.One()
	for i, m := range members {
		l.queries[i], l.live[i] = l.table[m], one
		l.uses[m].Add(&l.uses[m], &one)
	}
	l.describe = claims.Lookup{Name: "test", Queries: queries, Rows: rows,
		Live: func(point []fr.Element) fr.Element { return claims.Extension(l.live, point) },
		Keys: func(point []fr.Element) fr.Element { return claims.Extension(l.less(l.table), point) },
	}
	return l
}

// less is α − v.
func (l *lookup) less(v []fr.Element) []fr.Element {
	out := make([]fr.Element, len(v))
	for i := range v {
		out[i].Sub(&l.alpha, &v[i])
	}
	return out
}

// accepted runs prover and verifier, with what remains claimed of the true queries and multiplicities.
func (l *lookup) accepted(t *testing.T) bool {
	t.Helper()
	var pads []fr.Element
	r := claims.NewProver([32]byte{3}, func(claims.Kind, int) fr.Element {
		pads = append(pads, random(1)...)
		return pads[len(pads)-1]
	})
	l.run(r, []claims.TreeProver{
		NewFractions(slices.Clone(l.live), l.less(l.queries)),
		NewFractions(slices.Clone(l.uses), l.less(l.table)),
	})
	secret := slices.Clone(r.Sent)
	for i := range secret {
		secret[i].Sub(&secret[i], &pads[i])
	}
	v := claims.NewVerifier([32]byte{3}, r.Sent)
	l.run(v, nil)
	if err := v.Finish(); err != nil {
		t.Fatal(err)
	}
	return holds(v, secret)
}

func (l *lookup) run(r *claims.Run, provers []claims.TreeProver) {
	left := r.Lookups([]claims.Lookup{l.describe}, provers)[0]
	one, minus := fr.One(), fr.One()
	minus.Neg(&minus)
	for _, c := range []struct {
		form  claims.Form
		value fr.Element
	}{
		{left.Denominator, claims.Extension(l.less(l.queries), left.Query)},
		{left.Multiplicities, claims.Extension(l.uses, left.Row)},
	} {
		var check claims.Check
		check.Form.Add(one, c.form)
		check.Form.Add(minus, claims.Public(c.value))
		r.Require(check)
	}
}

// TestLookups: members pass, with every shape of trees; a stranger, a wrong multiplicity, and a stranger balanced by
// a multiplicity do not; what is not live may be anything.
func TestLookups(t *testing.T) {
	for _, c := range []struct {
		queries, rows int
		members       []int
	}{{0, 0, []int{0}}, {3, 2, []int{0, 3, 3, 1, 3}}, {2, 5, []int{31, 0, 7, 7}}, {6, 1, slices.Repeat([]int{1}, 50)}} {
		l := newLookup(c.queries, c.rows, c.members)
		if !l.accepted(t) {
			t.Fatalf("%+v: members rejected", c)
		}
		if n := len(c.members); n < len(l.queries) {
			l.queries[n] = random(1)[0]
			if !l.accepted(t) {
				t.Errorf("%+v: a query that is not live was looked at", c)
			}
		}
		honest, one := l.queries[0], fr.One()
		l.queries[0] = random(1)[0]
		if l.accepted(t) {
			t.Errorf("%+v: a stranger was accepted", c)
		}
		l.uses[c.members[0]].Sub(&l.uses[c.members[0]], &one)
		if l.accepted(t) {
			t.Errorf("%+v: a stranger and a multiplicity one less were accepted", c)
		}
		l.queries[0] = honest
		if l.accepted(t) {
			t.Errorf("%+v: a multiplicity one less was accepted", c)
		}
	}
}
