package onnx

import (
	"github.com/zkinfer/zkinfer/model/float"
)

// reduction lowers ReduceMean, or ReduceSum as a multiple of it; the axes are an input since the
// given opset.
func reduction(sum bool, since int) lowering {
	return func(im *importer, n *node) ([]*value, error) {
		if err := n.needs(1, 2); err != nil {
			return nil, err
		}
		x := n.in[0]
		axes, keep, err := n.reducedAxes(since)
		if err != nil {
			return nil, err
		}
		if len(axes) == 0 {
			return []*value{x}, nil
		}
		mean, err := im.emit(float.Mean{Axes: axes}, float.ReducedShape(x.shape, axes, keep), x)
		if err != nil || !sum {
			return one(mean, err)
		}
		count := 1
		for _, a := range axes {
			count *= x.shape[a]
		}
		return one(im.affine(mean, floatScalar(float64(count)), floatScalar(0)))
	}
}

// reducedAxes are the axes of a reduction, by default all, and whether they stay.
func (n *node) reducedAxes(since int) (axes []int, keep bool, err error) {
	if keep, err = n.flag("keepdims", true); err != nil {
		return nil, false, err
	}
	noop, err := n.flag("noop_with_empty_axes", false)
	if err != nil {
		return nil, false, err
	}
	list, err := n.listAt("axes", since, 1)
	if err != nil {
		return nil, false, err
	}
	rank := len(n.in[0].shape)
	if len(list) == 0 && !noop {
		for a := range rank {
			axes = append(axes, a)
		}
		return axes, keep, nil
	}
	axes, err = n.axes(list, rank)
	return axes, keep, err
}

// lowerSoftmax: along an axis since opset 13; before, over everything from the axis on.
func lowerSoftmax(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	otherwise := int64(-1)
	if n.opset < 13 {
		otherwise = 1
	}
	attr, err := n.intAttr("axis", otherwise)
	if err != nil {
		return nil, err
	}
	if n.opset >= 13 {
		axis, err := n.axis(attr, len(x.shape), len(x.shape))
		if err != nil {
			return nil, err
		}
		return one(im.emit(float.Softmax{Axis: axis}, nil, x))
	}
	axis, err := n.axis(attr, len(x.shape), len(x.shape)+1)
	if err != nil {
		return nil, err
	}
	y, err := im.reshape(x, flattened(x.shape, axis))
	if err != nil {
		return nil, err
	}
	if y, err = im.emit(float.Softmax{Axis: 1}, nil, y); err != nil {
		return nil, err
	}
	return one(im.reshape(y, x.shape))
}

func lowerArgMax(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
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
	keep, err := n.flag("keepdims", true)
	if err != nil {
		return nil, err
	}
	last, err := n.flag("select_last_index", false)
	if err != nil {
		return nil, err
	}
	if x.constant() {
		return nil, n.unsupported("its input is constant")
	}
	y, err := im.emit(float.ArgMax{Axis: axis, LastIndex: last}, float.ReducedShape(x.shape, []int{axis}, keep), x)
	if err != nil {
		return nil, err
	}
	y.typ, y.index = Int64, true
	return []*value{y}, nil
}
