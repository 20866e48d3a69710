package sumcheck

import (
	"math/bits"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// A digit has at most maxWindow bits.
const maxWindow = 12

// rowCommitter is what all rows share: a table of points, each followed by its opposite. Column j of a row is
// point j, the sum of all bases follows, then 2^i·h.
type rowCommitter struct {
	columns int
	table   []bn254.G1Affine
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
	c := &rowCommitter{columns: len(bases)}
	for i := range points {
		c.table = append(c.table, points[i], *new(bn254.G1Affine).Neg(&points[i]))
	}
	return c
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
	adder adder
	rows  []pendingRow
	index []uint32 // points of the table, by bucket
	sizes []int32  // of buckets

	rest   []int64 // digits of a row that are left
	group  []column
	starts []int32

	buckets []bn254.G1Affine
}

// pendingRow is a row of a batch: groups of 2^(window−1) buckets, one group for each digit.
type pendingRow struct {
	out            *bn254.G1Affine
	window, groups int
}

// column is a point of the table, but for its sign, that stands with a digit.
type column struct{ point, digit int32 }

// batchPoints is the number of points from which on a batch is closed: large enough that few inversions are needed,
// small enough for a processor's cache.
const batchPoints = 1 << 15

// add adds a row to the batch.
func (b *rowBatch) add(row []int64, salt fr.Element, out *bn254.G1Affine) {
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
		b.place(plan.window)
		more = more || shift != 0
	}
	b.rows = append(b.rows, pending)
	if len(b.index) >= batchPoints {
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

// place sorts the group into buckets by the size of digits, and empties it.
func (b *rowBatch) place(window int) {
	size := 1 << (window - 1)
	b.starts = append(b.starts[:0], make([]int32, size+1)...)
	for i := range b.group {
		c := &b.group[i]
		if c.digit == 0 || b.table[2*c.point].IsInfinity() {
			c.digit = 0
			continue
		}
		b.starts[max(c.digit, -c.digit)]++
	}
	b.sizes = append(b.sizes, b.starts[1:]...)
	at := int32(len(b.index))
	for k, n := range b.starts[1:] {
		b.starts[k+1] = at
		at += n
	}
	b.index = slices.Grow(b.index, int(at)-len(b.index))[:at]
	for _, c := range b.group {
		if c.digit != 0 {
			sign := c.digit >> 31
			to := &b.starts[(c.digit^sign)-sign]
			b.index[*to] = uint32(2*c.point - sign)
			*to++
		}
	}
	b.group = b.group[:0]
}

// finish computes the rows of the batch.
func (b *rowBatch) finish() {
	points := b.adder.gather(b.table, b.index, b.sizes)
	points = b.adder.sum(points, b.sizes)
	weighted := b.adder.weighted(b.spread(points))
	sums := make([]bn254.G1Jac, len(b.rows))
	for i, r := range b.rows {
		for k := r.groups - 1; k >= 0; k-- {
			for range r.window {
				sums[i].DoubleAssign()
			}
			sums[i].AddAssign(&weighted[k])
		}
		weighted = weighted[r.groups:]
	}
	for i, p := range bn254.BatchJacobianToAffineG1(sums) {
		*b.rows[i].out = p
	}
	b.rows, b.index, b.sizes = b.rows[:0], b.index[:0], b.sizes[:0]
}

// spread puts the sums of buckets to their places, with empty ones between, and returns the sizes of groups too.
func (b *rowBatch) spread(points []bn254.G1Affine) (buckets []bn254.G1Affine, groups []int32) {
	b.buckets = slices.Grow(b.buckets[:0], len(b.sizes))[:len(b.sizes)]
	for k, n := range b.sizes {
		if n == 0 {
			b.buckets[k] = bn254.G1Affine{}
			continue
		}
		b.buckets[k], points = points[0], points[1:]
	}
	for _, r := range b.rows {
		groups = append(groups, slices.Repeat([]int32{1 << (r.window - 1)}, r.groups)...)
	}
	return b.buckets, groups
}
