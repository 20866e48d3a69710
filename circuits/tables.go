package circuits

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// maxTableBits bounds a table's rows: each row is a constraint and a wire.
const maxTableBits = 16

// maxDirectRange is the largest range whose size is not a power of two that gets a table of its own;
// larger ones are checked from both sides.
const maxDirectRange = 1 << 12

// table is a set of rows, each used as often as its multiplicity says. Every column is a list of
// unsigned integers; a nil one is the row's number. The range [0, n) has one column, a function two.
type table struct {
	index          int
	n              int
	columns        [][]int64
	multiplicities span
}

func (t *table) rows() int { return t.n }

// at is the entry of a column in a row.
func (t *table) at(column, row int) int64 {
	if c := t.columns[column]; c != nil {
		return c[row]
	}
	return int64(row)
}

// tableSet holds every table once. There is one logarithmic-derivative sum a table: a shared sum
// with a table number folded in by a constant would accept members of the wrong table.
type tableSet struct {
	list   []*table
	byRows map[string]*table
	width  int // columns of the widest
}

func newTableSet() *tableSet { return &tableSet{byRows: map[string]*table{}, width: 1} }

// table is the one of n rows with these columns.
func (s *tableSet) table(n int, columns ...[]int64) *table {
	key := fmt.Sprint(n, columns)
	if t, ok := s.byRows[key]; ok {
		return t
	}
	t := &table{index: len(s.list), n: n, columns: columns}
	s.list = append(s.list, t)
	s.byRows[key] = t
	s.width = max(s.width, len(columns))
	return t
}

// rangeTable is the table of [0, n).
func (s *tableSet) rangeTable(n int) *table { return s.table(n, nil) }

// demands collects the ranges that have to be checked, so that one limb width can be chosen for all.
type demands struct{ bits map[uint]int }

func newDemands() *demands { return &demands{bits: map[uint]int{}} }

// lookupCosts are what the parts of a range check cost: a limb, which is a wire, a query and a term of a
// sum, and a table's row.
type lookupCosts struct{ limb, row int }

// costsOf counts constraints, or gates: for a limb the difference with the challenge, its inverse, and a
// term each of the sum of inverses and of the sum of limbs; for a row the quotient and a term.
var costsOf = map[Arithmetization]lookupCosts{Rank1: {1, 1}, Gates: {4, 2}}

// bestLimb is the limb width of least total cost: a query a limb, a row for each value of each
// distinct width.
func (d *demands) bestLimb(c lookupCosts) uint {
	best, bestCost := uint(1), -1
	for w := uint(1); w <= maxTableBits; w++ {
		cost := 0
		seen := map[uint]bool{}
		for t, count := range d.bits {
			ws := limbWidths(t, w)
			cost += len(ws) * count * c.limb
			for _, x := range ws {
				if !seen[x] {
					seen[x] = true
					cost += (1<<x + 1) * c.row
				}
			}
		}
		if bestCost < 0 || cost < bestCost {
			best, bestCost = w, cost
		}
	}
	return best
}

// limbWidths cuts t bits into limbs of at most w bits, as even as possible.
func limbWidths(t, w uint) []uint {
	if t == 0 {
		return nil
	}
	n := (t + w - 1) / w
	out := make([]uint, n)
	for i := range out {
		out[i] = t / n
		if uint(i) < t%n {
			out[i]++
		}
	}
	return out
}

// ranged checks count values to lie in [0, size). Either it owns the wires (the value is then the
// sum of its limbs), or the values are expressions given to define: then all limbs but the highest
// are wires, and the highest is what remains.
type ranged struct {
	size   int64
	count  int
	given  bool
	widths []uint // of the limbs, lowest first; nil for a direct table
	tables []*table
	limbs  []span
	upper  *ranged // checks size−1−v where the limbs alone would admit more than size
}

func newRanged(size int64, count int, given bool) *ranged {
	r := &ranged{size: size, count: count, given: given}
	if !isPowerOfTwo(size) && size > maxDirectRange {
		r.upper = &ranged{size: 1 << bitsFor(size), count: count, given: true}
	}
	return r
}

// newBits is a range of exactly 2^b values.
func newBits(b uint, count int, given bool) *ranged { return newRanged(1<<b, count, given) }

func isPowerOfTwo(n int64) bool { return n&(n-1) == 0 }

// bitsFor is the least b with 2^b ≥ n.
func bitsFor(n int64) uint { return uint(bits.Len64(uint64(n - 1))) }

func (r *ranged) direct() bool { return !isPowerOfTwo(r.size) && r.size <= maxDirectRange }

func (r *ranged) demand(d *demands) {
	if !r.direct() && r.size > 1 {
		d.bits[bitsFor(r.size)] += r.count
	}
	if r.upper != nil {
		r.upper.demand(d)
	}
}

func (r *ranged) allocate(p *Plan) {
	switch {
	case r.direct():
		r.tables = []*table{p.tables.rangeTable(int(r.size))}
	case r.size > 1:
		r.widths = limbWidths(bitsFor(r.size), p.limbBits)
		for _, w := range r.widths {
			r.tables = append(r.tables, p.tables.rangeTable(1<<w))
		}
	}
	own := len(r.tables)
	if r.given && own > 0 {
		own-- // the highest limb is what the others leave
	}
	for range own {
		r.limbs = append(r.limbs, p.wires(r.count))
	}
	if r.upper != nil {
		r.upper.allocate(p)
	}
}

func (r *ranged) constraints() int {
	n := r.count * max(len(r.tables), 0)
	if r.size == 1 && r.given {
		n += r.count
	}
	if r.upper != nil {
		n += r.upper.constraints()
	}
	return n
}

// split returns the limbs of v.
func (r *ranged) split(v uint64) []uint64 {
	if r.widths == nil {
		return []uint64{v}[:len(r.tables)]
	}
	out := make([]uint64, len(r.widths))
	for k, w := range r.widths {
		out[k] = v & (1<<w - 1)
		v >>= w
	}
	return out
}

// set records value v for element i.
func (r *ranged) set(w *Witness, i int, v uint64) {
	if v >= uint64(r.size) {
		w.fail(fmt.Errorf("value %d outside its range [0, %d)", v, r.size))
		return
	}
	for k, limb := range r.split(v) {
		w.count(r.tables[k], limb)
		if k < len(r.limbs) {
			w.set(r.limbs[k], i, limb)
		}
	}
	if r.upper != nil {
		r.upper.set(w, i, uint64(r.size)-1-v)
	}
}

// value is the expression of element i of a range that owns its wires.
func (r *ranged) value(b *builder, i int) frontend.Variable {
	terms := make([]frontend.Variable, len(r.limbs))
	shift := uint(0)
	for k, s := range r.limbs {
		terms[k] = b.scale(b.wire(s, i), pow2(shift))
		if k < len(r.widths) {
			shift += r.widths[k]
		}
	}
	return b.sum(terms)
}

// define checks element i; v is its expression.
func (r *ranged) define(b *builder, i int, v frontend.Variable) {
	if r.size == 1 && r.given {
		b.product(v, 1, 0)
	}
	rest, shift := v, uint(0)
	for k, t := range r.tables {
		if k == len(r.limbs) { // given: the highest limb
			b.lookup(t, b.unscale(rest, shift))
			break
		}
		limb := b.wire(r.limbs[k], i)
		b.lookup(t, limb)
		if r.given {
			rest = b.api.Sub(rest, b.scale(limb, pow2(shift)))
			shift += r.widths[k]
		}
	}
	if r.upper != nil {
		r.upper.define(b, i, b.api.Sub(r.size-1, v))
	}
}

var errOutsideTable = errors.New("value outside its table")

// function is a lookup of a = f(q) for count values: q and a are unsigned wires, or q is given.
type function struct {
	source model.Table
	count  int
	min    int64 // least image
	table  *table
	images span
}

func newFunction(t model.Table, count int) *function {
	lo, _ := t.Range()
	return &function{source: t, count: count, min: lo}
}

func (f *function) allocate(p *Plan) error {
	if len(f.source.Values) > 1<<maxTableBits {
		return fmt.Errorf("%w: function table of %d rows (at most 2^%d)", ErrTooLarge, len(f.source.Values), maxTableBits)
	}
	image := slices.Clone(f.source.Values)
	for i := range image {
		image[i] -= f.min
	}
	f.table = p.tables.table(len(image), nil, image)
	f.images = p.wires(f.count)
	return nil
}

func (f *function) constraints() int { return 2 * f.count }

// set records argument q (as the table counts it) for element i.
func (f *function) set(w *Witness, i int, q int64) {
	k := q - f.source.Min
	if k < 0 || k >= int64(len(f.source.Values)) {
		w.fail(fmt.Errorf("%w [%d, %d]: %d", errOutsideTable, f.source.Min, f.source.Max(), q))
		return
	}
	w.count(f.table, uint64(k))
	w.set(f.images, i, uint64(f.table.at(1, int(k))))
}

// define looks up element i: index is the expression of q − Min. It returns f(q).
func (f *function) define(b *builder, i int, index frontend.Variable) frontend.Variable {
	image := b.wire(f.images, i)
	b.lookup(f.table, b.api.Add(index, b.column(1, image)))
	return b.api.Add(image, f.min)
}
