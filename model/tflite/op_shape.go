package tflite

import (
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// moved checks that the output means what input 0 does: its op moves integers and computes nothing.
func (n *node) moved(least, most int) error {
	if err := n.operands(least, most); err != nil {
		return err
	}
	if n.tensor(0) == nil {
		return fmt.Errorf("%w: input 0 is missing", ErrMalformed)
	}
	return n.target.sameMeaning(n.op.inputs[0], n.op.outputs[0])
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
	if volume(n.target.shape(x)) != n.out().volume() {
		return fmt.Errorf("%w: %v reshaped to %v", ErrMalformed, n.target.shape(x), n.out().shape)
	}
	return n.setReshaped(0, x)
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
	m := padding{mode: "constant", value: n.target.padding(n.op.outputs[0])}
	switch {
	case n.op.code == schema.BuiltinOperatorMIRROR_PAD:
		var o schema.MirrorPadOptions
		if err := n.options(schema.BuiltinOptionsMirrorPadOptions, &o); err != nil {
			return err
		}
		if o.Mode() != schema.MirrorPadModeREFLECT {
			return fmt.Errorf("%w: mode %s", ErrUnsupportedOp, o.Mode())
		}
		m.mode, m.value = "reflect", 0
	case n.tensor(2) != nil:
		if err := n.target.sameMeaning(n.op.inputs[2], n.op.outputs[0]); err != nil {
			return err
		}
		if m.value, err = n.tensor(2).number(); err != nil {
			return err
		}
	}
	l := n.inputLayout(0)
	m.before, m.after = inLayout(l, before), inLayout(l, after)
	return n.move(0, m, l, 0)
}

// move makes output k by moving elements of inputs.
func (n *node) move(k int, m any, l layout, inputs ...int) error {
	refs := make([]ref, len(inputs))
	for i, input := range inputs {
		var err error
		if refs[i], err = n.input(input, l); err != nil {
			return err
		}
	}
	x, err := n.target.move(n.label(n.op.outputs[k]), m, refs...)
	if err != nil {
		return err
	}
	return n.set(k, x, l)
}

// concat lowers CONCATENATION of tensors with one scale.
func (n *node) concat() error {
	var o schema.ConcatenationOptions
	if err := n.options(schema.BuiltinOptionsConcatenationOptions, &o); err != nil {
		return err
	}
	if o.FusedActivationFunction() != schema.ActivationFunctionTypeNONE {
		return fmt.Errorf("%w: fused activation %s", ErrUnsupportedOp, o.FusedActivationFunction())
	}
	if err := n.operands(1, maxTensors); err != nil {
		return err
	}
	all := make([]int, len(n.op.inputs))
	for k := range all {
		all[k] = k
		if n.op.inputs[k] < 0 {
			return fmt.Errorf("%w: input %d is missing", ErrMalformed, k)
		}
		if err := n.target.sameMeaning(n.op.inputs[k], n.op.outputs[0]); err != nil {
			return err
		}
	}
	axis, err := axisOf(int64(o.Axis()), len(n.out().shape))
	if err != nil {
		return err
	}
	l := n.inputLayout(all...)
	return n.move(0, joining{axisIn(l, axis)}, l, all...)
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
	perm := make([]int, len(list))
	for i, p := range list {
		if perm[i], err = axisOf(p, len(list)); err != nil {
			return err
		}
	}
	return n.move(0, transposing{perm}, native, 0)
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
	if len(begin) != rank || len(n.out().shape) != rank {
		return fmt.Errorf("%w: %d begins for %d axes", ErrMalformed, len(begin), rank)
	}
	start, step := make([]int, rank), make([]int, rank)
	for a := range rank {
		if begin[a] < 0 || begin[a] > maxElements {
			return fmt.Errorf("%w: begin %d of axis %d", ErrMalformed, begin[a], a)
		}
		start[a], step[a] = int(begin[a]), 1
	}
	return n.sliced(0, 0, start, step, n.out().shape)
}

// sliced makes output k of elements of an input.
func (n *node) sliced(k, input int, start, step, size []int) error {
	l := n.inputLayout(input)
	return n.move(k, slicing{inLayout(l, start), inLayout(l, step), inLayout(l, size)}, l, input)
}

// stridedSlice lowers STRIDED_SLICE. Axes that are dropped or new only change the shape.
func (n *node) stridedSlice() error {
	if err := n.moved(4, 4); err != nil {
		return err
	}
	var o schema.StridedSliceOptions
	if err := n.options(schema.BuiltinOptionsStridedSliceOptions, &o); err != nil {
		return err
	}
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
	sliced, err := n.target.move(n.name()+" sliced", slicing{start, step, size}, x)
	if err != nil {
		return err
	}
	if volume(size) != n.out().volume() {
		return fmt.Errorf("%w: a slice of shape %v, the file says %v", ErrMalformed, size, n.out().shape)
	}
	return n.setReshaped(0, sliced)
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
	axis, err := axisOf(list[0], len(in.shape))
	if err != nil {
		return err
	}
	parts := len(n.op.outputs)
	if in.shape[axis]%parts != 0 {
		return fmt.Errorf("%w: axis of %d in %d parts", ErrMalformed, in.shape[axis], parts)
	}
	for k, out := range n.op.outputs {
		if err := n.target.sameMeaning(n.op.inputs[1], out); err != nil {
			return err
		}
		start, step, size := make([]int, len(in.shape)), make([]int, len(in.shape)), slices.Clone(in.shape)
		for a := range step {
			step[a] = 1
		}
		size[axis] = in.shape[axis] / parts
		start[axis] = k * size[axis]
		if err := n.sliced(k, 1, start, step, size); err != nil {
			return err
		}
	}
	return nil
}
