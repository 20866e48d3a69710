package sumcheck

import (
	"fmt"
	"math/big"
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Values of rows are small: a signed 8-bit digit for each byte, whose multiples are collected in 128 buckets.
const (
	digitBits = 8
	buckets   = 1 << (digitBits - 1)
	// MaxValue bounds |v| of a committed value.
	MaxValue = 1<<62
	// maxDigits of a value and the carry out of its bytes.
	maxDigits = 5
)

// CommitRows is C_i = Σ_j rows[i][j]·bases[j] + salts[i]·h. Rows may be shorter than the bases. It errs where a value
// exceeds MaxValue or a row the bases.
//
// Additions into buckets are affine, all rows of a batch at once, so that one inversion serves them all: about
// six multiplications an addition, an addition for each digit that is not 0.
func CommitRows(bases []bn254.G1Affine, h *bn254.G1Affine, rows [][]int64, salts []fr.Element) ([]bn254.G1Affine, error) {
	if len(salts) != len(rows) {
		return nil, fmt.Errorf("%d salts for %d rows", len(salts), len(rows))
	}
	for i, row := range rows {
		if len(row) > len(bases) {
			return nil, fmt.Errorf("row %d has %d values, there are %d bases", i, len(row), len(bases))
		}
		for j, v := range row {
			if v > MaxValue || v < -MaxValue {
				return nil, fmt.Errorf("row %d: value %d at %d, expected at most %d in absolute value", i, v, j, MaxValue)
			}
		}
	}
	out := make([]bn254.G1Affine, len(rows))
	var wait sync.WaitGroup
	size := max((len(rows)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0), 1)
	for from := 0; from < len(rows); from += size {
		to := min(from+size, len(rows))
		wait.Go(func() {
			for at := from; at < to; at += maxBatch {
				end := min(at+maxBatch, to)
				newRowBatch(bases, rows[at:end]).commit(out[at:end], h, salts[at:end])
			}
		})
	}
	wait.Wait()
	return out, nil
}

// maxBatch bounds the rows of a batch, each with 128 buckets of 64 bytes a digit.
const maxBatch = 256

// rowBatch is the multiplication of several rows at once.
type rowBatch struct {
	bases  []bn254.G1Affine
	rows   [][]int64
	digits int
	// bucket[(row·digits + digit)·128 + k] collects the bases whose digit is ±(k+1).
	bucket  []bn254.G1Affine
	pending []addition
	inverse []fp.Element
	product []fp.Element // of the inverses before
}

// addition is bucket += ±base, waiting for the inverse of the difference of their x.
type addition struct {
	bucket   int
	base     int
	negative bool
}

func newRowBatch(bases []bn254.G1Affine, rows [][]int64) *rowBatch {
	b := &rowBatch{bases: bases, rows: rows}
	for _, row := range rows {
		for _, v := range row {
			b.digits = max(b.digits, digitsOf(v))
		}
	}
	b.bucket = make([]bn254.G1Affine, len(rows)*b.digits*buckets)
	return b
}

// digitsOf is the number of signed digits of v.
func digitsOf(v int64) int {
	n := 0
	for v != 0 {
		_, v = digit(v)
		n++
	}
	return n
}

// digit is the lowest signed digit of v, in [−128, 128), and what is left.
func digit(v int64) (d, rest int64) {
	d = int64(int8(v))
	return d, (v - d) >> digitBits
}

func (b *rowBatch) commit(out []bn254.G1Affine, h *bn254.G1Affine, salts []fr.Element) {
	longest := 0
	for _, row := range b.rows {
		longest = max(longest, len(row))
	}
	for j := range longest {
		b.column(j)
	}
	for i := range out {
		sum := b.reduce(i)
		var salt bn254.G1Jac
		var s big.Int
		salt.FromAffine(h)
		salt.ScalarMultiplication(&salt, salts[i].BigInt(&s))
		sum.AddAssign(&salt)
		out[i].FromJacobian(&sum)
	}
}

// column adds base j to its bucket of every row and digit. No two additions have the same bucket.
func (b *rowBatch) column(j int) {
	b.pending, b.inverse = b.pending[:0], b.inverse[:0]
	for i, row := range b.rows {
		if j >= len(row) {
			continue
		}
		d, v := int64(0), row[j]
		for k := 0; v != 0; k++ {
			if d, v = digit(v); d != 0 {
				b.add((i*b.digits+k)*buckets, j, d)
			}
		}
	}
	b.invert()
	for k := range b.pending {
		b.finish(&b.pending[k], &b.inverse[k])
	}
}

// add puts base j, times the sign of d, into the bucket of |d|: at once where that is a copy, a doubling or a
// cancellation, and with the column's inversion otherwise.
func (b *rowBatch) add(first, j int, d int64) {
	a := addition{bucket: first + int(max(d, -d)) - 1, base: j, negative: d < 0}
	at, base := &b.bucket[a.bucket], &b.bases[j]
	var dx fp.Element
	if at.IsInfinity() || base.IsInfinity() || dx.Sub(&base.X, &at.X).IsZero() {
		p := *base
		if a.negative {
			p.Neg(&p)
		}
		at.Add(at, &p)
		return
	}
	b.pending = append(b.pending, a)
	b.inverse = append(b.inverse, dx)
}

// finish adds by the chord: λ = Δy/Δx, x = λ² − x1 − x2, y = λ(x1 − x) − y1.
func (b *rowBatch) finish(a *addition, inverse *fp.Element) {
	at, base := &b.bucket[a.bucket], &b.bases[a.base]
	var slope, x fp.Element
	if a.negative {
		slope.Neg(&base.Y).Sub(&slope, &at.Y)
	} else {
		slope.Sub(&base.Y, &at.Y)
	}
	slope.Mul(&slope, inverse)
	x.Square(&slope).Sub(&x, &at.X).Sub(&x, &base.X)
	at.X.Sub(&at.X, &x).Mul(&at.X, &slope)
	at.Y.Sub(&at.X, &at.Y)
	at.X = x
}

// invert replaces all differences, none of them 0, by their inverses.
func (b *rowBatch) invert() {
	if len(b.inverse) == 0 {
		return
	}
	b.product = b.product[:0]
	var all, x fp.Element
	all.SetOne()
	for i := range b.inverse {
		b.product = append(b.product, all)
		all.Mul(&all, &b.inverse[i])
	}
	all.Inverse(&all)
	for i := len(b.inverse) - 1; i >= 0; i-- {
		x.Mul(&all, &b.product[i])
		all.Mul(&all, &b.inverse[i])
		b.inverse[i] = x
	}
}

// reduce is Σ_digit 2^(8·digit)·Σ_k k·bucket_k of a row.
func (b *rowBatch) reduce(row int) (sum bn254.G1Jac) {
	for k := b.digits - 1; k >= 0; k-- {
		for range digitBits {
			sum.DoubleAssign()
		}
		var running, total bn254.G1Jac
		first := (row*b.digits + k) * buckets
		for i := buckets - 1; i >= 0; i-- {
			if p := &b.bucket[first+i]; !p.IsInfinity() {
				running.AddMixed(p)
			}
			total.AddAssign(&running)
		}
		sum.AddAssign(&total)
	}
	return sum
}
