package tflite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// Integer imports a quantized model as the integer graph of a rounding.
func (m *Model) Integer(r Rounding) (*Result, error) {
	im := &importer{file: m.f, rounding: r, b: model.NewBuilder(m.f.name), values: map[int]*value{}, uses: map[int]int{}}
	im.b.Source(model.Source{Format: "tflite", Rounding: string(r)})
	if err := im.run(); err != nil {
		return nil, err
	}
	g, err := im.b.Graph()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupportedModel, err)
	}
	return &Result{Graph: g, Notes: im.notes}, nil
}

// importer lowers operators, in the order of the file, to ops of the integer graph.
type importer struct {
	file     *file
	rounding Rounding
	b        *model.Builder
	values   map[int]*value // by number of the file's tensor
	uses     map[int]int    // operators and outputs of the model that read a tensor
	clamps   []*clampedLayer
	notes    []string
}

// layout is the order of axes of a tensor in the graph.
type layout int

const (
	native        layout = iota // as in the file
	channelsFirst               // [N, C, H, W] for the file's [N, H, W, C]
)

// value is a computed tensor in the layouts that were needed so far.
type value struct {
	ids  [2]model.TensorID
	made [2]bool
}

var (
	toChannelsFirst = []int{0, 3, 1, 2}
	toNative        = []int{0, 2, 3, 1}
)

func (im *importer) run() error {
	for _, op := range im.file.operators {
		for _, id := range op.inputs {
			im.uses[id]++
		}
	}
	for _, id := range im.file.outputs {
		im.uses[id]++
	}
	if err := im.inputs(); err != nil {
		return err
	}
	for i := range im.file.operators {
		n := &node{importer: im, op: &im.file.operators[i], index: i}
		if err := n.lower(); err != nil {
			return fmt.Errorf("operator %d (%s) %q: %w", i, n.op.code, im.label(n.op.outputs[0]), err)
		}
	}
	if err := im.outputs(); err != nil {
		return err
	}
	return im.shareTables()
}

// inputs declares the model's inputs. One of real numbers is that of the QUANTIZE that reads it.
func (im *importer) inputs() error {
	for _, id := range im.file.inputs {
		t := &im.file.tensors[id]
		source := id
		if t.typ == schema.TensorTypeFLOAT32 {
			quantizing := -1
			for _, op := range im.file.operators {
				if op.code == schema.BuiltinOperatorQUANTIZE && len(op.inputs) == 1 && op.inputs[0] == id && im.uses[id] == 1 {
					quantizing = op.outputs[0]
				}
			}
			if quantizing < 0 {
				return fmt.Errorf("%w: input %q is real and no single QUANTIZE reads it", ErrUnsupportedModel, t.name)
			}
			source = quantizing
		}
		dtype, lo, hi, err := im.integerType(source)
		if err != nil {
			return fmt.Errorf("input %q: %w", t.name, err)
		}
		q := &im.file.tensors[source]
		made, err := im.b.Input(model.Tensor{Name: t.name, Shape: t.shape, Min: lo, Max: hi, Type: dtype,
			Scale: float64(q.scale(0)), Zero: q.zero()})
		if err != nil {
			return err
		}
		im.values[source] = &value{ids: [2]model.TensorID{made}, made: [2]bool{true}}
	}
	return nil
}

func (im *importer) outputs() error {
	for _, id := range im.file.outputs {
		v, ok := im.values[id]
		if !ok {
			return fmt.Errorf("%w: output %q is computed by no operator that is supported", ErrUnsupportedModel, im.label(id))
		}
		out, err := im.in(v, id, native)
		if err != nil {
			return err
		}
		im.b.Output(out)
	}
	return nil
}

// integerType is the machine type of a quantized tensor and its range.
func (im *importer) integerType(id int) (t model.DType, lo, hi int64, err error) {
	x := &im.file.tensors[id]
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

// label is the tensor's name without what converters prepend: the last two parts of the first path.
func (im *importer) label(id int) string {
	name, _, _ := strings.Cut(im.file.tensors[id].name, ";")
	parts := strings.Split(name, "/")
	return strings.Join(parts[max(len(parts)-2, 0):], "/")
}

// in is the graph's tensor of a value in a layout, transposed where it is not there yet.
func (im *importer) in(v *value, id int, l layout) (model.TensorID, error) {
	if v.made[l] {
		return v.ids[l], nil
	}
	perm := toNative
	if l == channelsFirst {
		perm = toChannelsFirst
	}
	from := im.b.Tensor(v.ids[1-l])
	made, err := im.b.Add(im.label(id)+" transposed", &model.Transpose{Perm: perm}, from.Scale, from.Zero, v.ids[1-l])
	if err != nil {
		return 0, err
	}
	if err := im.b.Retype(made, from.Type); err != nil {
		return 0, err
	}
	v.ids[l], v.made[l] = made, true
	return made, nil
}

// node is an operator being lowered.
type node struct {
	*importer
	op    *operator
	index int
}

// lowerings is the one list of operators that have an integer form.
func lowerings() map[schema.BuiltinOperator]func(*node) error {
	return map[schema.BuiltinOperator]func(*node) error{
		schema.BuiltinOperatorCONV_2D:           (*node).conv,
		schema.BuiltinOperatorDEPTHWISE_CONV_2D: (*node).depthwise,
		schema.BuiltinOperatorFULLY_CONNECTED:   (*node).fullyConnected,
		schema.BuiltinOperatorADD:               (*node).add,
		schema.BuiltinOperatorSUB:               (*node).sub,
		schema.BuiltinOperatorMUL:               (*node).mul,
		schema.BuiltinOperatorAVERAGE_POOL_2D:   (*node).averagePool,
		schema.BuiltinOperatorMAX_POOL_2D:       (*node).maxPool,
		schema.BuiltinOperatorMEAN:              (*node).mean,
		schema.BuiltinOperatorSOFTMAX:           (*node).softmax,
		schema.BuiltinOperatorLOGISTIC:          (*node).byteFunction,
		schema.BuiltinOperatorTANH:              (*node).byteFunction,
		schema.BuiltinOperatorRELU:              (*node).byteFunction,
		schema.BuiltinOperatorRELU6:             (*node).byteFunction,
		schema.BuiltinOperatorRELU_N1_TO_1:      (*node).byteFunction,
		schema.BuiltinOperatorLEAKY_RELU:        (*node).byteFunction,
		schema.BuiltinOperatorQUANTIZE:          (*node).quantize,
		schema.BuiltinOperatorDEQUANTIZE:        (*node).dequantize,
		schema.BuiltinOperatorRESHAPE:           (*node).reshape,
		schema.BuiltinOperatorSQUEEZE:           (*node).reshape,
		schema.BuiltinOperatorEXPAND_DIMS:       (*node).reshape,
		schema.BuiltinOperatorPAD:               (*node).pad,
		schema.BuiltinOperatorPADV2:             (*node).pad,
		schema.BuiltinOperatorMIRROR_PAD:        (*node).pad,
		schema.BuiltinOperatorCONCATENATION:     (*node).concat,
		schema.BuiltinOperatorTRANSPOSE:         (*node).transpose,
		schema.BuiltinOperatorSTRIDED_SLICE:     (*node).stridedSlice,
		schema.BuiltinOperatorSLICE:             (*node).slice,
		schema.BuiltinOperatorSPLIT:             (*node).split,
		schema.BuiltinOperatorARG_MAX:           (*node).argMax,
	}
}

// SupportedOps lists the operators that Integer knows, sorted.
func SupportedOps() []string {
	var out []string
	for code := range lowerings() {
		out = append(out, code.String())
	}
	slices.Sort(out)
	return out
}

func (n *node) lower() error {
	if n.arithmeticOfShapes() {
		return nil
	}
	f, ok := lowerings()[n.op.code]
	if !ok {
		return fmt.Errorf("%w: %s; supported are %s", ErrUnsupportedOp, n.op.code, strings.Join(SupportedOps(), ", "))
	}
	return f(n)
}

// arithmeticOfShapes tells whether the operator only computes sizes (SHAPE, PACK and what converters put
// between them and a RESHAPE). The file has every tensor's size already.
func (n *node) arithmeticOfShapes() bool {
	if n.op.code == schema.BuiltinOperatorARG_MAX || n.op.code == schema.BuiltinOperatorARG_MIN {
		return false
	}
	for _, id := range n.op.outputs {
		t := n.file.tensors[id]
		if t.typ != schema.TensorTypeINT32 && t.typ != schema.TensorTypeINT64 || len(t.scales) > 0 {
			return false
		}
	}
	return true
}

// operands checks the number of inputs.
func (n *node) operands(least, most int) error {
	if k := len(n.op.inputs); k < least || k > most {
		return fmt.Errorf("%w: %d inputs, expected %d to %d", ErrMalformed, k, least, most)
	}
	return nil
}

// tensor is the file's tensor of input k, nil where it is left out.
func (n *node) tensor(k int) *tensor {
	if k >= len(n.op.inputs) || n.op.inputs[k] < 0 {
		return nil
	}
	return &n.file.tensors[n.op.inputs[k]]
}

// output is the file's tensor of output k.
func (n *node) output() *tensor { return &n.file.tensors[n.op.outputs[0]] }

// computed tells whether input k is a value of the graph, rather than a constant.
func (n *node) computed(k int) bool {
	if n.tensor(k) == nil {
		return false
	}
	return n.values[n.op.inputs[k]] != nil
}

// has tells whether input k is there in a layout already.
func (n *node) has(k int, l layout) bool { return n.values[n.op.inputs[k]].made[l] }

// input is the graph's tensor of input k.
func (n *node) input(k int, l layout) (model.TensorID, error) {
	t := n.tensor(k)
	if t == nil {
		return 0, fmt.Errorf("%w: input %d is missing", ErrMalformed, k)
	}
	v, ok := n.values[n.op.inputs[k]]
	if !ok {
		return 0, fmt.Errorf("%w: input %d (%q) is a constant or comes from an operator without an integer form", ErrUnsupportedOp, k, t.name)
	}
	if l == channelsFirst && len(t.shape) != 4 {
		return 0, fmt.Errorf("%w: input %d has shape %v, expected [N, H, W, C]", ErrMalformed, k, t.shape)
	}
	return n.in(v, n.op.inputs[k], l)
}

// constant are the integers of input k.
func (n *node) constant(k int) ([]int64, error) {
	t := n.tensor(k)
	if t == nil {
		return nil, fmt.Errorf("%w: input %d is missing", ErrMalformed, k)
	}
	return t.integers()
}

// emit adds an op that makes output k of the operator.
func (n *node) emit(k int, op model.Op, l layout, in ...model.TensorID) error {
	id := n.op.outputs[k]
	t := &n.file.tensors[id]
	made, err := n.b.Add(n.label(id), op, float64(t.scale(0)), t.zero(), in...)
	if err != nil {
		return err
	}
	return n.set(k, made, l)
}

// set makes a tensor of the graph output k of the operator.
func (n *node) set(k int, made model.TensorID, l layout) error {
	id := n.op.outputs[k]
	dtype, _, _, err := n.integerType(id)
	if err != nil {
		return err
	}
	if err := n.b.Retype(made, dtype); err != nil {
		return err
	}
	want := n.file.tensors[id].shape
	if l == channelsFirst {
		want = permuted(want, toChannelsFirst)
	}
	if got := n.b.Tensor(made).Shape; !slices.Equal(got, want) {
		return fmt.Errorf("%w: the output has shape %v, the file says %v", ErrMalformed, got, want)
	}
	v := &value{}
	v.ids[l], v.made[l] = made, true
	n.values[id] = v
	return nil
}

// intermediate adds an op whose output no tensor of the file has.
func (n *node) intermediate(suffix string, op model.Op, scale float64, zero int64, in ...model.TensorID) (model.TensorID, error) {
	return n.b.Add(n.label(n.op.outputs[0])+" "+suffix, op, scale, zero, in...)
}

func permuted(shape, perm []int) []int {
	out := make([]int, len(shape))
	for i, p := range perm {
		if p < len(shape) {
			out[i] = shape[p]
		}
	}
	return out
}

// quantizedOutput checks that the operator's output is quantized as a whole.
func (n *node) quantizedOutput() (lo, hi int64, err error) {
	_, lo, hi, err = n.integerType(n.op.outputs[0])
	return lo, hi, err
}

// clamp is the range of the output's integers after a fused activation.
func (n *node) clamp(activation schema.ActivationFunctionType) (lo, hi int64, err error) {
	lo, hi, err = n.quantizedOutput()
	if err != nil {
		return 0, 0, err
	}
	out := n.output()
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
