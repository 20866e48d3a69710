package claims

import (
	"math/bits"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Tensor is an array in the committed vector Z. Every axis is cut into parts of powers of two, largest first, as
// the binary digits of its length are; the products of parts are blocks of cells, each aligned to its size.
// So no cell is wasted, whatever the lengths, and a product of one vector an axis is a product on every block.
type Tensor struct {
	Shape  []int
	Blocks []TensorBlock `compact:"-"`
}

// TensorBlock is the product of one part of each axis, the last axis running fastest.
type TensorBlock struct {
	Offset int    // of the first cell in Z; −1 before it is placed
	Parts  []Part // one an axis
}

// Part is [Start, Start + 2^Bits) of an axis.
type Part struct{ Start, Bits int }

// Bits is the logarithm of the number of cells.
func (b *TensorBlock) Bits() int {
	n := 0
	for _, p := range b.Parts {
		n += p.Bits
	}
	return n
}

// NewTensor cuts a shape into blocks, which Place places. Lengths are at least 1.
func NewTensor(shape ...int) *Tensor {
	t := &Tensor{Shape: shape, Blocks: []TensorBlock{{Offset: -1}}}
	for _, n := range shape {
		var next []TensorBlock
		for _, b := range t.Blocks {
			for _, p := range parts(n) {
				next = append(next, TensorBlock{Offset: -1, Parts: append(slices.Clone(b.Parts), p)})
			}
		}
		t.Blocks = next
	}
	return t
}

// parts are the binary digits of n, largest first.
func parts(n int) []Part {
	var out []Part
	for start := 0; start < n; {
		b := bits.Len(uint(n-start)) - 1
		out = append(out, Part{start, b})
		start += 1 << b
	}
	return out
}

// Len is the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Each calls visit with the element number (row-major) and the cell of every element.
func (t *Tensor) Each(visit func(element, cell int)) {
	for i := range t.Blocks {
		t.eachIn(&t.Blocks[i], visit)
	}
}

func (t *Tensor) eachIn(b *TensorBlock, visit func(element, cell int)) {
	index := make([]int, len(b.Parts))
	for cell := range 1 << b.Bits() {
		element, rest := 0, cell
		for a := len(b.Parts) - 1; a >= 0; a-- {
			index[a] = b.Parts[a].Start + rest&(1<<b.Parts[a].Bits-1)
			rest >>= b.Parts[a].Bits
		}
		for a, i := range index {
			element = element*t.Shape[a] + i
		}
		visit(element, b.Offset+cell)
	}
}

// At is the functional of one block at a point with a coordinate for each of its bits, top bit first: Σ eq(point, x)·cell x.
func (b *TensorBlock) At(coefficient fr.Element, point []fr.Element) Block {
	return Block{Offset: b.Offset, Coefficient: coefficient, Factors: []Factor{EqFactor(point)}}
}

// high is eq of a point's coordinates above a block and the block's offset: the extension of its indicator.
func (b *TensorBlock) high(point []fr.Element) fr.Element {
	return indicator(b.Offset>>b.Bits(), point[:len(point)-b.Bits()])
}

// low are the coordinates of a point within a block.
func (b *TensorBlock) low(point []fr.Element) []fr.Element { return point[len(point)-b.Bits():] }

// indicator is eq(point, i) for a number i, top bit first.
func indicator(i int, point []fr.Element) fr.Element {
	out, one := fr.One(), fr.One()
	for k := range point {
		v := point[k]
		if i>>(len(point)-1-k)&1 == 0 {
			v.Sub(&one, &v)
		}
		out.Mul(&out, &v)
	}
	return out
}

// Axes cuts a point of the block's bits into the points of its axes.
func (b *TensorBlock) Axes(point []fr.Element) [][]fr.Element {
	out := make([][]fr.Element, len(b.Parts))
	for a, p := range b.Parts {
		out[a], point = point[:p.Bits], point[p.Bits:]
	}
	return out
}

// AxisBits is the least number of bits that index n elements.
func AxisBits(n int) int { return bits.Len(uint(n - 1)) }

// Place places blocks of tensors, largest first, from an address on, so that each is aligned to its size if the
// first address is aligned to the largest. It returns the first address after them. Equal sizes stand in
// the order in which they are given.
func Place(from int, tensors ...*Tensor) (end int) {
	var blocks []*TensorBlock
	for _, t := range tensors {
		for i := range t.Blocks {
			blocks = append(blocks, &t.Blocks[i])
		}
	}
	slices.SortStableFunc(blocks, func(a, b *TensorBlock) int { return b.Bits() - a.Bits() })
	for _, b := range blocks {
		if from&(1<<b.Bits()-1) != 0 {
			from = (from>>b.Bits() + 1) << b.Bits()
		}
		b.Offset = from
		from += 1 << b.Bits()
	}
	return from
}
