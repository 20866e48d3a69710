package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// newQueries is the tree of fractions 1/keys[rows[i]].
func newQueries(height int, keys []fr.Element, rows []uint32) claims.TreeProver {
	if height > 0 {
		return newTree(height, &queries{keys, rows})
	}
	l := newLevel(0, len(rows))
	for i, row := range rows {
		l.p[i].SetOne()
		l.q[i] = keys[row]
	}
	return newTree(0, &l)
}

// newRows is the tree of fractions uses[j]/keys[j].
func newRows(height int, uses []uint32, keys []fr.Element) claims.TreeProver {
	l := newLevel(height, len(uses))
	for i, n := range uses {
		l.p[i].SetUint64(uint64(n))
	}
	copy(l.q, keys)
	return newTree(height, &l)
}

// queries are leaves with numerators 1 and denominators of which there are few: they are kept as numbers of rows.
type queries struct {
	keys []fr.Element
	rows []uint32
}

// gather fills run i of leaves with their keys, and with 1 where nothing is live.
func (l *queries) gather(to fr.Vector, i int) {
	rows := l.rows[min(i*len(to), len(l.rows)):]
	for j := range to {
		if j < len(rows) {
			to[j] = l.keys[rows[j]]
		} else {
			to[j].SetOne()
		}
	}
}

// parents is the number of rows of parents of live leaves, at least one.
func (l *queries) parents(lanes int) int { return max((len(l.rows)+2*lanes-1)/(2*lanes), 1) }

// liveOf is how many leaves of run i are live: a prefix.
func (l *queries) liveOf(i, lanes int) int { return min(max(len(l.rows)-i*lanes, 0), lanes) }

// above implements nodes. Sums of many queries are not kept.
func (l *queries) above(k int) nodes {
	sums := &querySums{l}
	if claims.RowCoordinates(k) > 1 { // the level above has rows to fold
		return sums
	}
	lanes := laneCount(k)
	rows, spare := l.parents(lanes), make(fr.Vector, lanes)
	out := newLevel(k, rows*lanes)
	for i := range rows {
		sums.compute(span(out.p, i, lanes), span(out.q, i, lanes), spare, i)
	}
	return &out
}

// querySums are sums of neighbouring queries: half of all nodes but the leaves, and cheap to compute.
type querySums struct{ leaves *queries }

// compute is run i of nodes, 1/a + 1/b = (a+b)/(a·b).
func (l *querySums) compute(p, q, spare fr.Vector, i int) {
	l.leaves.gather(spare, 2*i)
	l.leaves.gather(q, 2*i+1)
	p.Add(spare, q)
	q.Mul(spare, q)
	live := l.leaves.liveOf(2*i, len(p))
	for j := l.leaves.liveOf(2*i+1, len(p)); j < len(p); j++ { // a/1 has the numerator of a
		if p[j].SetZero(); j < live {
			p[j].SetOne()
		}
	}
}

// rowsAbove is the number of rows of nodes above.
func (l *querySums) rowsAbove(lanes int) int { return (l.leaves.parents(lanes) + 1) / 2 }

// above implements nodes.
func (l *querySums) above(k int) nodes {
	lanes := laneCount(k)
	return addRows(k, l.rowsAbove(lanes), func(row int, w *work) [4]fr.Vector {
		w.reserve(4, lanes)
		n := [4]fr.Vector(w.row)
		l.compute(n[0], n[2], w.spare, 2*row)
		l.compute(n[1], n[3], w.spare, 2*row+1)
		return n
	})
}

// rounds implements nodes.
func (l *querySums) rounds(_ int, eq fr.Vector, lambda *fr.Element, memory *level) rounds {
	t := newInner(memory, l.rowsAbove(len(eq)), eq, lambda)
	t.load = func(row int, to []fr.Vector, spare fr.Vector) {
		p0, q1, q0, p1 := to[0], to[1], to[2], to[3]
		l.compute(p0, q0, spare, 2*row)
		l.compute(p1, q1, spare, 2*row+1)
	}
	return t
}

// rounds implements nodes. With v = q + p/λ a node is λ·v0·v1 − p0·p1/λ: one product, since p is 1 for what is live and 0
// for the rest.
func (l *queries) rounds(k int, eq fr.Vector, lambda *fr.Element, memory *level) rounds {
	lanes := laneCount(k)
	t := &bottom{lambda: *lambda, numerators: newNumerators(l, eq)}
	if !lambda.IsZero() {
		t.inverse.Inverse(lambda)
	}
	v := &queries{make([]fr.Element, len(l.keys)), l.rows}
	parallel(len(l.keys), func(_, from, to int) {
		for i := from; i < to; i++ {
			v.keys[i].Add(&l.keys[i], &t.inverse)
		}
	})
	t.products = products{lanes: lanes, live: l.parents(lanes),
		load: func(row int, to []fr.Vector, _ fr.Vector) {
			v.gather(to[0], 2*row)
			v.gather(to[1], 2*row+1)
		},
		finish: func(to []fr.Vector, _ fr.Vector) { to[0].Mul(to[0], eq) }}
	t.add(factor{of: memory.p, step: 1}, factor{of: memory.q, step: 1}, eq, fr.One(), fr.One())
	return t
}

// bottom are the rounds to the leaves.
type bottom struct {
	products        // of v
	numerators      *numerators
	lambda, inverse fr.Element
}

// rowRound implements rounds.
func (t *bottom) rowRound(r *fr.Element, eq []fr.Element) (one, leading fr.Element) {
	one, leading = t.products.rowRound(r, eq)
	p, q := t.numerators.rowRound(r, eq)
	return t.combined(one, p), t.combined(leading, q)
}

// laneRound implements rounds.
func (t *bottom) laneRound(r *fr.Element, inverses *[2]fr.Element) (one, leading fr.Element) {
	one, leading = t.products.laneRound(r, inverses)
	p, q := t.numerators.laneRound(r, inverses)
	return t.combined(one, p), t.combined(leading, q)
}

// combined is λ·v − p/λ.
func (t *bottom) combined(v, p fr.Element) fr.Element {
	p.Mul(&p, &t.inverse)
	v.Mul(&v, &t.lambda)
	return *v.Sub(&v, &p)
}

// children implements rounds: q = v − p/λ.
func (t *bottom) children() [4]fr.Element {
	q0, q1 := t.values(0)
	p0, p1 := t.numerators.lanes.values(0)
	without := func(v, p fr.Element) fr.Element { return *v.Sub(&v, p.Mul(&p, &t.inverse)) }
	return [4]fr.Element{p0, p1, without(q0, p0), without(q1, p1)}
}

// numerators are the products p0·p1, kept like products: rows of parents before full have 1 and 1, the next one has those of
// edge if there is one, all others 0 and 0.
type numerators struct {
	eq    fr.Vector
	full  int
	edge  []fr.Vector
	low   []fr.Vector // the pair of rows, in the round, that has numerators of both kinds or edge
	high  []fr.Vector
	lanes *products // after the variables of rows
}

func newNumerators(l *queries, eq fr.Vector) *numerators {
	lanes := len(eq)
	n := &numerators{eq: eq, full: len(l.rows) / (2 * lanes)}
	if n.full < l.parents(lanes) {
		n.edge = []fr.Vector{make(fr.Vector, lanes), make(fr.Vector, lanes)}
		copy(n.edge[0], eq[:l.liveOf(2*n.full, lanes)])
		for i := range l.liveOf(2*n.full+1, lanes) {
			n.edge[1][i].SetOne()
		}
	}
	return n
}

// row is a copy of a row.
func (n *numerators) row(i int) []fr.Vector {
	out := []fr.Vector{make(fr.Vector, len(n.eq)), make(fr.Vector, len(n.eq))}
	switch {
	case i < n.full:
		copy(out[0], n.eq)
		for k := range out[1] {
			out[1][k].SetOne()
		}
	case i == n.full && n.edge != nil:
		copy(out[0], n.edge[0])
		copy(out[1], n.edge[1])
	}
	return out
}

// rowRound is that of products.
func (n *numerators) rowRound(r *fr.Element, eq []fr.Element) (one, leading fr.Element) {
	n.bindRows(r)
	pair := n.full / 2
	if n.low, n.high = nil, nil; n.full%2 == 1 || n.edge != nil {
		n.low, n.high = n.row(2*pair), n.row(2*pair+1)
		one, leading = evaluate(n.low, n.high)
		one.Mul(&one, &eq[pair])
		leading.Mul(&leading, &eq[pair])
	}
	for i := range pair {
		one.Add(&one, &eq[i])
	}
	return one, leading
}

func (n *numerators) bindRows(r *fr.Element) {
	if r == nil {
		return
	}
	n.full /= 2
	for k := range n.low {
		addTimes(n.low[k], n.high[k], r)
	}
	n.edge = n.low
}

// laneRound is that of products.
func (n *numerators) laneRound(r *fr.Element, inverses *[2]fr.Element) (one, leading fr.Element) {
	if n.lanes == nil {
		n.bindRows(r)
		row := n.row(0)
		n.lanes, r = &products{lanes: len(n.eq), single: true, factors: []factor{{of: row[0]}, {of: row[1]}}}, nil
	}
	return n.lanes.laneRound(r, inverses)
}
