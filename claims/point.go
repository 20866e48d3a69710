package claims

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// coordinates are those of a point, with what many functionals at it have in common: each is computed when it is first
// asked for.
type coordinates struct {
	point  []fr.Element
	pairs  [][2]fr.Element  // (1−p, p)
	tables [][][]fr.Element // eq of stretches, by first coordinate and length
	stairs []*stairs        // of the last coordinates
	whole  []Factor         // eq of the coordinates from one on
}

func newCoordinates(point []fr.Element) *coordinates {
	return &coordinates{point: point, pairs: EqFactor(point).Pairs}
}

// table is eq of n coordinates from one on.
func (c *coordinates) table(at, n int) []fr.Element {
	if c.tables == nil {
		c.tables = make([][][]fr.Element, len(c.point)+1)
	}
	if c.tables[at] == nil {
		c.tables[at] = make([][]fr.Element, len(c.point)+1-at)
	}
	t := &c.tables[at][n]
	if *t == nil {
		*t = EqTable(c.point[at : at+n])
	}
	return *t
}

// indicatorBits are the coordinates of which a table is made where numbers are looked up digit by digit.
const indicatorBits = 8

// indicator is eq of the first n coordinates and a number, top bit first.
func (c *coordinates) indicator(number, n int) fr.Element {
	if n == 0 {
		return fr.One()
	}
	first := min(n, indicatorBits)
	out := c.table(0, first)[number>>(n-first)]
	for at := first; at < n; at += indicatorBits {
		digit := min(n-at, indicatorBits)
		out.Mul(&out, &c.table(at, digit)[number>>(n-at-digit)&(1<<digit-1)])
	}
	return out
}

// high is the extension of a block's indicator: eq of the coordinates above it and its offset.
func (c *coordinates) high(b *TensorBlock) fr.Element {
	n := b.Bits()
	return c.indicator(b.Offset>>n, len(c.point)-n)
}

// low is eq of the last n coordinates, as the one factor of a block; none where there are no coordinates.
func (c *coordinates) low(n int) []Factor {
	if n == 0 {
		return nil
	}
	if c.whole == nil {
		c.whole = make([]Factor, len(c.pairs))
		for i := range c.whole {
			c.whole[i].Pairs = c.pairs[i:]
		}
	}
	at := len(c.whole) - n
	return c.whole[at : at+1 : at+1]
}

// below are the stairs of the last n coordinates.
func (c *coordinates) below(n int) *stairs {
	if c.stairs == nil {
		c.stairs = make([]*stairs, len(c.point)+1)
	}
	if c.stairs[n] == nil {
		c.stairs[n] = newStairs(c.point[len(c.point)-n:])
	}
	return c.stairs[n]
}

// stairs adds eq up over the numbers below another. What two numbers in turn have in common, from the top bit on, is computed once.
type stairs struct {
	point []fr.Element
	free  []fr.Element // by n: Σ j·eq(the last n coordinates, j)
	power []fr.Element // of two
	// path[i] is the state before coordinate i, of number's bits: path[:known+1] are.
	path   []step
	number int
	known  int
}

// step is where a number's path along the bits has come to.
type step struct {
	eq            fr.Element // of the bits so far
	base          fr.Element // their number
	ones, numbers fr.Element // over what branched off below
}

func newStairs(point []fr.Element) *stairs {
	n := len(point)
	s := &stairs{point: point, free: make([]fr.Element, n+1), power: make([]fr.Element, n+1), path: make([]step, n+1)}
	s.path[0].eq.SetOne()
	s.power[0].SetOne()
	for i := range n {
		s.free[i+1].Mul(&s.power[i], &point[n-1-i]).Add(&s.free[i+1], &s.free[i])
		s.power[i+1].Double(&s.power[i])
	}
	return s
}

// sums are Σ_{j<n} eq(point, j) and Σ_{j<n} j·eq(point, j), for n up to 2^len(point).
func (s *stairs) sums(n int) (ones, numbers fr.Element) {
	all := len(s.point)
	if n == 1<<all {
		return fr.One(), s.free[all]
	}
	at := min(s.known, all-bits.Len(uint(n^s.number)))
	for ; n&(1<<(all-at)-1) != 0; at++ {
		s.walk(at, n>>(all-1-at)&1)
	}
	s.known, s.number = at, n
	return s.path[at].ones, s.path[at].numbers
}

// walk passes a coordinate. Where the bit is 1, numbers with a 0 there are below, whatever bits follow.
func (s *stairs) walk(at, bit int) {
	from, to, below := &s.path[at], &s.path[at+1], len(s.point)-1-at
	var one, zero fr.Element
	one.Mul(&from.eq, &s.point[at])
	zero.Sub(&from.eq, &one)
	*to = *from
	if bit == 0 {
		to.eq = zero
		return
	}
	to.eq = one
	to.base.Add(&to.base, &s.power[below])
	to.ones.Add(&to.ones, &zero)
	one.Add(&from.base, &s.free[below]).Mul(&one, &zero)
	to.numbers.Add(&to.numbers, &one)
}

// prefix is Σ_{j<n} eq(point, j), for n up to 2^len(point).
func prefix(point []fr.Element, n int) fr.Element {
	ones, _ := newStairs(point).sums(n)
	return ones
}
