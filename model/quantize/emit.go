package quantize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// emitFitting widens the class of clamps, then coarsens scales, until the worst case of all layers
// fits.
func (n *network) emitFitting(ctx context.Context) (*emitter, error) {
	n.classBits = minClassBits
	for range maxAttempts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, err := n.emit()
		var wide *tooWide
		switch {
		case err == nil:
			n.warn()
			return e, nil
		case errors.Is(err, errTooNarrow):
			n.classBits++
		case !errors.As(err, &wide):
			return nil, err
		case !wide.group.coarsen():
			if n.o.Like != nil {
				err = fmt.Errorf("%w: %w", ErrArchitecture, err)
			}
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: no scales cover the worst case of this network", ErrCalibration)
}

// maxAttempts bounds the search: each widens a class or coarsens a scale.
const maxAttempts = 1000

// warn reports coarsened scales.
func (n *network) warn() {
	told := map[*group]bool{}
	for i, node := range n.g.Nodes {
		g := n.scales.of(n.out[i])
		if g.coarser == 1 || told[g] || n.o.Warn == nil {
			continue
		}
		told[g] = true
		n.o.Warn(fmt.Sprintf("node %q: the worst case is far beyond what the samples gave; its steps are %.3g times coarser than they asked for", node.Name, g.coarser))
	}
}

// tooWide is a layer whose worst case exceeds the widest quotients at its output's scale.
type tooWide struct {
	group *group
	err   error
}

func (e *tooWide) Error() string { return e.err.Error() }

func (e *tooWide) Unwrap() error { return e.err }

// emitter builds one integer graph.
type emitter struct {
	*network
	b      *model.Builder
	ids    []model.TensorID // by float tensor; -1 where there is no such integer tensor
	added  int              // nodes
	result *model.Graph
}

func (n *network) emit() (*emitter, error) {
	e := &emitter{network: n, b: model.NewBuilder(n.name()), ids: make([]model.TensorID, len(n.g.Tensors))}
	for i := range e.ids {
		e.ids[i] = -1
	}
	e.b.Source(model.Source{Format: n.o.Format, Rounding: "own", PixelScale: n.o.PixelScale, PixelMean: n.o.PixelMean})
	if err := e.inputs(); err != nil {
		return nil, err
	}
	for i, node := range n.g.Nodes {
		if n.merged[i] {
			continue
		}
		if node.Op.Kind() != "softmax" { // its steps are not always the scale of its tensor
			e.adoptNext(n.out[i])
		}
		if err := e.node(i, node); err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", node.Name, node.Op.Kind(), err)
		}
	}
	for _, id := range n.g.Outputs {
		e.b.Output(e.ids[id])
	}
	var err error
	e.result, err = e.b.Graph()
	return e, err
}

func (e *emitter) inputs() (err error) {
	for k, id := range e.g.Inputs {
		if l := e.o.Like; l != nil && k < len(l.Inputs) {
			e.adopt(e.scales.of(id), l.Tensors[l.Inputs[k]])
		}
		if e.ids[id], err = e.b.Input(e.tensor(id)); err != nil {
			return err
		}
	}
	return nil
}

// append adds an op whose output has the given scale and is the integer form of a float tensor.
func (e *emitter) append(name string, op model.Op, scale float64, out int, in ...model.TensorID) error {
	id, err := e.b.Add(name, op, scale, 0, in...)
	if err != nil {
		return err
	}
	e.ids[out] = id
	e.added++
	return nil
}

func (n *network) name() string {
	if n.o.Name != "" {
		return n.o.Name
	}
	return n.g.Name
}

// node emits one float node (with its fused function).
func (e *emitter) node(i int, node float.Node) error {
	for k, id := range node.In {
		if e.constant(id) && !(k > 0 && takesParameters(node.Op)) {
			return fmt.Errorf("%w: operand %d is a constant, expected a computed tensor", ErrUnsupportedOp, k)
		}
	}
	switch op := node.Op.(type) {
	case float.Conv:
		return e.conv(i, node, op)
	case float.Dense:
		return e.dense(i, node)
	case float.Affine:
		return e.affine(i, node)
	case float.Binary:
		return e.binary(i, node, op)
	case float.AvgPool:
		return e.avgPool(i, node, op)
	case float.Mean:
		return e.mean(i, node, op)
	case float.Unary:
		return e.unary(i, node, op)
	case float.Softmax:
		return e.softmax(node, op)
	case float.ArgMax:
		return e.argMax(node, op)
	}
	return e.moves(node)
}

// takesParameters tells whether all operands but the first are constants.
func takesParameters(op float.Op) bool {
	switch op.(type) {
	case float.Conv, float.Dense, float.Affine:
		return true
	}
	return false
}

// scaleOf is the real value of one step of a tensor.
func (e *emitter) scaleOf(tensor int) float64 { return e.scales.of(tensor).scale }

// label names a node, and with it the tensor that it makes: outputs keep the names that the model
// gives them, which is how programs ask for them.
func (n *network) label(node float.Node, out int) string {
	if name := n.g.Tensors[out].Name; name != "" && n.isOutput(out) {
		return name
	}
	return node.Name
}

// unary emits a function that no layer could take in, as a table of every value.
func (e *emitter) unary(i int, node float.Node, u float.Unary) error {
	f, err := u.Function()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsupportedOp, err)
	}
	return e.table(e.label(node, e.out[i]), u.Func, f, e.ids[node.In[0]], e.out[i])
}

func (e *emitter) table(label, name string, f func(float64) float64, in model.TensorID, out int) error {
	t, g := e.b.Tensor(in), e.scales.of(out)
	values := fixedpoint.TableOf(f, t.Scale, t.Min, t.Max, g.scale, g.lo, g.hi)
	return e.append(label, &model.Activation{Table: model.Table{Name: name, Min: t.Min, Values: values}}, g.scale, out, in)
}

func quantizeTo(x float64, g *group) int64 { return fixedpoint.Quantize(x, g.scale, 0, g.lo, g.hi) }

// moves emits the ops that keep scales.
func (e *emitter) moves(node float.Node) error {
	out := e.scales.of(node.Out)
	shape := slices.Clone(e.g.Tensors[node.Out].Shape)
	var op model.Op
	switch o := node.Op.(type) {
	case float.MaxPool:
		op = &model.MaxPool{Window: model.Window(o.Window)}
	case float.Reshape:
		op = &model.Reshape{Shape: shape}
	case float.Transpose:
		op = &model.Transpose{Perm: o.Perm}
	case float.Concat:
		op = &model.Concat{Axis: o.Axis}
	case float.Slice:
		op = &model.Slice{Start: o.Start, Step: o.Step, Size: shape}
	case float.Pad:
		op = &model.Pad{Before: o.Before, After: o.After, Mode: o.Mode, Value: quantizeTo(o.Value, out)}
	case float.Gather:
		op = &model.Gather{Axis: o.Axis, Indices: o.Indices}
	default:
		return fmt.Errorf("%w: %s", ErrUnsupportedOp, node.Op.Kind())
	}
	ids := make([]model.TensorID, len(node.In))
	for k, id := range node.In {
		ids[k] = e.ids[id]
	}
	return e.append(e.label(node, node.Out), op, out.scale, node.Out, ids...)
}

// softmax tabulates the exponential for every distance between two logits. Probabilities are whole
// steps of one; where others share their tensor, on a scale that does not divide one, a table takes
// them there.
func (e *emitter) softmax(node float.Node, op float.Softmax) error {
	in, out, label := e.ids[node.In[0]], e.scales.of(node.Out), e.label(node, node.Out)
	t := e.b.Tensor(in)
	exp := model.Table{Name: "exp", Min: t.Min - t.Max}
	for d := exp.Min; d <= 0; d++ {
		exp.Values = append(exp.Values, int64(math.RoundToEven(math.Exp2(expBits)*math.Exp(t.Scale*float64(d)))))
	}
	steps := math.Round(1 / out.scale)
	fits := steps >= 1 && steps <= 1<<expBits && math.Abs(steps*out.scale-1) < 1e-12
	if !fits {
		steps = 255
	}
	err := e.append(label, &model.Softmax{Axis: op.Axis, Exp: exp, Steps: int64(steps)}, 1/steps, node.Out, in)
	if err != nil || fits {
		return err
	}
	return e.table(label+"/rescaled", "rescale", func(x float64) float64 { return x }, e.ids[node.Out], node.Out)
}

// expBits is the precision of exponentials.
const expBits = 15

func (e *emitter) argMax(node float.Node, op float.ArgMax) error {
	keep := len(e.g.Tensors[node.Out].Shape) == len(e.g.Tensors[node.In[0]].Shape)
	return e.append(e.label(node, node.Out), &model.ArgMax{Axis: op.Axis, KeepDims: keep, LastIndex: op.LastIndex}, 1, node.Out, e.ids[node.In[0]])
}
