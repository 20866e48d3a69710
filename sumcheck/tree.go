package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// tree is a tree of fractions over a live prefix of leaves; it implements claims.TreeProver. Leaves that are not live are
// 0/1. A level has the rows that have a live leaf below, and at most one more.
//
// Whatever is done is done to runs of lanes, by vector instructions, and in the memory of the levels: a level is read once,
// where rounds begin, and turned into their tables.
//
// A round needs h(1) and the leading coefficient; h(0) follows from the claim, which the prover tracks.
type tree struct {
	height int
	levels []level // of nodes
	leaves leafLevel

	lambda, claim fr.Element
	rows, lanes   []fr.Element // the level's point: coordinates of variables whose rounds have not begun
	coordinate    fr.Element   // the round's
	sent          [2]fr.Element
	tau           int           // where the next point has the coordinate that children add
	children      [4]fr.Element // of the last level
	rounds        rounds
}

// level is the nodes of a level, an even number of rows if it has row bits.
type level struct{ p, q []fr.Element }

// leafLevel is the lowest level.
type leafLevel interface {
	at(i int) (p, q fr.Element)
	// above is level k, the one above.
	above(k int) level
	// rounds begins those from level k to the leaves; eq is that of lanes. memory is nobody's, as large as level k.
	rounds(k int, eq fr.Vector, lambda *fr.Element, memory level) rounds
}

// rounds are a level's. Both sums are Σ eq·node where the round's variable is 1, and Σ eq·(leading coefficient of node).
// Both methods bind the variable before the round's, unless r is nil.
type rounds interface {
	// rowRound begins the round of the lowest bit of rows. eq is that of pairs of rows.
	rowRound(r *fr.Element, eq []fr.Element) (one, leading fr.Element)
	// laneRound begins the round of the top bit of lanes. inverses are those of its coordinate's eq; nil after the last.
	laneRound(r *fr.Element, inverses *[2]fr.Element) (one, leading fr.Element)
	// children are p0, p1, q0, q1 where all variables are bound.
	children() [4]fr.Element
}

// laneCount is the number of lanes of level k.
func laneCount(k int) int { return 1 << min(k, claims.LaneBits) }

// newLevel makes room for level k, whose nodes are 0/1 from live on.
func newLevel(k, live int) level {
	n := laneCount(k)
	if claims.RowCoordinates(k) > 0 {
		n *= 2
	}
	n *= max((live+n-1)/n, 1)
	l := level{make([]fr.Element, n), make([]fr.Element, n)}
	for i := live; i < n; i++ {
		l.q[i].SetOne()
	}
	return l
}

func newTree(height int, l leafLevel) *tree {
	t := &tree{height: height, leaves: l, levels: make([]level, height)}
	for k := height - 1; k >= 0; k-- {
		t.levels[k] = l.above(k)
		l = &t.levels[k]
	}
	return t
}

// at implements leafLevel.
func (l *level) at(i int) (p, q fr.Element) { return l.p[i], l.q[i] }

// children are p0, p1, q0, q1 of a row of nodes.
func (l *level) children(row, lanes int) [4]fr.Vector {
	return [4]fr.Vector{span(l.p, 2*row, lanes), span(l.p, 2*row+1, lanes), span(l.q, 2*row, lanes), span(l.q, 2*row+1, lanes)}
}

// above implements leafLevel.
func (l *level) above(k int) level {
	lanes := laneCount(k)
	rows := len(l.p) / (2 * lanes)
	out := newLevel(k, rows*lanes)
	eachRow(rows, lanes, func(_, from, to int) {
		for i := from; i < to; i++ {
			n, p, q := l.children(i, lanes), span(out.p, i, lanes), span(out.q, i, lanes)
			p.Mul(n[0], n[3])
			q.Mul(n[1], n[2])
			p.Add(p, q)
			q.Mul(n[2], n[3])
		}
	})
	return out
}

// rounds implements leafLevel. With u = p1 + λ·q1 a node is p0·q1 + q0·u: two products.
func (l *level) rounds(k int, eq fr.Vector, lambda *fr.Element, _ level) rounds {
	lanes := laneCount(k)
	s := &inner{lambda: *lambda, eq: eq, level: *l}
	s.products = products{lanes: lanes, live: len(l.p) / (2 * lanes), prepare: s.prepare}
	child := func(v []fr.Element, i int) factor { return factor{of: v, first: i, step: 2} }
	s.add(child(l.p, 0), child(l.q, 1), eq, fr.Element{}, fr.One())
	s.add(child(l.q, 0), child(l.p, 1), eq, fr.One(), *lambda)
	return s
}

// inner are the rounds between two levels of nodes.
type inner struct {
	products
	lambda fr.Element
	eq     fr.Vector
	level  level
}

// prepare makes factors of a row's nodes.
func (t *inner) prepare(i int, spare fr.Vector) {
	n := t.level.children(i, t.lanes)
	n[0].Mul(n[0], t.eq)
	n[2].Mul(n[2], t.eq)
	spare.ScalarMul(n[3], &t.lambda)
	n[1].Add(n[1], spare)
}

// children implements rounds.
func (t *inner) children() [4]fr.Element {
	p0, q1 := t.values(0)
	q0, p1 := t.values(1)
	var v fr.Element
	p1.Sub(&p1, v.Mul(&t.lambda, &q1))
	return [4]fr.Element{p0, p1, q0, q1}
}

// Root implements claims.TreeProver.
func (t *tree) Root() (p, q fr.Element) {
	if t.height > 0 {
		return t.levels[0].at(0)
	}
	return t.leaves.at(0)
}

// Level implements claims.TreeProver.
func (t *tree) Level(k int, point []fr.Element, lambda fr.Element) {
	p, q := t.claimed(k, point)
	t.claim.Mul(&lambda, &q).Add(&t.claim, &p)
	t.lambda, t.tau = lambda, claims.RowCoordinates(k)
	t.rows, t.lanes = point[:t.tau], point[t.tau:]
	lower := t.leaves
	if k+1 < t.height {
		lower = &t.levels[k+1]
	}
	memory := t.levels[t.height-1] // turned into tables by the rounds before, if there were any
	t.rounds = lower.rounds(k, claims.EqTable(t.lanes), &t.lambda, memory)
	if k+2 < t.height {
		t.levels[k+1] = level{}
	}
	t.next(nil)
}

// claimed are p and q of level k at its point, from the children of the level before.
func (t *tree) claimed(k int, point []fr.Element) (p, q fr.Element) {
	if k == 0 {
		return t.Root()
	}
	tau := &point[t.tau]
	between := func(a, b fr.Element) fr.Element {
		b.Sub(&b, &a).Mul(&b, tau)
		return *b.Add(&b, &a)
	}
	return between(t.children[0], t.children[1]), between(t.children[2], t.children[3])
}

// next binds a variable, unless r is nil, and computes the next round's message: with e = (1−c)·h(0) + c·h(1) the claim,
// h(1) − h(0) = (h(1) − e)/(1−c). A coordinate c of 0 or 1 would be in the way; one of 2^253 is.
func (t *tree) next(r *fr.Element) {
	rows, lanes := len(t.rows), len(t.lanes)
	var one fr.Element
	var inverses [2]fr.Element
	switch {
	case rows > 0:
		t.coordinate, t.rows = t.rows[rows-1], t.rows[:rows-1]
		inverses = inverseEq(&t.coordinate)
		one, t.sent[1] = t.rounds.rowRound(r, claims.EqTable(t.rows))
	case lanes > 0:
		t.coordinate, t.lanes = t.lanes[0], t.lanes[1:]
		inverses = inverseEq(&t.coordinate)
		one, t.sent[1] = t.rounds.laneRound(r, &inverses)
	default:
		t.rounds.laneRound(r, nil)
		return
	}
	t.sent[0].Sub(&one, &t.claim).Mul(&t.sent[0], &inverses[0])
}

// inverseEq is 1/(1−c) and 1/c.
func inverseEq(c *fr.Element) [2]fr.Element {
	var complement, both fr.Element
	complement.SetOne()
	complement.Sub(&complement, c)
	both.Mul(&complement, c).Inverse(&both)
	return [2]fr.Element{*new(fr.Element).Mul(&both, c), *new(fr.Element).Mul(&both, &complement)}
}

// Round implements claims.TreeProver.
func (t *tree) Round() (difference, leading fr.Element) { return t.sent[0], t.sent[1] }

// Bind implements claims.TreeProver.
func (t *tree) Bind(r fr.Element) {
	var a, b fr.Element
	a.Sub(&r, &t.coordinate).Mul(&a, &t.sent[0])
	b.Square(&r).Sub(&b, &r).Mul(&b, &t.sent[1])
	t.claim.Add(&t.claim, &a).Add(&t.claim, &b)
	t.next(&r)
}

// Children implements claims.TreeProver.
func (t *tree) Children() [4]fr.Element {
	t.children = t.rounds.children()
	return t.children
}
