package tflite

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// pooling reads the options of a pooling and the window over its input.
func (n *node) pooling() (win model.Window, activation schema.ActivationFunctionType, err error) {
	if err := n.operands(1, 1); err != nil {
		return win, 0, err
	}
	var o schema.Pool2DOptions
	if err := n.options(schema.BuiltinOptionsPool2DOptions, &o); err != nil {
		return win, 0, err
	}
	x, err := n.input(0, channelsFirst)
	if err != nil {
		return win, 0, err
	}
	shape := n.target.shape(x)
	w := window{kernel: [2]int{int(o.FilterHeight()), int(o.FilterWidth())}, stride: [2]int{int(o.StrideH()), int(o.StrideW())},
		dilation: [2]int{1, 1}, padding: o.Padding()}
	win, err = w.of(shape[2], shape[3])
	return win, o.FusedActivationFunction(), err
}

// averagePool lowers AVERAGE_POOL_2D: the sum of the taps on the image over their number, half away from
// zero, of the integers as they are.
func (n *integerNode) averagePool() error {
	win, activation, err := n.pooling()
	if err != nil {
		return err
	}
	if err := n.g.sameMeaning(n.op.inputs[0], n.op.outputs[0]); err != nil {
		return err
	}
	lo, hi, err := n.clamp(activation)
	if err != nil {
		return err
	}
	x, in, err := n.image()
	if err != nil {
		return err
	}
	op := &model.AvgPool{Window: win}
	var channels []steps
	for _, count := range op.Counts(in.Shape) {
		k := int64(count)
		if k == 0 {
			return fmt.Errorf("%w: a window that lies on padding alone", ErrUnsupportedOp)
		}
		channels = append(channels, steps{lo: in.Min * k, hi: in.Max * k, least: lo, most: hi, centred: true,
			rule: rule{slope: 1 / float64(k), quotient: func(sum int64) int64 { return halfAway(sum, k) }}})
	}
	rescaled, err := n.requantize(channels, 0, n.out().volume(), func(q *requantization) model.Rescaled {
		for i := range channels {
			op.Multipliers = append(op.Multipliers, q.lines[i].multiplier)
		}
		return op
	})
	if err != nil {
		return err
	}
	return n.emit(rescaled, channelsFirst, x)
}

// maxPool lowers MAX_POOL_2D.
func (n *integerNode) maxPool() error {
	win, activation, err := n.pooling()
	if err != nil {
		return err
	}
	if err := n.g.sameMeaning(n.op.inputs[0], n.op.outputs[0]); err != nil {
		return err
	}
	lo, hi, err := n.clamp(activation)
	if err != nil {
		return err
	}
	x, in, err := n.image()
	if err != nil {
		return err
	}
	if in.Min >= lo && in.Max <= hi {
		return n.emit(&model.MaxPool{Window: win}, channelsFirst, x)
	}
	// The maximum of clamped values is the clamped maximum, and there are fewer of those.
	pooled, err := n.g.add(n.name()+" before clamp", &model.MaxPool{Window: win}, in.Scale, in.Zero, x)
	if err != nil {
		return err
	}
	table := model.ClampTable(in.Min, in.Max, lo, hi)
	return n.emit(&model.Activation{Table: table}, channelsFirst, pooled)
}

// mean lowers MEAN.
func (n *integerNode) mean() error {
	axes, err := n.axes()
	if err != nil {
		return err
	}
	if err := n.sameType(0); err != nil {
		return err
	}
	in, out := n.tensor(0), n.out()
	lo, hi, err := n.outputRange()
	if err != nil {
		return err
	}
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	count := int64(1)
	for _, a := range axes {
		count *= int64(in.shape[a])
	}
	t := n.at(x)
	// s is the range of the sum less the zero points.
	s := steps{lo: (t.Min - in.zero()) * count, hi: (t.Max - in.zero()) * count, least: lo - out.zero(), most: hi - out.zero(), centred: true}
	if s.rule, err = n.meanRule(in, out, count, max(s.hi, -s.lo)); err != nil {
		return err
	}
	op := &model.Mean{Axes: axes, KeepDims: len(out.shape) == len(in.shape), Zero: in.zero()}
	rescaled, err := n.requantizeOrTabulate(s, func(multiplier int64) model.Rescaled {
		op.Multiplier = []int64{multiplier}
		return op
	})
	if err != nil {
		return err
	}
	return n.emitReshaped(rescaled, x)
}

// axes are those of a constant list of input 1.
func (n *node) axes() ([]int, error) {
	if err := n.operands(2, 2); err != nil {
		return nil, err
	}
	list, err := n.constant(1)
	if err != nil {
		return nil, err
	}
	if n.tensor(0) == nil {
		return nil, fmt.Errorf("%w: input 0 is missing", ErrMalformed)
	}
	return axesOf(list, len(n.tensor(0).shape))
}

// meanRule maps the sum less count zero points to the quotient.
func (n *integerNode) meanRule(in, out *tensor, count, reach int64) (rule, error) {
	ratio := float32(in.scale(0) / out.scale(0))
	if n.rounding == LiteRT {
		scale := float32(ratio * float32(1/float32(count)))
		zero := float32(float32(out.zero()) - float32(float32(float32(count)*float32(in.zero()))*scale))
		return rule{slope: float64(scale), quotient: func(sum int64) int64 {
			raw := float32(sum + count*in.zero()) // XNNPACK sums the integers as they are
			return int64(math.RoundToEven(float64(float32(float32(raw*scale)+zero)))) - out.zero()
		}}, nil
	}
	m, shift, err := fixedpoint.QuantizeMultiplier(float64(in.scale(0)) / float64(out.scale(0)))
	if err != nil {
		return rule{}, fmt.Errorf("%w: %w", ErrUnsupportedModel, err)
	}
	// The kernels divide the multiplier by the count, in integers.
	extra := min(bits.Len64(uint64(count))-1, 32, 31+shift)
	m, shift = int32((int64(m)<<extra)/count), shift-extra
	return n.rounding.quantizedRule(m, shift, reach)
}
