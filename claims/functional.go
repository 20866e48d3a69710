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
func (f *Factor) Bits() int {
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
	for i := range b.Factors {
		n += b.Factors[i].Bits()
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

// evaluation evaluates the extensions of functionals at one point of the address space. What many blocks have in common is
// computed once.
type evaluation struct {
	*coordinates
	known map[stretch]fr.Element
}

// stretch is a factor at a coordinate: its first element, which is no other factor's, and its bits.
type stretch struct {
	first *fr.Element
	n, at int
}

func newEvaluation(point []fr.Element) *evaluation {
	return &evaluation{newCoordinates(point), map[stretch]fr.Element{}}
}

// At is the multilinear extension of the block's functional at a point of the address space, top bit first.
func (b *Block) At(point []fr.Element) fr.Element { return newEvaluation(point).of(b) }

func (e *evaluation) of(b *Block) fr.Element {
	n := b.Bits()
	at := len(e.point) - n
	out := e.indicator(b.Offset>>n, at)
	out.Mul(&out, &b.Coefficient)
	for i := range b.Factors {
		f := &b.Factors[i]
		v := e.factor(f, at)
		out.Mul(&out, &v)
		at += f.Bits()
	}
	return out
}

// sum is the extension of the sum of functionals.
func (e *evaluation) sum(blocks []Block) (sum fr.Element) {
	for i := range blocks {
		v := e.of(&blocks[i])
		sum.Add(&sum, &v)
	}
	return sum
}

// factor is the extension of a factor at the coordinates from at on.
func (e *evaluation) factor(f *Factor, at int) fr.Element {
	key := stretch{n: f.Bits(), at: at}
	switch {
	case f.Dense != nil:
		key.first = &f.Dense[0]
	case key.n == 0:
		return fr.One()
	default:
		key.first = &f.Pairs[0][0]
	}
	v, ok := e.known[key]
	if !ok {
		v = f.at(e.coordinates, at)
		e.known[key] = v
	}
	return v
}

// at is the extension of a factor at the coordinates from one on.
func (f *Factor) at(c *coordinates, at int) (v fr.Element) {
	var x fr.Element
	if f.Dense != nil {
		for i, eq := range c.table(at, f.Bits()) {
			v.Add(&v, x.Mul(&f.Dense[i], &eq))
		}
		return v
	}
	v.SetOne()
	for i, p := range f.Pairs {
		x.Sub(&p[1], &p[0]).Mul(&x, &c.point[at+i]).Add(&x, &p[0])
		v.Mul(&v, &x)
	}
	return v
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
