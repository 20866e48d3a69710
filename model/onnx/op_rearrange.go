package onnx

import (
	"math"
	"slices"

	"github.com/zkinfer/zkinfer/model/float"
)

// reshape gives x another shape with as many elements.
func (im *importer) reshape(x *value, shape []int) (*value, error) {
	if slices.Equal(x.shape, shape) {
		return x, nil
	}
	if x.constant() {
		// Nothing moves, so the elements are shared; and there may be none.
		n, err := elementCount(toInt64(shape), math.MaxInt32)
		if err != nil {
			return nil, err
		}
		if n != x.count() {
			return nil, im.current.malformed("%v cannot take the shape %v", x.shape, shape)
		}
		return constantValue(Tensor{Type: x.typ, Shape: shape, Floats: x.floats, Ints: x.ints}), nil
	}
	return im.emit(float.Reshape{}, shape, x)
}

// expand repeats x to the shape, to which it must broadcast.
func (im *importer) expand(x *value, shape []int) (*value, error) {
	if len(shape) < len(x.shape) {
		return nil, im.current.malformed("%v does not broadcast to %v", x.shape, shape)
	}
	aligned := slices.Clone(x.shape)
	for len(aligned) < len(shape) {
		aligned = slices.Insert(aligned, 0, 1)
	}
	y, err := im.reshape(x, aligned)
	if err != nil {
		return nil, err
	}
	for a, d := range shape {
		if y.shape[a] == d {
			continue
		}
		if y.shape[a] != 1 || d < 1 || d > im.opts.MaxElements {
			return nil, im.current.malformed("%v does not broadcast to %v", x.shape, shape)
		}
		if y, err = im.emit(float.Gather{Axis: a, Indices: make([]int, d)}, nil, y); err != nil {
			return nil, err
		}
	}
	return y, nil
}

func lowerExpand(im *importer, n *node) ([]*value, error) {
	if err := n.needs(2, 2); err != nil {
		return nil, err
	}
	list, err := n.constantInts(1)
	if err != nil {
		return nil, err
	}
	if _, err := elementCount(list, im.opts.MaxElements); err != nil {
		return nil, err
	}
	shape := make([]int, len(list))
	for i, d := range list {
		shape[i] = int(d)
	}
	if shape, err = float.Broadcast(n.in[0].shape, shape); err != nil {
		return nil, im.shapeError(err)
	}
	return one(im.expand(n.in[0], shape))
}

// lowerReshape: 0 copies the input's dimension (unless allowzero), one −1 is what remains.
func lowerReshape(im *importer, n *node) ([]*value, error) {
	if err := n.needs(2, 2); err != nil {
		return nil, err
	}
	x := n.in[0]
	list, err := n.constantInts(1)
	if err != nil {
		return nil, err
	}
	allowZero, err := n.flag("allowzero", false)
	if err != nil {
		return nil, err
	}
	open := -1
	for i, d := range list {
		if d == 0 && !allowZero {
			if i >= len(x.shape) {
				return nil, n.malformed("shape %v copies dimension %d of %v", list, i, x.shape)
			}
			list[i] = int64(x.shape[i])
		}
		if d == -1 {
			if open >= 0 {
				return nil, n.malformed("shape %v has -1 twice", list)
			}
			open, list[i] = i, 1
		}
	}
	count, err := elementCount(list, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	total, err := elementCount(toInt64(x.shape), math.MaxInt32)
	if err != nil {
		return nil, err
	}
	if open >= 0 && count > 0 {
		list[open] = int64(total / count)
		count *= total / count
	}
	if count != total {
		return nil, n.malformed("%v cannot take the shape %v", x.shape, list)
	}
	shape := make([]int, len(list))
	for i, d := range list {
		shape[i] = int(d)
	}
	if total == 0 && !x.constant() {
		return nil, n.unsupported("tensor without elements")
	}
	return one(im.reshape(x, shape))
}

// flattened is the shape as a matrix with the axes before axis in one dimension.
func flattened(shape []int, axis int) []int {
	out := []int{1, 1}
	for a, d := range shape {
		if a < axis {
			out[0] *= d
		} else {
			out[1] *= d
		}
	}
	return out
}

func lowerFlatten(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	attr, err := n.intAttr("axis", 1)
	if err != nil {
		return nil, err
	}
	axis, err := n.axis(attr, len(x.shape), len(x.shape)+1)
	if err != nil {
		return nil, err
	}
	return one(im.reshape(x, flattened(x.shape, axis)))
}

func lowerSqueeze(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 2); err != nil {
		return nil, err
	}
	x := n.in[0]
	list, err := n.listAt("axes", 13, 1)
	if err != nil {
		return nil, err
	}
	axes, err := n.axes(list, len(x.shape))
	if err != nil {
		return nil, err
	}
	shape := []int{}
	for a, d := range x.shape {
		drop := slices.Contains(axes, a) || list == nil && d == 1
		if drop && d != 1 {
			return nil, n.malformed("axis %d of %v is not 1", a, x.shape)
		}
		if !drop {
			shape = append(shape, d)
		}
	}
	return one(im.reshape(x, shape))
}

func lowerUnsqueeze(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 2); err != nil {
		return nil, err
	}
	x := n.in[0]
	list, err := n.listAt("axes", 13, 1)
	if err != nil {
		return nil, err
	}
	if len(list)+len(x.shape) > maxRank {
		return nil, n.unsupported("%v with %d more axes, expected at most %d in all", x.shape, len(list), maxRank)
	}
	axes, err := n.axes(list, len(x.shape)+len(list))
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(x.shape)
	for _, a := range axes { // ascending, so each is inside when its turn comes
		shape = slices.Insert(shape, a, 1)
	}
	return one(im.reshape(x, shape))
}

func lowerTranspose(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	list, err := n.intsAttr("perm")
	if err != nil {
		return nil, err
	}
	perm := make([]int, len(x.shape))
	for a := range perm {
		perm[a] = len(perm) - 1 - a
	}
	if list != nil {
		perm = perm[:0]
		for _, v := range list {
			a, err := n.axis(v, len(x.shape), len(x.shape))
			if err != nil {
				return nil, err
			}
			perm = append(perm, a)
		}
	}
	return one(im.emit(float.Transpose{Perm: perm}, nil, x))
}

// lowerConcat: constants among computed operands become padding of these, then an Affine adds them.
func lowerConcat(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, max(1, len(n.in))); err != nil {
		return nil, err
	}
	if n.attrs["axis"] == nil || slices.Contains(n.in, nil) {
		return nil, n.malformed("no axis, or an operand is left out")
	}
	attr, err := n.intAttr("axis", 0)
	if err != nil {
		return nil, err
	}
	axis, err := n.axis(attr, len(n.in[0].shape), len(n.in[0].shape))
	if err != nil {
		return nil, err
	}
	var operands []*value
	computed := 0
	for _, v := range n.in {
		if v.constant() && v.count() == 0 {
			continue
		}
		operands = append(operands, v)
		if !v.constant() {
			computed++
		}
	}
	switch computed {
	case 0:
		if len(operands) == 0 {
			return []*value{n.in[0]}, nil
		}
		return one(im.emit(float.Concat{Axis: axis}, nil, operands...))
	case len(operands):
		return one(im.emit(float.Concat{Axis: axis}, nil, operands...))
	}
	return one(im.concatMixed(axis, operands))
}

// concatMixed joins operands of which some are constants: Concat(x, c) = Pad(x, 0) + Concat(0, c).
func (im *importer) concatMixed(axis int, operands []*value) (*value, error) {
	shapes := make([][]int, len(operands))
	for i, v := range operands {
		shapes[i] = v.shape
		if !v.typ.isFloat() || len(v.shape) != len(operands[0].shape) {
			return nil, im.current.unsupported("constants of type %v and shape %v among computed operands", v.typ, v.shape)
		}
	}
	shape, err := float.InferShape(float.Concat{Axis: axis}, shapes, nil)
	if err != nil {
		return nil, im.shapeError(err)
	}
	var padded, constants []*value
	before := 0 // constant elements since the last computed operand
	for i, v := range operands {
		size := v.shape[axis]
		if v.constant() {
			constants = append(constants, v)
			before += size
			continue
		}
		zeros, err := im.zeros(v.shape)
		if err != nil {
			return nil, err
		}
		constants = append(constants, zeros)
		pad := float.Pad{Before: make([]int, len(shape)), After: make([]int, len(shape)), Mode: "constant"}
		pad.Before[axis], before = before, 0
		if !slices.ContainsFunc(operands[i+1:], func(v *value) bool { return !v.constant() }) {
			for _, rest := range operands[i+1:] {
				pad.After[axis] += rest.shape[axis]
			}
		}
		p, err := im.emit(pad, nil, v)
		if err != nil {
			return nil, err
		}
		padded = append(padded, p)
	}
	x, err := im.emit(float.Concat{Axis: axis}, nil, padded...)
	if err != nil {
		return nil, err
	}
	c, err := im.emit(float.Concat{Axis: axis}, nil, constants...)
	if err != nil {
		return nil, err
	}
	return im.affine(x, floatScalar(1), c)
}

// zeros is a constant of zeros.
func (im *importer) zeros(shape []int) (*value, error) {
	n, err := elementCount(toInt64(shape), im.opts.MaxElements)
	if err != nil {
		return nil, err
	}
	if err := im.spend(0, n); err != nil {
		return nil, err
	}
	return floatConstant(shape, make([]float32, n)), nil
}

// sliceAxis takes count elements of one axis.
func (im *importer) sliceAxis(x *value, axis, start, step, count int) (*value, error) {
	op := float.Slice{Start: make([]int, len(x.shape)), Step: make([]int, len(x.shape))}
	for a := range op.Step {
		op.Step[a] = 1
	}
	shape := slices.Clone(x.shape)
	op.Start[axis], op.Step[axis], shape[axis] = start, step, count
	if count == 0 || x.count() == 0 && x.constant() {
		if !x.constant() {
			return nil, im.current.unsupported("it makes a tensor without elements of %v", x.shape)
		}
		return constantValue(Tensor{Type: x.typ, Shape: shape}), nil
	}
	if count == x.shape[axis] && start == 0 {
		return x, nil
	}
	return im.emit(op, shape, x)
}

func lowerSlice(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 5); err != nil {
		return nil, err
	}
	x := n.in[0]
	var lists [4][]int64 // starts, ends, axes, steps
	for i, name := range []string{"starts", "ends", "axes", "steps"} {
		var err error
		if lists[i], err = n.listAt(name, 10, 1+i); err != nil {
			return nil, err
		}
	}
	starts, ends, axes, steps := lists[0], lists[1], lists[2], lists[3]
	if axes == nil {
		for a := range starts {
			axes = append(axes, int64(a))
		}
	}
	if steps == nil {
		steps = slices.Repeat([]int64{1}, len(starts))
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts) {
		return nil, n.malformed("starts %v, ends %v, axes %v, steps %v", starts, ends, axes, steps)
	}
	if _, err := n.axes(axes, len(x.shape)); err != nil {
		return nil, err
	}
	for i := range starts {
		a, err := n.axis(axes[i], len(x.shape), len(x.shape))
		if err != nil {
			return nil, err
		}
		if steps[i] == 0 {
			return nil, n.malformed("step 0")
		}
		start, step, count := sliceRange(x.shape[a], starts[i], ends[i], steps[i])
		if x, err = im.sliceAxis(x, a, start, step, count); err != nil {
			return nil, err
		}
	}
	return []*value{x}, nil
}

// sliceRange resolves a range of an axis of size elements, clamping it as the specification of Slice does.
func sliceRange(size int, start, end, step int64) (first, by, count int) {
	const far = math.MaxInt32 // beyond any axis, and small enough to add to
	d := int64(size)
	start, end, step = min(max(start, -far), far), min(max(end, -far), far), min(max(step, -far), far)
	if start < 0 {
		start += d
	}
	if end < 0 {
		end += d
	}
	var n int64
	if step > 0 {
		start, end = min(max(start, 0), d), min(max(end, 0), d)
		n = (end - start + step - 1) / step
	} else {
		start, end = min(max(start, 0), d-1), min(max(end, -1), d-1)
		n = (start - end - step - 1) / -step
	}
	if n <= 0 {
		return 0, 1, 0
	}
	if n == 1 {
		step = 1
	}
	return int(start), int(step), int(n)
}

func lowerSplit(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 2); err != nil {
		return nil, err
	}
	x := n.in[0]
	attr, err := n.intAttr("axis", 0)
	if err != nil {
		return nil, err
	}
	axis, err := n.axis(attr, len(x.shape), len(x.shape))
	if err != nil {
		return nil, err
	}
	sizes, err := n.listAt("split", 13, 1)
	if err != nil {
		return nil, err
	}
	if sizes == nil {
		if sizes, err = n.equalParts(x.shape[axis]); err != nil {
			return nil, err
		}
	}
	var parts []*value
	rest := int64(x.shape[axis])
	for _, s := range sizes {
		if s < 0 || s > rest {
			return nil, n.malformed("parts %v of axis %d of %v", sizes, axis, x.shape)
		}
		part, err := im.sliceAxis(x, axis, x.shape[axis]-int(rest), 1, int(s))
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		rest -= s
	}
	if rest != 0 {
		return nil, n.malformed("parts %v of axis %d of %v", sizes, axis, x.shape)
	}
	return parts, nil
}

// equalParts splits size into as many parts as there are outputs; the last may be smaller.
func (n *node) equalParts(size int) ([]int64, error) {
	count := len(n.proto.GetOutput())
	declared, err := n.intAttr("num_outputs", int64(count))
	if err != nil {
		return nil, err
	}
	if count < 1 || declared != int64(count) {
		return nil, n.malformed("num_outputs is %d, but there are %d", declared, count)
	}
	part := (size + count - 1) / count
	sizes := make([]int64, count)
	for i := range sizes {
		sizes[i] = int64(min(part, max(size-i*part, 0)))
	}
	return sizes, nil
}

// lowerPad: negative amounts cut first, positive ones pad what is left.
func lowerPad(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 4); err != nil {
		return nil, err
	}
	x := n.in[0]
	rank := len(x.shape)
	mode, err := n.stringAttr("mode", "constant")
	if err != nil {
		return nil, err
	}
	before, after, err := n.padAmounts(rank)
	if err != nil {
		return nil, err
	}
	var fill float64
	if n.opset < 11 {
		fill, err = n.floatAttr("value", 0)
	} else {
		fill, _, err = n.constantScalar(2)
	}
	if err != nil {
		return nil, err
	}
	for a := range rank {
		start, cut := max(-before[a], 0), max(-after[a], 0)
		if start+cut > x.shape[a] {
			return nil, n.malformed("padding %v, %v cuts more than there is of %v", before, after, x.shape)
		}
		if x, err = im.sliceAxis(x, a, start, 1, x.shape[a]-start-cut); err != nil {
			return nil, err
		}
		before[a], after[a] = max(before[a], 0), max(after[a], 0)
	}
	return one(im.emit(float.Pad{Before: before, After: after, Mode: mode, Value: fill}, nil, x))
}

// padAmounts are the amounts before and after each axis; axes may be listed since opset 18.
func (n *node) padAmounts(rank int) (before, after []int, err error) {
	pads, err := n.listAt("pads", 11, 1)
	if err != nil {
		return nil, nil, err
	}
	axes, err := n.constantInts(3)
	if err != nil {
		return nil, nil, err
	}
	if axes == nil {
		for a := range rank {
			axes = append(axes, int64(a))
		}
	}
	if len(pads) != 2*len(axes) || len(axes) > rank {
		return nil, nil, n.malformed("%d paddings for %d axes", len(pads), len(axes))
	}
	before, after = make([]int, rank), make([]int, rank)
	for i, v := range axes {
		a, err := n.axis(v, rank, rank)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range []int64{pads[i], pads[len(axes)+i]} {
			if p < -float.MaxElements || p > float.MaxElements {
				return nil, nil, n.malformed("padding %d", p)
			}
		}
		before[a], after[a] = int(pads[i]), int(pads[len(axes)+i])
	}
	return before, after, nil
}

func lowerGather(im *importer, n *node) ([]*value, error) {
	if err := n.needs(2, 2); err != nil {
		return nil, err
	}
	x, at := n.in[0], n.in[1]
	attr, err := n.intAttr("axis", 0)
	if err != nil {
		return nil, err
	}
	axis, err := n.axis(attr, len(x.shape), len(x.shape))
	if err != nil {
		return nil, err
	}
	if !at.constant() {
		return nil, n.unsupported("the indices are computed, expected constants")
	}
	if at.typ.isFloat() || len(at.ints) == 0 {
		return nil, n.unsupported("indices of type %v and shape %v, expected at least one integer", at.typ, at.shape)
	}
	indices := make([]int, len(at.ints))
	for i, v := range at.ints {
		if indices[i], err = n.axis(v, x.shape[axis], x.shape[axis]); err != nil {
			return nil, n.malformed("index %d on axis %d of %v", v, axis, x.shape)
		}
	}
	shape := slices.Concat(x.shape[:axis], at.shape, x.shape[axis+1:])
	y, err := im.emit(float.Gather{Axis: axis, Indices: indices}, nil, x)
	if err != nil {
		return nil, err
	}
	return one(im.reshape(y, shape))
}
