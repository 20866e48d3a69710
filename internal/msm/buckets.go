package msm

import (
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// A digit has at most maxWindow bits.
const maxWindow = 12

// signed are points, each followed by its opposite.
type signed []bn254.G1Affine

func appendSigned(s signed, points []bn254.G1Affine) signed {
	s = slices.Grow(s, 2*len(points))
	for i := range points {
		s = append(s, points[i], *new(bn254.G1Affine).Neg(&points[i]))
	}
	return s
}

// column is a point that stands with a digit.
type column struct{ point, digit int32 }

// buckets are groups of points, each with a digit, whose weighted sums are made at the same time. The group of digits of w bits has 2^(w−1)
// buckets, one for each absolute value.
type buckets struct {
	table signed
	adder adder

	index  []uint32 // of the table, by bucket
	sizes  []int32  // of buckets
	groups []int32  // buckets of each group

	starts []int32
	points []bn254.G1Affine
}

// enough is the number of points from which on groups are added up: large enough that few inversions are needed,
// small enough for a processor's cache.
const enough = 1 << 15

func (b *buckets) full() bool { return len(b.index) >= enough }

// add sorts the columns of a group into buckets of its own, by the size of digits.
func (b *buckets) add(group []column, window int) {
	size := 1 << (window - 1)
	b.groups = append(b.groups, int32(size))
	b.starts = slices.Grow(b.starts[:0], size+1)[:size+1]
	clear(b.starts)
	for i := range group {
		c := &group[i]
		if c.digit == 0 || b.table[2*c.point].IsInfinity() {
			c.digit = 0
			continue
		}
		b.starts[max(c.digit, -c.digit)]++
	}
	b.sizes = append(b.sizes, b.starts[1:]...)
	at := int32(len(b.index))
	for k, n := range b.starts[1:] {
		b.starts[k+1] = at
		at += n
	}
	b.index = slices.Grow(b.index, int(at)-len(b.index))[:at]
	for _, c := range group {
		if c.digit != 0 {
			sign := c.digit >> 31
			to := &b.starts[(c.digit^sign)-sign]
			b.index[*to] = uint32(2*c.point - sign)
			*to++
		}
	}
}

// sums are Σ digit·point of every group, in the order in which they were added. It empties the buckets.
func (b *buckets) sums() []bn254.G1Jac {
	points := b.adder.gather(b.table, b.index, b.sizes)
	points = b.adder.sum(points, b.sizes)
	out := b.adder.weighted(b.spread(points), b.groups)
	b.index, b.sizes, b.groups = b.index[:0], b.sizes[:0], b.groups[:0]
	return out
}

// spread puts the sums of buckets to their places, with empty ones at infinity between.
func (b *buckets) spread(sums []bn254.G1Affine) []bn254.G1Affine {
	b.points = slices.Grow(b.points[:0], len(b.sizes))[:len(b.sizes)]
	for k, n := range b.sizes {
		if n == 0 {
			b.points[k] = bn254.G1Affine{}
			continue
		}
		b.points[k], sums = sums[0], sums[1:]
	}
	return b.points
}

// horner is Σ_k 2^(window·k)·sums[k].
func horner(sums []bn254.G1Jac, window int) (out bn254.G1Jac) {
	for _, s := range slices.Backward(sums) {
		for range window {
			out.DoubleAssign()
		}
		out.AddAssign(&s)
	}
	return out
}
