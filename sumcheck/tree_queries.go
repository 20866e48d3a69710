package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// newQueries is the tree of fractions 1/keys[rows[i]].
func newQueries(height int, keys []fr.Element, rows []uint32) claims.TreeProver {
	return newTree(height, &queries{keys, rows})
}

// newRows is the tree of fractions uses[j]/keys[j].
func newRows(height int, uses []uint32, keys []fr.Element) claims.TreeProver {
	l := &level{make([]fr.Element, len(uses)), keys}
	for i, n := range uses {
		l.p[i].SetUint64(uint64(n))
	}
	return newTree(height, l)
}

// queries are leaves with numerators 1 and denominators of which there are few: they are kept as numbers of rows.
type queries struct {
	keys []fr.Element
	rows []uint32
}

// at implements leafLevel.
func (l *queries) at(i int) (p, q fr.Element) {
	p.SetOne()
	return p, l.keys[l.rows[i]]
}

// above implements leafLevel: 1/a + 1/b = (a+b)/(a·b).
func (l *queries) above() level {
	n := (len(l.rows) + 1) / 2
	out := level{make([]fr.Element, n), make([]fr.Element, n)}
	parallel(n, func(_, from, to int) {
		for i := from; i < to; i++ {
			a := &l.keys[l.rows[2*i]]
			if 2*i+1 == len(l.rows) {
				out.p[i].SetOne()
				out.q[i] = *a
				continue
			}
			b := &l.keys[l.rows[2*i+1]]
			out.p[i].Add(a, b)
			out.q[i].Mul(a, b)
		}
	})
	return out
}

// tables implements leafLevel. With v = q + p/λ a node is λ·v0·v1 − p0·p1/λ: one product, since p is 1 for what is live and 0
// for the rest.
func (l *queries) tables(lambda *fr.Element) roundTables {
	t := &bottom{lambda: *lambda, rows: l.rows, keys: make([]fr.Element, len(l.keys)), full: len(l.rows) / 2}
	if !lambda.IsZero() {
		t.inverse.Inverse(lambda)
	}
	parallel(len(l.keys), func(_, from, to int) {
		for i := from; i < to; i++ {
			t.keys[i].Add(&l.keys[i], &t.inverse)
		}
	})
	if len(l.rows)%2 == 1 {
		t.edge = &[2]fr.Element{fr.One(), {}}
	}
	return t
}

// bottom are the tables of the rounds to the leaves.
type bottom struct {
	lambda, inverse fr.Element
	keys            []fr.Element // v of every row
	rows            []uint32     // of leaves, until the first variable is bound
	at, spare       [2][]fr.Element
	// The numerators: parents before full have 1 and 1, the next one has those of edge if there is one, all others 0 and 0.
	full int
	edge *[2]fr.Element
}

// numerators of a parent.
func (t *bottom) numerators(i int) [2]fr.Element {
	switch {
	case i < t.full:
		return [2]fr.Element{fr.One(), fr.One()}
	case i == t.full && t.edge != nil:
		return *t.edge
	}
	return [2]fr.Element{}
}

// parents is the number of live parents.
func (t *bottom) parents() int {
	if t.at[0] == nil {
		return (len(t.rows) + 1) / 2
	}
	return len(t.at[0])
}

// parent are v of a live parent's children.
func (t *bottom) parent(i int) (v [2]fr.Element) {
	if t.at[0] != nil {
		return [2]fr.Element{t.at[0][i], t.at[1][i]}
	}
	v[0] = t.keys[t.rows[2*i]]
	if 2*i+1 == len(t.rows) {
		v[1].SetOne()
	} else {
		v[1] = t.keys[t.rows[2*i+1]]
	}
	return v
}

// bind implements roundTables.
func (t *bottom) bind(r *fr.Element, eq *splitEq) (one, leading fr.Element) {
	prepare := func(int, int) {}
	if r != nil {
		prepare = t.fold(r)
		t.bindNumerators(r)
		if eq == nil {
			prepare(0, 1)
		}
	}
	if eq == nil {
		return one, leading
	}
	live := t.parents()
	n := (live + 1) / 2
	ones := [2]fr.Element{fr.One(), fr.One()}
	one, leading = eq.sums(n, func(from, to int) (one, leading fr.Element) {
		prepare(from, to)
		var a, b fr.Element
		for i := from; i < to; i++ {
			low, high := t.parent(2*i), ones
			if 2*i+1 < live {
				high = t.parent(2*i + 1)
			}
			a.Mul(&high[0], &high[1]).Mul(&a, &eq.low[i-from])
			one.Add(&one, &a)
			a.Sub(&high[0], &low[0])
			b.Sub(&high[1], &low[1])
			a.Mul(&a, &b).Mul(&a, &eq.low[i-from])
			leading.Add(&leading, &a)
		}
		return one, leading
	})
	// Dead pairs have v = 1.
	alive, rest := eq.prefix(n), fr.One()
	one.Add(&one, rest.Sub(&rest, &alive))
	one.Mul(&one, &t.lambda)
	leading.Mul(&leading, &t.lambda)
	p, q := t.numeratorTerms(eq)
	one.Sub(&one, p.Mul(&p, &t.inverse))
	leading.Sub(&leading, q.Mul(&q, &t.inverse))
	return one, leading
}

// fold makes room for half as many parents and returns what folds the parents of some pairs.
func (t *bottom) fold(r *fr.Element) func(from, to int) {
	old := *t
	live := t.parents()
	n := (live + 1) / 2
	var next [2][]fr.Element
	for k := range next {
		if next[k] = t.spare[k]; cap(next[k]) < n {
			next[k] = make([]fr.Element, n)
		}
		next[k] = next[k][:n]
	}
	t.spare, t.at = t.at, next
	one := fr.One()
	return func(from, to int) {
		for i := 2 * from; i < min(2*to, n); i++ {
			a, b := old.parent(2*i), [2]fr.Element{one, one}
			if 2*i+1 < live {
				b = old.parent(2*i + 1)
			}
			fold(&next[0][i], &a[0], &b[0], r)
			fold(&next[1][i], &a[1], &b[1], r)
		}
	}
}

func (t *bottom) bindNumerators(r *fr.Element) {
	next := t.full / 2
	a, b := t.numerators(2*next), t.numerators(2*next+1)
	if t.full%2 == 0 && t.edge == nil {
		t.full = next
		return
	}
	t.edge = &[2]fr.Element{}
	for k := range t.edge {
		fold(&t.edge[k], &a[k], &b[k], r)
	}
	t.full = next
}

// numeratorTerms are Σ eq·p0·p1 where the round's variable is 1, and of the leading coefficients: only the pair at the edge
// has numerators that differ.
func (t *bottom) numeratorTerms(eq *splitEq) (one, leading fr.Element) {
	i := t.full / 2
	one = eq.prefix(i)
	if 2*i >= t.parents() {
		return one, leading
	}
	low, high := t.numerators(2*i), t.numerators(2*i+1)
	at := eq.at(i)
	var a, b fr.Element
	a.Mul(&high[0], &high[1]).Mul(&a, &at)
	one.Add(&one, &a)
	a.Sub(&high[0], &low[0])
	b.Sub(&high[1], &low[1])
	leading.Mul(&a, &b).Mul(&leading, &at)
	return one, leading
}

// children implements roundTables: q = v − p/λ.
func (t *bottom) children() (out [4]fr.Element) {
	v, p := t.parent(0), t.numerators(0)
	for k := range 2 {
		var x fr.Element
		out[k] = p[k]
		out[2+k].Sub(&v[k], x.Mul(&p[k], &t.inverse))
	}
	return out
}
