package prepared

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The sum of some hundred points, each times a scalar, is a large part of a verification of the sumcheck backend. By Pippenger's
// method with signed digits, as gnark-crypto has it, but with half-size scalars (Gallant, Lambert, Vanstone, "Faster point
// multiplication on elliptic curves with efficient endomorphisms", CRYPTO 2001) and in affine coordinates throughout: there
// are always many additions that can be done at a time, and these share an inversion, so that one takes six
// multiplications instead of ten.

// Sum is Σ s·P.
func Sum(points []bn254.G1Affine, scalars []fr.Element) bn254.G1Affine {
	p := newPippenger(2 * len(points))
	for i := range points {
		p.add(&points[i], &scalars[i])
	}
	return p.sum()
}

// endomorphism is the lattice of the scalars (a, b) with a + λ·b = 0, and the β with λ·(x, y) = (β·x, y).
type endomorphism struct {
	beta    fp.Element
	lattice ecc.Lattice
}

func newEndomorphism() (e endomorphism) {
	e.beta.SetString("2203960485148121921418603742825762020974279258880205651966")
	lambda, _ := new(big.Int).SetString("4407920970296243842393367215006156084916469457145843978461", 10)
	ecc.PrecomputeLattice(fr.Modulus(), lambda, &e.lattice)
	return e
}

// halfBits bounds the two halves of a scalar.
const halfBits = 129

// pippenger gathers points by window and digit.
type pippenger struct {
	endomorphism
	width, windows int
	entries        []entry
}

type entry struct {
	bucket int32
	point  bn254.G1Affine
}

// newPippenger chooses the window for n points: the sum of points into buckets, and of buckets.
func newPippenger(n int) *pippenger {
	p := &pippenger{endomorphism: newEndomorphism()}
	least := 0
	for w := 2; w <= 12; w++ {
		windows := halfBits/w + 1
		if cost := windows * (n + 3<<(w-1)); least == 0 || cost < least {
			least, p.width, p.windows = cost, w, windows
		}
	}
	p.entries = make([]entry, 0, n*p.windows)
	return p
}

// add adds s·P.
func (p *pippenger) add(point *bn254.G1Affine, scalar *fr.Element) {
	var s big.Int
	halves := ecc.SplitScalar(scalar.BigInt(&s), &p.lattice)
	image := *point
	image.X.Mul(&image.X, &p.beta)
	p.addHalf(*point, &halves[0])
	p.addHalf(image, &halves[1])
}

// addHalf puts a point into a bucket for each digit of a scalar of less than halfBits bits. Digits lie in [−2^(w−1), 2^(w−1)).
func (p *pippenger) addHalf(point bn254.G1Affine, k *big.Int) {
	if k.Sign() < 0 {
		point.Neg(&point)
	}
	var negative bn254.G1Affine
	negative.Neg(&point)
	var bytes [24]byte
	k.FillBytes(bytes[:]) // of its absolute value
	carry := 0
	for w := range p.windows {
		d := carry
		for i := range p.width {
			bit := w*p.width + i
			d += int(bytes[23-bit/8]>>(bit%8)&1) << i
		}
		carry = 0
		if d >= 1<<(p.width-1) {
			d, carry = d-1<<p.width, 1
		}
		first := int32(w) << (p.width - 1)
		switch {
		case d > 0:
			p.entries = append(p.entries, entry{first + int32(d) - 1, point})
		case d < 0:
			p.entries = append(p.entries, entry{first + int32(-d) - 1, negative})
		}
	}
}

func (p *pippenger) sum() bn254.G1Affine {
	totals := p.weigh(p.fill())
	var sum bn254.G1Jac
	for w := p.windows - 1; w >= 0; w-- {
		for range p.width {
			sum.DoubleAssign()
		}
		sum.AddMixed(&totals[w])
	}
	var out bn254.G1Affine
	return *out.FromJacobian(&sum)
}

// fill adds up what lies in each bucket, pair by pair: half of what there is in every round.
func (p *pippenger) fill() []bn254.G1Affine {
	count := p.windows << (p.width - 1)
	ends := make([]int, count+1)
	for i := range p.entries {
		ends[p.entries[i].bucket+1]++
	}
	for b := range count {
		ends[b+1] += ends[b]
	}
	a := adder{points: make([]bn254.G1Affine, len(p.entries))}
	next := append([]int{}, ends[:count]...)
	for i := range p.entries {
		b := p.entries[i].bucket
		a.points[next[b]] = p.entries[i].point
		next[b]++
	}
	left := make([]int, count) // in each bucket, from its beginning on
	for b := range left {
		left[b] = ends[b+1] - ends[b]
	}
	for more := true; more; a.run() {
		more = false
		for b, n := range left {
			for i := range n / 2 {
				a.plan(ends[b]+i, ends[b]+n-1-i)
			}
			left[b] = (n + 1) / 2
			more = more || left[b] > 1
		}
	}
	buckets := make([]bn254.G1Affine, count)
	for b := range buckets {
		if left[b] > 0 {
			buckets[b] = a.points[ends[b]]
		}
	}
	return buckets
}

// weigh is Σ_d d·(bucket d) of every window. All windows take each step at once: the sum of buckets from the last to d, and the
// sum of those sums, which is a step behind.
func (p *pippenger) weigh(buckets []bn254.G1Affine) []bn254.G1Affine {
	per := 1 << (p.width - 1)
	// For each window: the running sum, their total, and the bucket to be added.
	a := adder{points: make([]bn254.G1Affine, 3*p.windows)}
	running, totals, bucket := 0, p.windows, 2*p.windows
	for d := per; d >= 0; d-- {
		for w := range p.windows {
			if d < per {
				a.plan(totals+w, running+w)
			}
			if d > 0 {
				a.points[bucket+w] = buckets[w*per+d-1]
				a.plan(running+w, bucket+w)
			}
		}
		a.run()
	}
	return a.points[totals:bucket]
}

// adder adds many pairs of points with one inversion.
type adder struct {
	points []bn254.G1Affine
	pairs  [][2]int // the second is added to the first
	// Of each pair, the denominator of its slope, and the product of those before.
	slopes, products []fp.Element
}

// plan adds point j to point i when it runs. A point that is read in a pair may be written in a later one only.
func (a *adder) plan(i, j int) { a.pairs = append(a.pairs, [2]int{i, j}) }

func (a *adder) run() {
	a.slopes, a.products = a.slopes[:0], a.products[:0]
	product := fp.One()
	for _, x := range a.pairs {
		d := denominator(&a.points[x[0]], &a.points[x[1]])
		a.slopes, a.products = append(a.slopes, d), append(a.products, product)
		product.Mul(&product, &d)
	}
	product.Inverse(&product)
	for k := len(a.pairs) - 1; k >= 0; k-- {
		a.products[k].Mul(&a.products[k], &product)
		product.Mul(&product, &a.slopes[k])
	}
	for k, x := range a.pairs {
		addTo(&a.points[x[0]], &a.points[x[1]], &a.products[k])
	}
	a.pairs = a.pairs[:0]
}

// denominator is that of the slope through two points; 1 where their sum needs none.
func denominator(p, q *bn254.G1Affine) (d fp.Element) {
	if p.IsInfinity() || q.IsInfinity() {
		return fp.One()
	}
	if d.Sub(&q.X, &p.X); !d.IsZero() {
		return d
	}
	if p.Y.Equal(&q.Y) { // no point of this curve has y = 0
		return *d.Double(&p.Y)
	}
	return fp.One()
}

// addTo adds q to p, for the inverse of their denominator.
func addTo(p, q *bn254.G1Affine, inverse *fp.Element) {
	var slope fp.Element
	switch {
	case q.IsInfinity():
		return
	case p.IsInfinity():
		*p = *q
		return
	case !p.X.Equal(&q.X):
		slope.Sub(&q.Y, &p.Y)
	case p.Y.Equal(&q.Y):
		var x2 fp.Element
		x2.Square(&p.X)
		slope.Double(&x2).Add(&slope, &x2)
	default:
		*p = bn254.G1Affine{}
		return
	}
	slope.Mul(&slope, inverse)
	var x fp.Element
	x.Square(&slope).Sub(&x, &p.X).Sub(&x, &q.X)
	p.X.Sub(&p.X, &x)
	p.Y.Neg(p.Y.Sub(&p.Y, slope.Mul(&slope, &p.X)))
	p.X = x
}
