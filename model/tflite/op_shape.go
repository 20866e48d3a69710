package tflite

import (
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// moved checks that the output means what input 0 does: its op moves integers and computes nothing.
func (n *node) moved(least, most int) error {
	if err := n.operands(least, most); err != nil {
		return err
	}
	return n.sameScale()
}

// reshape lowers RESHAPE, SQUEEZE and EXPAND_DIMS: the file says the output's shape.
func (n *node) reshape() error {
	if err := n.moved(1, 2); err != nil {
		return err
	}
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	if n.b.Tensor(x).Len() != n.output().volume() {
		return fmt.Errorf("%w: %v reshaped to %v", ErrMalformed, n.b.Tensor(x).Shape, n.output().shape)
	}
	if x, err = n.reshaped(x, n.output().shape); err != nil {
		return err
	}
	return n.set(0, x, native)
}

// moving is the layout in which an op that moves elements of inputs is applied: as it is there.
func (n *node) moving(inputs ...int) layout {
	for _, k := range inputs {
		if !n.computed(k) || len(n.tensor(k).shape) != 4 || !n.has(k, channelsFirst) {
			return native
		}
	}
	return channelsFirst
}

// inLayout permutes what is listed by axis of the file.
func inLayout[T any](l layout, list []T) []T {
	if l == native {
		return list
	}
	out := make([]T, len(list))
	for i, p := range toChannelsFirst {
		out[i] = list[p]
	}
	return out
}

// axisIn is an axis of the file in a layout.
func axisIn(l layout, axis int) int {
	if l == native {
		return axis
	}
	return slices.Index(toChannelsFirst, axis)
}

// pad lowers PAD, PADV2 and MIRROR_PAD.
func (n *node) pad() error {
	if err := n.moved(2, 3); err != nil {
		return err
	}
	amounts, err := n.constant(1)
	if err != nil {
		return err
	}
	rank := len(n.tensor(0).shape)
	if len(amounts) != 2*rank {
		return fmt.Errorf("%w: %d paddings for %d axes", ErrMalformed, len(amounts), rank)
	}
	before, after := make([]int, rank), make([]int, rank)
	for a := range rank {
		if min(amounts[2*a], amounts[2*a+1]) < 0 || max(amounts[2*a], amounts[2*a+1]) > maxElements {
			return fmt.Errorf("%w: paddings %d and %d of axis %d", ErrMalformed, amounts[2*a], amounts[2*a+1], a)
		}
		before[a], after[a] = int(amounts[2*a]), int(amounts[2*a+1])
	}
	op := &model.Pad{Mode: "constant", Value: n.output().zero()}
	switch {
	case n.op.code == schema.BuiltinOperatorMIRROR_PAD:
		var o schema.MirrorPadOptions
		if n.op.optionsType == schema.BuiltinOptionsMirrorPadOptions {
			o.Init(n.op.options.Bytes, n.op.options.Pos)
		} else {
			return fmt.Errorf("%w: no MirrorPadOptions", ErrMalformed)
		}
		if o.Mode() != schema.MirrorPadModeREFLECT {
			return fmt.Errorf("%w: mode %s", ErrUnsupportedOp, o.Mode())
		}
		op.Mode, op.Value = "reflect", 0
	case n.tensor(2) != nil:
		value, err := n.constant(2)
		if err != nil {
			return err
		}
		if len(value) != 1 {
			return fmt.Errorf("%w: %d padding values", ErrMalformed, len(value))
		}
		op.Value = value[0]
	}
	l := n.moving(0)
	op.Before, op.After = inLayout(l, before), inLayout(l, after)
	x, err := n.input(0, l)
	if err != nil {
		return err
	}
	return n.emit(0, op, l, x)
}

// concat lowers CONCATENATION of tensors with one scale.
func (n *node) concat() error {
	if n.op.optionsType != schema.BuiltinOptionsConcatenationOptions || len(n.op.inputs) == 0 {
		return fmt.Errorf("%w: no ConcatenationOptions or no inputs", ErrMalformed)
	}
	var o schema.ConcatenationOptions
	o.Init(n.op.options.Bytes, n.op.options.Pos)
	if o.FusedActivationFunction() != schema.ActivationFunctionTypeNONE {
		return fmt.Errorf("%w: fused activation %s", ErrUnsupportedOp, o.FusedActivationFunction())
	}
	all := make([]int, len(n.op.inputs))
	out := n.output()
	for k := range all {
		all[k] = k
		t := n.tensor(k)
		if t == nil || t.typ != out.typ || len(t.scales) != 1 || len(out.scales) != 1 || t.scale(0) != out.scale(0) || t.zero() != out.zero() {
			return fmt.Errorf("%w: input %d and the output are quantized differently", ErrUnsupportedOp, k)
		}
	}
	axis, err := axisOf(int(o.Axis()), len(out.shape))
	if err != nil {
		return err
	}
	l := n.moving(all...)
	ids := make([]model.TensorID, len(all))
	for k := range all {
		if ids[k], err = n.input(k, l); err != nil {
			return err
		}
	}
	return n.emit(0, &model.Concat{Axis: axisIn(l, axis)}, l, ids...)
}

func axisOf(axis, rank int) (int, error) {
	if axis < 0 {
		axis += rank
	}
	if axis < 0 || axis >= rank {
		return 0, fmt.Errorf("%w: axis %d of %d", ErrMalformed, axis, rank)
	}
	return axis, nil
}

// transpose lowers TRANSPOSE.
func (n *node) transpose() error {
	if err := n.moved(2, 2); err != nil {
		return err
	}
	list, err := n.constant(1)
	if err != nil {
		return err
	}
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	perm := make([]int, len(list))
	for i, p := range list {
		if perm[i], err = axisOf(int(p), len(list)); err != nil {
			return err
		}
	}
	return n.emit(0, &model.Transpose{Perm: perm}, native, x)
}

// slice lowers SLICE.
func (n *node) slice() error {
	if err := n.moved(3, 3); err != nil {
		return err
	}
	begin, err := n.constant(1)
	if err != nil {
		return err
	}
	rank := len(n.tensor(0).shape)
	if len(begin) != rank || len(n.output().shape) != rank {
		return fmt.Errorf("%w: %d begins for %d axes", ErrMalformed, len(begin), rank)
	}
	start, step := make([]int, rank), make([]int, rank)
	for a := range rank {
		if begin[a] < 0 || begin[a] > maxElements {
			return fmt.Errorf("%w: begin %d of axis %d", ErrMalformed, begin[a], a)
		}
		start[a], step[a] = int(begin[a]), 1
	}
	return n.sliced(0, start, step, n.output().shape)
}

// sliced makes output k of elements of input 0.
func (n *node) sliced(k int, start, step, size []int) error {
	l := n.moving(0)
	x, err := n.input(0, l)
	if err != nil {
		return err
	}
	op := &model.Slice{Start: inLayout(l, start), Step: inLayout(l, step), Size: inLayout(l, size)}
	return n.emit(k, op, l, x)
}

// stridedSlice lowers STRIDED_SLICE. Axes that are dropped or new only change the shape.
func (n *node) stridedSlice() error {
	if err := n.moved(4, 4); err != nil {
		return err
	}
	if n.op.optionsType != schema.BuiltinOptionsStridedSliceOptions {
		return fmt.Errorf("%w: no StridedSliceOptions", ErrMalformed)
	}
	var o schema.StridedSliceOptions
	o.Init(n.op.options.Bytes, n.op.options.Pos)
	if o.EllipsisMask() != 0 || o.NewAxisMask() != 0 || o.Offset() {
		return fmt.Errorf("%w: with an ellipsis, new axes or offsets", ErrUnsupportedOp)
	}
	var lists [3][]int64
	for i := range lists {
		var err error
		if lists[i], err = n.constant(1 + i); err != nil {
			return err
		}
	}
	shape := n.tensor(0).shape
	if len(lists[0]) > len(shape) || len(lists[1]) != len(lists[0]) || len(lists[2]) != len(lists[0]) {
		return fmt.Errorf("%w: %d, %d and %d numbers for %d axes", ErrMalformed, len(lists[0]), len(lists[1]), len(lists[2]), len(shape))
	}
	start, step, size := make([]int, len(shape)), make([]int, len(shape)), slices.Clone(shape)
	for a := range shape {
		step[a] = 1
		if a >= len(lists[0]) {
			continue
		}
		bit := int32(1) << a
		r := axisRange{begin: lists[0][a], end: lists[1][a], step: lists[2][a], open: [2]bool{o.BeginMask()&bit != 0, o.EndMask()&bit != 0},
			single: o.ShrinkAxisMask()&bit != 0}
		var err error
		if start[a], step[a], size[a], err = r.of(shape[a]); err != nil {
			return fmt.Errorf("axis %d: %w", a, err)
		}
	}
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	t := n.b.Tensor(x)
	made, err := n.intermediate("sliced", &model.Slice{Start: start, Step: step, Size: size}, t.Scale, t.Zero, x)
	if err != nil {
		return err
	}
	if err := n.b.Retype(made, t.Type); err != nil {
		return err
	}
	if n.b.Tensor(made).Len() != n.output().volume() {
		return fmt.Errorf("%w: a slice of shape %v, the file says %v", ErrMalformed, size, n.output().shape)
	}
	if made, err = n.reshaped(made, n.output().shape); err != nil {
		return err
	}
	return n.set(0, made, native)
}

// axisRange is begin:end:step along one axis, as Python has it.
type axisRange struct {
	begin, end, step int64
	open             [2]bool // from the first, to the last
	single           bool    // begin alone
}

func (r axisRange) of(n int) (start, step, size int, err error) {
	length := int64(n)
	if r.step == 0 || max(r.step, -r.step) > maxElements {
		return 0, 0, 0, fmt.Errorf("%w: step %d", ErrMalformed, r.step)
	}
	first, last := int64(0), length // of begins and ends that step forward
	if r.step < 0 {
		first, last = -1, length-1
	}
	place := func(v int64) int64 {
		if v < 0 {
			v += length
		}
		return min(max(v, first), last)
	}
	begin, end := place(r.begin), place(r.end)
	if r.open[0] {
		begin = first
		if r.step < 0 {
			begin = last
		}
	}
	if r.open[1] {
		end = last
		if r.step < 0 {
			end = first
		}
	}
	if r.single {
		if r.begin < -length || r.begin >= length {
			return 0, 0, 0, fmt.Errorf("%w: index %d of %d", ErrMalformed, r.begin, n)
		}
		return int(place(r.begin)), 1, 1, nil
	}
	count := (end - begin + r.step - 1) / r.step
	if r.step < 0 {
		count = (begin - end - r.step - 1) / -r.step
	}
	if count < 1 {
		return 0, 0, 0, fmt.Errorf("%w: an empty slice", ErrUnsupportedOp)
	}
	return int(begin), int(r.step), int(count), nil
}

// split lowers SPLIT into equal parts.
func (n *node) split() error {
	if err := n.operands(2, 2); err != nil {
		return err
	}
	list, err := n.constant(0)
	if err != nil {
		return err
	}
	if len(list) != 1 || n.tensor(1) == nil {
		return fmt.Errorf("%w: %d axes", ErrMalformed, len(list))
	}
	in := n.tensor(1)
	axis, err := axisOf(int(list[0]), len(in.shape))
	if err != nil {
		return err
	}
	parts := len(n.op.outputs)
	if in.shape[axis]%parts != 0 {
		return fmt.Errorf("%w: axis of %d in %d parts", ErrMalformed, in.shape[axis], parts)
	}
	l := n.moving(1)
	x, err := n.input(1, l)
	if err != nil {
		return err
	}
	for k := range n.op.outputs {
		out := &n.file.tensors[n.op.outputs[k]]
		if out.typ != in.typ || len(out.scales) != 1 || out.scale(0) != in.scale(0) || out.zero() != in.zero() {
			return fmt.Errorf("%w: input and output %d are quantized differently", ErrUnsupportedOp, k)
		}
		start, step, size := make([]int, len(in.shape)), make([]int, len(in.shape)), slices.Clone(in.shape)
		for a := range step {
			step[a] = 1
		}
		size[axis] = in.shape[axis] / parts
		start[axis] = k * size[axis]
		if err := n.emit(k, &model.Slice{Start: inLayout(l, start), Step: inLayout(l, step), Size: inLayout(l, size)}, l, x); err != nil {
			return err
		}
	}
	return nil
}

// argMax lowers ARG_MAX along a constant axis; the first of equals wins.
func (n *node) argMax() error {
	if err := n.operands(2, 2); err != nil {
		return err
	}
	list, err := n.constant(1)
	if err != nil {
		return err
	}
	if len(list) != 1 {
		return fmt.Errorf("%w: %d axes", ErrMalformed, len(list))
	}
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	axis, err := axisOf(int(list[0]), len(n.tensor(0).shape))
	if err != nil {
		return err
	}
	made, err := n.b.Add(n.label(n.op.outputs[0]), &model.ArgMax{Axis: axis}, 1, 0, x)
	if err != nil {
		return err
	}
	if made, err = n.reshaped(made, n.output().shape); err != nil {
		return err
	}
	v := &value{}
	v.ids[native], v.made[native] = made, true
	n.values[n.op.outputs[0]] = v
	return n.b.Retype(made, model.Int32)
}
