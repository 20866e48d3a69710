package claims

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Accumulator is Σ w·(k + 2^63) for field elements w and machine words k, as an integer of six words: elements stand in
// Montgomery's form, which a sum of multiples keeps, and 2^66 products fit. The 2^63 makes every factor a natural
// number, whatever its sign; Value takes it away again, once for all.
type Accumulator [6]uint64

// Add adds Σ w[i]·(k[i] + 2^63): ten additions and four multiplications of words a product.
func (a *Accumulator) Add(w []fr.Element, k []int64) {
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
	*a = Accumulator{a0, a1, a2, a3, a4, a5}
}

// Join adds another sum.
func (a *Accumulator) Join(b *Accumulator) {
	var c uint64
	for i := range a {
		a[i], c = bits.Add64(a[i], b[i], c)
	}
}

// Excess is 2^63·Σ w, what Value has to take away.
func Excess(w []fr.Element) fr.Element {
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

// Value is Σ w·k for the excess of all w that were added.
func (a *Accumulator) Value(excess *fr.Element) fr.Element {
	low := fr.Element{a[0], a[1], a[2], a[3] & (1<<60 - 1)}
	high := fr.Element{a[3]>>60 | a[4]<<4, a[4]>>60 | a[5]<<4, a[5] >> 60}
	high.Mul(&high, &above252) // the words of high·2^252 in Montgomery's form
	low.Add(&low, &high)
	return *low.Sub(&low, excess)
}
