package model

import (
	"fmt"
	"math/bits"
)

// Rounding says at which accumulators an output channel passes from one quotient to the next. It
// belongs to the architecture.
//
// HalfUp is a plain floor. The others reproduce, integer for integer, what devices do where no floor
// of a line (multiplier·accumulator + constant) has the same steps:
//
//   - HalfAway(e), 1 ≤ e ≤ MaxTieBits, is what remains of rounding twice, half up to 2^−e steps and
//     then half away from zero (TensorFlow Lite's reference kernels): with Q the half-up quotient and
//     R its remainder, 0 ≤ R < 2^T, it is Q − 1 if Q ≤ 0 and the e leading bits of R are 0, else Q.
//   - Binary32 is what remains of one float32 product rounded half to even (XNNPACK): the float32
//     grid moves the boundary between n − 1 and n by 2^(k−24) of a step, k = ⌊log2 |n − ½|⌋, downwards
//     for even n and upwards (and past it) for odd n. Needs T ≥ 25.
type Rounding uint8

// The roundings other than HalfAway.
const (
	HalfUp   Rounding = 0
	Binary32 Rounding = 255
)

// MaxTieBits bounds HalfAway: a circuit looks the leading bits of remainders up.
const MaxTieBits = 14

// minBinary32Shift makes 2^(T−25), the smallest move of a boundary, an integer.
const minBinary32Shift = 25

// HalfAway rounds half away from zero what was rounded to 2^−e steps; HalfAway(0) is HalfUp.
func HalfAway(e uint) Rounding { return Rounding(e) }

// TieBits is e of HalfAway(e), 0 for the others.
func (r Rounding) TieBits() uint {
	if r == Binary32 {
		return 0
	}
	return uint(r)
}

// String is "half up", "half away (2^-7)", "binary32".
func (r Rounding) String() string {
	switch r {
	case HalfUp:
		return "half up"
	case Binary32:
		return "binary32"
	}
	return fmt.Sprintf("half away (2^-%d)", r.TieBits())
}

func (r Rounding) check(shift uint) error {
	if r == Binary32 && shift < minBinary32Shift {
		return fmt.Errorf("%w: binary32 rounding at shift %d, expected at least %d", ErrAttribute, shift, minBinary32Shift)
	}
	if r.TieBits() > min(MaxTieBits, shift) {
		return fmt.Errorf("%w: rounding half away from zero after 2^-%d steps at shift %d, expected at most %d bits and at most the shift",
			ErrAttribute, r.TieBits(), shift, MaxTieBits)
	}
	return nil
}

// Quotient is q of an accumulator of that output channel.
func (r *Rescale) Quotient(channel int, acc int64) int64 {
	q := r.Floor(acc)
	if r.Roundings == nil {
		return q
	}
	switch rounding := r.Roundings[channel]; rounding {
	case HalfUp:
		return q
	case Binary32:
		return r.Binary32Quotient(acc)
	default:
		if q <= 0 && r.Tie(rounding, acc) {
			return q - 1
		}
		return q
	}
}

// Binary32Quotient is the quotient of an accumulator of a channel that rounds so.
func (r *Rescale) Binary32Quotient(acc int64) int64 {
	q := r.Floor(acc)
	switch {
	case acc >= r.boundary(q+1):
		return q + 1
	case acc < r.boundary(q):
		return q - 1
	}
	return q
}

// Floor is the half-up quotient ⌊(acc + 2^(Shift−1)) / 2^Shift⌋, acc itself for Shift 0.
func (r *Rescale) Floor(acc int64) int64 { return (acc + r.half()) >> r.Shift }

// Least is the least accumulator whose half-up quotient is q.
func (r *Rescale) Least(q int64) int64 { return q<<r.Shift - r.half() }

// Remainder is what the half-up quotient leaves: acc + 2^(Shift−1) − Floor·2^Shift.
func (r *Rescale) Remainder(acc int64) int64 { return (acc + r.half()) & (1<<r.Shift - 1) }

// Tie tells whether the leading bits of the remainder that the rounding looks at are all 0.
func (r *Rescale) Tie(rounding Rounding, acc int64) bool {
	return r.Remainder(acc)>>(r.Shift-rounding.TieBits()) == 0
}

// Displacement is how far, for Binary32, the least accumulator with quotient n lies above that of
// HalfUp, which is n·2^Shift − 2^(Shift−1).
func (r *Rescale) Displacement(n int64) int64 {
	twice := magnitude(2*n - 1)                 // |n − ½| = twice/2
	k := bits.Len64(twice) - 2                  // ⌊log2⌋
	move := int64(1) << (int(r.Shift) + k - 24) // 2^(k−24) of a step
	if n%2 == 0 {
		return -move
	}
	return move + 1
}

// boundary is the least accumulator whose Binary32 quotient is n or more.
func (r *Rescale) boundary(n int64) int64 { return r.Least(n) + r.Displacement(n) }

// has tells whether some channel rounds so.
func (r *Rescale) has(is func(Rounding) bool) bool {
	for _, x := range r.Roundings {
		if is(x) {
			return true
		}
	}
	return false
}

func (r *Rescale) hasTies() bool {
	return r.has(func(x Rounding) bool { return x.TieBits() > 0 })
}

func (r *Rescale) hasBinary32() bool { return r.has(func(x Rounding) bool { return x == Binary32 }) }

// slack bounds the displacements of the boundaries in [QMin, QMax+1].
func (r *Rescale) slack() int64 {
	if !r.hasBinary32() {
		return 0
	}
	return 1 << (r.Shift - 1)
}

// checkRoundings tests them against the number of the output's channels.
func (r *Rescale) checkRoundings(channels int) error {
	if r.Roundings == nil {
		return nil
	}
	if len(r.Roundings) != channels {
		return fmt.Errorf("%w: %d roundings, expected one for each of %d output channels", ErrAttribute, len(r.Roundings), channels)
	}
	for _, x := range r.Roundings {
		if err := x.check(r.Shift); err != nil {
			return err
		}
	}
	// The displacement of a boundary must stay below half a step.
	if r.hasBinary32() && max(magnitude(r.QMin), magnitude(r.QMax)) >= 1<<22 {
		return fmt.Errorf("%w: quotients [%d, %d] under binary32 rounding, expected fewer than 23 bits", ErrAttribute, r.QMin, r.QMax)
	}
	// A table that ends at or below 0 would leave a quotient above its end to the tie's rule.
	if r.hasTies() && r.Table.Max() < min(r.QMax, 1) {
		return fmt.Errorf("%w: rounding half away from zero with a table that ends at %d and quotients up to %d", ErrAttribute, r.Table.Max(), r.QMax)
	}
	return nil
}

// Channels tells how the elements of the op's output fall into channels: element i belongs to
// channel i/inner mod n. Ops without channels have one.
func Channels(op Rescaled, out Tensor) (n, inner int) {
	switch op := op.(type) {
	case *Conv:
		return op.OutC, out.Shape[2] * out.Shape[3]
	case *Dense:
		return op.OutN, 1
	}
	return 1, max(out.Len(), 1)
}
