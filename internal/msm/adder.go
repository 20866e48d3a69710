package msm

import (
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// additions is the number of additions that share an inversion, and lanes how many products are carried along by it:
// enough for vector instructions.
const (
	additions = 2048
	lanes     = 128
	fewLanes  = 16
)

// adder adds up points in affine form: pairs of all sums wait until there are enough for one inversion,
// and their coordinates stand in vectors, for whose products the library has vector instructions. They are no fields of the
// library's type: what a pool holds keeps its methods, and theirs read files, which verifiers in a sandbox must not.
type adder struct {
	x1, y1, x2, y2 []fp.Element
	dx, products   []fp.Element
	to             []int32 // where the sum of a pair goes
	n              int
	infinite       bool             // points at infinity may occur
	points         []bn254.G1Affine // of gather
	odd            []bn254.G1Affine // of weighted: by bit, then by group
	oddSizes       []int32
}

func (a *adder) init() {
	if a.x1 != nil {
		return
	}
	for _, v := range []*[]fp.Element{&a.x1, &a.y1, &a.x2, &a.y2, &a.dx, &a.products} {
		*v = make([]fp.Element, additions+lanes)
	}
	a.to = make([]int32, additions)
}

// gather makes the first additions of sum, of groups of a table's points, none at infinity. The result is valid until the
// next call.
func (a *adder) gather(table []bn254.G1Affine, index []uint32, sizes []int32) []bn254.G1Affine {
	a.init()
	a.infinite = false
	half := 0
	for _, n := range sizes {
		half += int(n+1) / 2
	}
	a.points = slices.Grow(a.points[:0], half)[:half]
	points, to := a.points, 0
	for g, n := range sizes {
		for ; n >= 2; n -= 2 {
			a.pair(points, &table[index[0]], &table[index[1]], to)
			index = index[2:]
			to++
		}
		if n == 1 {
			points[to] = table[index[0]]
			index = index[1:]
			to++
		}
		sizes[g] = (sizes[g] + 1) / 2
	}
	a.flush(points)
	return points
}

// sum adds up groups of points: group g are the next sizes[g] ones. It overwrites the points by the sums, one for each
// group that is not empty, in order, and sizes by 1 for those.
func (a *adder) sum(points []bn254.G1Affine, sizes []int32) []bn254.G1Affine {
	a.init()
	for more := true; more; {
		more = false
		from, to := 0, 0
		for g, n := range sizes {
			for end := from + int(n&^1); from < end; from += 2 {
				a.pair(points, &points[from], &points[from+1], to)
				to++
			}
			if n&1 == 1 {
				// Whatever stood here was read: sums go to the left of what they are sums of.
				points[to] = points[from]
				from++
				to++
			}
			sizes[g] = (n + 1) / 2
			more = more || n > 2
		}
		a.flush(points)
		points = points[:to]
	}
	return points
}

// pair puts p + q into points, at some time before the next flush is over.
func (a *adder) pair(points []bn254.G1Affine, p, q *bn254.G1Affine, to int) {
	n := a.n
	a.x1[n], a.y1[n], a.x2[n], a.y2[n], a.to[n] = p.X, p.Y, q.X, q.Y, int32(to)
	if a.n++; a.n == additions {
		a.flush(points)
	}
}

// weighted is Σ (k+1)·bucket k of every group of buckets, which stand one after the other, empty ones at infinity.
// Groups have powers of two of buckets. It overwrites them.
//
// Buckets 2k and 2k+1 weigh alike but for the lowest bit of their numbers: so groups are halved, adding neighbours,
// and what has the bit i is set aside for the sum that is taken 2^i times.
func (a *adder) weighted(buckets []bn254.G1Affine, groups []int32) []bn254.G1Jac {
	a.odd, a.oddSizes = a.odd[:0], a.oddSizes[:0]
	for more := true; more; {
		more = false
		from, to := 0, 0
		for g, n := range groups {
			before := len(a.odd)
			if n > 1 {
				to = a.halve(buckets, from, to, int(n))
				groups[g] = n / 2
				more = more || n > 2
			} else {
				buckets[to] = buckets[from]
				to++
			}
			from += int(n)
			a.oddSizes = append(a.oddSizes, int32(len(a.odd)-before))
		}
		a.flush(buckets)
	}
	return a.combine(buckets[:len(groups)])
}

// halve adds neighbours of n buckets, and copies the odd ones.
func (a *adder) halve(buckets []bn254.G1Affine, from, to, n int) int {
	for end := from + n; from < end; from += 2 {
		even, odd := &buckets[from], &buckets[from+1]
		if odd.IsInfinity() {
			buckets[to] = *even
		} else {
			a.odd = append(a.odd, *odd)
			if even.IsInfinity() {
				buckets[to] = *odd
			} else {
				a.pair(buckets, even, odd, to)
			}
		}
		to++
	}
	return to
}

// combine is, for each group, what is left of it plus Σ_bit 2^bit·Σ (odd buckets at that bit).
func (a *adder) combine(left []bn254.G1Affine) []bn254.G1Jac {
	points := a.sum(a.odd, a.oddSizes)
	out := make([]bn254.G1Jac, len(left))
	at := len(points)
	for k := len(a.oddSizes) - 1; k >= 0; k-- {
		sum := &out[k%len(left)]
		sum.DoubleAssign()
		if a.oddSizes[k] == 1 {
			at--
			sum.AddMixed(&points[at])
		}
	}
	for g := range out {
		out[g].AddMixed(&left[g])
	}
	return out
}

// flush adds all pairs by the chord: λ = Δy/Δx, x = λ² − x1 − x2, y = λ(x1 − x) − y1.
func (a *adder) flush(points []bn254.G1Affine) {
	if a.n == 0 {
		return
	}
	n := (a.n + lanes - 1) / lanes * lanes
	for i := a.n; i < n; i++ {
		a.x1[i], a.y1[i], a.x2[i], a.y2[i] = fp.Element{}, fp.Element{}, fp.One(), fp.Element{}
	}
	dx := fp.Vector(a.dx[:n])
	dx.Sub(a.x2[:n], a.x1[:n])
	var special []specialSum
	left, ok := a.multiply(dx)
	if a.infinite || !ok {
		special = a.takeSpecial(dx)
		left, _ = a.multiply(dx)
	}
	invertLanes(left) // the inverse of the products up to here
	for i := n - lanes; i >= 0; i -= lanes {
		inverse, at := fp.Vector(a.products[i:i+lanes]), dx[i:i+lanes]
		inverse.Mul(inverse, left)
		left.Mul(left, at)
		a.chord(i, inverse)
	}
	for i, to := range a.to[:a.n] {
		points[to].X, points[to].Y = a.x2[i], a.y1[i]
	}
	for _, s := range special {
		points[s.to] = s.sum
	}
	a.n = 0
}

// chord adds the pairs from i on, as many as there are lanes: x to x2, y to y1.
func (a *adder) chord(i int, inverse fp.Vector) {
	lane := func(v []fp.Element) fp.Vector { return v[i : i+lanes] }
	x1, y1, x2, y2, square := lane(a.x1), lane(a.y1), lane(a.x2), lane(a.y2), lane(a.dx)
	slope := inverse
	y2.Sub(y2, y1)
	slope.Mul(slope, y2)
	square.Mul(slope, slope)
	x2.Add(x2, x1)
	x2.Sub(square, x2)
	x1.Sub(x1, x2)
	x1.Mul(x1, slope)
	y1.Sub(x1, y1)
}

// specialSum is the sum of two points that the chord does not give.
type specialSum struct {
	to  int32
	sum bn254.G1Affine
}

// takeSpecial adds equal and opposite points, and those at infinity, and puts 1 for the differences of their x.
func (a *adder) takeSpecial(dx fp.Vector) (out []specialSum) {
	for i := range a.n {
		p, q := bn254.G1Affine{X: a.x1[i], Y: a.y1[i]}, bn254.G1Affine{X: a.x2[i], Y: a.y2[i]}
		if !dx[i].IsZero() && !p.IsInfinity() && !q.IsInfinity() {
			continue
		}
		dx[i].SetOne()
		p.Add(&p, &q)
		a.infinite = a.infinite || p.IsInfinity()
		out = append(out, specialSum{a.to[i], p})
	}
	return out
}

// multiply computes, lane by lane, the products before every element, and of all. ok is whether none is 0.
func (a *adder) multiply(v fp.Vector) (all fp.Vector, ok bool) {
	for i := range lanes {
		a.products[i].SetOne()
	}
	for i := 0; i < len(v); i += lanes {
		next := fp.Vector(a.products[i+lanes : i+2*lanes])
		next.Mul(a.products[i:i+lanes], v[i:i+lanes])
	}
	all = a.products[len(v) : len(v)+lanes]
	for i := range all {
		if all[i].IsZero() {
			return nil, false
		}
	}
	return all, true
}

// invertLanes inverts lanes elements by one inversion, in fewer lanes.
func invertLanes(v fp.Vector) {
	var products [lanes]fp.Element
	all := slices.Clone(v[:fewLanes])
	for i := fewLanes; i < lanes; i += fewLanes {
		copy(products[i:], all)
		all.Mul(all, v[i:i+fewLanes])
	}
	left := fp.Vector(fp.BatchInvert(all))
	for i := lanes - fewLanes; i > 0; i -= fewLanes {
		at, inverse := v[i:i+fewLanes], fp.Vector(products[i:i+fewLanes])
		inverse.Mul(inverse, left)
		left.Mul(left, at)
		copy(at, inverse)
	}
	copy(v, left)
}
