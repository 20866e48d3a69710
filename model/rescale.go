package model

import "fmt"

// maxTable bounds the entries of a Table.
const maxTable = 1 << 16

// AccRange bounds the accumulators whose quotient lies in [QMin, QMax]; without Roundings it is exact.
func (r *Rescale) AccRange() (min, max int64) {
	return r.QMin<<r.Shift - r.half() - r.slack(), (r.QMax+1)<<r.Shift - 1 - r.half() + r.slack()
}

// half is the rounding constant.
func (r *Rescale) half() int64 {
	if r.Shift == 0 {
		return 0
	}
	return 1 << (r.Shift - 1)
}

// apply requantizes every accumulator, of which inner at a time belong to one channel; r must have
// admitted their range.
func (r *Rescale) apply(acc []int64, inner int) []int64 {
	out := make([]int64, len(acc))
	if r.Roundings != nil {
		for i, a := range acc {
			out[i] = r.Table.At(r.Saturation(r.Quotient(i/inner%len(r.Roundings), a)))
		}
		return out
	}
	half, shift, base, values := r.half(), r.Shift, r.Table.Min, r.Table.Values
	last := int64(len(values)) - 1
	for i, a := range acc {
		out[i] = values[min(max((a+half)>>shift-base, 0), last)]
	}
	return out
}

// Saturation is the argument of the table that stands for the quotient q: the nearest one.
func (r *Rescale) Saturation(q int64) int64 { return min(max(q, r.Table.Min), r.Table.Max()) }

// infer checks r itself and returns an output tensor of that shape. Its range is that of the
// table's reached part: it belongs to the architecture and must not depend on parameters.
func (r *Rescale) infer(shape []int, channels int) (Tensor, error) {
	if r.QMin > r.QMax {
		return Tensor{}, fmt.Errorf("%w: QMin %d exceeds QMax %d", ErrAttribute, r.QMin, r.QMax)
	}
	if r.Shift > 61 || saturatingMul(max(magnitude(r.QMin), magnitude(r.QMax))+1, 1<<r.Shift) >= accLimit {
		return Tensor{}, fmt.Errorf("%w: quotients [%d, %d] at shift %d exceed 62 bits; use a smaller shift",
			ErrAttribute, r.QMin, r.QMax, r.Shift)
	}
	if err := r.Table.check(); err != nil {
		return Tensor{}, err
	}
	if r.Table.Min > r.QMax || r.Table.Max() < r.QMin {
		return Tensor{}, fmt.Errorf("%w: the table covers [%d, %d], nothing of the quotients' range [%d, %d]",
			ErrAttribute, r.Table.Min, r.Table.Max(), r.QMin, r.QMax)
	}
	if err := r.checkRoundings(channels); err != nil {
		return Tensor{}, err
	}
	reached := r.Reached()
	lo, hi := reached.Range()
	return inferred(shape, span{lo, hi})
}

// Reached is the part of the table that quotients in [QMin, QMax] reach; with HalfAway those are the
// quotients before the tie's rule, which may take one away.
func (r *Rescale) Reached() Table {
	least := r.QMin
	if r.hasTies() {
		least--
	}
	from, to := max(least, r.Table.Min), min(r.QMax, r.Table.Max())
	return Table{Name: r.Table.Name, Min: from, Values: r.Table.Values[from-r.Table.Min : to-r.Table.Min+1]}
}

// admit checks that a worst case of the accumulators, those of what, stays within [QMin, QMax].
func (r *Rescale) admit(what string, w worstCase) error {
	if w.overflows() {
		return fmt.Errorf("%w: %s: accumulators need more than 62 bits; use smaller parameters", ErrRange, what)
	}
	lo, hi := r.Floor(w.min-r.slack()), r.Floor(w.max+r.slack())
	if lo < r.QMin || hi > r.QMax {
		return fmt.Errorf("%w: %s: accumulators in [%d, %d] give quotients in [%d, %d], declared is [%d, %d] at shift %d; "+
			"widen QMin and QMax (and the table), use a larger shift or smaller parameters",
			ErrRange, what, w.min, w.max, lo, hi, r.QMin, r.QMax, r.Shift)
	}
	return nil
}

// check tests the table by itself.
func (t *Table) check() error {
	if n := len(t.Values); n == 0 || n > maxTable {
		return fmt.Errorf("%w: table has %d entries, expected 1 to %d", ErrAttribute, n, maxTable)
	}
	if magnitude(t.Min) > uint64(maxZero) {
		return fmt.Errorf("%w: table begins at %d, expected at most 2^32 in absolute value", ErrAttribute, t.Min)
	}
	return nil
}

// over is the range of the table's values for arguments in [lo, hi]; it errs if the table does not
// cover them.
func (t *Table) over(lo, hi int64) (span, error) {
	if err := t.check(); err != nil {
		return span{}, err
	}
	if lo < t.Min || hi > t.Max() {
		return span{}, fmt.Errorf("%w: table covers [%d, %d], its argument can be anywhere in [%d, %d]; extend the table",
			ErrRange, t.Min, t.Max(), lo, hi)
	}
	part := Table{Values: t.Values[lo-t.Min : hi-t.Min+1]}
	min, max := part.Range()
	return span{min, max}, nil
}

// IsClamp tells whether f(q) = min(max(q, lo), hi) for every argument of the table.
func (t *Table) IsClamp() (lo, hi int64, ok bool) {
	lo, hi = t.Range()
	for i, v := range t.Values {
		if v != min(max(t.Min+int64(i), lo), hi) {
			return 0, 0, false
		}
	}
	return lo, hi, true
}

// ClampTable is f(q) = min(max(q, lo), hi) over [qMin, qMax], which must hold 1 to 2^16 integers.
func ClampTable(qMin, qMax, lo, hi int64) Table {
	values := make([]int64, qMax-qMin+1)
	for i := range values {
		values[i] = min(max(qMin+int64(i), lo), hi)
	}
	return Table{Name: "clamp", Min: qMin, Values: values}
}
