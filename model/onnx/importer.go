package onnx

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/onnx/internal/onnxpb"
)

// value is what a name of the model stands for: a constant, or a tensor of the graph being built.
type value struct {
	typ    ElemType
	shape  []int
	tensor int // index in the graph, −1 for a constant that no op takes
	known  bool
	floats []float32 // of a constant
	ints   []int64
	index  bool // the result of ArgMax, which nothing computes with
}

// constant tells whether the elements are known now.
func (v *value) constant() bool { return v.known }

// count is the number of elements of a constant, 0 of a computed value.
func (v *value) count() int { return len(v.floats) + len(v.ints) }

// scalar is the number of a constant with one element.
func (v *value) scalar() (float32, bool) {
	if !v.known || len(v.floats) != 1 {
		return 0, false
	}
	return v.floats[0], true
}

func constantValue(t Tensor) *value {
	shape := t.Shape
	if shape == nil {
		shape = []int{}
	}
	return &value{typ: t.Type, shape: shape, tensor: -1, known: true, floats: t.Floats, ints: t.Ints}
}

func floatConstant(shape []int, x []float32) *value {
	return constantValue(Tensor{Type: Float32, Shape: shape, Floats: x})
}

func floatScalar(x float64) *value { return floatConstant([]int{}, []float32{float32(x)}) }

// intConstant is a list of int64.
func intConstant(x []int64) *value {
	return constantValue(Tensor{Type: Int64, Shape: []int{len(x)}, Ints: x})
}

// importer builds out from a GraphProto.
type importer struct {
	proto     *onnxpb.GraphProto
	opset     int
	opts      Options
	out       *float.Graph
	lowerings map[string]lowering
	values    map[string]*value
	refused   map[string]string // outputs that lowering does not make: name of the node
	current   *node
	elements  int   // that nodes may still make
	work      int64 // steps that evaluating constants may still take
}

// lowering turns a node into ops of the graph, or into constants, and returns its first outputs.
type lowering func(im *importer, n *node) ([]*value, error)

func newImporter(g *onnxpb.GraphProto, opset int, opts Options) *importer {
	return &importer{
		proto: g, opset: opset, opts: opts, out: &float.Graph{Name: g.GetName()}, lowerings: lowerings(),
		values: map[string]*value{}, refused: map[string]string{},
		elements: 4 * opts.MaxElements, work: 64 * int64(opts.MaxElements),
	}
}

func (im *importer) run() error {
	if n := len(im.proto.GetNode()); n > maxNodes {
		return fmt.Errorf("%w: %d nodes, expected at most %d", ErrLimit, n, maxNodes)
	}
	if len(im.proto.GetSparseInitializer()) > 0 {
		return fmt.Errorf("%w: sparse initializers; store them as dense tensors", ErrUnsupportedModel)
	}
	for _, p := range im.proto.GetInitializer() {
		t, err := decodeTensor(p)
		if err != nil {
			return err
		}
		if err := im.define(p.GetName(), constantValue(t)); err != nil {
			return err
		}
		// Large weights may be transposed and scaled, whatever the limit on what is computed.
		im.elements += 4 * t.Len()
		im.work += 16 * int64(t.Len())
	}
	if err := im.defineInputs(); err != nil {
		return err
	}
	for i, p := range im.proto.GetNode() {
		if err := im.lower(p, i); err != nil {
			return err
		}
	}
	return im.defineOutputs()
}

func (im *importer) define(name string, v *value) error {
	if name == "" || im.values[name] != nil || im.refused[name] != "" {
		return fmt.Errorf("%w: the name %q is empty or defined twice", ErrMalformed, name)
	}
	im.values[name] = v
	return nil
}

func (im *importer) defineInputs() error {
	unused := maps.Clone(im.opts.Bind)
	for _, p := range im.proto.GetInput() {
		name := p.GetName()
		bound, ok := im.opts.Bind[name]
		if ok {
			if err := bound.check(); err != nil {
				return fmt.Errorf("%w: bound input %q: %w", ErrOptions, name, err)
			}
			delete(unused, name)
			delete(im.values, name) // an initializer is the default of an input
			if err := im.define(name, constantValue(bound)); err != nil {
				return err
			}
			continue
		}
		if im.values[name] != nil {
			continue
		}
		v, err := im.input(p)
		if err != nil {
			return fmt.Errorf("input %q: %w", name, err)
		}
		if err := im.define(name, v); err != nil {
			return err
		}
	}
	for name := range unused {
		return fmt.Errorf("%w: the model has no input %q to bind", ErrOptions, name)
	}
	return nil
}

// input adds an input to the graph.
func (im *importer) input(p *onnxpb.ValueInfoProto) (*value, error) {
	t := p.GetType().GetTensorType()
	typ := ElemType(t.GetElemType())
	if t == nil || typ.size() == 0 || typ == Bool {
		return nil, fmt.Errorf("%w: element type %v, expected a tensor of a float or integer type", ErrUnsupportedModel, typ)
	}
	if t.GetShape() == nil {
		return nil, fmt.Errorf("%w: it has no shape; export the model with one", ErrUnsupportedModel)
	}
	dims := make([]int64, len(t.GetShape().GetDim()))
	for i, d := range t.GetShape().GetDim() {
		size, err := im.dimension(d, i)
		if err != nil {
			return nil, err
		}
		dims[i] = size
	}
	n, err := elementCount(dims, im.opts.MaxElements)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("%w: shape %v has no elements", ErrUnsupportedModel, dims)
	}
	shape := make([]int, len(dims))
	for i, d := range dims {
		shape[i] = int(d)
	}
	v := im.tensor(typ, shape)
	im.out.Tensors[v.tensor].Name = p.GetName()
	im.out.Inputs = append(im.out.Inputs, v.tensor)
	return v, nil
}

// dimension is the size of a dimension of an input: as given, or as Options say, or 1 for a batch.
func (im *importer) dimension(d *onnxpb.TensorShapeProto_Dimension, axis int) (int64, error) {
	if _, ok := d.GetValue().(*onnxpb.TensorShapeProto_Dimension_DimValue); ok && (d.GetDimValue() >= 0 || axis > 0) {
		return d.GetDimValue(), nil
	}
	if size, ok := im.opts.Dims[d.GetDimParam()]; ok && d.GetDimParam() != "" {
		return int64(size), nil
	}
	if axis == 0 {
		return 1, nil
	}
	return 0, fmt.Errorf("%w: dimension %d (%q) has no size; give it one (Options.Dims, --dim) or export the model with a fixed shape",
		ErrUnsupportedModel, axis, d.GetDimParam())
}

// tensor adds a computed tensor to the graph.
func (im *importer) tensor(typ ElemType, shape []int) *value {
	im.out.Tensors = append(im.out.Tensors, float.Tensor{Shape: shape})
	return &value{typ: typ, shape: shape, tensor: len(im.out.Tensors) - 1}
}

// lower reads one node.
func (im *importer) lower(p *onnxpb.NodeProto, index int) error {
	n, err := newNode(p, index, im.opset)
	if err != nil {
		return err
	}
	lower, ok := im.lowerings[p.GetOpType()]
	if !ok || !standardDomain(p.GetDomain()) {
		return fmt.Errorf("%w: node %q is %s (domain %q, opset %d); supported: %s", ErrUnsupportedOp, n.name, p.GetOpType(), p.GetDomain(),
			im.opset, strings.Join(SupportedOps(), ", "))
	}
	for _, name := range p.GetInput() {
		v, err := im.lookup(name)
		if err != nil {
			return fmt.Errorf("node %q: %w", n.name, err)
		}
		n.in = append(n.in, v)
	}
	im.current = n
	before := len(im.out.Tensors)
	outputs, err := lower(im, n)
	if err != nil {
		return err
	}
	for i, name := range p.GetOutput() {
		switch {
		case name == "":
		case i >= len(outputs):
			im.refused[name] = n.name
		default:
			if err := im.define(name, outputs[i]); err != nil {
				return err
			}
			if t := outputs[i].tensor; t >= before {
				im.out.Tensors[t].Name = name
			}
		}
	}
	return nil
}

// lookup is the value of a name, nil for the empty one, which stands for an operand left out.
func (im *importer) lookup(name string) (*value, error) {
	if name == "" {
		return nil, nil
	}
	if by, ok := im.refused[name]; ok {
		return nil, fmt.Errorf("%w: %q is an output of node %q that is not supported", ErrUnsupportedOp, name, by)
	}
	v := im.values[name]
	if v == nil {
		return nil, fmt.Errorf("%w: nothing before defines %q", ErrMalformed, name)
	}
	return v, nil
}

func (im *importer) defineOutputs() error {
	if len(im.proto.GetOutput()) == 0 {
		return fmt.Errorf("%w: no outputs", ErrMalformed)
	}
	for _, p := range im.proto.GetOutput() {
		v, err := im.lookup(p.GetName())
		if err != nil {
			return err
		}
		if v == nil {
			return fmt.Errorf("%w: an output has no name", ErrMalformed)
		}
		if v.constant() {
			return fmt.Errorf("%w: no input reaches output %q", ErrConstantModel, p.GetName())
		}
		if slices.Contains(im.out.Inputs, v.tensor) || slices.Contains(im.out.Outputs, v.tensor) {
			im.current = &node{name: p.GetName(), proto: &onnxpb.NodeProto{}, opset: im.opset}
			if v, err = im.emit(float.Reshape{}, v.shape, v); err != nil {
				return err
			}
		}
		im.out.Tensors[v.tensor].Name = p.GetName()
		im.out.Outputs = append(im.out.Outputs, v.tensor)
	}
	return nil
}

// spend takes work for evaluating constants and elements made from what is left.
func (im *importer) spend(work int64, elements int) error {
	im.work -= work
	im.elements -= elements
	if im.work < 0 || im.elements < 0 {
		return fmt.Errorf("%w: node %q: tensors or the evaluation of constants grow too large", ErrLimit, im.current.name)
	}
	return nil
}

// emit applies op: now, if all operands are constants, else as a node of the graph. shape is the
// output's, needed where float.InferShape asks for it. Operands that op does not take as parameters
// must all be computed or all be constant.
func (im *importer) emit(op float.Op, shape []int, in ...*value) (*value, error) {
	shapes := make([][]int, len(in))
	for i, v := range in {
		shapes[i] = v.shape
	}
	shape, err := float.InferShape(op, shapes, shape)
	if err != nil {
		return nil, im.shapeError(err)
	}
	limit := im.opts.MaxElements
	for _, v := range in {
		limit = max(limit, v.count())
	}
	size, err := elementCount(toInt64(shape), limit)
	if err != nil {
		return nil, fmt.Errorf("node %q: %w", im.current.name, err)
	}
	if !slices.ContainsFunc(in, func(v *value) bool { return !v.constant() }) {
		if err := im.spend(float.Work(op, shapes, shape), size); err != nil {
			return nil, err
		}
		return im.evaluate(op, in, shapes, shape)
	}
	if err := im.spend(0, size); err != nil {
		return nil, err
	}
	return im.node(op, in, shape)
}

// shapeError tells a limit from a contradiction.
func (im *importer) shapeError(err error) error {
	n := im.current
	class := ErrMalformed
	if errors.Is(err, float.ErrLimit) {
		class = ErrLimit
	}
	return fmt.Errorf("%w: node %q (%s, opset %d): %w", class, n.name, n.proto.GetOpType(), n.opset, err)
}

// node adds a node to the graph.
func (im *importer) node(op float.Op, in []*value, shape []int) (*value, error) {
	n := float.Node{Name: im.current.name, Op: op}
	_, onlyMoves := op.(float.Reshape)
	index := in[0].index
	for _, v := range in {
		if v.index && !onlyMoves {
			return nil, im.current.unsupported("it computes with the result of ArgMax, which must be an output of the model")
		}
		if !v.typ.isFloat() && !exactOnIntegers(op) {
			return nil, im.current.unsupported("arithmetic on integers of type %v, which wraps; expected floats", v.typ)
		}
		if v.constant() && v.tensor < 0 {
			im.out.Tensors = append(im.out.Tensors, float.Tensor{
				Name: im.current.name + ".constant", Shape: v.shape, Const: Tensor{Type: v.typ, Floats: v.floats, Ints: v.ints}.AsFloats(),
			})
			v.tensor = len(im.out.Tensors) - 1
		}
		n.In = append(n.In, v.tensor)
	}
	out := im.tensor(in[0].typ, shape)
	out.index = index
	n.Out = out.tensor
	im.out.Tensors[out.tensor].Name = im.current.name
	im.out.Nodes = append(im.out.Nodes, n)
	return out, nil
}

// exactOnIntegers tells whether op means the same on integers as on real numbers.
func exactOnIntegers(op float.Op) bool {
	switch op := op.(type) {
	case float.Unary:
		return op.Func == "relu" || op.Func == "clip"
	case float.Reshape, float.Transpose, float.Concat, float.Slice, float.Pad, float.Gather, float.MaxPool, float.ArgMax:
		return true
	}
	return false
}

// evaluate applies op to constants. Integers can be moved here; arithmetic on them is in fold.go.
func (im *importer) evaluate(op float.Op, in []*value, shapes [][]int, shape []int) (*value, error) {
	typ := in[0].typ
	if !typ.isFloat() {
		data := make([][]int64, len(in))
		for i, v := range in {
			if v.typ != typ {
				return nil, im.current.malformed("operands of types %v and %v", typ, v.typ)
			}
			data[i] = v.ints
		}
		y, ok := float.Rearrange(op, data, shapes, shape, func(v float64) int64 { return int64(v) })
		if !ok {
			return nil, im.current.unsupported("it computes with integers of type %v", typ)
		}
		return constantValue(Tensor{Type: typ, Shape: shape, Ints: y}), nil
	}
	tensors := make([]float.Tensor, len(in))
	for i, v := range in {
		if !v.typ.isFloat() {
			return nil, im.current.malformed("operands of types %v and %v", typ, v.typ)
		}
		tensors[i] = float.Tensor{Shape: v.shape, Const: v.floats}
	}
	y, err := float.Eval(op, tensors, shape)
	if err != nil {
		return nil, im.shapeError(err)
	}
	return constantValue(Tensor{Type: typ, Shape: shape, Floats: y}), nil
}

// one is the result of a lowering with one output.
func one(v *value, err error) ([]*value, error) {
	if err != nil {
		return nil, err
	}
	return []*value{v}, nil
}
