package tflite

import (
	"fmt"
	"math"
	"slices"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// Real imports a model of real numbers, to be quantized like any other. Weights may be stored as halves or
// as integers with a scale. name is the graph's.
func (m *Model) Real(name string) (*float.Graph, error) {
	im := newImporter(m.f)
	g := &reals{importer: im, g: &float.Graph{Name: name}, constants: map[int][]float32{}}
	im.target = g
	for _, id := range im.file.inputs {
		t := &im.file.tensors[id]
		if t.typ != schema.TensorTypeFLOAT32 {
			return nil, fmt.Errorf("%w: input %q has type %s in a model of real numbers", ErrUnsupportedModel, t.name, t.typ)
		}
		x := g.tensor(t.name, t.shape, nil)
		g.g.Inputs = append(g.g.Inputs, int(x))
		im.define(id, x, native)
	}
	if err := im.run(); err != nil {
		return nil, err
	}
	for _, id := range im.file.outputs {
		x, err := im.output(id)
		if err != nil {
			return nil, err
		}
		g.g.Outputs = append(g.g.Outputs, int(x))
	}
	float.Fold(g.g)
	if err := g.g.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupportedModel, err)
	}
	return g.g, nil
}

// reals is the target that computes with real numbers.
type reals struct {
	*importer
	g         *float.Graph
	constants map[int][]float32 // made by DEQUANTIZE
	elements  int
}

// realNode is an operator being lowered to real numbers.
type realNode struct {
	*node
	g *reals
}

// realLowerings is the one list of operators on real numbers.
func realLowerings() map[schema.BuiltinOperator]func(*realNode) error {
	unary := func(f string) func(*realNode) error {
		return func(n *realNode) error { return n.unary(float.Unary{Func: f}) }
	}
	clip := func(lo, hi float64) func(*realNode) error {
		return func(n *realNode) error { return n.unary(float.Unary{Func: "clip", Alpha: lo, Beta: hi}) }
	}
	return map[schema.BuiltinOperator]func(*realNode) error{
		schema.BuiltinOperatorCONV_2D:           (*realNode).conv,
		schema.BuiltinOperatorDEPTHWISE_CONV_2D: (*realNode).depthwise,
		schema.BuiltinOperatorFULLY_CONNECTED:   (*realNode).fullyConnected,
		schema.BuiltinOperatorADD:               (*realNode).binary,
		schema.BuiltinOperatorSUB:               (*realNode).binary,
		schema.BuiltinOperatorMUL:               (*realNode).binary,
		schema.BuiltinOperatorDIV:               (*realNode).binary,
		schema.BuiltinOperatorAVERAGE_POOL_2D:   (*realNode).pool,
		schema.BuiltinOperatorMAX_POOL_2D:       (*realNode).pool,
		schema.BuiltinOperatorMEAN:              (*realNode).mean,
		schema.BuiltinOperatorSOFTMAX:           (*realNode).softmax,
		schema.BuiltinOperatorARG_MAX:           (*realNode).argMax,
		schema.BuiltinOperatorDEQUANTIZE:        (*realNode).dequantize,
		schema.BuiltinOperatorLOGISTIC:          unary("sigmoid"),
		schema.BuiltinOperatorTANH:              unary("tanh"),
		schema.BuiltinOperatorRELU:              unary("relu"),
		schema.BuiltinOperatorRELU6:             clip(0, 6),
		schema.BuiltinOperatorRELU_N1_TO_1:      clip(-1, 1),
		schema.BuiltinOperatorRELU_0_TO_1:       clip(0, 1),
		schema.BuiltinOperatorHARD_SWISH:        unary("hardswish"),
		schema.BuiltinOperatorEXP:               unary("exp"),
		schema.BuiltinOperatorSQRT:              unary("sqrt"),
		schema.BuiltinOperatorABS:               unary("abs"),
		schema.BuiltinOperatorNEG:               unary("neg"),
		schema.BuiltinOperatorLOG:               unary("log"),
		schema.BuiltinOperatorELU:               func(n *realNode) error { return n.unary(float.Unary{Func: "elu", Alpha: 1}) },
		schema.BuiltinOperatorLEAKY_RELU:        (*realNode).leaky,
		schema.BuiltinOperatorGELU:              (*realNode).gelu,
	}
}

func (g *reals) lowering(code schema.BuiltinOperator) func(*node) error {
	f, ok := realLowerings()[code]
	if !ok {
		return nil
	}
	return func(n *node) error { return f(&realNode{n, g}) }
}

func (g *reals) shape(x ref) []int { return g.g.Tensors[x].Shape }

func (g *reals) move(name string, m any, in ...ref) (ref, error) {
	switch m := m.(type) {
	case transposing:
		return g.add(name, float.Transpose{Perm: m.perm}, nil, in...)
	case reshaping:
		return g.add(name, float.Reshape{}, m.shape, in...)
	case slicing:
		return g.add(name, float.Slice{Start: m.start, Step: m.step}, m.size, in...)
	case joining:
		return g.add(name, float.Concat{Axis: m.axis}, nil, in...)
	case padding:
		return g.add(name, float.Pad{Before: m.before, After: m.after, Mode: m.mode, Value: m.value}, nil, in...)
	}
	panic(fmt.Sprintf("tflite: no real op for %T", m))
}

func (g *reals) sameMeaning(int, int) error { return nil }
func (g *reals) padding(int) float64        { return 0 }
func (g *reals) made(int, ref) error        { return nil }

func (g *reals) tensor(name string, shape []int, data []float32) ref {
	g.g.Tensors = append(g.g.Tensors, float.Tensor{Name: name, Shape: slices.Clone(shape), Const: data})
	return ref(len(g.g.Tensors) - 1)
}

// add applies an op; declared is the output's shape where the op leaves it open.
func (g *reals) add(name string, op float.Op, declared []int, in ...ref) (ref, error) {
	shapes, ids := make([][]int, len(in)), make([]int, len(in))
	for i, x := range in {
		shapes[i], ids[i] = g.shape(x), int(x)
	}
	shape, err := float.InferShape(op, shapes, declared)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnsupportedModel, err)
	}
	if g.elements += volume(shape); g.elements > 4*maxElements {
		return 0, fmt.Errorf("%w: more than %d elements in all tensors", ErrLimit, 4*maxElements)
	}
	x := g.tensor(name, shape, nil)
	g.g.Nodes = append(g.g.Nodes, float.Node{Name: name, Op: op, In: ids, Out: int(x)})
	return x, nil
}

// reals are the real numbers of a constant input; ok is false where it is computed.
func (n *realNode) reals(k int) (v []float32, ok bool, err error) {
	t := n.tensor(k)
	if t == nil {
		return nil, false, fmt.Errorf("%w: input %d is missing", ErrMalformed, k)
	}
	if v, ok := n.g.constants[n.op.inputs[k]]; ok {
		return v, true, nil
	}
	if t.data == nil {
		return nil, false, nil
	}
	v, err = t.floats()
	return v, true, err
}

// parameters are the real numbers of an input that has to be constant.
func (n *realNode) parameters(k int) ([]float32, error) {
	v, ok, err := n.reals(k)
	if err == nil && !ok {
		err = fmt.Errorf("%w: input %d is computed, expected a constant", ErrUnsupportedOp, k)
	}
	return v, err
}

// activated applies a fused activation and makes the result the operator's output.
func (n *realNode) activated(x ref, activation schema.ActivationFunctionType, l layout) error {
	var u float.Unary
	switch activation {
	case schema.ActivationFunctionTypeNONE:
		return n.set(0, x, l)
	case schema.ActivationFunctionTypeRELU:
		u = float.Unary{Func: "relu"}
	case schema.ActivationFunctionTypeRELU6:
		u = float.Unary{Func: "clip", Alpha: 0, Beta: 6}
	case schema.ActivationFunctionTypeRELU_N1_TO_1:
		u = float.Unary{Func: "clip", Alpha: -1, Beta: 1}
	case schema.ActivationFunctionTypeTANH:
		u = float.Unary{Func: "tanh"}
	default:
		return fmt.Errorf("%w: fused activation %s", ErrUnsupportedOp, activation)
	}
	y, err := n.g.add(n.name()+" activated", u, nil, x)
	if err != nil {
		return err
	}
	return n.set(0, y, l)
}

func (n *realNode) unary(u float.Unary) error {
	if err := n.operands(1, 1); err != nil {
		return err
	}
	l := n.inputLayout(0)
	x, err := n.input(0, l)
	if err != nil {
		return err
	}
	y, err := n.g.add(n.name(), u, nil, x)
	if err != nil {
		return err
	}
	return n.set(0, y, l)
}

func (n *realNode) leaky() error {
	var o schema.LeakyReluOptions
	if err := n.options(schema.BuiltinOptionsLeakyReluOptions, &o); err != nil {
		return err
	}
	return n.unary(float.Unary{Func: "leakyrelu", Alpha: float64(o.Alpha())})
}

func (n *realNode) gelu() error {
	var o schema.GeluOptions
	if err := n.options(schema.BuiltinOptionsGeluOptions, &o); err != nil {
		return err
	}
	if o.Approximate() {
		return n.unary(float.Unary{Func: "gelu_tanh"})
	}
	return n.unary(float.Unary{Func: "gelu"})
}

func (n *realNode) conv() error {
	w, o, err := n.convWindow()
	if err != nil {
		return err
	}
	return n.convolution(w, o.FusedActivationFunction(), n.tensor(1).shape[0], n.tensor(1).shape[3], ordinaryWeight)
}

func (n *realNode) depthwise() error {
	w, o, err := n.depthwiseWindow()
	if err != nil {
		return err
	}
	return n.convolution(w, o.FusedActivationFunction(), n.tensor(1).shape[3], 1, depthwiseWeight)
}

func (n *realNode) convolution(w window, activation schema.ActivationFunctionType, outputs, depth int, at weightIndex) error {
	x, err := n.input(0, channelsFirst)
	if err != nil {
		return err
	}
	shape := n.g.shape(x)
	if shape[1]%depth != 0 {
		return fmt.Errorf("%w: weights for %d of %d input channels", ErrMalformed, depth, shape[1])
	}
	win, err := w.of(shape[2], shape[3])
	if err != nil {
		return err
	}
	weights, err := n.parameters(1)
	if err != nil {
		return err
	}
	ordered := make([]float32, 0, len(weights))
	for _, row := range filters(weights, w, outputs, depth, at) {
		ordered = append(ordered, row...)
	}
	in := []ref{x, n.g.tensor(n.name()+" weights", []int{outputs, depth, w.kernel[0], w.kernel[1]}, ordered)}
	if in, err = n.withBias(in, outputs); err != nil {
		return err
	}
	y, err := n.g.add(n.name(), float.Conv{Window: realWindow(win), Groups: shape[1] / depth}, nil, in...)
	if err != nil {
		return err
	}
	return n.activated(y, activation, channelsFirst)
}

// withBias appends the bias, if there is one.
func (n *realNode) withBias(in []ref, outputs int) ([]ref, error) {
	if n.tensor(2) == nil {
		return in, nil
	}
	bias, err := n.parameters(2)
	if err != nil {
		return nil, err
	}
	if len(bias) != outputs {
		return nil, fmt.Errorf("%w: %d biases for %d channels", ErrMalformed, len(bias), outputs)
	}
	return append(in, n.g.tensor(n.name()+" bias", []int{outputs}, bias)), nil
}

func realWindow(w model.Window) float.Window { return float.Window(w) }

func (n *realNode) fullyConnected() error {
	activation, err := n.fullyConnectedActivation()
	if err != nil {
		return err
	}
	outputs, k := n.tensor(1).shape[0], n.tensor(1).shape[1]
	x, err := n.flattened(k)
	if err != nil {
		return err
	}
	weights, err := n.parameters(1)
	if err != nil {
		return err
	}
	transposed := make([]float32, len(weights))
	for o := range outputs {
		for i := range k {
			transposed[i*outputs+o] = weights[o*k+i]
		}
	}
	in := []ref{x, n.g.tensor(n.name()+" weights", []int{k, outputs}, transposed)}
	if in, err = n.withBias(in, outputs); err != nil {
		return err
	}
	y, err := n.g.add(n.name(), float.Dense{}, nil, in...)
	if err != nil {
		return err
	}
	if y, err = n.reshaped(y, n.out().shape); err != nil {
		return err
	}
	return n.activated(y, activation, native)
}

// arithmetic is the name and the fused activation of an operator of two tensors.
func (n *realNode) arithmetic() (string, schema.ActivationFunctionType, error) {
	switch n.op.code {
	case schema.BuiltinOperatorADD:
		var o schema.AddOptions
		if err := n.options(schema.BuiltinOptionsAddOptions, &o); err != nil {
			return "", 0, err
		}
		return "add", o.FusedActivationFunction(), nil
	case schema.BuiltinOperatorSUB:
		var o schema.SubOptions
		if err := n.options(schema.BuiltinOptionsSubOptions, &o); err != nil {
			return "", 0, err
		}
		return "sub", o.FusedActivationFunction(), nil
	case schema.BuiltinOperatorMUL:
		var o schema.MulOptions
		if err := n.options(schema.BuiltinOptionsMulOptions, &o); err != nil {
			return "", 0, err
		}
		return "mul", o.FusedActivationFunction(), nil
	}
	var o schema.DivOptions
	if err := n.options(schema.BuiltinOptionsDivOptions, &o); err != nil {
		return "", 0, err
	}
	return "div", o.FusedActivationFunction(), nil
}

func (n *realNode) binary() error {
	if err := n.operands(2, 2); err != nil {
		return err
	}
	name, activation, err := n.arithmetic()
	if err != nil {
		return err
	}
	for k := range 2 {
		c, constant, err := n.reals(1 - k)
		if err != nil {
			return err
		}
		if constant {
			return n.affine(name, activation, k, c)
		}
	}
	l := n.inputLayout(0, 1)
	var in [2]ref
	for k := range in {
		if in[k], err = n.input(k, l); err != nil {
			return err
		}
	}
	y, err := n.g.add(n.name(), float.Binary{Func: name}, nil, in[0], in[1])
	if err != nil {
		return err
	}
	return n.activated(y, activation, l)
}

// affine lowers arithmetic of input k with the constant c.
func (n *realNode) affine(name string, activation schema.ActivationFunctionType, k int, c []float32) error {
	x, err := n.input(k, native)
	if err != nil {
		return err
	}
	shape := n.tensor(1 - k).shape
	scale, shift := make([]float32, len(c)), make([]float32, len(c))
	for i, v := range c {
		scale[i] = 1
		switch {
		case name == "add":
			shift[i] = v
		case name == "sub" && k == 0:
			shift[i] = -v
		case name == "sub":
			scale[i], shift[i] = -1, v
		case name == "mul":
			scale[i] = v
		case v == 0 || math.IsInf(float64(1/v), 0):
			return fmt.Errorf("%w: division by %g", ErrUnsupportedOp, v)
		default:
			scale[i] = 1 / v
		}
	}
	if name == "div" && k == 1 { // c/x
		if x, err = n.g.add(n.name()+" reciprocal", float.Unary{Func: "reciprocal"}, nil, x); err != nil {
			return err
		}
		scale = c
	}
	y, err := n.g.add(n.name(), float.Affine{}, nil, x, n.g.tensor(n.name()+" scale", shape, scale), n.g.tensor(n.name()+" shift", shape, shift))
	if err != nil {
		return err
	}
	return n.activated(y, activation, native)
}

func (n *realNode) pool() error {
	win, activation, err := n.pooling()
	if err != nil {
		return err
	}
	x, err := n.input(0, channelsFirst)
	if err != nil {
		return err
	}
	var op float.Op = float.AvgPool{Window: realWindow(win)}
	if n.op.code == schema.BuiltinOperatorMAX_POOL_2D {
		op = float.MaxPool{Window: realWindow(win)}
	}
	y, err := n.g.add(n.name(), op, nil, x)
	if err != nil {
		return err
	}
	return n.activated(y, activation, channelsFirst)
}

func (n *realNode) mean() error {
	axes, err := n.axes()
	if err != nil {
		return err
	}
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	y, err := n.g.add(n.name(), float.Mean{Axes: axes}, n.out().shape, x)
	if err != nil {
		return err
	}
	return n.set(0, y, native)
}

func (n *realNode) softmax() error {
	var o schema.SoftmaxOptions
	if err := n.options(schema.BuiltinOptionsSoftmaxOptions, &o); err != nil {
		return err
	}
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	rank := len(n.g.shape(x))
	if rank == 0 {
		return fmt.Errorf("%w: softmax of a scalar", ErrMalformed)
	}
	if beta := o.Beta(); beta != 1 {
		scale, shift := n.g.tensor(n.name()+" beta", []int{1}, []float32{beta}), n.g.tensor(n.name()+" zero", []int{1}, []float32{0})
		if x, err = n.g.add(n.name()+" scaled", float.Affine{}, nil, x, scale, shift); err != nil {
			return err
		}
	}
	y, err := n.g.add(n.name(), float.Softmax{Axis: rank - 1}, nil, x)
	if err != nil {
		return err
	}
	return n.set(0, y, native)
}

func (n *realNode) argMax() error {
	axis, err := n.singleAxis()
	if err != nil {
		return err
	}
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	y, err := n.g.add(n.name(), float.ArgMax{Axis: axis}, n.out().shape, x)
	if err != nil {
		return err
	}
	return n.set(0, y, native)
}

// dequantize lowers DEQUANTIZE of stored weights.
func (n *realNode) dequantize() error {
	v, err := n.parameters(0)
	if err != nil {
		return err
	}
	n.g.constants[n.op.outputs[0]] = v
	return nil
}
