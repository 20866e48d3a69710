package onnx

import (
	"math"
	"slices"

	"github.com/zkinfer/zkinfer/model/onnx/internal/onnxpb"
)

func lowerIdentity(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	return []*value{n.in[0]}, nil
}

// lowerDropout: nothing at inference.
func lowerDropout(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 3); err != nil {
		return nil, err
	}
	training, _, err := n.constantScalar(2)
	if err != nil {
		return nil, err
	}
	if training != 0 {
		return nil, n.unsupported("training mode, expected inference")
	}
	return []*value{n.in[0]}, nil
}

// lowerCast converts constants; computed values may change between types that hold them all.
func lowerCast(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	attr, err := n.intAttr("to", 0)
	if err != nil {
		return nil, err
	}
	if attr < 0 || attr > math.MaxInt32 || ElemType(attr).size() == 0 {
		return nil, n.unsupported("to element type %d, expected a float or integer type", attr)
	}
	to := ElemType(attr)
	if x.constant() {
		return []*value{castConstant(x, to)}, nil
	}
	widens := to.isFloat() || !x.typ.isFloat() && holds(to, x.typ) || x.index && (to == Int32 || to == Int64)
	if !widens {
		return nil, n.unsupported("from %v to %v, which does not hold every value", x.typ, to)
	}
	y := *x
	y.typ = to
	return []*value{&y}, nil
}

// holds tells whether the integer type wide has every value of narrow.
func holds(wide, narrow ElemType) bool {
	unsigned := func(t ElemType) bool { return t == Uint8 || t == Uint16 || t == Uint32 || t == Uint64 }
	switch {
	case wide == narrow:
		return true
	case wide == Bool || narrow == Bool || unsigned(wide) && !unsigned(narrow):
		return false
	}
	return wide.size() > narrow.size()
}

// castConstant rounds floats towards zero; what does not fit wraps or, far out, saturates.
func castConstant(x *value, to ElemType) *value {
	t := Tensor{Type: to, Shape: x.shape}
	switch {
	case to.isFloat():
		t.Floats = Tensor{Type: x.typ, Floats: x.floats, Ints: x.ints}.AsFloats()
	case x.typ.isFloat():
		t.Ints = make([]int64, len(x.floats))
		for i, v := range x.floats {
			t.Ints[i] = to.wrap(saturate(float64(v)))
			if to == Bool && v != 0 {
				t.Ints[i] = 1
			}
		}
	default:
		t.Ints = make([]int64, len(x.ints))
		for i, v := range x.ints {
			t.Ints[i] = to.wrap(v)
		}
	}
	return constantValue(t)
}

// saturate is v towards zero as an int64; NaN gives 0.
func saturate(v float64) int64 {
	switch {
	case v != v:
		return 0
	case v >= math.MaxInt64:
		return math.MaxInt64
	case v <= math.MinInt64:
		return math.MinInt64
	}
	return int64(v)
}

func lowerConstant(im *importer, n *node) ([]*value, error) {
	if len(n.attrs) != 1 {
		return nil, n.malformed("%d attributes, expected one", len(n.attrs))
	}
	for name, a := range n.attrs {
		switch {
		case name == "value" && a.GetType() == onnxpb.AttributeProto_TENSOR && a.GetT() != nil:
			t, err := decodeTensor(a.GetT())
			if err != nil {
				return nil, err
			}
			return []*value{constantValue(t)}, nil
		case name == "value_float" && a.GetType() == onnxpb.AttributeProto_FLOAT:
			return []*value{floatScalar(float64(a.GetF()))}, nil
		case name == "value_floats" && a.GetType() == onnxpb.AttributeProto_FLOATS:
			return []*value{floatConstant([]int{len(a.GetFloats())}, a.GetFloats())}, nil
		case name == "value_int" && a.GetType() == onnxpb.AttributeProto_INT:
			return []*value{constantValue(Tensor{Type: Int64, Ints: []int64{a.GetI()}})}, nil
		case name == "value_ints" && a.GetType() == onnxpb.AttributeProto_INTS:
			return []*value{intConstant(a.GetInts())}, nil
		}
	}
	return nil, n.unsupported("a value that is sparse or of strings, expected a tensor of numbers")
}

func lowerConstantOfShape(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	dims, err := n.constantInts(0)
	if err != nil {
		return nil, err
	}
	fill := Tensor{Type: Float32, Floats: []float32{0}}
	a, err := n.attr("value", onnxpb.AttributeProto_TENSOR)
	if err != nil {
		return nil, err
	}
	if a != nil {
		if fill, err = decodeTensor(a.GetT()); err != nil {
			return nil, err
		}
	}
	if fill.Len() != 1 {
		return nil, n.malformed("value has shape %v, expected one element", fill.Shape)
	}
	count, err := elementCount(dims, im.opts.MaxElements)
	if err != nil {
		return nil, err
	}
	if err := im.spend(0, count); err != nil {
		return nil, err
	}
	t := Tensor{Type: fill.Type, Floats: slices.Repeat(fill.Floats, count), Ints: slices.Repeat(fill.Ints, count)}
	for _, d := range dims {
		t.Shape = append(t.Shape, int(d))
	}
	return []*value{constantValue(t)}, nil
}

// lowerShape: the shape is known, of computed values too; start and end since opset 15.
func lowerShape(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	shape := toInt64(n.in[0].shape)
	start, err := n.intAttr("start", 0)
	if err != nil {
		return nil, err
	}
	end, err := n.intAttr("end", int64(len(shape)))
	if err != nil {
		return nil, err
	}
	first, _, count := sliceRange(len(shape), start, end, 1)
	return []*value{intConstant(shape[first : first+count])}, nil
}

func lowerSize(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	count, err := elementCount(toInt64(n.in[0].shape), math.MaxInt32)
	if err != nil {
		return nil, err
	}
	return []*value{constantValue(Tensor{Type: Int64, Ints: []int64{int64(count)}})}, nil
}
