package tflite

import (
	"fmt"
	"math"
	"slices"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// addShift is how far the reference kernels shift the operands of an addition.
const addShift = 20

// sum is what ADD or SUB does to two integers, before the clamp: a pair of bytes to a quotient less the
// output's zero point. slopes are the real factors.
type sum struct {
	quotient func(a, b int64) int64 // of the integers less their zero points
	slopes   [2]float64
}

func (n *integerNode) add() error {
	var o schema.AddOptions
	if err := n.options(schema.BuiltinOptionsAddOptions, &o); err != nil {
		return err
	}
	return n.sum(1, o.FusedActivationFunction())
}

func (n *integerNode) sub() error {
	var o schema.SubOptions
	if err := n.options(schema.BuiltinOptionsSubOptions, &o); err != nil {
		return err
	}
	return n.sum(-1, o.FusedActivationFunction())
}

// sumRule is the rule of x + sign·y.
func (n *integerNode) sumRule(sign int64) (sum, error) {
	a, b, out := n.tensor(0).scale(0), n.tensor(1).scale(0), n.out().scale(0)
	if n.rounding == LiteRT {
		return binarySum(float32(a/out), float32(b/out), sign)
	}
	factors := sumFactors(a, b, out)
	if sign < 0 {
		factors = differenceFactors(a, b, out)
	}
	var scaled [3]func(int64) int64
	for i, real := range factors {
		var err error
		if scaled[i], err = n.rounding.scaled(real); err != nil {
			return sum{}, err
		}
	}
	first, second, last := scaled[0], scaled[1], scaled[2]
	return sum{
		quotient: func(x, y int64) int64 { return last(first(x<<addShift) + sign*second(y<<addShift)) },
		slopes:   [2]float64{float64(a) / float64(out), float64(sign) * float64(b) / float64(out)},
	}, nil
}

// sumFactors are the real multipliers of both operands and of their sum.
func sumFactors(a, b, out float32) [3]float64 {
	twice := 2 * float64(max(a, b))
	return [3]float64{float64(a) / twice, float64(b) / twice, twice / (float64(int(1)<<addShift) * float64(out))}
}

// differenceFactors are those of a subtraction, which the kernels compute in binary32.
func differenceFactors(a, b, out float32) [3]float64 {
	twice := 2 * max(a, b)
	return [3]float64{float64(a / twice), float64(b / twice), float64(twice / float32(float32(int(1)<<addShift)*out))}
}

// binarySum is XNNPACK's sum: both factors rounded to 21 bits, one shift.
func binarySum(ra, rb float32, sign int64) (sum, error) {
	if min(ra, rb) < 1.0/1024 || max(ra, rb) >= 256 {
		return sum{}, fmt.Errorf("%w: scales in the ratios %g and %g, XNNPACK takes 2^-10 to 256", ErrUnsupportedModel, ra, rb)
	}
	_, e := math.Frexp(float64(max(ra, rb)))
	shift := 20 - (e - 1)
	ma, mb := int64(math.RoundToEven(math.Ldexp(float64(ra), shift))), sign*int64(math.RoundToEven(math.Ldexp(float64(rb), shift)))
	return sum{
		quotient: func(x, y int64) int64 { return (ma*x + mb*y + 1<<(shift-1)) >> shift },
		slopes:   [2]float64{float64(ra), float64(sign) * float64(rb)},
	}, nil
}

// binary checks the operands of an operator of two tensors: both quantized as a whole.
func (n *integerNode) binary() error {
	if err := n.operands(2, 2); err != nil {
		return err
	}
	for k := range 2 {
		if t := n.tensor(k); t == nil || len(t.scales) != 1 {
			return fmt.Errorf("%w: operand %d is not quantized as a whole", ErrUnsupportedOp, k)
		}
	}
	if err := n.sameType(0, 1); err != nil {
		return err
	}
	if !n.computed(0) && !n.computed(1) {
		return fmt.Errorf("%w: neither operand is computed", ErrUnsupportedOp)
	}
	return nil
}

// sum lowers x + sign·y.
func (n *integerNode) sum(sign int64, activation schema.ActivationFunctionType) error {
	if err := n.binary(); err != nil {
		return err
	}
	lo, hi, err := n.clamp(activation)
	if err != nil {
		return err
	}
	rule, err := n.sumRule(sign)
	if err != nil {
		return err
	}
	if !n.computed(0) {
		return n.withConstant(1, 0, lo, hi, func(c int64) constantRule {
			return constantRule{rule.slopes[1], func(y int64) int64 { return rule.quotient(c, y) }}
		})
	}
	if !n.computed(1) {
		return n.withConstant(0, 1, lo, hi, func(c int64) constantRule {
			return constantRule{rule.slopes[0], func(x int64) int64 { return rule.quotient(x, c) }}
		})
	}
	l, ids, err := n.pair()
	if err != nil {
		return err
	}
	p := n.pairs(ids, rule, lo, hi)
	shift, multipliers, offset, ok := p.plane()
	if !ok {
		return fmt.Errorf("%w: no weighted sum reproduces the device's rounding for all pairs of operands", ErrUnsupportedModel)
	}
	op := &model.Add{Zeros: []int64{n.tensor(0).zero(), n.tensor(1).zero()}, Multipliers: multipliers[:]}
	half := int64(1) << shift >> 1
	op.Bias = []int64{offset - half}
	c := &clampedLayer{rescale: &op.Rescale, least: p.least, most: p.most, zero: n.out().zero(), count: n.out().volume()}
	from, to := p.quotients(shift, multipliers, offset)
	c.width = bitsOf(min(from, c.least), max(to, c.most))
	op.Rescale.Shift = shift
	c.saturate()
	n.g.clamps = append(n.g.clamps, c)
	return n.emit(op, l, ids[0], ids[1])
}

// pair are both operands in one layout.
func (n *integerNode) pair() (layout, [2]ref, error) {
	l := n.inputLayout(0, 1)
	var ids [2]ref
	for k := range ids {
		var err error
		if ids[k], err = n.input(k, l); err != nil {
			return 0, ids, err
		}
	}
	return l, ids, nil
}

// pairs is a sum at every pair of operands.
type pairs struct {
	lo, hi      [2]int64 // of the operands less their zero points
	least, most int64
	clamped     []int64 // clamped, operand 1 runs fastest
	slopes      [2]float64
}

func (n *integerNode) pairs(ids [2]ref, s sum, lo, hi int64) *pairs {
	zero := n.out().zero()
	p := &pairs{least: lo - zero, most: hi - zero, slopes: s.slopes}
	for k, id := range ids {
		t := n.at(id)
		p.lo[k], p.hi[k] = t.Min-n.tensor(k).zero(), t.Max-n.tensor(k).zero()
	}
	for x := p.lo[0]; x <= p.hi[0]; x++ {
		for y := p.lo[1]; y <= p.hi[1]; y++ {
			p.clamped = append(p.clamped, min(max(s.quotient(x, y), p.least), p.most))
		}
	}
	return p
}

// plane finds the least shift at which a weighted sum has the quotients at every pair. Ties that a device
// rounds away from zero ask for a slightly steeper plane, so neighbours of the rounded weights are tried.
func (p *pairs) plane() (shift uint, multipliers [2]int64, offset int64, ok bool) {
	const least, most = 8, 34
	for shift = least; shift <= most; shift++ {
		for _, da := range []int64{0, 1, -1} {
			for _, db := range []int64{0, 1, -1} {
				m := [2]int64{int64(math.Round(math.Ldexp(p.slopes[0], int(shift)))) + da, int64(math.Round(math.Ldexp(p.slopes[1], int(shift)))) + db}
				if from, to := p.offsets(m, shift); from <= to {
					return shift, m, min(max(int64(1)<<shift>>1, from), to), true
				}
			}
		}
	}
	return 0, multipliers, 0, false
}

// offsets is the interval of offsets that the weights admit; it stops at the first contradiction.
func (p *pairs) offsets(m [2]int64, shift uint) (from, to int64) {
	from, to = math.MinInt64/4, math.MaxInt64/4
	i := 0
	for x := p.lo[0]; x <= p.hi[0]; x++ {
		for y := p.lo[1]; y <= p.hi[1]; y++ {
			q, at := p.clamped[i], m[0]*x+m[1]*y
			i++
			if q > p.least {
				from = max(from, q<<shift-at)
			}
			if q < p.most {
				to = min(to, (q+1)<<shift-1-at)
			}
		}
		if from > to {
			break
		}
	}
	return from, to
}

// quotients bounds what the plane gives.
func (p *pairs) quotients(shift uint, m [2]int64, offset int64) (lo, hi int64) {
	corners := []int64{}
	for _, x := range []int64{p.lo[0], p.hi[0]} {
		for _, y := range []int64{p.lo[1], p.hi[1]} {
			corners = append(corners, (m[0]*x+m[1]*y+offset)>>shift)
		}
	}
	return slices.Min(corners), slices.Max(corners)
}

// constantRule is an operator of two tensors with one held at a constant: a function of the other operand
// less its zero point, monotone with the sign of slope.
type constantRule struct {
	slope    float64
	quotient func(x int64) int64
}

// withConstant lowers an operator whose operand c is constant and operand k is not: each element of the
// constant is a channel of an elementwise affine function.
func (n *integerNode) withConstant(k, c int, lo, hi int64, at func(c int64) constantRule) error {
	values, err := n.constant(c)
	if err != nil {
		return err
	}
	x, err := n.input(k, native)
	if err != nil {
		return err
	}
	in, zero, constantZero := n.at(x), n.out().zero(), n.tensor(c).zero()
	from, to := in.Min-n.tensor(k).zero(), in.Max-n.tensor(k).zero()
	// One channel for each value that occurs.
	var channels []steps
	var signs []int64
	channelOf := map[int64]int{}
	for _, v := range values {
		if _, seen := channelOf[v]; seen {
			continue
		}
		f := at(v - constantZero)
		s := steps{lo: from, hi: to, least: lo - zero, most: hi - zero, rule: rule{slope: math.Abs(f.slope), quotient: f.quotient}}
		sign := int64(1)
		if f.slope < 0 { // a function of −x that does not decrease
			sign = -1
			s.lo, s.hi = -to, -from
			s.rule.quotient = func(x int64) int64 { return f.quotient(-x) }
		}
		channelOf[v] = len(channels)
		channels, signs = append(channels, s), append(signs, sign)
	}
	op, err := n.requantize(channels, zero, n.out().volume(), func(q *requantization) model.Rescaled {
		a := &model.Affine{ParamShape: n.tensor(c).shape, Zero: n.tensor(k).zero()}
		for _, v := range values {
			j := channelOf[v]
			a.Scale = append(a.Scale, signs[j]*q.lines[j].multiplier)
			a.Shift = append(a.Shift, q.bias(j))
		}
		return a
	})
	if err != nil {
		return err
	}
	return n.emit(op, native, x)
}

// mul lowers MUL.
func (n *integerNode) mul() error {
	if err := n.binary(); err != nil {
		return err
	}
	var o schema.MulOptions
	if err := n.options(schema.BuiltinOptionsMulOptions, &o); err != nil {
		return err
	}
	lo, hi, err := n.clamp(o.FusedActivationFunction())
	if err != nil {
		return err
	}
	const reach = 1 << 16
	rule, err := n.productRule(reach)
	if err != nil {
		return err
	}
	for k := range 2 {
		if !n.computed(1 - k) {
			return n.withConstant(k, 1-k, lo, hi, func(c int64) constantRule {
				return constantRule{rule.slope * float64(c), func(x int64) int64 { return rule.quotient(x * c) }}
			})
		}
	}
	l, ids, err := n.pair()
	if err != nil {
		return err
	}
	var ends [2][2]int64
	for k, id := range ids {
		t := n.at(id)
		ends[k] = [2]int64{t.Min - n.tensor(k).zero(), t.Max - n.tensor(k).zero()}
	}
	var products []int64
	for _, x := range ends[0] {
		for _, y := range ends[1] {
			products = append(products, x*y)
		}
	}
	zero := n.out().zero()
	s := steps{lo: slices.Min(products), hi: slices.Max(products), least: lo - zero, most: hi - zero, rule: rule, centred: true}
	op, err := n.requantizeOrTabulate(s, func(multiplier int64) model.Rescaled {
		return &model.Mul{Zeros: [2]int64{n.tensor(0).zero(), n.tensor(1).zero()}, Multiplier: []int64{multiplier}}
	})
	if err != nil {
		return err
	}
	return n.emit(op, l, ids[0], ids[1])
}

// productRule is the requantization of a product of two integers less their zero points.
func (n *integerNode) productRule(reach int64) (rule, error) {
	a, b, out := n.tensor(0).scale(0), n.tensor(1).scale(0), n.out().scale(0)
	if n.rounding == LiteRT {
		scale := float32(float32(a*b) / out)
		if scale < 1.0/(1<<16) {
			return rule{}, fmt.Errorf("%w: scale %g, XNNPACK takes 2^-16 to 256", ErrUnsupportedModel, scale)
		}
		return floatRule(scale, reach)
	}
	return n.rounding.fixedRule(float64(a)*float64(b)/float64(out), reach)
}
