package tflite

import (
	"fmt"
	"slices"
	"strings"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// importer lowers operators, in the order of the file, to ops of a target: the integer graph, or the
// graph of real numbers. What both have in common is here and in op_shape.go: which tensor is where, in
// which layout, and everything that only moves elements.
type importer struct {
	file   *file
	target target
	values map[int]*value // by number of the file's tensor
	notes  []string
}

// ref is a tensor of the target's graph.
type ref int

// target is a graph under construction.
type target interface {
	// shape is that of a tensor.
	shape(x ref) []int
	// move adds an op that moves elements of its inputs: one of the structs below.
	move(name string, m any, in ...ref) (ref, error)
	// sameMeaning errs unless two of the file's tensors hold elements of the same meaning.
	sameMeaning(a, b int) error
	// pad is the element that padding of a tensor of the file consists of.
	padding(id int) float64
	// made is called with every tensor of the file once it is made.
	made(id int, x ref) error
	// lowering is how the target computes an operator, nil if it does not.
	lowering(code schema.BuiltinOperator) func(*node) error
}

// What only moves elements; the fields are those of package model's ops.
type (
	transposing struct{ perm []int }
	reshaping   struct{ shape []int }
	slicing     struct{ start, step, size []int }
	joining     struct{ axis int }
	padding     struct {
		before, after []int
		mode          string
		value         float64
	}
)

// layout is the order of axes of a tensor in the graph.
type layout int

const (
	native        layout = iota // as in the file
	channelsFirst               // [N, C, H, W] for the file's [N, H, W, C]
)

var (
	toChannelsFirst = []int{0, 3, 1, 2}
	toNative        = []int{0, 2, 3, 1}
)

// value is a computed tensor in the layouts that were needed so far.
type value struct {
	refs [2]ref
	made [2]bool
}

func newImporter(f *file) *importer { return &importer{file: f, values: map[int]*value{}} }

// run lowers all operators.
func (im *importer) run() error {
	for i := range im.file.operators {
		n := &node{importer: im, op: &im.file.operators[i]}
		if err := n.lower(); err != nil {
			return fmt.Errorf("operator %d (%s) %q: %w", i, n.op.code, im.label(n.op.outputs[0]), err)
		}
	}
	return nil
}

// output is the target's tensor of an output of the model.
func (im *importer) output(id int) (ref, error) {
	v, ok := im.values[id]
	if !ok {
		return 0, fmt.Errorf("%w: output %q is computed by no operator that is supported", ErrUnsupportedModel, im.label(id))
	}
	return im.in(v, id, native)
}

// label is the tensor's name without what converters prepend: the last two parts of the first path.
func (im *importer) label(id int) string {
	name, _, _ := strings.Cut(im.file.tensors[id].name, ";")
	parts := strings.Split(name, "/")
	return strings.Join(parts[max(len(parts)-2, 0):], "/")
}

// define says what a tensor of the file is in the graph.
func (im *importer) define(id int, x ref, l layout) {
	v := &value{}
	v.refs[l], v.made[l] = x, true
	im.values[id] = v
}

// in is the graph's tensor of a value in a layout, transposed where it is not there yet.
func (im *importer) in(v *value, id int, l layout) (ref, error) {
	if v.made[l] {
		return v.refs[l], nil
	}
	perm := toNative
	if l == channelsFirst {
		perm = toChannelsFirst
	}
	x, err := im.target.move(im.label(id)+" transposed", transposing{perm}, v.refs[1-l])
	if err != nil {
		return 0, err
	}
	v.refs[l], v.made[l] = x, true
	return x, nil
}

// node is an operator being lowered.
type node struct {
	*importer
	op *operator
}

// movements is the one list of operators that only move elements.
func movements() map[schema.BuiltinOperator]func(*node) error {
	return map[schema.BuiltinOperator]func(*node) error{
		schema.BuiltinOperatorRESHAPE:       (*node).reshape,
		schema.BuiltinOperatorSQUEEZE:       (*node).reshape,
		schema.BuiltinOperatorEXPAND_DIMS:   (*node).reshape,
		schema.BuiltinOperatorPAD:           (*node).pad,
		schema.BuiltinOperatorPADV2:         (*node).pad,
		schema.BuiltinOperatorMIRROR_PAD:    (*node).pad,
		schema.BuiltinOperatorCONCATENATION: (*node).concat,
		schema.BuiltinOperatorTRANSPOSE:     (*node).transpose,
		schema.BuiltinOperatorSTRIDED_SLICE: (*node).stridedSlice,
		schema.BuiltinOperatorSLICE:         (*node).slice,
		schema.BuiltinOperatorSPLIT:         (*node).split,
	}
}

func (n *node) lower() error {
	if n.arithmeticOfShapes() {
		return nil
	}
	f := movements()[n.op.code]
	if f == nil {
		f = n.target.lowering(n.op.code)
	}
	if f == nil {
		return fmt.Errorf("%w: %s; docs/tflite.md lists what is supported", ErrUnsupportedOp, n.op.code)
	}
	return f(n)
}

// arithmeticOfShapes tells whether the operator only computes sizes (SHAPE, PACK and what converters put
// between them and a RESHAPE). The file has every tensor's size already.
func (n *node) arithmeticOfShapes() bool {
	if n.op.code == schema.BuiltinOperatorARG_MAX {
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

// options checks that the operator has options of a type and initializes them.
func (n *node) options(t schema.BuiltinOptions, o flatbuffers.FlatBuffer) error {
	if n.op.optionsType != t {
		return fmt.Errorf("%w: options of type %s, expected %s", ErrMalformed, n.op.optionsType, t)
	}
	o.Init(n.op.options.Bytes, n.op.options.Pos)
	return nil
}

// tensor is the file's tensor of input k, nil where it is left out.
func (n *node) tensor(k int) *tensor {
	if k >= len(n.op.inputs) || n.op.inputs[k] < 0 {
		return nil
	}
	return &n.file.tensors[n.op.inputs[k]]
}

// out is the file's tensor of the first output.
func (n *node) out() *tensor { return &n.file.tensors[n.op.outputs[0]] }

// name is that of the first output.
func (n *node) name() string { return n.label(n.op.outputs[0]) }

// computed tells whether input k is a value of the graph, rather than a constant.
func (n *node) computed(k int) bool { return n.tensor(k) != nil && n.values[n.op.inputs[k]] != nil }

// has tells whether input k, which is computed, is there in a layout already.
func (n *node) has(k int, l layout) bool { return n.values[n.op.inputs[k]].made[l] }

// input is the graph's tensor of input k.
func (n *node) input(k int, l layout) (ref, error) {
	t := n.tensor(k)
	if t == nil {
		return 0, fmt.Errorf("%w: input %d is missing", ErrMalformed, k)
	}
	v, ok := n.values[n.op.inputs[k]]
	if !ok {
		return 0, fmt.Errorf("%w: input %d (%q) is a constant or comes from an operator that is not supported here", ErrUnsupportedOp, k, t.name)
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

// set makes a tensor of the graph output k of the operator.
func (n *node) set(k int, x ref, l layout) error {
	id := n.op.outputs[k]
	if n.values[id] != nil {
		return fmt.Errorf("%w: %q is made twice", ErrMalformed, n.file.tensors[id].name)
	}
	want := n.file.tensors[id].shape
	if l == channelsFirst {
		if len(want) != 4 {
			return fmt.Errorf("%w: the output has shape %v, expected [N, H, W, C]", ErrMalformed, want)
		}
		want = inLayout(l, want)
	}
	if got := n.target.shape(x); !slices.Equal(got, want) {
		return fmt.Errorf("%w: the output has shape %v, the file says %v", ErrMalformed, got, want)
	}
	if err := n.target.made(id, x); err != nil {
		return err
	}
	n.define(id, x, l)
	return nil
}

// setReshaped is set for a tensor that may have the file's shape only after a reshape.
func (n *node) setReshaped(k int, x ref) error {
	x, err := n.reshaped(x, n.file.tensors[n.op.outputs[k]].shape)
	if err != nil {
		return err
	}
	return n.set(k, x, native)
}

// reshaped is a tensor of the graph in another shape.
func (n *node) reshaped(x ref, shape []int) (ref, error) {
	if slices.Equal(n.target.shape(x), shape) {
		return x, nil
	}
	return n.target.move(n.name()+" reshaped", reshaping{shape}, x)
}

// inLayout permutes what is listed by axis of the file.
func inLayout[T any](l layout, list []T) []T {
	if l == native {
		return list
	}
	out := make([]T, len(list))
	for i, p := range toChannelsFirst {
		out[i] = list[p]
	}
	return out
}

// axisIn is an axis of the file in a layout.
func axisIn(l layout, axis int) int {
	if l == native {
		return axis
	}
	return slices.Index(toChannelsFirst, axis)
}

// axisOf is an axis that may be counted from the end.
func axisOf(axis int64, rank int) (int, error) {
	if axis < 0 {
		axis += int64(rank)
	}
	if axis < 0 || axis >= int64(rank) {
		return 0, fmt.Errorf("%w: axis %d of %d", ErrMalformed, axis, rank)
	}
	return int(axis), nil
}

// axesOf are the axes of a list, ascending, each once.
func axesOf(list []int64, rank int) ([]int, error) {
	var axes []int
	for _, v := range list {
		a, err := axisOf(v, rank)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(axes, a) {
			axes = append(axes, a)
		}
	}
	slices.Sort(axes)
	return axes, nil
}

// inputLayout is the layout in which an op on single elements is applied: as the inputs are there.
func (n *node) inputLayout(inputs ...int) layout {
	for _, k := range inputs {
		if !n.computed(k) || len(n.tensor(k).shape) != 4 || !n.has(k, channelsFirst) {
			return native
		}
	}
	return channelsFirst
}
