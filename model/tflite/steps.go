package tflite

import (
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/model"
)

// A requantization with a clamp is a step function of the integer accumulator: at most 255 thresholds.
// Whatever arithmetic a device does, every line (multiplier, offset, shift) with the same thresholds
// is exact; short shifts are cheap to prove. This file finds the least one.

// maxShift bounds shifts, so that nothing here exceeds 62 bits.
const maxShift = 44

// steps is a non-decreasing function of the accumulators in [lo, hi]: quotients in [least, most], to
// which it is clamped.
type steps struct {
	lo, hi      int64
	least, most int64
	rule        rule
	centred     bool // the op has no bias: the line's offset has to be half a step
}

// rule is how a device turns an accumulator into a quotient.
type rule struct {
	quotient func(acc int64) int64 // non-decreasing, not clamped
	slope    float64               // real quotient of accumulator 1
	// exact is the shift at which a line with rounding HalfAway(ties), HalfUp for 0, has the device's own
	// multiplier; 0 if there is no such shift.
	exact, ties uint
	// mantissa·2^−exponent is the slope where the device multiplies in binary32; mantissa is 0 elsewhere.
	mantissa int64
	exponent uint
}

// at is the clamped quotient of an accumulator.
func (s *steps) at(acc int64) int64 { return min(max(s.rule.quotient(acc), s.least), s.most) }

// bound is a point on one side of the line: the line at acc is at least the boundary below quotient n,
// or less than it.
type bound struct{ acc, n int64 }

// boundaries is what a line has to keep to.
type boundaries struct {
	below, above []bound
	centred      bool
}

// boundaries lists every threshold: the least accumulator with quotient n or more, and the one before.
// At the ends of the range only a clamp lets the line go on.
func (s *steps) boundaries() boundaries {
	b := boundaries{centred: s.centred}
	first, last := s.at(s.lo), s.at(s.hi)
	if first > s.least {
		b.below = append(b.below, bound{s.lo, first})
	}
	acc := s.lo
	for n := first + 1; n <= last; n++ {
		acc = s.threshold(n, acc)
		b.below = append(b.below, bound{acc, n})
		b.above = append(b.above, bound{acc - 1, n})
	}
	if last < s.most {
		b.above = append(b.above, bound{s.hi, last + 1})
	}
	return b
}

// hull leaves of the boundaries what any line has to keep to: corners of the upper hull of the points below the
// line, and of the lower hull of those above.
func (b *boundaries) hull(rounding model.Rounding) *boundaries {
	return &boundaries{below: corners(b.below, rounding, 1), above: corners(b.above, rounding, -1), centred: b.centred}
}

// corners are those of the upper hull for side 1, of the lower hull for −1; points come by ascending accumulator.
func corners(points []bound, rounding model.Rounding, side int64) []bound {
	e := rounding.TieBits()
	height := func(p bound) int64 { return side * level(p.n, e, rounding) }
	var out []bound
	for _, p := range points {
		for len(out) >= 2 {
			a, m := out[len(out)-2], out[len(out)-1]
			// m is no corner if it does not lie above the line from a to p.
			if (height(m)-height(a))*(p.acc-a.acc) > (height(p)-height(a))*(m.acc-a.acc) {
				break
			}
			out = out[:len(out)-1]
		}
		out = append(out, p)
	}
	return out
}

// threshold is the least accumulator above from with quotient n or more; there is one.
func (s *steps) threshold(n, from int64) int64 {
	reached := func(acc int64) bool { return s.at(acc) >= n }
	lo, step := from, int64(1) // not reached at lo
	if reached(lo) {
		return lo // several steps at once
	}
	if s.rule.slope > 0 {
		step = int64(min(max(1/s.rule.slope, 1), 1<<40))
	}
	hi := lo
	for !reached(hi) {
		lo, hi = hi, min(hi+step, s.hi)
		step *= 2
	}
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; reached(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// line is multiplier·acc + offset, whose quotient at the shift is the device's.
type line struct{ multiplier, offset int64 }

// level is 2^shift times the boundary below quotient n in the given rounding, half a step added.
func level(n int64, shift uint, rounding model.Rounding) int64 {
	v := n << shift
	if e := rounding.TieBits(); e > 0 && n <= 0 {
		v += 1 << (shift - e)
	}
	return v
}

// offsets is the interval of offsets that a multiplier admits; it is empty for from > to.
func (b *boundaries) offsets(multiplier int64, shift uint, rounding model.Rounding) (from, to int64) {
	from, to = math.MinInt64/4, math.MaxInt64/4
	for _, p := range b.below {
		from = max(from, level(p.n, shift, rounding)-multiplier*p.acc)
	}
	for _, p := range b.above {
		to = min(to, level(p.n, shift, rounding)-1-multiplier*p.acc)
	}
	if half := int64(1) << shift >> 1; b.centred { // the shorter side of an interval around half a step
		reach := min(half-from, to-half)
		from, to = half-reach, half+reach
	}
	return from, to
}

// line finds a line for a shift: with the natural multiplier if that does, else with the one that
// leaves most room. ok is false where there is none.
func (s *steps) line(b *boundaries, shift uint, rounding model.Rounding) (l line, ok bool) {
	if rounding.TieBits() > shift {
		return line{}, false
	}
	natural := math.Ldexp(s.rule.slope, int(shift))
	if natural > 1<<50 {
		return line{}, false
	}
	l.multiplier = int64(math.Round(natural))
	from, to := b.offsets(l.multiplier, shift, rounding)
	if from > to {
		l.multiplier = b.widest(int64(2*natural)+2, shift, rounding)
		from, to = b.offsets(l.multiplier, shift, rounding)
	}
	if from > to {
		return line{}, false
	}
	l.offset = s.offset(from, to, l.multiplier, shift)
	return l, true
}

// offset is the admissible one nearest to rounding half up, so that accumulators stay small.
func (s *steps) offset(from, to, multiplier int64, shift uint) int64 {
	want := int64(0)
	if shift > 0 {
		want = 1 << (shift - 1)
	}
	if !s.centred && s.at(s.lo) == s.at(s.hi) { // a constant: the line only has to stay within the clamp's reach
		want = s.at(s.lo)<<shift - multiplier*s.lo
	}
	return min(max(want, from), to)
}

// widest is the multiplier in [0, most] whose interval of offsets is longest: its length is a concave
// function of the multiplier.
func (b *boundaries) widest(most int64, shift uint, rounding model.Rounding) int64 {
	room := func(m int64) int64 {
		from, to := b.offsets(m, shift, rounding)
		return to - from
	}
	lo, hi := int64(0), most
	for hi-lo > 2 {
		third := (hi - lo) / 3
		x, y := lo+third, hi-third
		if room(x) < room(y) {
			lo = x
		} else {
			hi = y
		}
	}
	best := lo
	for m := lo + 1; m <= hi; m++ {
		if room(m) > room(best) {
			best = m
		}
	}
	return best
}

// leastShift is the least shift at which there is a line: doubling a line is a line for one more.
func (s *steps) leastShift(b *boundaries, rounding model.Rounding) (uint, bool) {
	b = b.hull(rounding)
	most := uint(maxShift)
	if s.rule.exact > 0 {
		most = min(most, s.rule.exact)
	}
	if _, ok := s.line(b, most, rounding); !ok {
		return 0, false
	}
	lo, hi := uint(0), most
	for lo < hi {
		mid := (lo + hi) / 2
		if _, ok := s.line(b, mid, rounding); ok {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return hi, true
}

// alternative is a way to reproduce a channel: a rounding, and the least shift that it works at.
type alternative struct {
	rounding model.Rounding
	shift    uint
}

// limbBits is the width in which remainders are assumed to be looked up when alternatives are compared.
const limbBits = 14

func limbs(bits uint) int { return int((bits + limbBits - 1) / limbBits) }

// cost is about how many constraints an element needs at a shift.
func (a alternative) cost(shift uint) int {
	switch {
	case a.rounding == model.Binary32:
		return 4 + 2*limbs(shift+1)
	case a.rounding.TieBits() > 0:
		return 4 + limbs(shift-a.rounding.TieBits())
	}
	return 2 + limbs(shift)
}

// alternatives lists what reproduces the steps exactly, plain rounding first.
func (s *steps) alternatives(b *boundaries) []alternative {
	var out []alternative
	if shift, ok := s.leastShift(b, model.HalfUp); ok {
		out = append(out, alternative{model.HalfUp, shift})
	}
	if e := s.rule.ties; e > 0 && e <= model.MaxTieBits {
		if shift, ok := s.leastShift(b, model.HalfAway(e)); ok {
			out = append(out, alternative{model.HalfAway(e), shift})
		}
	}
	if s.rule.mantissa > 0 {
		shift := max(s.rule.exponent, 25)
		if s.agrees(b, s.binary32Line(shift), shift, model.Binary32) {
			out = append(out, alternative{model.Binary32, shift})
		}
	}
	return out
}

func (s *steps) binary32Line(shift uint) line {
	return line{s.rule.mantissa << (shift - s.rule.exponent), 1 << (shift - 1)}
}

// agrees compares the line's quotients with the device's on both sides of every threshold.
func (s *steps) agrees(b *boundaries, l line, shift uint, rounding model.Rounding) bool {
	r := model.Rescale{Shift: shift, Roundings: []model.Rounding{rounding}}
	half := r.Least(0)
	quotient := func(acc int64) int64 { return r.Quotient(0, l.multiplier*acc+l.offset+half) }
	for _, p := range b.below {
		if quotient(p.acc) < p.n {
			return false
		}
	}
	for _, p := range b.above {
		if quotient(p.acc) >= p.n {
			return false
		}
	}
	return true
}

// requantization is how all channels of a layer are reproduced: one shift, a line and a rounding each.
type requantization struct {
	shift     uint
	lines     []line
	roundings []model.Rounding // nil where all are HalfUp
}

// requantize finds the cheapest requantization of a layer. It errs (ErrUnsupportedModel) where a
// channel has none.
func requantize(channels []steps) (*requantization, error) {
	bounds := make([]boundaries, len(channels))
	options := make([][]alternative, len(channels))
	shifts := map[uint]bool{}
	for i := range channels {
		bounds[i] = channels[i].boundaries()
		options[i] = channels[i].alternatives(&bounds[i])
		if len(options[i]) == 0 {
			return nil, fmt.Errorf("%w: channel %d: no integer form reproduces the device's rounding (scale %g)",
				ErrUnsupportedModel, i, channels[i].rule.slope)
		}
		for _, a := range options[i] {
			shifts[a.shift] = true
		}
	}
	shift := cheapest(options, shifts)
	q := &requantization{shift: shift}
	plain := true
	for i := range channels {
		rounding := best(options[i], shift).rounding
		l, err := channels[i].lineAt(&bounds[i], shift, rounding)
		if err != nil {
			return nil, fmt.Errorf("channel %d: %w", i, err)
		}
		q.lines = append(q.lines, l)
		q.roundings = append(q.roundings, rounding)
		plain = plain && rounding == model.HalfUp
	}
	if plain {
		q.roundings = nil
	}
	return q, nil
}

// cheapest is the shift of least total cost of those that occur.
func cheapest(options [][]alternative, shifts map[uint]bool) uint {
	chosen, least := uint(0), math.MaxInt
	for shift := range shifts {
		total := 0
		for _, o := range options {
			if best(o, shift) == nil {
				total = math.MaxInt
				break
			}
			total += best(o, shift).cost(shift)
		}
		if total < least || total == least && shift < chosen {
			chosen, least = shift, total
		}
	}
	return chosen
}

// best is the cheapest alternative that works at a shift, nil if there is none.
func best(options []alternative, shift uint) *alternative {
	var out *alternative
	for i := range options {
		if a := &options[i]; a.shift <= shift && (out == nil || a.cost(shift) < out.cost(shift)) {
			out = a
		}
	}
	return out
}

// lineAt is the line of an alternative that works at the shift, checked against the device's rule.
func (s *steps) lineAt(b *boundaries, shift uint, rounding model.Rounding) (line, error) {
	l, ok := s.line(b.hull(rounding), shift, rounding)
	if rounding == model.Binary32 {
		l, ok = s.binary32Line(shift), true
	}
	if !ok || !s.agrees(b, l, shift, rounding) {
		return line{}, fmt.Errorf("%w: scale %g at shift %d: the line found does not reproduce the device's steps",
			ErrUnsupportedModel, s.rule.slope, shift)
	}
	return l, nil
}

// bias is what the line adds to an accumulator, in the form that model.Rescale expects: it adds half a
// step itself.
func (q *requantization) bias(channel int) int64 {
	half := int64(0)
	if q.shift > 0 {
		half = 1 << (q.shift - 1)
	}
	return q.lines[channel].offset - half
}

// quotients bounds what the lines make of accumulators in each channel's range.
func (q *requantization) quotients(channels []steps) (lo, hi int64) {
	r := model.Rescale{Shift: q.shift}
	for i, s := range channels {
		a, b := r.Floor(q.lines[i].multiplier*s.lo+q.bias(i)), r.Floor(q.lines[i].multiplier*s.hi+q.bias(i))
		if i == 0 {
			lo, hi = a, b
		}
		lo, hi = min(lo, a-1), max(hi, b+1) // Binary32 may move one by one
	}
	return lo, hi
}
