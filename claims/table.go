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

// keysAt is Σ_j eq(point, j)·key of row start+j of a table, over 2^len(point) rows.
func (n *Network) keysAt(table, start int, point []fr.Element, beta fr.Element) fr.Element {
	coefficients, sum := keyCoefficients(beta, table) // Σ eq = 1
	var v fr.Element
	for k, c := range n.Tables[table].columns() {
		v = c.at(start, point)
		sum.Add(&sum, v.Mul(&v, &coefficients[k]))
	}
	return sum
}

// at is Σ_j eq(point, j)·value of row start+j.
func (c Column) at(start int, point []fr.Element) (sum fr.Element) {
	end := start + 1<<len(point)
	if len(c)*2*len(point) > end-start {
		return c.expandedAt(start, point)
	}
	row := 0
	for _, r := range c {
		from, to := max(row, start), min(row+r.Len, end)
		if from < to {
			v := runAt(r.First+r.Step*int64(from-row), r.Step, from-start, to-start, point)
			sum.Add(&sum, &v)
		}
		row += r.Len
	}
	return sum
}

func (c Column) expandedAt(start int, point []fr.Element) (sum fr.Element) {
	eq := EqTable(point)
	var v fr.Element
	row := 0
	for _, r := range c {
		for j := max(row, start); j < min(row+r.Len, start+len(eq)); j++ {
			v.SetInt64(r.First+r.Step*int64(j-row)).Mul(&v, &eq[j-start])
			sum.Add(&sum, &v)
		}
		row += r.Len
	}
	return sum
}

// runAt is Σ_{from ≤ j < to} eq(point, j)·(first + step·(j − from)).
func runAt(first, step int64, from, to int, point []fr.Element) fr.Element {
	lowOnes, low := prefix(point, from)
	highOnes, high := prefix(point, to)
	highOnes.Sub(&highOnes, &lowOnes)
	high.Sub(&high, &low)
	var a, b fr.Element
	a.SetInt64(first-step*int64(from)).Mul(&a, &highOnes)
	b.SetInt64(step).Mul(&b, &high)
	return *a.Add(&a, &b)
}

// prefix is Σ_{j<n} eq(point, j) and Σ_{j<n} j·eq(point, j), for n up to 2^len(point).
func prefix(point []fr.Element, n int) (ones, numbers fr.Element) {
	if n == 1<<len(point) {
		ones.SetOne()
		for _, p := range point {
			numbers.Double(&numbers).Add(&numbers, &p)
		}
		return ones, numbers
	}
	// Where j leaves n's path at a bit that is 1 in n, its lower bits are free.
	path, one := fr.One(), fr.One() // eq of the bits so far
	base := 0                       // their number
	var v fr.Element
	for i, p := range point {
		bit := len(point) - 1 - i
		var zero fr.Element
		zero.Sub(&one, &p)
		if n>>bit&1 == 0 {
			path.Mul(&path, &zero)
			continue
		}
		var weight fr.Element
		weight.Mul(&path, &zero)
		ones.Add(&ones, &weight)
		_, free := prefix(point[i+1:], 1<<bit)
		v.SetUint64(uint64(base)).Add(&v, &free).Mul(&v, &weight)
		numbers.Add(&numbers, &v)
		path.Mul(&path, &p)
		base += 1 << bit
	}
	return ones, numbers
}
