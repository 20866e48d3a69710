package sumcheck

import (
	"runtime"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// tree is a tree of fractions over a live prefix of leaves; it implements claims.TreeProver. What is not live is 0/1, and
// so is every node above nothing else: levels and tables are prefixes too.
//
// A node is p0·q1 + q0·u with u = p1 + λ·q1, so that four tables (p0, u, q0, q1) and two products make it. A round needs
// h(1) and the leading coefficient; h(0) follows from the claim, which the prover tracks.
type tree struct {
	height int
	levels []level // nodes of levels 0 to height−1
	leaves leafLevel

	point    []fr.Element // of the level at hand; the last coordinate is the round's
	lambda   fr.Element
	claim    fr.Element
	sent     [2]fr.Element // the round's message
	children [4]fr.Element // of the last level
	rounds   roundTables
}

// level is the live nodes of a level.
type level struct{ p, q []fr.Element }

// leafLevel is the lowest level.
type leafLevel interface {
	at(i int) (p, q fr.Element)
	// above adds neighbours.
	above() level
	// tables begins the rounds to the leaves.
	tables(lambda *fr.Element) roundTables
}

// roundTables are the tables of a level's rounds.
type roundTables interface {
	// bind folds the lowest bit, unless r is nil, and evaluates the next round: Σ eq·node where the round's variable is 1, and
	// Σ eq·(leading coefficient of node). It is called with a nil eq where no round is left.
	bind(r *fr.Element, eq *splitEq) (one, leading fr.Element)
	// children are p0, p1, q0, q1 where all variables are bound.
	children() [4]fr.Element
}

func newTree(height int, l leafLevel) *tree {
	t := &tree{height: height, leaves: l, levels: make([]level, height)}
	for k := height - 1; k >= 0; k-- {
		if k == height-1 {
			t.levels[k] = l.above()
		} else {
			t.levels[k] = t.levels[k+1].above()
		}
	}
	return t
}

// at is a node, 0/1 where nothing is live.
func (l *level) at(i int) (p, q fr.Element) {
	if i < len(l.p) {
		return l.p[i], l.q[i]
	}
	q.SetOne()
	return p, q
}

// above implements leafLevel.
func (l *level) above() level {
	n := (len(l.p) + 1) / 2
	out := level{make([]fr.Element, n), make([]fr.Element, n)}
	parallel(n, func(_, from, to int) {
		var v fr.Element
		for i := from; i < to; i++ {
			if 2*i+1 == len(l.p) { // the neighbour is 0/1
				out.p[i], out.q[i] = l.p[2*i], l.q[2*i]
				continue
			}
			out.p[i].Mul(&l.p[2*i], &l.q[2*i+1])
			v.Mul(&l.p[2*i+1], &l.q[2*i])
			out.p[i].Add(&out.p[i], &v)
			out.q[i].Mul(&l.q[2*i], &l.q[2*i+1])
		}
	})
	return out
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
	t.point, t.lambda = point, lambda
	t.claim.Mul(&lambda, &q).Add(&t.claim, &p)
	if k+1 == t.height {
		t.rounds = t.leaves.tables(&t.lambda)
	} else {
		t.rounds = t.levels[k+1].tables(&t.lambda)
		t.levels[k+1] = level{} // nobody reads it again
	}
	t.evaluate(nil)
}

// claimed are p and q of level k at its point, from the children of the level before.
func (t *tree) claimed(k int, point []fr.Element) (p, q fr.Element) {
	if k == 0 {
		return t.Root()
	}
	tau := &point[k-1]
	between := func(a, b fr.Element) fr.Element {
		b.Sub(&b, &a).Mul(&b, tau)
		return *b.Add(&b, &a)
	}
	return between(t.children[0], t.children[1]), between(t.children[2], t.children[3])
}

// evaluate binds a variable, unless r is nil, and computes the next round's message: with e = (1−r)·h(0) + r·h(1) the claim,
// h(1) − h(0) = (h(1) − e)/(1−r).
func (t *tree) evaluate(r *fr.Element) {
	if len(t.point) == 0 {
		t.rounds.bind(r, nil)
		return
	}
	coordinate := t.point[len(t.point)-1]
	one, leading := t.rounds.bind(r, newSplitEq(t.point[:len(t.point)-1]))
	var complement fr.Element
	complement.SetOne()
	complement.Sub(&complement, &coordinate).Inverse(&complement)
	t.sent[0].Sub(&one, &t.claim).Mul(&t.sent[0], &complement)
	t.sent[1] = leading
}

// Round implements claims.TreeProver.
func (t *tree) Round() (difference, leading fr.Element) { return t.sent[0], t.sent[1] }

// Bind implements claims.TreeProver.
func (t *tree) Bind(r fr.Element) {
	last := len(t.point) - 1
	var a, b fr.Element
	a.Sub(&r, &t.point[last]).Mul(&a, &t.sent[0])
	b.Square(&r).Sub(&b, &r).Mul(&b, &t.sent[1])
	t.claim.Add(&t.claim, &a).Add(&t.claim, &b)
	t.point = t.point[:last]
	t.evaluate(&r)
}

// Children implements claims.TreeProver.
func (t *tree) Children() [4]fr.Element {
	t.children = t.rounds.children()
	return t.children
}

// splitEq is eq(point, x) as a product of two tables: of the upper and of the lowest bits of x, which are a chunk.
type splitEq struct{ high, low []fr.Element }

// chunkBits are the bits of a chunk: its tables fit into the cache.
const chunkBits = 9

func newSplitEq(point []fr.Element) *splitEq {
	at := max(len(point)-chunkBits, 0)
	return &splitEq{claims.EqTable(point[:at]), claims.EqTable(point[at:])}
}

// prefix is Σ eq over the first n.
func (e *splitEq) prefix(n int) (sum fr.Element) {
	chunk := len(e.low)
	for c := range n / chunk {
		sum.Add(&sum, &e.high[c])
	}
	var rest fr.Element
	for i := range n % chunk {
		rest.Add(&rest, &e.low[i])
	}
	if n%chunk > 0 {
		sum.Add(&sum, rest.Mul(&rest, &e.high[n/chunk]))
	}
	return sum
}

func (e *splitEq) at(i int) (v fr.Element) {
	return *v.Mul(&e.high[i/len(e.low)], &e.low[i%len(e.low)])
}

// sums adds up what visit returns for the chunks of n pairs, each times the chunk's eq, on all processors.
func (e *splitEq) sums(n int, visit func(from, to int) (one, leading fr.Element)) (one, leading fr.Element) {
	chunk := len(e.low)
	chunks := (n + chunk - 1) / chunk
	parts := make([][2]fr.Element, runtime.GOMAXPROCS(0))
	used := shared(chunks, max(grain/chunk, 1), func(part, from, to int) {
		for c := from; c < to; c++ {
			a, b := visit(c*chunk, min((c+1)*chunk, n))
			parts[part][0].Add(&parts[part][0], a.Mul(&a, &e.high[c]))
			parts[part][1].Add(&parts[part][1], b.Mul(&b, &e.high[c]))
		}
	})
	for i := range used {
		one.Add(&one, &parts[i][0])
		leading.Add(&leading, &parts[i][1])
	}
	return one, leading
}

// fold is (1−r)·a + r·b.
func fold(to, a, b, r *fr.Element) {
	var d fr.Element
	d.Sub(b, a).Mul(&d, r)
	to.Add(a, &d)
}

// four are the tables of inner levels.
type four struct {
	lambda fr.Element
	at     [4][]fr.Element // p0, u, q0, q1
	spare  [4][]fr.Element // the tables before, whose memory is free
}

// tables implements leafLevel.
func (l *level) tables(lambda *fr.Element) roundTables {
	return &inner{four: four{lambda: *lambda}, level: *l}
}

// inner are four tables that begin as the even and odd nodes of a level, which are read where they lie.
type inner struct {
	four
	level level
}

// parent are p0, p1, q0, q1 of a parent.
func (t *inner) parent(i int) (n [4]fr.Element) {
	n[0], n[2] = t.level.at(2 * i)
	n[1], n[3] = t.level.at(2*i + 1)
	return n
}

// withU replaces p1 by u.
func (t *four) withU(n *[4]fr.Element) {
	var v fr.Element
	n[1].Add(&n[1], v.Mul(&t.lambda, &n[3]))
}

// bind implements roundTables. The first call evaluates the level's nodes, the second folds them to tables.
func (t *inner) bind(r *fr.Element, eq *splitEq) (one, leading fr.Element) {
	switch {
	case t.at[0] != nil:
		return t.four.bind(r, eq)
	case r == nil && eq == nil: // one parent
		n := t.parent(0)
		t.withU(&n)
		for k := range t.at {
			t.at[k] = []fr.Element{n[k]}
		}
		return one, leading
	case r == nil:
		return t.first(eq)
	}
	n := ((len(t.level.p)+1)/2 + 1) / 2
	for k := range t.at {
		t.at[k] = make([]fr.Element, n)
	}
	if eq == nil {
		t.foldLevel(0, n, r)
	} else {
		one, leading = t.pairs(eq, func(from, to int) { t.foldLevel(2*from, min(2*to, n), r) })
	}
	t.level = level{}
	return one, leading
}

// first evaluates the first round.
func (t *inner) first(eq *splitEq) (one, leading fr.Element) {
	n := ((len(t.level.p)+1)/2 + 1) / 2
	one, leading = eq.sums(n, func(from, to int) (one, leading fr.Element) {
		for i := from; i < to; i++ {
			low, high := t.parent(2*i), t.parent(2*i+1)
			t.withU(&low)
			t.withU(&high)
			t.term(&one, &leading, &eq.low[i-from], &low, &high)
		}
		return one, leading
	})
	t.addDead(&one, eq, n)
	return one, leading
}

// foldLevel folds neighbouring parents of the level to elements of the tables.
func (t *inner) foldLevel(from, to int, r *fr.Element) {
	var n [4]fr.Element
	for i := from; i < to; i++ {
		low, high := t.parent(2*i), t.parent(2*i+1)
		for k := range n {
			fold(&n[k], &low[k], &high[k], r)
		}
		t.withU(&n)
		for k := range n {
			t.at[k][i] = n[k]
		}
	}
}

// dead is a parent of nothing: 0/1 and 0/1.
func (t *four) dead() [4]fr.Element {
	var n [4]fr.Element
	n[1] = t.lambda
	n[2].SetOne()
	n[3].SetOne()
	return n
}

// bind implements roundTables: pairs fold, and neighbours among what they fold to make the next round's terms.
func (t *four) bind(r *fr.Element, eq *splitEq) (one, leading fr.Element) {
	old, n := t.at, (len(t.at[0])+1)/2
	dead := t.dead()
	for k := range t.at {
		if cap(t.spare[k]) < n {
			t.spare[k] = make([]fr.Element, n)
		}
		t.at[k], t.spare[k] = t.spare[k][:n], t.at[k]
	}
	foldRange := func(from, to int) {
		for k := range t.at {
			src, dst := old[k], t.at[k]
			for i := from; i < min(to, len(src)/2); i++ {
				fold(&dst[i], &src[2*i], &src[2*i+1], r)
			}
			if last := n - 1; len(src)%2 == 1 && from <= last && last < to {
				fold(&dst[last], &src[2*last], &dead[k], r)
			}
		}
	}
	if eq == nil {
		foldRange(0, n)
		return one, leading
	}
	return t.pairs(eq, func(from, to int) { foldRange(2*from, min(2*to, n)) })
}

// pairs adds up the terms of all pairs, chunk by chunk, after prepare has computed the chunk's elements.
func (t *four) pairs(eq *splitEq, prepare func(from, to int)) (one, leading fr.Element) {
	live := len(t.at[0])
	n := (live + 1) / 2
	one, leading = eq.sums(n, func(from, to int) (one, leading fr.Element) {
		prepare(from, to)
		dead := t.dead()
		for i := from; i < to; i++ {
			low, high := t.element(2*i), dead
			if 2*i+1 < live {
				high = t.element(2*i + 1)
			}
			t.term(&one, &leading, &eq.low[i-from], &low, &high)
		}
		return one, leading
	})
	t.addDead(&one, eq, n)
	return one, leading
}

// addDead adds the pairs of dead parents after the first n: h(1) is λ.
func (t *four) addDead(one *fr.Element, eq *splitEq, n int) {
	alive, rest := eq.prefix(n), fr.One()
	rest.Sub(&rest, &alive).Mul(&rest, &t.lambda)
	one.Add(one, &rest)
}

func (t *four) element(i int) (n [4]fr.Element) {
	for k := range n {
		n[k] = t.at[k][i]
	}
	return n
}

// term adds eq times what two neighbours contribute.
func (t *four) term(one, leading, eq *fr.Element, low, high *[4]fr.Element) {
	var a, b, d, e fr.Element
	a.Mul(&high[0], &high[3])
	b.Mul(&high[2], &high[1])
	a.Add(&a, &b).Mul(&a, eq)
	one.Add(one, &a)
	a.Sub(&high[0], &low[0])
	b.Sub(&high[3], &low[3])
	a.Mul(&a, &b)
	d.Sub(&high[2], &low[2])
	e.Sub(&high[1], &low[1])
	d.Mul(&d, &e)
	a.Add(&a, &d).Mul(&a, eq)
	leading.Add(leading, &a)
}

// children implements roundTables.
func (t *four) children() [4]fr.Element {
	n := t.element(0)
	var v fr.Element
	v.Mul(&t.lambda, &n[3])
	n[1].Sub(&n[1], &v)
	return n
}
