package msm

import (
	"math/bits"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// rowCommitter is what all rows share: a table of points, each followed by its opposite. Column j of a row is
// point j, the sum of all bases follows, then 2^i·h.
type rowCommitter struct {
	columns int
	table   signed
}

func newRowCommitter(bases []bn254.G1Affine, h *bn254.G1Affine) *rowCommitter {
	doubles := make([]bn254.G1Jac, fr.Bits+maxWindow)
	doubles[0].FromAffine(h)
	for i := 1; i < len(doubles); i++ {
		doubles[i].Double(&doubles[i-1])
	}
	var a adder
	finite := slices.DeleteFunc(slices.Clone(bases), func(p bn254.G1Affine) bool { return p.IsInfinity() })
	total := append(a.sum(finite, []int32{int32(len(finite))}), bn254.G1Affine{})
	points := append(slices.Clone(bases), total[0])
	points = append(points, bn254.BatchJacobianToAffineG1(doubles)...)
	return &rowCommitter{columns: len(bases), table: appendSigned(nil, points)}
}

// rowPlan says how a row is written: (value − shift) in signed digits of window bits.
type rowPlan struct {
	shift  int64
	window int
	cost   int // additions
}

// planRow chooses the window with the least additions, and whether to take off the most frequent of the values near 0:
// quantized zeros are often another number.
func planRow(row []int64, mayShift bool) rowPlan {
	best := cheapestWindow(row, 0)
	if !mayShift {
		return best
	}
	if shift := mode(row); shift != 0 {
		if p := cheapestWindow(row, shift); p.cost < best.cost {
			best = p
		}
	}
	return best
}

// mode is the most frequent of the values in [−256, 256), by a sample, or 0 where it saves too little.
func mode(row []int64) int64 {
	const sample = 256
	var count [512]int32
	step := max(len(row)/sample, 1)
	for j := 0; j < len(row); j += step {
		if u := uint64(row[j] + 256); u < 512 {
			count[u]++
		}
	}
	most := 256
	for i, n := range count {
		if n > count[most] {
			most = i
		}
	}
	if int(count[most]-count[256])*step < len(row)/8 {
		return 0
	}
	return int64(most) - 256
}

func cheapestWindow(row []int64, shift int64) rowPlan {
	var count [66]int // values by width
	widest := 0
	for _, v := range row {
		w := width(v - shift)
		count[w]++
		widest = max(widest, w)
	}
	best := rowPlan{}
	for c := 2; c <= maxWindow; c++ {
		// A window has 2^(c−1) buckets, which are added up with their multiplicities in two additions each.
		cost := (fr.Bits+c-1)/c + (widest+c-1)/c<<c
		for w, n := range count[:widest+1] {
			cost += n * ((w + c - 1) / c)
		}
		if best.window == 0 || cost < best.cost {
			best = rowPlan{shift, c, cost}
		}
	}
	return best
}

// width is the least w with |v| ≤ 2^(w−1), 0 for 0: one digit of w bits holds v.
func width(v int64) int {
	if v == 0 {
		return 0
	}
	return bits.Len64(uint64(max(v, -v))-1) + 1
}

// rowBatch are rows whose sums are made at the same time.
type rowBatch struct {
	*rowCommitter
	buckets
	rows  []pendingRow
	rest  []int64 // digits of a row that are left
	group []column
}

// pendingRow is a row of a batch: a group of buckets for each digit.
type pendingRow struct {
	out            *bn254.G1Affine
	window, groups int
}

// addRow adds a row to the batch.
func (b *rowBatch) addRow(row []int64, salt fr.Element, out *bn254.G1Affine) {
	plan := planRow(row, len(row) == b.columns)
	b.rest = b.rest[:0]
	for _, v := range row {
		b.rest = append(b.rest, v-plan.shift)
	}
	b.group = b.group[:0]
	b.addSalt(salt, plan.window)
	pending := pendingRow{out: out, window: plan.window}
	for shift, more := plan.shift, true; more; pending.groups++ {
		more = b.addDigits(plan.window)
		var d int64
		d, shift = digit(shift, plan.window)
		b.group = append(b.group, column{int32(b.columns), int32(d)})
		b.add(b.group, plan.window)
		b.group = b.group[:0]
		more = more || shift != 0
	}
	b.rows = append(b.rows, pending)
	if b.full() {
		b.finish()
	}
}

// addDigits takes the lowest digit off every value. It reports whether something is left.
func (b *rowBatch) addDigits(window int) (more bool) {
	left := int64(0)
	for j, v := range b.rest {
		d, rest := digit(v, window)
		b.rest[j] = rest
		left |= rest
		if d != 0 {
			b.group = append(b.group, column{int32(j), int32(d)})
		}
	}
	return left != 0
}

// digit is the lowest signed digit of v, |digit| ≤ 2^(window−1), and what is left, which is 0 if it can be.
func digit(v int64, window int) (d, rest int64) {
	offset := int64(1)<<(window-1) - 1 - v>>63
	d = (v+offset)&(1<<window-1) - offset
	return d, (v - d) >> window
}

// addSalt adds the digits of a salt, each at a multiple of h of its own.
func (b *rowBatch) addSalt(salt fr.Element, window int) {
	words := salt.Bits()
	carry := int64(0)
	for at := 0; at < fr.Bits+window; at += window {
		d := carry + bitsAt(&words, at, window)
		if carry = 0; d > 1<<(window-1) {
			d -= 1 << window
			carry = 1
		}
		b.group = append(b.group, column{int32(b.columns + 1 + at), int32(d)})
	}
}

// bitsAt are n bits of a number from a place on.
func bitsAt(words *[4]uint64, at, n int) int64 {
	v := uint64(0)
	if w := at / 64; w < len(words) {
		v = words[w] >> (at % 64)
		if at%64 != 0 && w+1 < len(words) {
			v |= words[w+1] << (64 - at%64)
		}
	}
	return int64(v & (1<<n - 1))
}

// finish computes the rows of the batch.
func (b *rowBatch) finish() {
	sums := b.sums()
	rows := make([]bn254.G1Jac, len(b.rows))
	for i, r := range b.rows {
		rows[i] = horner(sums[:r.groups], r.window)
		sums = sums[r.groups:]
	}
	for i, p := range bn254.BatchJacobianToAffineG1(rows) {
		*b.rows[i].out = p
	}
	b.rows = b.rows[:0]
}
