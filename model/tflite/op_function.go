package tflite

import (
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// A function of one byte is a table of 256 rows, whatever a device does to compute it.

// byteFunction lowers a function of each element.
func (n *integerNode) byteFunction() error {
	if err := n.operands(1, 1); err != nil {
		return err
	}
	if _, _, err := n.outputRange(); err != nil {
		return err
	}
	if err := n.sameType(0); err != nil {
		return err
	}
	f, err := n.function()
	if err != nil {
		return err
	}
	return n.tabulate(f)
}

// tabulate emits the table of f, which maps integers of the input to integers of the output, clamped to
// the output's type.
func (n *integerNode) tabulate(f func(x int64) int64) error {
	lo, hi, err := n.outputRange()
	if err != nil {
		return err
	}
	l := n.inputLayout(0)
	x, err := n.input(0, l)
	if err != nil {
		return err
	}
	t := n.at(x)
	table := model.Table{Name: n.op.code.String(), Min: t.Min}
	identity := true
	for v := t.Min; v <= t.Max; v++ {
		y := min(max(f(v), lo), hi)
		identity = identity && y == v
		table.Values = append(table.Values, y)
	}
	if identity {
		return n.set(0, x, l)
	}
	return n.emit(&model.Activation{Table: table}, l, x)
}

// function is the operator's function of an integer of its input.
func (n *integerNode) function() (func(x int64) int64, error) {
	switch n.op.code {
	case schema.BuiltinOperatorLOGISTIC:
		if n.rounding == LiteRT {
			return n.floatFunction(func(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }), nil
		}
		return n.fixedFunction(fixedpoint.Logistic, 8, 0)
	case schema.BuiltinOperatorTANH:
		if n.rounding == LiteRT {
			return n.floatFunction(func(x float32) float32 { return float32(math.Tanh(float64(x))) }), nil
		}
		return n.fixedFunction(fixedpoint.Tanh, 7, 128)
	case schema.BuiltinOperatorRELU:
		return n.rectifier(0, float32(math.Inf(1)))
	case schema.BuiltinOperatorRELU6:
		if n.rounding != LiteRT {
			// TensorFlow Lite Micro clamps in the input's scale and ignores the output's.
			if err := n.g.sameMeaning(n.op.inputs[0], n.op.outputs[0]); err != nil {
				return nil, err
			}
		}
		return n.rectifier(0, 6)
	case schema.BuiltinOperatorRELU_N1_TO_1:
		return n.rectifier(-1, 1)
	case schema.BuiltinOperatorLEAKY_RELU:
		return n.leaky()
	case schema.BuiltinOperatorHARD_SWISH:
		return n.hardSwish()
	}
	return nil, fmt.Errorf("%w: %s", ErrUnsupportedOp, n.op.code)
}

// floatFunction is XNNPACK's table of a function: all in binary32, half to even.
func (n *integerNode) floatFunction(f func(float32) float32) func(int64) int64 {
	in, out := n.tensor(0), n.out()
	inverse := 1 / out.scale(0)
	return func(x int64) int64 {
		y := f(float32(x-in.zero()) * in.scale(0))
		scaled := float32(float32(y*inverse) + float32(out.zero()))
		return int64(math.RoundToEven(float64(scaled)))
	}
}

// fixedFunction is the reference kernels': the argument in fixed point with four integer bits, the result
// with outBits fraction bits above the least integer and zero; saturated beyond the range of the argument.
func (n *integerNode) fixedFunction(f func(int32, int) int32, outBits int, zero int64) (func(int64) int64, error) {
	const integerBits = 4
	in, out := n.tensor(0), n.out()
	lo, hi, err := n.outputRange()
	if err != nil {
		return nil, err
	}
	if zero += lo; out.zero() != zero || out.scale(0) != float32(math.Ldexp(1, -outBits)) {
		return nil, fmt.Errorf("%w: output scale %g and zero point %d, the kernels expect 2^-%d and %d", ErrUnsupportedOp, out.scale(0), out.zero(), outBits, zero)
	}
	q, shift := math.Frexp(float64(in.scale(0)) * (1 << (31 - integerBits)))
	m := int32(min(math.Round(q*(1<<31)), math.MaxInt32))
	radius := int64(math.Floor(15 * math.Ldexp(1, 31-integerBits-shift)))
	return func(x int64) int64 {
		d := x - in.zero()
		switch {
		case d <= -radius:
			return lo
		case d >= radius:
			return hi
		}
		y := f(int32(n.rounding.multiply(d, m, shift)), integerBits)
		return min(max(int64(fixedpoint.RDBPOT(y, 31-outBits))+zero, lo), hi)
	}, nil
}

// multiply is the product of an integer and a quantized multiplier.
func (r Rounding) multiply(x int64, m int32, shift int) int64 {
	if r == Single {
		return fixedpoint.SingleRoundMBQM(int32(x), m, shift)
	}
	return int64(fixedpoint.MBQM(int32(x), m, shift))
}

// scaled is x ↦ x·real as the reference kernels round it.
func (r Rounding) scaled(real float64) (func(x int64) int64, error) {
	m, shift, err := fixedpoint.QuantizeMultiplier(real)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupportedModel, err)
	}
	if shift > 20 {
		return nil, fmt.Errorf("%w: scales differ by a factor of %g", ErrUnsupportedModel, real)
	}
	return func(x int64) int64 { return r.multiply(x, m, shift) }, nil
}

// rectifier is a clamp between two real numbers, with a change of scale. LiteRT leaves it to the builtin
// kernels, which round twice.
func (n *integerNode) rectifier(from, to float32) (func(x int64) int64, error) {
	in, out := n.tensor(0), n.out()
	r := n.rounding
	if r == LiteRT {
		r = TFLM
	}
	rescale, err := r.scaled(float64(float32(in.scale(0) / out.scale(0))))
	if err != nil {
		return nil, err
	}
	typeMin, typeMax, err := n.outputRange()
	if err != nil {
		return nil, err
	}
	lo, hi := r.quantized(from, out.scale(0), out.zero(), typeMin, typeMax), typeMax
	if !math.IsInf(float64(to), 1) {
		hi = r.quantized(to, out.scale(0), out.zero(), typeMin, typeMax)
	}
	return func(x int64) int64 { return min(max(rescale(x-in.zero())+out.zero(), lo), hi) }, nil
}

// leaky is LEAKY_RELU: another scale for negative numbers.
func (n *integerNode) leaky() (func(x int64) int64, error) {
	var o schema.LeakyReluOptions
	if err := n.options(schema.BuiltinOptionsLeakyReluOptions, &o); err != nil {
		return nil, err
	}
	in, out := n.tensor(0), n.out()
	ratio := float32(in.scale(0) / out.scale(0))
	var positive, negative func(int64) int64
	var err error
	if n.rounding == LiteRT {
		slope := float32(ratio * o.Alpha())
		if ratio < 1.0/256 || ratio > 128 {
			return nil, fmt.Errorf("%w: LEAKY_RELU with scales in the ratio %g, XNNPACK takes 1/256 to 128", ErrUnsupportedModel, ratio)
		}
		positive, negative = byFraction(ratio), byFraction(slope)
	} else {
		if positive, err = n.rounding.scaled(float64(ratio)); err != nil {
			return nil, err
		}
		if negative, err = n.rounding.scaled(float64(float32(float32(in.scale(0)*o.Alpha()) / out.scale(0)))); err != nil {
			return nil, err
		}
	}
	return func(x int64) int64 {
		if d := x - in.zero(); d < 0 {
			return negative(d) + out.zero()
		}
		return positive(x-in.zero()) + out.zero()
	}, nil
}

// hardSwish is HARD_SWISH, x·relu6(x+3)/6 on 16 bits with 7 more fraction bits than the input.
func (n *integerNode) hardSwish() (func(x int64) int64, error) {
	in, out := n.tensor(0), n.out()
	fine := float32(in.scale(0) * (1.0 / 128))
	outM, outShift, err := fixedpoint.QuantizeMultiplier(float64(float32(fine / out.scale(0))))
	if err != nil || outShift > 0 {
		return nil, fmt.Errorf("%w: HARD_SWISH from scale %g to %g", ErrUnsupportedModel, in.scale(0), out.scale(0))
	}
	gateM, gateShift, err := fixedpoint.QuantizeMultiplier(float64(float32(fine / float32(3.0/32768))))
	if err != nil || gateShift > 15 {
		return nil, fmt.Errorf("%w: HARD_SWISH of scale %g", ErrUnsupportedModel, in.scale(0))
	}
	out16, gate16 := halved(outM), halved(gateM)
	return func(x int64) int64 {
		d := (x - in.zero()) << 7
		scaled := multiply16(d, out16)
		gate := d
		if gateShift > 0 {
			gate = saturate16(gate << (gateShift - 1))
		}
		gate = multiply16(gate, gate16)
		switch {
		case gateShift > 0:
			gate = saturate16(gate << 1)
		case gateShift < 0:
			gate = int64(fixedpoint.RDBPOT(int32(gate), -gateShift))
		}
		gate = (gate + 1<<15) >> 1 // from [−1, 1] to [0, 1]
		product := gate * scaled / (1 << 15)
		return int64(fixedpoint.RDBPOT(int32(product), -outShift)) + out.zero()
	}, nil
}

// halved is the upper half of a multiplier, rounded half up.
func halved(m int32) int64 {
	if m >= math.MaxInt32-1<<15 {
		return math.MaxInt16
	}
	return (int64(m) + 1<<15) >> 16
}

func saturate16(x int64) int64 { return min(max(x, math.MinInt16), math.MaxInt16) }

// multiply16 is the rounding doubling high multiplication on 16 bits.
func multiply16(a, b int64) int64 { return saturate16((a*b + 1<<14) >> 15) }

// byFraction is XNNPACK's product with eight fraction bits, half up.
func byFraction(ratio float32) func(x int64) int64 {
	m := int64(math.RoundToEven(float64(256 * ratio)))
	return func(x int64) int64 { return (x*m + 128) >> 8 }
}

// quantize lowers QUANTIZE: at the model's border it says what the input's integers mean, between
// integers it changes their scale.
func (n *integerNode) quantize() error {
	if err := n.operands(1, 1); err != nil {
		return err
	}
	if n.values[n.op.outputs[0]] != nil {
		return nil // the model's input
	}
	in, out := n.tensor(0), n.out()
	if in == nil || len(in.scales) != 1 {
		return fmt.Errorf("%w: its input is no quantized tensor", ErrUnsupportedOp)
	}
	if in.typ == out.typ && n.rounding == LiteRT {
		ratio := float32(in.scale(0) / out.scale(0))
		if ratio < 1.0/256 || ratio > 128 {
			return fmt.Errorf("%w: scales in the ratio %g, XNNPACK takes 1/256 to 128", ErrUnsupportedModel, ratio)
		}
		f := byFraction(ratio)
		return n.tabulate(func(x int64) int64 { return f(x-in.zero()) + out.zero() })
	}
	if n.rounding == LiteRT && in.scale(0) != out.scale(0) {
		// The builtin kernel rounds the first elements in another way than the last ones.
		return fmt.Errorf("%w: from %s to %s with another scale", ErrUnsupportedOp, in.typ, out.typ)
	}
	r := n.rounding
	if r == LiteRT {
		r = TFLM
	}
	f, err := r.scaled(float64(in.scale(0)) / float64(out.scale(0)))
	if err != nil {
		return err
	}
	return n.tabulate(func(x int64) int64 { return f(x-in.zero()) + out.zero() })
}

// dequantize lowers DEQUANTIZE at the model's border: the output is the integers, with their scale.
func (n *integerNode) dequantize() error {
	if err := n.operands(1, 1); err != nil {
		return err
	}
	if n.tensor(0) == nil {
		return fmt.Errorf("%w: input 0 is missing", ErrMalformed)
	}
	v, ok := n.values[n.op.inputs[0]]
	if !ok {
		return fmt.Errorf("%w: its input is not computed", ErrUnsupportedOp)
	}
	n.values[n.op.outputs[0]] = v
	return nil
}
