package tflite

import (
	"fmt"

	"github.com/zkinfer/zkinfer/model"
)

// singleAxis is the only axis of a constant list of input 1.
func (n *node) singleAxis() (int, error) {
	axes, err := n.axes()
	if err != nil {
		return 0, err
	}
	if len(axes) != 1 {
		return 0, fmt.Errorf("%w: %d axes, expected one", ErrMalformed, len(axes))
	}
	return axes[0], nil
}

// argMax lowers ARG_MAX along a constant axis; the first of equals wins.
func (n *integerNode) argMax() error {
	axis, err := n.singleAxis()
	if err != nil {
		return err
	}
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	y, err := n.g.add(n.name(), &model.ArgMax{Axis: axis}, 1, 0, x)
	if err != nil {
		return err
	}
	return n.setReshaped(0, y)
}
