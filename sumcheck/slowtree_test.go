package sumcheck

import (
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// Fractions is a tree of fractions with all its levels and leaves: the reference for tree.
type Fractions struct {
	p, q [][]fr.Element // by level, 2^level nodes

	lambda         fr.Element
	point          []fr.Element
	p0, p1, q0, q1 []fr.Element // over the variables that are not bound, top bit first
	left           []int        // the variables that are not bound
	order          []int        // the same, the next one first
}

// NewFractions adds up 2^h fractions of the given numerators and denominators.
func NewFractions(p, q []fr.Element) *Fractions {
	height := claims.AxisBits(len(p))
	f := &Fractions{p: make([][]fr.Element, height+1), q: make([][]fr.Element, height+1)}
	f.p[height], f.q[height] = p, q
	for k := height - 1; k >= 0; k-- {
		f.p[k], f.q[k] = make([]fr.Element, 1<<k), make([]fr.Element, 1<<k)
		for i := range f.p[k] {
			a, b := childOf(k, i, 0), childOf(k, i, 1)
			p, q := f.p[k+1], f.q[k+1]
			f.p[k][i] = add(mul(p[a], q[b]), mul(p[b], q[a]))
			f.q[k][i] = mul(q[a], q[b])
		}
	}
	return f
}

func add(a, b fr.Element) fr.Element { return *a.Add(&a, &b) }
func sub(a, b fr.Element) fr.Element { return *a.Sub(&a, &b) }
func mul(a, b fr.Element) fr.Element { return *a.Mul(&a, &b) }

// childOf is the number of a child of node i of level k.
func childOf(k, i, child int) int {
	lanes := min(k, claims.LaneBits)
	row, lane := i>>lanes, i&(1<<lanes-1)
	return (2*row+child)<<lanes | lane
}

// Root implements claims.TreeProver.
func (f *Fractions) Root() (p, q fr.Element) { return f.p[0][0], f.q[0][0] }

// Level implements claims.TreeProver.
func (f *Fractions) Level(k int, point []fr.Element, lambda fr.Element) {
	f.lambda, f.point = lambda, point
	f.p0, f.p1 = children(k, f.p[k+1])
	f.q0, f.q1 = children(k, f.q[k+1])
	f.order, f.left = claims.RoundOrder(k), nil
	for i := range k {
		f.left = append(f.left, i)
	}
}

// children are the first and the second children of all nodes of level k.
func children(k int, v []fr.Element) (first, second []fr.Element) {
	first, second = make([]fr.Element, 1<<k), make([]fr.Element, 1<<k)
	for i := range first {
		first[i], second[i] = v[childOf(k, i, 0)], v[childOf(k, i, 1)]
	}
	return first, second
}

// eachPair visits what a round's variable tells apart: the pair's number without that variable, and its two indices.
func (f *Fractions) eachPair(visit func(i, low, high int)) {
	bit := len(f.left) - 1 - slices.Index(f.left, f.order[0])
	for i := range 1 << (len(f.left) - 1) {
		low := i>>bit<<(bit+1) | i&(1<<bit-1)
		visit(i, low, low|1<<bit)
	}
}

// rest are the point's coordinates that are not bound but the round's.
func (f *Fractions) rest() (out []fr.Element) {
	for _, i := range f.left {
		if i != f.order[0] {
			out = append(out, f.point[i])
		}
	}
	return out
}

// Round implements claims.TreeProver.
func (f *Fractions) Round() (difference, leading fr.Element) {
	eq := claims.EqTable(f.rest())
	f.eachPair(func(i, low, high int) {
		d := func(v []fr.Element) fr.Element { return sub(v[high], v[low]) }
		at := func(i int) fr.Element { return f.node(f.p0[i], f.p1[i], f.q0[i], f.q1[i]) }
		difference = add(difference, mul(eq[i], sub(at(high), at(low))))
		leading = add(leading, mul(eq[i], f.node(d(f.p0), d(f.p1), d(f.q0), d(f.q1))))
	})
	return difference, leading
}

// node is p0·q1 + q0·p1 + λ·q0·q1.
func (f *Fractions) node(p0, p1, q0, q1 fr.Element) fr.Element {
	return add(add(mul(p0, q1), mul(q0, p1)), mul(f.lambda, mul(q0, q1)))
}

// Bind implements claims.TreeProver.
func (f *Fractions) Bind(r fr.Element) {
	for _, t := range []*[]fr.Element{&f.p0, &f.p1, &f.q0, &f.q1} {
		v, out := *t, make([]fr.Element, len(*t)/2)
		f.eachPair(func(i, low, high int) { out[i] = add(v[low], mul(r, sub(v[high], v[low]))) })
		*t = out
	}
	at := slices.Index(f.left, f.order[0])
	f.left, f.order = slices.Delete(f.left, at, at+1), f.order[1:]
}

// Children implements claims.TreeProver.
func (f *Fractions) Children() [4]fr.Element {
	return [4]fr.Element{f.p0[0], f.p1[0], f.q0[0], f.q1[0]}
}
