package sumcheck

import (
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// limbBits is the size of the largest range that is a table.
const limbBits = 16

// maxTableRows bounds a table, and so the quotients of a layer.
const maxTableRows = 1 << 20

// table is one in the making: it grows until all lookups are known.
type table struct {
	index     int
	arguments int // columns that find a row
	// fixed are all arguments but the last, which has the range [lo, hi].
	fixed  []claims.Argument
	lo, hi int64
	values []func(fixed []int64, x int64) int64
}

// find returns the table of a key, made by build where there is none, grown to arguments lo to hi.
func (b *builder) find(key string, lo, hi int64, build func() *table) *table {
	t, ok := b.tables[key]
	if !ok {
		t = build()
		t.index, t.arguments, t.lo, t.hi = len(b.ordered), len(t.fixed)+1, lo, hi
		b.tables[key] = t
		b.ordered = append(b.ordered, t)
	}
	t.lo, t.hi = min(t.lo, lo), max(t.hi, hi)
	return t
}

// rangeTable holds the integers [min, min+n). It is exact: a wider one would admit more.
func (b *builder) rangeTable(min int64, n int) *table {
	return b.find(fmt.Sprint("range", min, n), min, min+int64(n)-1, func() *table { return &table{} })
}

// function is a table of rows (x − from, f(x) − image): functions that are the same but for translations, and constant
// towards both ends, share one, whatever the ranges of their arguments.
type function struct {
	*table
	from, image int64
}

// function is f over [lo, hi], continued by the values at its ends.
func (b *builder) function(f *model.Table, lo, hi int64) function {
	from, to := active(f, lo, hi)
	out := function{from: from, image: f.At(from)}
	var core []int64
	for x := from; x <= to; x++ {
		core = append(core, f.At(x)-out.image)
	}
	out.table = b.find(fmt.Sprint("function", core), lo-from, hi-from, func() *table {
		return &table{values: []func([]int64, int64) int64{func(_ []int64, x int64) int64 {
			return core[min(max(x, 0), int64(len(core))-1)]
		}}}
	})
	return out
}

// active is what remains of a function over [lo, hi], continued by the values at its ends, without the arguments towards both
// ends that have one value.
func active(f *model.Table, lo, hi int64) (from, to int64) {
	at := func(x int64) int64 { return f.At(min(max(x, f.Min), f.Max())) }
	from, to = max(lo, f.Min), min(hi, f.Max())
	for from < to && at(from) == at(from+1) && at(from) == at(lo) {
		from++
	}
	for to > from && at(to) == at(to-1) && at(to) == at(hi) {
		to--
	}
	return from, to
}

// finishTables writes all tables down, with their multiplicities.
func (b *builder) finishTables() error {
	for _, t := range b.ordered {
		made := claims.Table{Arguments: append(slices.Clone(t.fixed), claims.Argument{Min: t.lo, Len: int(t.hi - t.lo + 1)})}
		if t.hi-t.lo >= maxTableRows || made.Rows() > maxTableRows {
			return fmt.Errorf("%w: a function of %d arguments, at most %d: import the model with fewer bits or smaller parameters", ErrTooLarge, t.hi-t.lo+1, maxTableRows)
		}
		for _, f := range t.values {
			made.Values = append(made.Values, claims.Progressions(columnOf(&made, f)))
		}
		made.Multiplicities = b.commit(claims.Trace, []int{made.Rows()}, nil)
		b.Network.Tables = append(b.Network.Tables, made)
	}
	return nil
}

// columnOf evaluates f for all rows.
func columnOf(t *claims.Table, f func(fixed []int64, x int64) int64) []int64 {
	last := len(t.Arguments) - 1
	out := make([]int64, t.Rows())
	fixed := make([]int64, last)
	for row := range out {
		rest := row / t.Arguments[last].Len
		for k := last - 1; k >= 0; k-- {
			fixed[k] = t.Arguments[k].Min + int64(rest%t.Arguments[k].Len)
			rest /= t.Arguments[k].Len
		}
		out[row] = f(fixed, t.Arguments[last].Min+int64(row%t.Arguments[last].Len))
	}
	return out
}
