package onnx

import (
	"cmp"
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/model/float"
)

// This file evaluates what package float has no op for and what occurs in models with constants only:
// integer arithmetic, comparisons, selection. Integers wrap in their type.

// allConstantIntegers tells whether every operand is a constant of integers.
func allConstantIntegers(in []*value) bool {
	for _, v := range in {
		if v == nil || !v.constant() || v.typ.isFloat() {
			return false
		}
	}
	return true
}

// integersOnly lowers an operator that is supported for constants of integers only.
func integersOnly(fn string) lowering {
	return func(im *importer, n *node) ([]*value, error) {
		if err := n.needs(1, 2); err != nil {
			return nil, err
		}
		if !allConstantIntegers(n.in) {
			return nil, n.unsupported("expected constants of integers")
		}
		return one(im.foldIntegers(fn, n.in...))
	}
}

// foldIntegers applies a function to one or two constants of one integer type, which broadcast.
func (im *importer) foldIntegers(fn string, in ...*value) (*value, error) {
	typ := in[0].typ
	wide, shape, err := im.broadcastConstants(in)
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(wide[0].ints))
	for i := range out {
		var y int64
		var ok bool
		if len(in) == 1 {
			y, ok = integerUnary(fn, wide[0].ints[i])
		} else {
			y, ok = integerBinary(fn, wide[0].ints[i], wide[1].ints[i])
		}
		if !ok || in[len(in)-1].typ != typ {
			return nil, im.current.unsupported("%s of integers of type %v, or a division by zero", fn, typ)
		}
		out[i] = typ.wrap(y)
	}
	return constantValue(Tensor{Type: typ, Shape: shape, Ints: out}), nil
}

// foldChain applies a function of two to a list from the left.
func (im *importer) foldChain(fn string, in []*value) (*value, error) {
	acc := in[0]
	for _, v := range in[1:] {
		var err error
		if acc, err = im.foldIntegers(fn, acc, v); err != nil {
			return nil, err
		}
	}
	return acc, nil
}

func integerUnary(fn string, a int64) (int64, bool) {
	switch {
	case fn == "neg":
		return -a, true
	case fn == "abs" || fn == "relu":
		if a < 0 && fn == "relu" {
			return 0, true
		}
		return max(a, -a), true
	}
	return 0, false
}

func integerBinary(fn string, a, b int64) (int64, bool) {
	switch fn {
	case "add":
		return a + b, true
	case "sub":
		return a - b, true
	case "mul":
		return a * b, true
	case "div":
		if b == 0 {
			return 0, false
		}
		return a / b, true // towards zero
	case "mod":
		if b == 0 {
			return 0, false
		}
		r := a % b
		if r != 0 && (r < 0) != (b < 0) {
			r += b // the divisor's sign
		}
		return r, true
	case "max":
		return max(a, b), true
	case "min":
		return min(a, b), true
	}
	return 0, false
}

// broadcastConstants repeats constants to the shape that all broadcast to. An empty one stays if all
// have its shape.
func (im *importer) broadcastConstants(in []*value) ([]*value, []int, error) {
	shapes := make([][]int, len(in))
	for i, v := range in {
		shapes[i] = v.shape
	}
	shape, err := float.Broadcast(shapes...)
	if err != nil {
		return nil, nil, im.shapeError(err)
	}
	wide := make([]*value, len(in))
	for i, v := range in {
		if wide[i], err = im.expand(v, shape); err != nil {
			return nil, nil, err
		}
		if err := im.spend(int64(v.count()), 0); err != nil {
			return nil, nil, err
		}
	}
	return wide, shape, nil
}

// compare lowers a comparison of constants to a constant of type bool.
func compare(fn string) lowering {
	return func(im *importer, n *node) ([]*value, error) {
		if err := n.needs(2, 2); err != nil {
			return nil, err
		}
		a, b := n.in[0], n.in[1]
		if !a.constant() || !b.constant() || a.typ != b.typ {
			return nil, n.unsupported("a comparison of computed tensors, expected constants of one type")
		}
		wide, shape, err := im.broadcastConstants(n.in)
		if err != nil {
			return nil, err
		}
		out := make([]int64, wide[0].count())
		for i := range out {
			var order int
			if a.typ.isFloat() {
				order = cmp.Compare(wide[0].floats[i], wide[1].floats[i])
			} else {
				order = cmp.Compare(wide[0].ints[i], wide[1].ints[i])
			}
			if holdsFor(fn, order) {
				out[i] = 1
			}
		}
		return []*value{constantValue(Tensor{Type: Bool, Shape: shape, Ints: out})}, nil
	}
}

// holdsFor tells whether the relation holds for operands of the given order (negative: first is less).
func holdsFor(relation string, order int) bool {
	switch relation {
	case "equal":
		return order == 0
	case "less":
		return order < 0
	case "less or equal":
		return order <= 0
	case "greater":
		return order > 0
	}
	return order >= 0
}

func lowerNot(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	if !x.constant() || x.typ != Bool {
		return nil, n.unsupported("expected a constant of type bool")
	}
	out := make([]int64, len(x.ints))
	for i, v := range x.ints {
		out[i] = 1 - v
	}
	return []*value{constantValue(Tensor{Type: Bool, Shape: x.shape, Ints: out})}, nil
}

// lowerWhere selects between constants.
func lowerWhere(im *importer, n *node) ([]*value, error) {
	if err := n.needs(3, 3); err != nil {
		return nil, err
	}
	condition, a, b := n.in[0], n.in[1], n.in[2]
	if !condition.constant() || !a.constant() || !b.constant() {
		return nil, n.unsupported("a selection between computed tensors, expected constants")
	}
	if condition.typ != Bool || a.typ != b.typ {
		return nil, n.malformed("operands of types %v, %v and %v", condition.typ, a.typ, b.typ)
	}
	wide, shape, err := im.broadcastConstants(n.in)
	if err != nil {
		return nil, err
	}
	t := Tensor{Type: a.typ, Shape: shape}
	for i, c := range wide[0].ints {
		from := wide[2]
		if c != 0 {
			from = wide[1]
		}
		if a.typ.isFloat() {
			t.Floats = append(t.Floats, from.floats[i])
		} else {
			t.Ints = append(t.Ints, from.ints[i])
		}
	}
	return []*value{constantValue(t)}, nil
}

func lowerFloor(im *importer, n *node) ([]*value, error) { return roundConstant(n, math.Floor) }

func lowerCeil(im *importer, n *node) ([]*value, error) { return roundConstant(n, math.Ceil) }

// roundConstant rounds a constant of floats.
func roundConstant(n *node, round func(float64) float64) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	if !x.constant() || !x.typ.isFloat() {
		return nil, n.unsupported("rounding of a computed tensor, expected a constant of floats")
	}
	out := make([]float32, len(x.floats))
	for i, v := range x.floats {
		out[i] = float32(round(float64(v)))
	}
	return []*value{floatConstant(x.shape, out)}, nil
}

// lowerRange: start, start + delta, … below limit, of integers.
func lowerRange(im *importer, n *node) ([]*value, error) {
	if err := n.needs(3, 3); err != nil {
		return nil, err
	}
	for _, v := range n.in {
		if !v.constant() || v.typ.isFloat() || len(v.ints) != 1 || v.typ != n.in[0].typ {
			return nil, n.unsupported("expected constant integers of one type")
		}
	}
	start, limit, delta := float64(n.in[0].ints[0]), float64(n.in[1].ints[0]), n.in[2].ints[0]
	if delta == 0 {
		return nil, n.malformed("delta 0")
	}
	count := max(math.Ceil((limit-start)/float64(delta)), 0)
	if count > float64(im.opts.MaxElements) {
		return nil, fmt.Errorf("%w: node %q makes %g elements, expected at most %d", ErrLimit, n.name, count, im.opts.MaxElements)
	}
	if err := im.spend(0, int(count)); err != nil {
		return nil, err
	}
	t := Tensor{Type: n.in[0].typ, Shape: []int{int(count)}, Ints: make([]int64, int(count))}
	for i := range t.Ints {
		t.Ints[i] = t.Type.wrap(n.in[0].ints[0] + int64(i)*delta)
	}
	return []*value{constantValue(t)}, nil
}

// lowerReduceProd multiplies all elements of a constant of integers: the size of a shape.
func lowerReduceProd(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 2); err != nil {
		return nil, err
	}
	x := n.in[0]
	axes, keep, err := n.reducedAxes(18)
	if err != nil {
		return nil, err
	}
	if !allConstantIntegers(n.in[:1]) || len(axes) != len(x.shape) {
		return nil, n.unsupported("expected a constant of integers and a product over all axes")
	}
	product := int64(1)
	for _, v := range x.ints {
		product = x.typ.wrap(product * v)
	}
	return []*value{constantValue(Tensor{Type: x.typ, Shape: float.ReducedShape(x.shape, axes, keep), Ints: []int64{product}})}, nil
}
