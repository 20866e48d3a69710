package claims

import (
	"fmt"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Factor is a vector over some bits of an address: either a pair for each bit, whose outer product it is, top
// bit first, or dense, of 2^k entries.
type Factor struct {
	Pairs [][2]fr.Element
	Dense []fr.Element
}

// Bits is the number of address bits.
func (f Factor) Bits() int {
	if f.Dense != nil {
		return bits.Len(uint(len(f.Dense))) - 1
	}
	return len(f.Pairs)
}

// EqFactor is x ↦ eq(point, x): a pair (1−p, p) for each coordinate, top bit first.
func EqFactor(point []fr.Element) Factor {
	pairs := make([][2]fr.Element, len(point))
	one := fr.One()
	for i := range point {
		pairs[i][0].Sub(&one, &point[i])
		pairs[i][1] = point[i]
	}
	return Factor{Pairs: pairs}
}

// Block is a functional on one aligned block of addresses: Coefficient times the outer product of its factors,
// those of the top bits first. Offset is a multiple of the block's size.
type Block struct {
	Offset      int
	Coefficient fr.Element
	Factors     []Factor
}

// Bits is the number of address bits within the block.
func (b *Block) Bits() int {
	n := 0
	for _, f := range b.Factors {
		n += f.Bits()
	}
	return n
}

func (b *Block) check(addressBits int) error {
	n := b.Bits()
	if n > addressBits || b.Offset < 0 || b.Offset&(1<<n-1) != 0 || b.Offset>>addressBits != 0 {
		return fmt.Errorf("block of 2^%d cells at %d in 2^%d addresses", n, b.Offset, addressBits)
	}
	return nil
}

// evaluation evaluates the extensions of functionals at one point of the address space, top bit first. What many blocks have in
// common is computed once.
type evaluation struct {
	point  []fr.Element
	top    []fr.Element            // eq of the first coordinates
	tables map[[2]int][]fr.Element // eq of stretches of the point, by first coordinate and length
	pairs  map[stretch]fr.Element  // products of pairs
}

// stretch is pairs at a coordinate.
type stretch struct {
	first *[2]fr.Element
	n, at int
}

// topBits is the number of coordinates of which eq is tabulated.
const topBits = 10

func newEvaluation(point []fr.Element) *evaluation {
	return &evaluation{point, EqTable(point[:min(topBits, len(point))]), map[[2]int][]fr.Element{}, map[stretch]fr.Element{}}
}

// At is the multilinear extension of the block's functional at a point of the address space, top bit first.
func (b *Block) At(point []fr.Element) fr.Element { return newEvaluation(point).of(b) }

func (e *evaluation) of(b *Block) fr.Element {
	at := len(e.point) - b.Bits()
	out := e.indicator(b.Offset>>b.Bits(), at)
	out.Mul(&out, &b.Coefficient)
	for _, f := range b.Factors {
		n := f.Bits()
		v := e.factor(&f, at, n)
		out.Mul(&out, &v)
		at += n
	}
	return out
}

// indicator is that of a number of the first n coordinates.
func (e *evaluation) indicator(i, n int) fr.Element {
	t := min(topBits, len(e.point))
	if n < t {
		return indicator(i, e.point[:n])
	}
	out := indicator(i&(1<<(n-t)-1), e.point[t:n])
	return *out.Mul(&out, &e.top[i>>(n-t)])
}

// factor is the extension of a factor of n bits at the coordinates from at on.
func (e *evaluation) factor(f *Factor, at, n int) (v fr.Element) {
	var x fr.Element
	if f.Dense != nil {
		for i, eq := range e.table(at, n) {
			v.Add(&v, x.Mul(&f.Dense[i], &eq))
		}
		return v
	}
	if n == 0 {
		return fr.One()
	}
	key := stretch{&f.Pairs[0], n, at}
	v, ok := e.pairs[key]
	if ok {
		return v
	}
	v.SetOne()
	for i, p := range f.Pairs {
		x.Sub(&p[1], &p[0]).Mul(&x, &e.point[at+i]).Add(&x, &p[0])
		v.Mul(&v, &x)
	}
	e.pairs[key] = v
	return v
}

func (e *evaluation) table(at, n int) []fr.Element {
	key := [2]int{at, n}
	t, ok := e.tables[key]
	if !ok {
		t = EqTable(e.point[at : at+n])
		e.tables[key] = t
	}
	return t
}

// AddTo adds the functional to a table over all addresses.
func (b *Block) AddTo(table []fr.Element) {
	v := []fr.Element{b.Coefficient}
	for _, f := range b.Factors {
		v = outer(v, f)
	}
	dst := table[b.Offset : b.Offset+len(v)]
	for i := range v {
		dst[i].Add(&dst[i], &v[i])
	}
}

// outer appends the bits of f below those of v.
func outer(v []fr.Element, f Factor) []fr.Element {
	if f.Dense != nil {
		out := make([]fr.Element, 0, len(v)*len(f.Dense))
		for i := range v {
			for j := range f.Dense {
				var x fr.Element
				out = append(out, *x.Mul(&v[i], &f.Dense[j]))
			}
		}
		return out
	}
	for _, p := range f.Pairs {
		out := make([]fr.Element, 2*len(v))
		for i := range v {
			out[2*i].Mul(&v[i], &p[0])
			out[2*i+1].Mul(&v[i], &p[1])
		}
		v = out
	}
	return v
}

// Sum is the value of the functional where every cell of the block is 1.
func (b *Block) Sum() fr.Element {
	out := b.Coefficient
	for _, f := range b.Factors {
		if f.Dense != nil {
			var s fr.Element
			for i := range f.Dense {
				s.Add(&s, &f.Dense[i])
			}
			out.Mul(&out, &s)
			continue
		}
		for _, p := range f.Pairs {
			var s fr.Element
			s.Add(&p[0], &p[1])
			out.Mul(&out, &s)
		}
	}
	return out
}

// Extension is the multilinear extension of 2^k values at a point, top bit first.
func Extension(values, point []fr.Element) fr.Element {
	if len(values) != 1<<len(point) {
		panic(fmt.Sprintf("claims: %d values and a point of %d coordinates", len(values), len(point)))
	}
	table := append([]fr.Element(nil), values...)
	for i := len(point) - 1; i >= 0; i-- {
		Fold(table, &point[i])
		table = table[:len(table)/2]
	}
	return table[0]
}

// Fold binds the lowest bit of a table to r: its first half becomes (1−r)·even + r·odd.
func Fold(table []fr.Element, r *fr.Element) {
	for i := range len(table) / 2 {
		var d fr.Element
		d.Sub(&table[2*i+1], &table[2*i]).Mul(&d, r)
		table[i].Add(&table[2*i], &d)
	}
}

// EqTable is eq(point, x) for every x, top bit first.
func EqTable(point []fr.Element) []fr.Element {
	out := make([]fr.Element, 1, 1<<len(point))
	out[0].SetOne()
	for i := len(point) - 1; i >= 0; i-- {
		n := len(out)
		out = out[:2*n]
		for j := range n {
			out[n+j].Mul(&out[j], &point[i])
			out[j].Sub(&out[j], &out[n+j])
		}
	}
	return out
}

// of is the functional of cells.
func (b *Block) of(z func(cell int) fr.Element) (sum fr.Element) {
	table := make([]fr.Element, 1<<b.Bits())
	at := Block{Coefficient: b.Coefficient, Factors: b.Factors}
	at.AddTo(table)
	for i := range table {
		if !table[i].IsZero() {
			v := z(b.Offset + i)
			sum.Add(&sum, v.Mul(&v, &table[i]))
		}
	}
	return sum
}
