package claims

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Tree describes a tree of fractions: 2^Height leaves p/q are added in pairs,
//
//	p = p0·q1 + p1·q0,   q = q0·q1,
//
// up to one root.
//
// A leaf's number is that of a row and, in the LaneBits lowest bits, that of a lane. Levels up to LaneBits have the lowest
// bits of lanes for numbers: children of x are x and x + 2^k. Below, every level has one more bit of the row, lanes
// stay: children of (row, lane) are (2·row, lane) and (2·row + 1, lane). So what is added lies in runs of 2^LaneBits
// neighbours on both sides, and provers can use vector instructions; the leaves that matter stay a prefix.
type Tree struct {
	Name   string
	Height int
	// Numerators, if not nil, says that numerators of leaves are public: their extension at a point.
	// Without, they are claimed at the end like denominators.
	Numerators func(point []fr.Element) fr.Element
}

// LaneBits are the bits of a lane.
const LaneBits = 9

// RowCoordinates is how many of a point's coordinates at level k, its first, are the row's.
func RowCoordinates(k int) int { return max(k-LaneBits, 0) }

// RoundOrder are the coordinates of a point at level k in the order in which rounds bind them: the row's from the lowest
// bit on, so that neighbouring rows fold and what is dead at the end stays there, then the lane's from the top, so that
// halves fold.
func RoundOrder(k int) []int {
	out := make([]int, k)
	rows := RowCoordinates(k)
	for i := range out {
		out[i] = i
		if i < rows {
			out[i] = rows - 1 - i
		}
	}
	return out
}

// childPoint is the point at level k+1 of child tau of the nodes at a point of level k: its bit is the row's lowest, or the
// lane's top one where there are no rows.
func childPoint(point []fr.Element, tau fr.Element) []fr.Element {
	return slices.Insert(slices.Clone(point), RowCoordinates(len(point)), tau)
}

// TreeProver computes a tree's messages.
type TreeProver interface {
	// Root is p and q of the root.
	Root() (p, q fr.Element)
	// Level begins the rounds from the nodes of a level, with k coordinates, to their children. point is where
	// the level's p and q are claimed. Rounds bind its coordinates in RoundOrder.
	Level(k int, point []fr.Element, lambda fr.Element)
	// Round is the next round's message: h(1) − h(0), and the leading coefficient of h, where h is the
	// round's polynomial without its eq factor.
	Round() (difference, leading fr.Element)
	// Bind fixes the round's variable.
	Bind(r fr.Element)
	// Children are the children's p0, p1, q0, q1 at the bound point.
	Children() [4]fr.Element
}

// Leaf is what a tree's root depends on: the extension of its leaves' numerators and denominators at
// Point, top bit first.
type Leaf struct {
	Point []fr.Element
	P, Q  Form
}

// Fractions reduces the roots of trees to claims on their leaves: for every level all trees that still
// have one run a sumcheck in parallel, on the same challenges. It returns the roots' p and q, and one leaf
// claim a tree. provers is nil for a verifier.
//
// Rounds with an eq factor send h(1) − h(0) and the leading coefficient of h. With e the claim before,
// e = (1−r)·h(0) + r·h(1), and the next is h(ρ) = e + (ρ−r)·(h(1)−h(0)) + (ρ²−ρ)·leading.
func (r *Run) Fractions(trees []Tree, provers []TreeProver) (roots [][2]Message, leaves []Leaf) {
	f := &fractions{run: r, trees: trees, provers: provers}
	f.roots()
	f.rootsThatAreLeaves()
	for k := 0; k < f.height(); k++ {
		f.level(k)
	}
	return f.rootMessages, f.leaves
}

// fractions is the state of Fractions.
type fractions struct {
	run          *Run
	trees        []Tree
	provers      []TreeProver
	rootMessages [][2]Message
	leaves       []Leaf // so far: claims on the current level
	point        []fr.Element
}

func (f *fractions) height() int {
	h := 0
	for _, t := range f.trees {
		h = max(h, t.Height)
	}
	return h
}

func (f *fractions) roots() {
	for t := 0; t < len(f.trees); t += 2 {
		f.rootPair(t, min(2, len(f.trees)-t))
	}
}

// rootPair sends the roots of one or two trees in a group, numerators first, so that each numerator can be
// multiplied by the other's denominator.
func (f *fractions) rootPair(t, n int) {
	sent := f.run.Send(Multiplied, 2*n, func() []fr.Element {
		out := make([]fr.Element, 2*n)
		for i := range n {
			out[i], out[n+i] = f.provers[t+i].Root()
		}
		return out
	})
	for i := range n {
		p, q := sent[i], sent[n+i]
		f.rootMessages = append(f.rootMessages, [2]Message{p, q})
		f.leaves = append(f.leaves, Leaf{P: Of(p), Q: Of(q)})
	}
}

// rootsThatAreLeaves requires public numerators of trees without levels: no children's check does.
func (f *fractions) rootsThatAreLeaves() {
	for t := range f.trees {
		if numerators := f.trees[t].Numerators; numerators != nil && f.trees[t].Height == 0 {
			check := Check{Form: f.leaves[t].P}
			check.Form.Add(minusOne(), Public(numerators(nil)))
			f.run.Require(check)
		}
	}
}

// active are the trees with children below level k.
func (f *fractions) active(k int) []int {
	var out []int
	for t := range f.trees {
		if f.trees[t].Height > k {
			out = append(out, t)
		}
	}
	return out
}

// level goes from level k, where all active trees have claims at f.point, to their children.
func (f *fractions) level(k int) {
	lambda, mu := f.run.Draw("lambda"), f.run.Draw("mu")
	active := f.active(k)
	var claim Form
	weight := fr.One()
	weights := make([]fr.Element, len(active))
	for i, t := range active {
		weights[i] = weight
		claim.Add(weight, f.leaves[t].P)
		var w fr.Element
		claim.Add(*w.Mul(&weight, &lambda), f.leaves[t].Q)
		weight.Mul(&weight, &mu)
	}
	if f.provers != nil {
		for _, t := range active {
			f.provers[t].Level(k, f.point, lambda)
		}
	}
	bound := make([]fr.Element, k)
	for _, j := range RoundOrder(k) {
		bound[j] = f.round(&claim, f.point[j], active, weights)
	}
	f.children(k, claim, active, weights, lambda, bound)
}

// round runs one round and returns its challenge.
func (f *fractions) round(claim *Form, r fr.Element, active []int, weights []fr.Element) fr.Element {
	m := f.run.Send(Linear, 2, func() []fr.Element {
		out := make([]fr.Element, 2)
		for i, t := range active {
			d, h := f.provers[t].Round()
			out[0].Add(&out[0], d.Mul(&d, &weights[i]))
			out[1].Add(&out[1], h.Mul(&h, &weights[i]))
		}
		return out
	})
	rho := f.run.Draw("round")
	claim.addRound(m, r, rho)
	if f.provers != nil {
		for _, t := range active {
			f.provers[t].Bind(rho)
		}
	}
	return rho
}

// children sends the children's values at the bound point, requires that they give the claim, and combines
// them to claims on the next level.
func (f *fractions) children(k int, claim Form, active []int, weights []fr.Element, lambda fr.Element, bound []fr.Element) {
	check := Check{}
	var minus fr.Element
	one := fr.One()
	check.Form.Add(*minus.Neg(&one), claim)
	next := make([][4]Form, len(active)) // p0 p1 q0 q1
	for i, t := range active {
		public := f.trees[t].Height == k+1 && f.trees[t].Numerators != nil
		next[i] = f.sendChildren(t, public, bound)
		f.combine(&check, next[i], weights[i], lambda)
	}
	f.run.Require(check)
	tau := f.run.Draw("child")
	f.point = childPoint(bound, tau)
	var complement fr.Element
	complement.Sub(&one, &tau)
	for i, t := range active {
		leaf := Leaf{Point: f.point}
		leaf.P.Add(complement, next[i][0])
		leaf.P.Add(tau, next[i][1])
		leaf.Q.Add(complement, next[i][2])
		leaf.Q.Add(tau, next[i][3])
		f.leaves[t] = leaf
	}
}

// sendChildren are p0, p1, q0, q1 as forms: public numerators are constants, everything else is sent.
func (f *fractions) sendChildren(t int, public bool, bound []fr.Element) (out [4]Form) {
	first := 0
	if public {
		first = 2
		for b := range 2 {
			var bit fr.Element
			bit.SetUint64(uint64(b))
			out[b] = Public(f.trees[t].Numerators(childPoint(bound, bit)))
		}
	}
	sent := f.run.sendFrom(first, Multiplied, 4-first, func() []fr.Element {
		c := f.provers[t].Children()
		return c[first:]
	})
	for i, m := range sent {
		out[first+i] = Of(m)
	}
	return out
}

// combine adds weight·(p0·q1 + p1·q0 + λ·q0·q1) to a check.
func (f *fractions) combine(c *Check, n [4]Form, weight, lambda fr.Element) {
	var scaled fr.Element
	scaled.Mul(&weight, &lambda)
	for _, p := range []struct {
		a, b int
		k    fr.Element
	}{{0, 3, weight}, {1, 2, weight}, {2, 3, scaled}} {
		if err := c.multiply(n[p.a], n[p.b], p.k); err != nil {
			panic(fmt.Sprintf("claims: tree %v: %v", f.trees, err))
		}
	}
}

// multiply adds k·a·b to a check, where each is one message or public.
func (c *Check) multiply(a, b Form, k fr.Element) error {
	if len(a.Messages) == 0 {
		a, b = b, a
	}
	switch {
	case len(a.Messages) == 0:
		var v fr.Element
		v.Mul(&a.Constant, &b.Constant).Mul(&v, &k)
		c.Constant.Add(&c.Constant, &v)
	case len(b.Messages) == 0:
		var v fr.Element
		c.Form.Add(*v.Mul(&k, &b.Constant), a)
	case len(a.Messages) == 1 && len(b.Messages) == 1:
		c.Products = append(c.Products, Product{a.Messages[0].Message, b.Messages[0].Message, k})
	default:
		return fmt.Errorf("product of forms of %d and %d messages", len(a.Messages), len(b.Messages))
	}
	return nil
}
