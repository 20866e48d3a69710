package tflite

import (
	"fmt"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// Integer imports a quantized model as the integer graph of a rounding. name is the graph's.
func (m *Model) Integer(r Rounding, name string) (*Result, error) {
	return newIntegers(m, r, name).run()
}

func newIntegers(m *Model, r Rounding, name string) *integers {
	g := &integers{importer: newImporter(m.f), rounding: r, b: model.NewBuilder(name)}
	g.target = g
	return g
}

func (g *integers) run() (*Result, error) {
	im, r := g.importer, g.rounding
	g.b.Source(model.Source{Format: "tflite", Rounding: string(r)})
	if err := g.inputs(); err != nil {
		return nil, err
	}
	if err := im.run(); err != nil {
		return nil, err
	}
	seen := map[ref]bool{}
	for _, id := range im.file.outputs {
		x, err := im.output(id)
		if err != nil {
			return nil, err
		}
		if seen[x] { // the same integers under two names
			if x, err = g.move(im.label(id)+" again", reshaping{g.shape(x)}, x); err != nil {
				return nil, err
			}
		}
		seen[x] = true
		g.b.Output(model.TensorID(x))
	}
	g.shareTables()
	graph, err := g.b.Graph()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupportedModel, err)
	}
	return &Result{Graph: graph, Notes: im.notes}, nil
}

// integers is the target that computes what a device computes.
type integers struct {
	*importer
	rounding Rounding
	b        *model.Builder
	clamps   []*clampedLayer
	channels int // of all requantizations, which take time
	// observe, if not nil, is shown every requantization: what was asked for, what was found.
	observe func(channels []steps, zero int64, q *requantization)
}

// integerNode is an operator being lowered to integers.
type integerNode struct {
	*node
	g        *integers
	rounding Rounding // whose kernel computes the operator
}

// integerLowerings is the one list of operators that have an integer form.
func integerLowerings() map[schema.BuiltinOperator]func(*integerNode) error {
	return map[schema.BuiltinOperator]func(*integerNode) error{
		schema.BuiltinOperatorCONV_2D:           (*integerNode).conv,
		schema.BuiltinOperatorDEPTHWISE_CONV_2D: (*integerNode).depthwise,
		schema.BuiltinOperatorFULLY_CONNECTED:   (*integerNode).fullyConnected,
		schema.BuiltinOperatorADD:               (*integerNode).add,
		schema.BuiltinOperatorSUB:               (*integerNode).sub,
		schema.BuiltinOperatorMUL:               (*integerNode).mul,
		schema.BuiltinOperatorAVERAGE_POOL_2D:   (*integerNode).averagePool,
		schema.BuiltinOperatorMAX_POOL_2D:       (*integerNode).maxPool,
		schema.BuiltinOperatorMEAN:              (*integerNode).mean,
		schema.BuiltinOperatorSOFTMAX:           (*integerNode).softmax,
		schema.BuiltinOperatorLOGISTIC:          (*integerNode).byteFunction,
		schema.BuiltinOperatorTANH:              (*integerNode).byteFunction,
		schema.BuiltinOperatorRELU:              (*integerNode).byteFunction,
		schema.BuiltinOperatorRELU6:             (*integerNode).byteFunction,
		schema.BuiltinOperatorRELU_N1_TO_1:      (*integerNode).byteFunction,
		schema.BuiltinOperatorLEAKY_RELU:        (*integerNode).byteFunction,
		schema.BuiltinOperatorHARD_SWISH:        (*integerNode).byteFunction,
		schema.BuiltinOperatorQUANTIZE:          (*integerNode).quantize,
		schema.BuiltinOperatorDEQUANTIZE:        (*integerNode).dequantize,
		schema.BuiltinOperatorARG_MAX:           (*integerNode).argMax,
	}
}

func (g *integers) lowering(code schema.BuiltinOperator) func(*node) error {
	f, ok := integerLowerings()[code]
	if !ok {
		return nil
	}
	return func(n *node) error { return f(&integerNode{n, g, g.rounding}) }
}

func (g *integers) shape(x ref) []int { return g.b.Tensor(model.TensorID(x)).Shape }

func (g *integers) move(name string, m any, in ...ref) (ref, error) {
	from := g.b.Tensor(model.TensorID(in[0]))
	x, err := g.add(name, integerMove(m), from.Scale, from.Zero, in...)
	if err != nil {
		return 0, err
	}
	return x, g.b.Retype(model.TensorID(x), from.Type)
}

func integerMove(m any) model.Op {
	switch m := m.(type) {
	case transposing:
		return &model.Transpose{Perm: m.perm}
	case reshaping:
		return &model.Reshape{Shape: m.shape}
	case slicing:
		return &model.Slice{Start: m.start, Step: m.step, Size: m.size}
	case joining:
		return &model.Concat{Axis: m.axis}
	case padding:
		return &model.Pad{Before: m.before, After: m.after, Mode: m.mode, Value: int64(m.value)}
	}
	panic(fmt.Sprintf("tflite: no integer op for %T", m))
}

// add applies an op.
func (g *integers) add(name string, op model.Op, scale float64, zero int64, in ...ref) (ref, error) {
	ids := make([]model.TensorID, len(in))
	for i, x := range in {
		ids[i] = model.TensorID(x)
	}
	x, err := g.b.Add(name, op, scale, zero, ids...)
	return ref(x), err
}

// sameMeaning demands the same scale and zero point.
func (g *integers) sameMeaning(a, b int) error {
	x, y := &g.file.tensors[a], &g.file.tensors[b]
	if x.typ != y.typ || len(x.scales) != 1 || len(y.scales) != 1 || x.scale(0) != y.scale(0) || x.zero() != y.zero() {
		return fmt.Errorf("%w: %q and %q are quantized differently", ErrUnsupportedOp, x.name, y.name)
	}
	return nil
}

// sameType demands one machine type of the operator's output and of inputs.
func (n *integerNode) sameType(inputs ...int) error {
	for _, k := range inputs {
		if t := n.tensor(k); t == nil || t.typ != n.out().typ {
			return fmt.Errorf("%w: the output is %s, input %d is not", ErrUnsupportedOp, n.out().typ, k)
		}
	}
	return nil
}

// padding is the integer that stands for 0.
func (g *integers) padding(id int) float64 { return float64(g.file.tensors[id].zero()) }

func (g *integers) made(id int, x ref) error {
	if t := g.file.tensors[id].typ; t == schema.TensorTypeINT32 || t == schema.TensorTypeINT64 {
		return g.b.Retype(model.TensorID(x), model.Int32) // an index
	}
	dtype, _, _, err := g.integerType(id)
	if err != nil {
		return err
	}
	return g.b.Retype(model.TensorID(x), dtype)
}

// inputs declares the model's inputs. One of real numbers is that of the QUANTIZE that reads it.
func (g *integers) inputs() error {
	for _, id := range g.file.inputs {
		source, err := g.quantizedInput(id)
		if err != nil {
			return err
		}
		t, q := &g.file.tensors[id], &g.file.tensors[source]
		dtype, lo, hi, err := g.integerType(source)
		if err != nil {
			return fmt.Errorf("input %q: %w", t.name, err)
		}
		made, err := g.b.Input(model.Tensor{Name: t.name, Shape: t.shape, Min: lo, Max: hi, Type: dtype,
			Scale: float64(q.scale(0)), Zero: q.zero()})
		if err != nil {
			return err
		}
		g.define(source, ref(made), native)
	}
	return nil
}

// quantizedInput is the tensor that holds an input as integers.
func (g *integers) quantizedInput(id int) (int, error) {
	if g.file.tensors[id].typ != schema.TensorTypeFLOAT32 {
		return id, nil
	}
	source, readers := -1, 0
	for _, op := range g.file.operators {
		for _, in := range op.inputs {
			if in != id {
				continue
			}
			readers++
			if op.code == schema.BuiltinOperatorQUANTIZE {
				source = op.outputs[0]
			}
		}
	}
	if source < 0 || readers != 1 {
		return 0, fmt.Errorf("%w: input %q is real and is read by something else than one QUANTIZE", ErrUnsupportedModel, g.file.tensors[id].name)
	}
	return source, nil
}

// integerType is the machine type of a tensor that is quantized as a whole, and its range.
func (g *integers) integerType(id int) (t model.DType, lo, hi int64, err error) {
	x := &g.file.tensors[id]
	switch x.typ {
	case schema.TensorTypeINT8:
		t = model.Int8
	case schema.TensorTypeUINT8:
		t = model.Uint8
	default:
		return 0, 0, 0, fmt.Errorf("%w: %q has type %s, expected INT8 or UINT8", ErrUnsupportedModel, x.name, x.typ)
	}
	lo, hi = t.Range()
	if len(x.scales) != 1 {
		return 0, 0, 0, fmt.Errorf("%w: %q has %d scales, expected one", ErrUnsupportedModel, x.name, len(x.scales))
	}
	if x.zero() < lo || x.zero() > hi {
		return 0, 0, 0, fmt.Errorf("%w: %q has zero point %d, which is no %s", ErrMalformed, x.name, x.zero(), t)
	}
	return t, lo, hi, nil
}

// at is the graph's tensor.
func (n *integerNode) at(x ref) model.Tensor { return n.g.b.Tensor(model.TensorID(x)) }

// emit adds an op that makes the operator's output.
func (n *integerNode) emit(op model.Op, l layout, in ...ref) error {
	out := n.out()
	x, err := n.g.add(n.name(), op, float64(out.scale(0)), out.zero(), in...)
	if err != nil {
		return err
	}
	return n.set(0, x, l)
}

// outputRange is the range of the output's type; the output has to be quantized as a whole.
func (n *integerNode) outputRange() (lo, hi int64, err error) {
	_, lo, hi, err = n.g.integerType(n.op.outputs[0])
	return lo, hi, err
}

// clamp is the range of the output's integers after a fused activation.
func (n *integerNode) clamp(activation schema.ActivationFunctionType) (lo, hi int64, err error) {
	lo, hi, err = n.outputRange()
	if err != nil {
		return 0, 0, err
	}
	out := n.out()
	at := func(x float32) int64 { return n.rounding.quantized(x, out.scale(0), out.zero(), lo, hi) }
	switch activation {
	case schema.ActivationFunctionTypeNONE:
		return lo, hi, nil
	case schema.ActivationFunctionTypeRELU:
		return at(0), hi, nil
	case schema.ActivationFunctionTypeRELU6:
		return at(0), at(6), nil
	case schema.ActivationFunctionTypeRELU_N1_TO_1:
		return at(-1), at(1), nil
	}
	return 0, 0, fmt.Errorf("%w: fused activation %s", ErrUnsupportedOp, activation)
}
