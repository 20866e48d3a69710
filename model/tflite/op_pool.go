package tflite

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// pooling reads the options of a pooling and the window over its input.
func (n *node) pooling() (model.Window, schema.ActivationFunctionType, error) {
	var out model.Window
	if err := n.operands(1, 1); err != nil {
		return out, 0, err
	}
	if n.op.optionsType != schema.BuiltinOptionsPool2DOptions {
		return out, 0, fmt.Errorf("%w: no Pool2DOptions", ErrMalformed)
	}
	var o schema.Pool2DOptions
	o.Init(n.op.options.Bytes, n.op.options.Pos)
	_, in, err := n.image()
	if err != nil {
		return out, 0, err
	}
	w := window{kernel: [2]int{int(o.FilterHeight()), int(o.FilterWidth())}, stride: [2]int{int(o.StrideH()), int(o.StrideW())},
		dilation: [2]int{1, 1}, padding: o.Padding()}
	out, err = w.of(in.Shape[2], in.Shape[3])
	return out, o.FusedActivationFunction(), err
}

// sameScale checks that the output's integers mean what the input's do.
func (n *node) sameScale() error {
	in, out := n.tensor(0), n.output()
	if in.typ != out.typ || len(in.scales) != 1 || len(out.scales) != 1 || in.scale(0) != out.scale(0) || in.zero() != out.zero() {
		return fmt.Errorf("%w: input and output are quantized differently", ErrUnsupportedOp)
	}
	return nil
}

// averagePool lowers AVERAGE_POOL_2D: the sum of the taps on the image over their number, half away from
// zero, of the integers as they are.
func (n *node) averagePool() error {
	win, activation, err := n.pooling()
	if err != nil {
		return err
	}
	if err := n.sameScale(); err != nil {
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
	rescaled, err := n.requantize(channels, 0, n.output().volume(), func(q *requantization) model.Rescaled {
		for i := range channels {
			op.Multipliers = append(op.Multipliers, q.lines[i].multiplier)
		}
		return op
	})
	if err != nil {
		return err
	}
	return n.emit(0, rescaled, channelsFirst, x)
}

// maxPool lowers MAX_POOL_2D.
func (n *node) maxPool() error {
	win, activation, err := n.pooling()
	if err != nil {
		return err
	}
	if err := n.sameScale(); err != nil {
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
		return n.emit(0, &model.MaxPool{Window: win}, channelsFirst, x)
	}
	// The maximum of clamped values is the clamped maximum, and there are fewer of those.
	pooled, err := n.intermediate("before clamp", &model.MaxPool{Window: win}, in.Scale, in.Zero, x)
	if err != nil {
		return err
	}
	table := model.ClampTable(in.Min, in.Max, lo, hi)
	return n.emit(0, &model.Activation{Table: table}, channelsFirst, pooled)
}

// mean lowers MEAN.
func (n *node) mean() error {
	if err := n.operands(2, 2); err != nil {
		return err
	}
	list, err := n.constant(1)
	if err != nil {
		return err
	}
	in, out := n.tensor(0), n.output()
	axes, err := axesOf(list, len(in.shape))
	if err != nil {
		return err
	}
	lo, hi, err := n.quantizedOutput()
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
	t := n.b.Tensor(x)
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
	return n.emitShaped(rescaled, x)
}

// axesOf are the axes of a list, ascending, each once.
func axesOf(list []int64, rank int) ([]int, error) {
	var axes []int
	for _, a := range list {
		if a < 0 {
			a += int64(rank)
		}
		if a < 0 || a >= int64(rank) {
			return nil, fmt.Errorf("%w: axis %d of %d", ErrMalformed, a, rank)
		}
		if !slices.Contains(axes, int(a)) {
			axes = append(axes, int(a))
		}
	}
	slices.Sort(axes)
	return axes, nil
}

// meanRule maps the sum less count zero points to the quotient.
func (n *node) meanRule(in, out *tensor, count, reach int64) (rule, error) {
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
