package sumcheck

import (
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// additions is the number of additions that share an inversion, and lanes how many products are carried along by it:
// enough for vector instructions.
const (
	additions = 1024
	lanes     = 128
	fewLanes  = 16
)

// adder adds up points in affine form: pairs of all sums wait until there are enough for one inversion,
// and their coordinates stand in vectors, for whose products the library has vector instructions.
type adder struct {
	x1, y1, x2, y2 fp.Vector
	dx, products   fp.Vector
	to             []int32 // where the sum of a pair goes
	n              int
	infinite       bool             // points at infinity may occur
	points         []bn254.G1Affine // of gather
}

func (a *adder) init() {
	if a.x1 != nil {
		return
	}
	for _, v := range []*fp.Vector{&a.x1, &a.y1, &a.x2, &a.y2, &a.dx, &a.products} {
		*v = make(fp.Vector, additions+lanes)
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

// weighted is Σ (k+1)·group[k] of every group, whose lengths are powers of two. It overwrites the groups.
//
// Elements 2k and 2k+1 weigh alike but for their lowest bits: so the groups are halved, adding neighbours, and what
// has the bit i is set aside for the sum that is taken 2^i times.
func (a *adder) weighted(groups [][]bn254.G1Affine) []bn254.G1Jac {
	odd := make([][][]bn254.G1Affine, len(groups)) // by group and bit
	for more := true; more; {
		more = false
		var points []bn254.G1Affine
		var sizes []int32
		for g, group := range groups {
			if len(group) == 1 {
				continue
			}
			more = true
			var set []bn254.G1Affine
			for k := 0; k < len(group); k += 2 {
				before := len(points)
				points = appendFinite(points, group[k:k+2])
				sizes = append(sizes, int32(len(points)-before))
				set = appendFinite(set, group[k+1:k+2])
			}
			odd[g] = append(odd[g], set)
		}
		points = a.sum(points, sizes)
		for g, group := range groups {
			if len(group) == 1 {
				continue
			}
			groups[g] = group[:len(group)/2]
			for k := range groups[g] {
				groups[g][k] = bn254.G1Affine{}
				if sizes[k] == 1 {
					groups[g][k], points = points[0], points[1:]
				}
			}
			sizes = sizes[len(groups[g]):]
		}
	}
	return a.combine(groups, odd)
}

// appendFinite appends points that are not at infinity.
func appendFinite(to, points []bn254.G1Affine) []bn254.G1Affine {
	for i := range points {
		if !points[i].IsInfinity() {
			to = append(to, points[i])
		}
	}
	return to
}

// combine is the one point of a group plus Σ_bit 2^bit·Σ odd[bit].
func (a *adder) combine(groups [][]bn254.G1Affine, odd [][][]bn254.G1Affine) []bn254.G1Jac {
	var points []bn254.G1Affine
	var sizes []int32
	for g := range groups {
		for _, set := range odd[g] {
			points = append(points, set...)
			sizes = append(sizes, int32(len(set)))
		}
	}
	points = a.sum(points, sizes)
	out := make([]bn254.G1Jac, len(groups))
	at, k := len(points), len(sizes)
	for g := len(groups) - 1; g >= 0; g-- {
		for range odd[g] {
			out[g].DoubleAssign()
			if k--; sizes[k] == 1 {
				at--
				out[g].AddMixed(&points[at])
			}
		}
		out[g].AddMixed(&groups[g][0])
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
	dx := a.dx[:n]
	dx.Sub(a.x2[:n], a.x1[:n])
	var special []specialSum
	left, ok := a.multiply(dx)
	if a.infinite || !ok {
		special = a.takeSpecial(dx)
		left, _ = a.multiply(dx)
	}
	invertLanes(left) // the inverse of the products up to here
	for i := n - lanes; i >= 0; i -= lanes {
		inverse, at := a.products[i:i+lanes], dx[i:i+lanes]
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
	x1, y1, x2, y2, square := a.x1[i:i+lanes], a.y1[i:i+lanes], a.x2[i:i+lanes], a.y2[i:i+lanes], a.dx[i:i+lanes]
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
		next := a.products[i+lanes : i+2*lanes]
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
