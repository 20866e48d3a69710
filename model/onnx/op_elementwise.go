package onnx

import (
	"math"

	"github.com/zkinfer/zkinfer/model/float"
)

// unary lowers an operator without attributes that is a function of package float.
func unary(fn string) lowering {
	return func(im *importer, n *node) ([]*value, error) {
		if err := n.needs(1, 1); err != nil {
			return nil, err
		}
		if x := n.in[0]; x.constant() && !x.typ.isFloat() {
			return one(im.foldIntegers(fn, x))
		}
		return one(im.emit(float.Unary{Func: fn}, nil, n.in[0]))
	}
}

// parametrized lowers a function whose parameters are the attributes alpha and beta.
func parametrized(im *importer, n *node, fn string, alpha, beta float64) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	alpha, err := n.floatAttr("alpha", alpha)
	if err != nil {
		return nil, err
	}
	if beta, err = n.floatAttr("beta", beta); err != nil {
		return nil, err
	}
	return one(im.emit(float.Unary{Func: fn, Alpha: alpha, Beta: beta}, nil, n.in[0]))
}

func lowerLeakyRelu(im *importer, n *node) ([]*value, error) {
	return parametrized(im, n, "leakyrelu", 0.01, 0)
}

func lowerElu(im *importer, n *node) ([]*value, error) { return parametrized(im, n, "elu", 1, 0) }

func lowerHardSigmoid(im *importer, n *node) ([]*value, error) {
	return parametrized(im, n, "hardsigmoid", 0.2, 0.5)
}

func lowerGelu(im *importer, n *node) ([]*value, error) {
	approximate, err := n.stringAttr("approximate", "none")
	if err != nil {
		return nil, err
	}
	switch approximate {
	case "none":
		return unary("gelu")(im, n)
	case "tanh":
		return unary("gelu_tanh")(im, n)
	}
	return nil, n.malformed("attribute \"approximate\" is %q, expected \"none\" or \"tanh\"", approximate)
}

// lowerSwish: x·sigmoid(alpha·x).
func lowerSwish(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	alpha, err := n.floatAttr("alpha", 1)
	if err != nil {
		return nil, err
	}
	x := n.in[0]
	if alpha == 1 {
		return one(im.emit(float.Unary{Func: "silu"}, nil, x))
	}
	gate, err := im.affine(x, floatScalar(alpha), floatScalar(0))
	if err != nil {
		return nil, err
	}
	if gate, err = im.emit(float.Unary{Func: "sigmoid"}, nil, gate); err != nil {
		return nil, err
	}
	return one(im.emit(float.Binary{Func: "mul"}, nil, x, gate))
}

// lowerMish: x·tanh(softplus(x)).
func lowerMish(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	gate, err := im.emit(float.Unary{Func: "softplus"}, nil, n.in[0])
	if err != nil {
		return nil, err
	}
	if gate, err = im.emit(float.Unary{Func: "tanh"}, nil, gate); err != nil {
		return nil, err
	}
	return one(im.emit(float.Binary{Func: "mul"}, nil, n.in[0], gate))
}

// lowerPRelu: a leaky relu, or max(x, 0) − slope·max(−x, 0) where the slopes differ.
func lowerPRelu(im *importer, n *node) ([]*value, error) {
	if err := n.needs(2, 2); err != nil {
		return nil, err
	}
	x, slope := n.in[0], n.in[1]
	if !slope.constant() || !slope.typ.isFloat() {
		return nil, n.unsupported("the slope is computed or not a float, expected a constant")
	}
	if s, ok := slope.scalar(); ok {
		return one(im.emit(float.Unary{Func: "leakyrelu", Alpha: float64(s)}, nil, x))
	}
	positive, err := im.emit(float.Unary{Func: "relu"}, nil, x)
	if err != nil {
		return nil, err
	}
	negative, err := im.affine(x, floatScalar(-1), floatScalar(0))
	if err != nil {
		return nil, err
	}
	if negative, err = im.emit(float.Unary{Func: "relu"}, nil, negative); err != nil {
		return nil, err
	}
	if negative, err = im.affine(negative, im.negated(slope), floatScalar(0)); err != nil {
		return nil, err
	}
	return one(im.emit(float.Binary{Func: "add"}, nil, positive, negative))
}

func lowerClip(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 3); err != nil {
		return nil, err
	}
	low, high := math.Inf(-1), math.Inf(1)
	var err error
	if n.opset < 11 {
		if low, err = n.floatAttr("min", low); err == nil {
			high, err = n.floatAttr("max", high)
		}
	} else {
		low, high, err = clipBounds(n, low, high)
	}
	if err != nil {
		return nil, err
	}
	return one(im.clip(n.in[0], low, high))
}

func clipBounds(n *node, low, high float64) (float64, float64, error) {
	for i, bound := range []*float64{&low, &high} {
		v, ok, err := n.constantScalar(1 + i)
		if err != nil {
			return 0, 0, err
		}
		if ok {
			*bound = v
		}
	}
	return low, high, nil
}

// clip is min(max(x, low), high); exporters write the largest floats for no bound.
func (im *importer) clip(x *value, low, high float64) (*value, error) {
	if math.IsNaN(low) || math.IsNaN(high) {
		return nil, im.current.malformed("a bound is not a number")
	}
	if low <= -math.MaxFloat32 {
		low = math.Inf(-1)
	}
	if high >= math.MaxFloat32 {
		high = math.Inf(1)
	}
	switch {
	case math.IsInf(low, -1) && math.IsInf(high, 1):
		return x, nil
	case low == 0 && math.IsInf(high, 1):
		return im.emit(float.Unary{Func: "relu"}, nil, x)
	}
	return im.emit(float.Unary{Func: "clip", Alpha: low, Beta: high}, nil, x)
}

// extremum lowers Max and Min: of one value and constant numbers, which is a clip, or of constants.
func extremum(greatest bool) lowering {
	fn := map[bool]string{true: "max", false: "min"}[greatest]
	return func(im *importer, n *node) ([]*value, error) {
		if err := n.needs(1, len(n.in)); err != nil {
			return nil, err
		}
		var x *value
		bound := math.Inf(1)
		if greatest {
			bound = math.Inf(-1)
		}
		if allConstantIntegers(n.in) {
			return one(im.foldChain(fn, n.in))
		}
		for _, v := range n.in {
			s, ok := v.scalar()
			switch {
			case !ok && x == nil:
				x = v
			case !ok:
				return nil, n.unsupported("two operands are tensors, expected one and constant numbers")
			case greatest:
				bound = math.Max(bound, float64(s))
			default:
				bound = math.Min(bound, float64(s))
			}
		}
		if x == nil {
			_, shape, err := im.broadcastConstants(n.in)
			return one(floatConstant(shape, []float32{float32(bound)}), err)
		}
		if greatest {
			return one(im.clip(x, bound, math.Inf(1)))
		}
		return one(im.clip(x, math.Inf(-1), bound))
	}
}

// lowerPow: the constant exponents 2, 1, ½ and −1.
func lowerPow(im *importer, n *node) ([]*value, error) {
	if err := n.needs(2, 2); err != nil {
		return nil, err
	}
	x := n.in[0]
	exponent, _, err := n.constantScalar(1)
	if err != nil {
		return nil, err
	}
	switch exponent {
	case 1:
		return []*value{x}, nil
	case 2:
		return one(im.emit(float.Binary{Func: "mul"}, nil, x, x))
	case 0.5:
		return one(im.emit(float.Unary{Func: "sqrt"}, nil, x))
	case -1:
		return one(im.emit(float.Unary{Func: "reciprocal"}, nil, x))
	}
	return nil, n.unsupported("exponent %v, expected 2, 1, 0.5 or -1", exponent)
}

// arithmetic lowers add, sub, mul or div.
func arithmetic(fn string) lowering {
	return func(im *importer, n *node) ([]*value, error) {
		if err := n.needs(2, 2); err != nil {
			return nil, err
		}
		return one(im.binary(fn, n.in[0], n.in[1]))
	}
}

func lowerSum(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, max(1, len(n.in))); err != nil {
		return nil, err
	}
	sum := n.in[0]
	for _, v := range n.in[1:] {
		if v == nil {
			return nil, n.malformed("an operand is left out")
		}
		var err error
		if sum, err = im.binary("add", sum, v); err != nil {
			return nil, err
		}
	}
	return []*value{sum}, nil
}

// binary is a function of two operands of which either may be constant.
func (im *importer) binary(fn string, a, b *value) (*value, error) {
	if a.typ != b.typ {
		return nil, im.current.malformed("operands of types %v and %v", a.typ, b.typ)
	}
	if !a.typ.isFloat() {
		if a.constant() && b.constant() {
			return im.foldIntegers(fn, a, b)
		}
		return nil, im.current.unsupported("arithmetic on integers of type %v, which wraps; expected floats", a.typ)
	}
	zero, unit := floatScalar(0), floatScalar(1)
	switch {
	case a.constant() == b.constant():
		return im.emit(float.Binary{Func: fn}, nil, a, b)
	case fn == "add" && a.constant():
		return im.affine(b, unit, a)
	case fn == "add":
		return im.affine(a, unit, b)
	case fn == "sub" && a.constant():
		return im.affine(b, floatScalar(-1), a)
	case fn == "sub":
		return im.affine(a, unit, im.negated(b))
	case fn == "mul" && a.constant():
		return im.affine(b, a, zero)
	case fn == "mul":
		return im.affine(a, b, zero)
	case a.constant():
		inverse, err := im.emit(float.Unary{Func: "reciprocal"}, nil, b)
		if err != nil {
			return nil, err
		}
		return im.affine(inverse, a, zero)
	}
	inverse, err := im.emit(float.Unary{Func: "reciprocal"}, nil, b)
	if err != nil {
		return nil, err
	}
	return im.affine(a, inverse, zero)
}

// negated is −v for a constant of floats.
func (im *importer) negated(v *value) *value {
	out := make([]float32, len(v.floats))
	for i, x := range v.floats {
		out[i] = -x
	}
	return floatConstant(v.shape, out)
}

// affine is x·scale + shift with constants; x is repeated where they have larger shapes.
func (im *importer) affine(x, scale, shift *value) (*value, error) {
	shape, err := float.Broadcast(x.shape, scale.shape, shift.shape)
	if err != nil {
		return nil, im.shapeError(err)
	}
	if x, err = im.expand(x, shape); err != nil {
		return nil, err
	}
	return im.emit(float.Affine{}, nil, x, scale, shift)
}
