package claims

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Table is a set of rows: every combination of arguments, the first one slowest, and functions of it. A row's
// key is Σ β^k·column k + β^maxColumns·(number of the table), so that all tables are one.
type Table struct {
	Arguments []Argument
	Values    []Column
	// Multiplicities is a tensor of a cell for each row.
	Multiplicities int
}

// Argument is the range [Min, Min+Len) of a column.
type Argument struct {
	Min int64
	Len int
}

// Column has a value for each row, in arithmetic progressions.
type Column []Progression

// Progression is First, First + Step, … for Len rows.
type Progression struct {
	Len         int
	First, Step int64
}

// maxColumns bounds the arguments and values of a table; maxRows its rows; maxValue, in absolute value, what a row and the steps
// to it hold, so that no sum overflows.
const (
	maxColumns = 8
	maxRows    = 1 << 20
	maxValue   = 1 << 61
)

// Progressions cuts values into progressions.
func Progressions(values []int64) (out Column) {
	for i := 0; i < len(values); {
		r := Progression{Len: 1, First: values[i]}
		if i+1 < len(values) {
			r.Step = values[i+1] - values[i]
		}
		for i+r.Len < len(values) && values[i+r.Len]-values[i+r.Len-1] == r.Step {
			r.Len++
		}
		if r.Len == 1 {
			r.Step = 0
		}
		out = append(out, r)
		i += r.Len
	}
	return out
}

// Rows is the number of rows.
func (t *Table) Rows() int {
	n := 1
	for _, a := range t.Arguments {
		n *= a.Len
	}
	return n
}

func (t *Table) check() error {
	n := 1
	for _, a := range t.Arguments {
		if a.Len < 1 || n > maxRows/a.Len {
			return fmt.Errorf("%w: table of more than %d rows", ErrNetwork, maxRows)
		}
		if a.Min < -maxValue || a.Min > maxValue {
			return fmt.Errorf("%w: argument from %d on, expected less than 2^61 in absolute value", ErrNetwork, a.Min)
		}
		n *= a.Len
	}
	if len(t.Arguments) == 0 || len(t.Arguments)+len(t.Values) > maxColumns {
		return fmt.Errorf("%w: table of %d arguments and %d values", ErrNetwork, len(t.Arguments), len(t.Values))
	}
	for _, c := range t.Values {
		left := n
		for _, r := range c {
			if r.Len < 1 || r.Len > left {
				return fmt.Errorf("%w: progressions of a column of %d rows", ErrNetwork, n)
			}
			if most := maxValue / int64(r.Len); r.First < -maxValue || r.First > maxValue || r.Step < -most || r.Step > most {
				return fmt.Errorf("%w: progression from %d by %d, expected less than 2^61 in absolute value", ErrNetwork, r.First, r.Step)
			}
			left -= r.Len
		}
		if left != 0 {
			return fmt.Errorf("%w: column of %d rows, the table has %d", ErrNetwork, n-left, n)
		}
	}
	return nil
}

// columns are all columns, arguments first.
func (t *Table) columns() []Column {
	var out []Column
	repeat, length := 1, t.Rows()
	for _, a := range t.Arguments {
		length /= a.Len // rows with one value
		var c Column
		for range repeat {
			if length == 1 {
				c = append(c, Progression{Len: a.Len, First: a.Min, Step: 1})
				continue
			}
			for i := range a.Len {
				c = append(c, Progression{Len: length, First: a.Min + int64(i)})
			}
		}
		repeat *= a.Len
		out = append(out, c)
	}
	return append(out, t.Values...)
}

// Expand are the values of all rows.
func (c Column) Expand() (out []int64) {
	for _, r := range c {
		for i := range int64(r.Len) {
			out = append(out, r.First+r.Step*i)
		}
	}
	return out
}

// Row is the row of some arguments; ok is false where there is none.
func (t *Table) Row(arguments []int64) (row int, ok bool) {
	for k, a := range t.Arguments {
		i := arguments[k] - a.Min
		if i < 0 || i >= int64(a.Len) {
			return 0, false
		}
		row = row*a.Len + int(i)
	}
	return row, true
}

// keyCoefficients are the coefficients of columns in a key, and what a table's number adds.
func keyCoefficients(beta fr.Element, table int) (columns [maxColumns]fr.Element, constant fr.Element) {
	power := fr.One()
	for k := range columns {
		columns[k] = power
		power.Mul(&power, &beta)
	}
	constant.SetUint64(uint64(table))
	return columns, *constant.Mul(&constant, &power)
}

// Keys are α − key of all rows of a table.
func (n *Network) Keys(table int, alpha, beta fr.Element) []fr.Element {
	t := &n.Tables[table]
	coefficients, constant := keyCoefficients(beta, table)
	out := make([]fr.Element, t.Rows())
	for i := range out {
		out[i].Sub(&alpha, &constant)
	}
	var v, step fr.Element
	for k, c := range t.columns() {
		row := 0
		for _, r := range c {
			v.SetInt64(r.First).Mul(&v, &coefficients[k])
			step.SetInt64(r.Step).Mul(&step, &coefficients[k])
			for range r.Len {
				out[row].Sub(&out[row], &v)
				v.Add(&v, &step)
				row++
			}
		}
	}
	return out
}

// keysAt is Σ_j eq(j)·key of row start+j of a table, over the last n coordinates of a point.
func (n *Network) keysAt(table, start int, point *coordinates, bits int, beta fr.Element) fr.Element {
	coefficients, sum := keyCoefficients(beta, table) // Σ eq = 1
	var v fr.Element
	for k, c := range n.Tables[table].columns() {
		v = c.at(start, point, bits)
		sum.Add(&sum, v.Mul(&v, &coefficients[k]))
	}
	return sum
}

// denseRuns is how many rows a progression must have for its closed form to pay: each takes some products.
const denseRuns = 6

// at is Σ_j eq(j)·value of row start+j, over the last n coordinates of a point.
func (c Column) at(start int, point *coordinates, bits int) (sum fr.Element) {
	if len(c)*denseRuns > 1<<bits {
		return c.expandedAt(start, point.table(len(point.point)-bits, bits))
	}
	stairs, row := point.below(bits), 0
	var ones, numbers fr.Element // below the row
	for _, r := range c {
		from, to := max(row, start)-start, min(row+r.Len-start, 1<<bits)
		if from < to {
			onesTo, numbersTo := stairs.sums(to)
			ones.Sub(&onesTo, &ones)
			numbers.Sub(&numbersTo, &numbers)
			v := r.over(row-start, &ones, &numbers)
			sum.Add(&sum, &v)
			ones, numbers = onesTo, numbersTo
		}
		row += r.Len
	}
	return sum
}

// over is Σ eq(j)·(First + Step·(j − row)) for Σ eq(j) and Σ j·eq(j).
func (r *Progression) over(row int, ones, numbers *fr.Element) (sum fr.Element) {
	var v fr.Element
	sum.SetInt64(r.First).Mul(&sum, ones)
	if r.Step != 0 {
		var way fr.Element
		way.SetInt64(int64(row)).Mul(&way, ones).Sub(numbers, &way)
		sum.Add(&sum, v.SetInt64(r.Step).Mul(&v, &way))
	}
	return sum
}

// expandedAt adds up row by row.
func (c Column) expandedAt(start int, eq []fr.Element) fr.Element {
	var sum Accumulator
	var values [128]int64
	row, at, kept := 0, 0, 0 // of values, those from at on are kept
	for _, r := range c {
		for j := max(row, start); j < min(row+r.Len, start+len(eq)); j++ {
			values[kept] = r.First + r.Step*int64(j-row)
			if kept++; kept == len(values) {
				sum.Add(eq[at:at+kept], values[:])
				at, kept = at+kept, 0
			}
		}
		row += r.Len
	}
	sum.Add(eq[at:at+kept], values[:kept])
	excess := Excess(eq)
	return sum.Value(&excess)
}
