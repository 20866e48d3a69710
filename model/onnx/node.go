package onnx

import (
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/model/onnx/internal/onnxpb"
)

// node is a node of the model with its operands looked up.
type node struct {
	proto *onnxpb.NodeProto
	name  string
	opset int
	in    []*value // nil for an optional operand that is left out
	attrs map[string]*onnxpb.AttributeProto
}

// maxAttribute bounds the integers in attributes that are sizes.
const maxAttribute = 1 << 16

// newNode checks the attributes' form; the types are checked when they are read.
func newNode(p *onnxpb.NodeProto, index, opset int) (*node, error) {
	n := &node{proto: p, name: p.GetName(), opset: opset, attrs: map[string]*onnxpb.AttributeProto{}}
	if n.name == "" {
		n.name = fmt.Sprintf("%s_%d", p.GetOpType(), index)
	}
	for _, a := range p.GetAttribute() {
		if a == nil || a.GetRefAttrName() != "" || n.attrs[a.GetName()] != nil {
			return nil, n.malformed("attribute %q is doubled or refers to a function's", a.GetName())
		}
		n.attrs[a.GetName()] = a
	}
	return n, nil
}

// malformed says what contradicts the operator specification.
func (n *node) malformed(format string, args ...any) error {
	return fmt.Errorf("%w: node %q (%s, opset %d): %s", ErrMalformed, n.name, n.proto.GetOpType(), n.opset, fmt.Sprintf(format, args...))
}

// unsupported says which use of a supported operator is not supported, and what is.
func (n *node) unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: node %q (%s, opset %d): %s", ErrUnsupportedOp, n.name, n.proto.GetOpType(), n.opset, fmt.Sprintf(format, args...))
}

// operand is input i, nil if it is left out.
func (n *node) operand(i int) *value {
	if i >= len(n.in) {
		return nil
	}
	return n.in[i]
}

// needs checks the number of operands; the first least of them must be there.
func (n *node) needs(least, most int) error {
	if len(n.in) < least || len(n.in) > most || slices.Contains(n.in[:least], nil) {
		return n.malformed("%d inputs or a required one left out, expected %d to %d", len(n.in), least, most)
	}
	return nil
}

// attr is the attribute of that name and type, nil if it is not there.
func (n *node) attr(name string, kind onnxpb.AttributeProto_AttributeType) (*onnxpb.AttributeProto, error) {
	a := n.attrs[name]
	if a != nil && a.GetType() != kind {
		return nil, n.malformed("attribute %q is of type %v, expected %v", name, a.GetType(), kind)
	}
	return a, nil
}

func (n *node) intAttr(name string, otherwise int64) (int64, error) {
	a, err := n.attr(name, onnxpb.AttributeProto_INT)
	if a == nil || err != nil {
		return otherwise, err
	}
	return a.GetI(), nil
}

func (n *node) flag(name string, otherwise bool) (bool, error) {
	v := int64(0)
	if otherwise {
		v = 1
	}
	v, err := n.intAttr(name, v)
	return v != 0, err
}

func (n *node) floatAttr(name string, otherwise float64) (float64, error) {
	a, err := n.attr(name, onnxpb.AttributeProto_FLOAT)
	if a == nil || err != nil {
		return otherwise, err
	}
	return float64(a.GetF()), nil
}

func (n *node) stringAttr(name, otherwise string) (string, error) {
	a, err := n.attr(name, onnxpb.AttributeProto_STRING)
	if a == nil || err != nil {
		return otherwise, err
	}
	return string(a.GetS()), nil
}

// intsAttr is nil if the attribute is not there.
func (n *node) intsAttr(name string) ([]int64, error) {
	a, err := n.attr(name, onnxpb.AttributeProto_INTS)
	if a == nil || err != nil {
		return nil, err
	}
	return append([]int64{}, a.GetInts()...), nil
}

// sizes is an attribute of count integers from least to maxAttribute, each otherwise if it is not there.
func (n *node) sizes(name string, count, least, otherwise int) ([]int, error) {
	list, err := n.intsAttr(name)
	if err != nil {
		return nil, err
	}
	out := make([]int, count)
	for i := range out {
		out[i] = otherwise
	}
	if list == nil {
		return out, nil
	}
	if len(list) != count {
		return nil, n.malformed("attribute %q is %v, expected %d numbers", name, list, count)
	}
	for i, v := range list {
		if v < int64(least) || v > maxAttribute {
			return nil, n.malformed("attribute %q is %v, expected numbers from %d to %d", name, list, least, maxAttribute)
		}
		out[i] = int(v)
	}
	return out, nil
}

// axis normalizes an axis of a tensor of that rank; limit is rank, or rank+1 where the end counts.
func (n *node) axis(v int64, rank, limit int) (int, error) {
	at := v
	if at < 0 {
		at += int64(rank)
	}
	if at < 0 || at >= int64(limit) {
		return 0, n.malformed("axis %d of a tensor with %d dimensions", v, rank)
	}
	return int(at), nil
}

// axes normalizes a list of different axes and sorts it.
func (n *node) axes(list []int64, rank int) ([]int, error) {
	out := make([]int, 0, len(list))
	for _, v := range list {
		a, err := n.axis(v, rank, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(out, a) {
			return nil, n.malformed("axes %v name one twice", list)
		}
		out = append(out, a)
	}
	slices.Sort(out)
	return out, nil
}

// constantInts is operand i, which must be a constant list of integers; nil if it is left out.
func (n *node) constantInts(i int) ([]int64, error) {
	v := n.operand(i)
	switch {
	case v == nil:
		return nil, nil
	case !v.constant():
		return nil, n.unsupported("input %d is computed, expected a constant", i)
	case v.typ.isFloat() || len(v.shape) > 1:
		return nil, n.malformed("input %d is %v %v, expected a list of integers", i, v.typ, v.shape)
	}
	return append([]int64{}, v.ints...), nil
}

// listAt is a list that is an attribute before the given opset and input i from then on.
func (n *node) listAt(name string, since, i int) ([]int64, error) {
	if n.opset < since {
		return n.intsAttr(name)
	}
	return n.constantInts(i)
}

// constantScalar is operand i, which must be a constant of one element; ok is false if it is left out.
func (n *node) constantScalar(i int) (x float64, ok bool, err error) {
	v := n.operand(i)
	switch {
	case v == nil:
		return 0, false, nil
	case !v.constant():
		return 0, false, n.unsupported("input %d is computed, expected a constant", i)
	case v.count() != 1:
		return 0, false, n.malformed("input %d has shape %v, expected one element", i, v.shape)
	case v.typ.isFloat():
		return float64(v.floats[0]), true, nil
	}
	return float64(v.ints[0]), true, nil
}
