package sumcheck

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// accumulator is Σ w·(k + 2^63) for field elements w and machine words k, as an integer of six words: elements stand in
// Montgomery's form, which a sum of multiples keeps, and 2^66 products fit. The 2^63 makes every factor a natural
// number, whatever its sign; value takes it away again, once for all.
type accumulator [6]uint64

// add adds Σ w[i]·(k[i] + 2^63): ten additions and four multiplications of words a product.
func (a *accumulator) add(w []fr.Element, k []int64) {
	a0, a1, a2, a3, a4, a5 := a[0], a[1], a[2], a[3], a[4], a[5]
	k = k[:len(w)]
	for i := range w {
		v := uint64(k[i]) ^ 1<<63
		h0, l0 := bits.Mul64(w[i][0], v)
		h1, l1 := bits.Mul64(w[i][1], v)
		h2, l2 := bits.Mul64(w[i][2], v)
		h3, l3 := bits.Mul64(w[i][3], v)
		var c uint64
		l1, c = bits.Add64(l1, h0, 0)
		l2, c = bits.Add64(l2, h1, c)
		l3, c = bits.Add64(l3, h2, c)
		h3 += c
		a0, c = bits.Add64(a0, l0, 0)
		a1, c = bits.Add64(a1, l1, c)
		a2, c = bits.Add64(a2, l2, c)
		a3, c = bits.Add64(a3, l3, c)
		a4, c = bits.Add64(a4, h3, c)
		a5 += c
	}
	*a = accumulator{a0, a1, a2, a3, a4, a5}
}

// join adds another sum.
func (a *accumulator) join(b *accumulator) {
	var c uint64
	for i := range a {
		a[i], c = bits.Add64(a[i], b[i], c)
	}
}

// excess is 2^63·Σ w, what value has to take away.
func excess(w []fr.Element) fr.Element {
	var sum, shift fr.Element
	for i := range w {
		sum.Add(&sum, &w[i])
	}
	shift.SetUint64(1 << 63)
	return *sum.Mul(&sum, &shift)
}

// above252 is 2^252, the weight of what an accumulator has beyond the low bits that are less than the modulus.
var above252 = func() (v fr.Element) {
	v.SetOne()
	for range 252 {
		v.Double(&v)
	}
	return v
}()

// value is Σ w·k for the excess of all w that were added.
func (a *accumulator) value(excess *fr.Element) fr.Element {
	low := fr.Element{a[0], a[1], a[2], a[3] & (1<<60 - 1)}
	high := fr.Element{a[3]>>60 | a[4]<<4, a[4]>>60 | a[5]<<4, a[5] >> 60}
	high.Mul(&high, &above252) // the words of high·2^252 in Montgomery's form
	low.Add(&low, &high)
	return *low.Sub(&low, excess)
}

// A tile is copied column by column, so that a column's sum stays in registers while memory is read by the row.
const (
	tileRows    = 64
	tileColumns = 32
)

// combine is Σ_i weights[i]·row i, column by column, where row i is values[offsets[i]:][:width].
func combine(weights []fr.Element, offsets []int, values []int64, width int) []fr.Element {
	rows := len(offsets)
	out := make([]fr.Element, width)
	if rows == 0 {
		return out
	}
	var sums []accumulator
	if rows >= width { // every processor has some rows, or else some columns
		sums = tall(weights, offsets, values, width)
	} else {
		sums = make([]accumulator, width)
		parallel(rows*width, func(_, from, to int) {
			accumulate(sums[from/rows:to/rows], weights, offsets, values[from/rows:])
		})
	}
	all := excess(weights)
	for k := range out {
		out[k] = sums[k].value(&all)
	}
	return out
}

// tall cuts the rows among processors.
func tall(weights []fr.Element, offsets []int, values []int64, width int) []accumulator {
	partial := make([][]accumulator, processors())
	parts := parallel(len(offsets)*width, func(part, from, to int) {
		partial[part] = make([]accumulator, width)
		from, to = from/width, to/width
		accumulate(partial[part], weights[from:to], offsets[from:to], values)
	})
	for _, p := range partial[1:parts] {
		for k := range p {
			partial[0][k].join(&p[k])
		}
	}
	return partial[0]
}

// accumulate adds rows to one sum a column, from values' first on.
func accumulate(sums []accumulator, weights []fr.Element, offsets []int, values []int64) {
	var tile [tileColumns * tileRows]int64
	for row := 0; row < len(offsets); row += tileRows {
		n := min(tileRows, len(offsets)-row)
		for first := 0; first < len(sums); first += tileColumns {
			columns := min(tileColumns, len(sums)-first)
			for i, at := range offsets[row : row+n] {
				for k, v := range values[at+first:][:columns] {
					tile[k*tileRows+i] = v
				}
			}
			for k := range columns {
				sums[first+k].add(weights[row:row+n], tile[k*tileRows:])
			}
		}
	}
}
