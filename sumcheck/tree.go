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
// A round needs h(1) and the leading coefficient; h(0) follows from the claim, which the prover tracks. In a level's first
// round both are known: the claim lies between the children of the level above.
type tree struct {
	levels []nodes // from the root to the leaves, the root's in memory; nil once nobody needs them

	root          [2]fr.Element
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

// nodes are those of a level, in memory or computed.
type nodes interface {
	// above is level k, the one above.
	above(k int) nodes
	// rounds begins those from level k to these nodes; eq is that of lanes. memory is nobody's: that of the lowest level
	// down to k which has some.
	rounds(k int, eq fr.Vector, lambda *fr.Element, memory *level) rounds
}

// rounds are a level's. Both sums are Σ eq·node where the round's variable is 1, and Σ eq·(leading coefficient of node).
// Both methods bind the variable before the round's, unless r is nil: then nobody looks at the first sum.
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

func newTree(height int, leaves nodes) *tree {
	t := &tree{levels: make([]nodes, height+1)}
	t.levels[height] = leaves
	for k := height; k > 0; k-- {
		t.levels[k-1] = t.levels[k].above(k - 1)
	}
	root := t.levels[0].(*level)
	t.root = [2]fr.Element{root.p[0], root.q[0]}
	return t
}

// children are p0, p1, q0, q1 of a row of nodes.
func (l *level) children(row, lanes int) [4]fr.Vector {
	return [4]fr.Vector{span(l.p, 2*row, lanes), span(l.p, 2*row+1, lanes), span(l.q, 2*row, lanes), span(l.q, 2*row+1, lanes)}
}

// above implements nodes.
func (l *level) above(k int) nodes {
	lanes := laneCount(k)
	return addRows(k, len(l.p)/(2*lanes), func(row int, _ *work) [4]fr.Vector { return l.children(row, lanes) })
}

// addRows is level k, of which so many rows have live children: p0, p1, q0, q1.
func addRows(k, rows int, children func(row int, w *work) [4]fr.Vector) *level {
	lanes := laneCount(k)
	out := newLevel(k, rows*lanes)
	eachRow(rows, lanes, func(_, from, to int) {
		w := &work{}
		for i := from; i < to; i++ {
			n, p, q := children(i, w), span(out.p, i, lanes), span(out.q, i, lanes)
			p.Mul(n[0], n[3])
			q.Mul(n[1], n[2])
			p.Add(p, q)
			q.Mul(n[2], n[3])
		}
	})
	return &out
}

// rounds implements nodes.
func (l *level) rounds(k int, eq fr.Vector, lambda *fr.Element, _ *level) rounds {
	lanes := laneCount(k)
	return newInner(l, len(l.p)/(2*lanes), eq, lambda)
}

// inner are the rounds between two levels of nodes. With u = p1 + λ·q1 a node is p0·q1 + q0·u: two products.
type inner struct {
	products
	lambda fr.Element
}

// newInner begins rounds of so many rows, which are those of children in memory or will be loaded there.
func newInner(memory *level, rows int, eq fr.Vector, lambda *fr.Element) *inner {
	t := &inner{lambda: *lambda}
	t.products = products{lanes: len(eq), live: rows, finish: func(v []fr.Vector, spare fr.Vector) {
		p0, q1, q0, p1 := v[0], v[1], v[2], v[3]
		p0.Mul(p0, eq)
		q0.Mul(q0, eq)
		spare.ScalarMul(q1, lambda)
		p1.Add(p1, spare)
	}}
	child := func(v []fr.Element, i int) factor { return factor{of: v, first: i, step: 2} }
	t.add(child(memory.p, 0), child(memory.q, 1), eq, fr.Element{}, fr.One())
	t.add(child(memory.q, 0), child(memory.p, 1), eq, fr.One(), *lambda)
	return t
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
func (t *tree) Root() (p, q fr.Element) { return t.root[0], t.root[1] }

// Level implements claims.TreeProver.
func (t *tree) Level(k int, point []fr.Element, lambda fr.Element) {
	var ends [2]fr.Element // the claim where the first round's variable is 0 and 1
	for b := range ends {
		ends[b].Mul(&lambda, &t.children[2+b]).Add(&ends[b], &t.children[b])
	}
	t.sent[0].Sub(&ends[1], &ends[0])
	if k > 0 {
		t.claim.Mul(&t.sent[0], &point[t.tau]).Add(&t.claim, &ends[0])
	}
	t.lambda, t.tau = lambda, claims.RowCoordinates(k)
	t.rows, t.lanes = point[:t.tau], point[t.tau:]
	t.rounds = t.levels[k+1].rounds(k, claims.EqTable(t.lanes), &t.lambda, t.spent(k))
	if k > 0 {
		t.levels[k-1] = nil
	}
	t.next(nil)
}

// spent is the memory of the lowest level down to k that has some.
func (t *tree) spent(k int) *level {
	for ; k >= 0; k-- {
		if l, ok := t.levels[k].(*level); ok {
			return l
		}
	}
	return nil
}

// next binds a variable, unless r is nil, and computes the next round's message. The first round's difference is known; then,
// with e = (1−c)·h(0) + c·h(1) the claim,
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
	if r != nil {
		t.sent[0].Sub(&one, &t.claim).Mul(&t.sent[0], &inverses[0])
	}
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
