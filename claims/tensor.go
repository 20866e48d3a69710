package claims

import "math/bits"

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
	t := &Tensor{Shape: shape, Blocks: make([]TensorBlock, blockCount(shape))}
	all := make([]Part, len(t.Blocks)*len(shape))
	for i := range t.Blocks {
		t.Blocks[i] = TensorBlock{-1, all[i*len(shape):][:len(shape):len(shape)]}
	}
	repeat := len(t.Blocks) // of a part, before the axis goes on to the next
	for a, n := range shape {
		cut := parts(n)
		repeat /= len(cut)
		for i := range t.Blocks {
			t.Blocks[i].Parts[a] = cut[i/repeat%len(cut)]
		}
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

// AxisBits is the least number of bits that index n elements.
func AxisBits(n int) int { return bits.Len(uint(n - 1)) }

// Place places blocks of tensors, largest first, from an address on, so that each is aligned to its size if the
// first address is aligned to the largest. It returns the first address after them. Equal sizes stand in
// the order in which they are given.
func Place(from int, tensors ...*Tensor) (end int) {
	var bySize [maxAddressBits + 1][]*TensorBlock
	for _, t := range tensors {
		for i := range t.Blocks {
			b := &t.Blocks[i]
			bySize[b.Bits()] = append(bySize[b.Bits()], b)
		}
	}
	for n := len(bySize) - 1; n >= 0; n-- {
		for _, b := range bySize[n] {
			from = (from + 1<<n - 1) >> n << n
			b.Offset = from
			from += 1 << n
		}
	}
	return from
}
