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

// Classes of the widths of quotients. Clamps of a network share one, so that they share tables: from
// minClassBits to maxClassBits bits, with headroom so that further training stays in the class. Layers
// whose worst case is wider saturate: their tables cover what calibration saw, and quotients beyond
// count as the table's ends, which costs some constraints an activation.
const (
	minClassBits = 10
	maxClassBits = 14
	maxWideBits  = 30
	// maxFunctionBits bounds the tables of functions other than clamps, of which each has its own.
	maxFunctionBits = 12
	// maxResultBits bounds results, which are not clamped and have no table.
	maxResultBits = 16
	headroom      = 1.4
)

// errTooNarrow asks for wider quotients of clamps.
var errTooNarrow = errors.New("quotients of clamps need more bits")

// emitFitting widens the class of clamps, then coarsens scales, until the worst case of all layers
// fits.
func (n *network) emitFitting(ctx context.Context) (*model.Graph, error) {
	n.classBits = minClassBits
	for range maxAttempts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g, err := n.emit()
		var wide *tooWide
		switch {
		case errors.Is(err, errTooNarrow):
			n.classBits++
		case errors.As(err, &wide) && !wide.group.input && !wide.group.natural:
			// The worst case is far beyond what calibration saw: coarser steps reach further.
			wide.group.scale *= 2
		default:
			return g, err
		}
	}
	return nil, fmt.Errorf("%w: no scales cover the worst case of this network", ErrCalibration)
}

// maxAttempts bounds the search: each widens a class or doubles a scale.
const maxAttempts = 64

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
	b   *model.Builder
	ids []model.TensorID // by float tensor
}

func (n *network) emit() (*model.Graph, error) {
	e := &emitter{network: n, b: model.NewBuilder(n.name()), ids: make([]model.TensorID, len(n.g.Tensors))}
	e.b.Source(model.Source{Format: n.o.Format, Rounding: "own", PixelScale: n.o.PixelScale, PixelMean: n.o.PixelMean})
	for _, id := range n.g.Inputs {
		var err error
		if e.ids[id], err = e.b.Input(n.tensor(id)); err != nil {
			return nil, err
		}
	}
	for i, node := range n.g.Nodes {
		if n.merged[i] {
			continue
		}
		if err := e.node(i, node); err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", node.Name, node.Op.Kind(), err)
		}
	}
	for _, id := range n.g.Outputs {
		e.b.Output(e.ids[id])
	}
	return e.b.Graph()
}

func (n *network) name() string {
	if n.o.Name != "" {
		return n.o.Name
	}
	return n.g.Name
}

// node emits one float node (with its fused function).
func (e *emitter) node(i int, node float.Node) error {
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

// scaleOf is the real value of one step of a tensor.
func (e *emitter) scaleOf(tensor int) float64 { return e.scales.of(tensor).scale }

// target is where a linear layer's quotients go.
type target struct {
	scale      float64 // of a quotient
	qMin, qMax int64
	table      model.Table
	shared     bool // a clamp, whose table other layers share
}

// add emits a linear layer with the narrowest quotients that the worst case allows. make builds the
// op, given how a real number becomes a parameter.
func (e *emitter) add(i int, node float.Node, inputs []int, make func(r model.Rescale, perUnit func(float64) int64) model.Op, shift uint) error {
	in := e.operands(inputs)
	like := e.like(i)
	var last error
	for bits := uint(minClassBits); bits <= maxWideBits; bits++ {
		t, err := e.target(i, bits)
		if err != nil {
			return err
		}
		switch {
		case t.table.Values == nil, like != nil && (like.QMax != t.qMax || like.QMin != t.qMin):
			continue // no such class
		case like != nil:
			shift = like.Shift
		case t.shared && bits < e.classBits:
			continue
		}
		factor := math.Exp2(float64(shift)) / t.scale
		op := make(model.Rescale{Shift: shift, QMin: t.qMin, QMax: t.qMax, Table: t.table}, func(x float64) int64 { return int64(math.Round(x * factor)) })
		if last = e.fits(op, in); last == nil {
			return e.put(node, i, op, inputs)
		}
		if !errors.Is(last, model.ErrRange) && !errors.Is(last, model.ErrAttribute) {
			return last
		}
		if like == nil && t.shared && bits == e.classBits && bits < maxClassBits {
			return fmt.Errorf("%w: %w", errTooNarrow, last)
		}
	}
	if last == nil {
		return fmt.Errorf("%w: the layer's quotients have a width that no class has", ErrArchitecture)
	}
	return &tooWide{e.scales.of(e.out[i]), fmt.Errorf("%w; calibrate on samples with larger values", last)}
}

// fits checks the worst case, with headroom unless an architecture is given: as if quotients were
// narrower than they are.
func (e *emitter) fits(op model.Op, in []model.Tensor) error {
	if _, err := op.Infer(in); err != nil || e.o.Like != nil {
		return err
	}
	r := op.(model.Rescaled).Requantization()
	full := *r
	defer func() { *r = full }()
	lo, hi := int64(float64(full.QMin)/headroom), int64(float64(full.QMax)/headroom)
	*r = model.Rescale{Shift: full.Shift, QMin: lo, QMax: hi, Table: model.ClampTable(0, 1, 0, 1)}
	_, err := op.Infer(in)
	return err
}

func (e *emitter) operands(inputs []int) []model.Tensor {
	out := make([]model.Tensor, len(inputs))
	for k, id := range inputs {
		out[k] = e.b.Tensor(e.ids[id])
	}
	return out
}

func (e *emitter) put(node float.Node, i int, op model.Op, inputs []int) error {
	ids := make([]model.TensorID, len(inputs))
	for k, id := range inputs {
		ids[k] = e.ids[id]
	}
	out := e.out[i]
	id, err := e.b.Add(e.label(node, out), op, e.scaleOf(out), 0, ids...)
	e.ids[out] = id
	return err
}

// label names a node, and with it the tensor that it makes: outputs keep the names that the model
// gives them, which is how programs ask for them.
func (n *network) label(node float.Node, out int) string {
	if name := n.g.Tensors[out].Name; name != "" && n.isOutput(out) {
		return name
	}
	return node.Name
}

// target describes the quotients of node i at a width; without a table there are none of that width.
func (e *emitter) target(i int, bits uint) (target, error) {
	out := e.scales.of(e.out[i])
	h := int64(1) << (bits - 1)
	u := e.fused[i]
	lo, hi, isClamp := clamp(u)
	switch {
	case u == nil && out.final && !out.fixed && !out.input:
		// A result is not clamped: its quotients are its values.
		if bits > maxResultBits {
			return target{}, nil
		}
		return target{scale: out.scale, qMin: -h, qMax: h - 1, table: model.ClampTable(-h, h-1, -h, h-1)}, nil
	case isClamp:
		from, to := out.lo, out.hi
		if !math.IsInf(lo, -1) {
			from = max(from, int64(math.Round(lo/out.scale)))
		}
		if !math.IsInf(hi, 1) {
			to = min(to, int64(math.Round(hi/out.scale)))
		}
		if bits <= maxClassBits {
			return target{out.scale, -h, h - 1, model.ClampTable(-h, h-1, from, to), true}, nil
		}
		return saturating(out.scale, h, model.ClampTable(from, to, from, to)), nil
	}
	f, err := u.Function()
	if err != nil {
		return target{}, fmt.Errorf("%w: %w", ErrUnsupportedOp, err)
	}
	scale := e.functionScale(e.g.Nodes[i].Out)
	tableHalf := min(h, 1<<(maxFunctionBits-1))
	values := fixedpoint.TableOf(f, scale, -tableHalf, tableHalf-1, out.scale, out.lo, out.hi)
	return saturating(scale, h, model.Table{Name: u.Func, Min: -tableHalf, Values: values}), nil
}

// saturating takes quotients to about ±h; a table that covers less stands for them with its ends. The
// excess at either end is below a power of two, whose range is the cheapest to check.
func saturating(scale float64, h int64, t model.Table) target {
	excess := h - 1
	if -t.Min == h && t.Max() == h-1 {
		excess = 0
	}
	return target{scale: scale, qMin: t.Min - excess, qMax: t.Max() + excess, table: t}
}

// observedBits is the precision in which a function's argument is looked up, over the range that
// calibration saw.
const observedBits = 10

// functionScale is the power of two in whose units a function's argument is looked up.
func (e *emitter) functionScale(tensor int) float64 {
	m := e.seen[tensor].magnitude()
	if m == 0 {
		m = 1
	}
	return math.Exp2(math.Ceil(math.Log2(m / float64(int64(1)<<(observedBits-1)-1))))
}

// like is the requantization of the same layer in the graph whose architecture is demanded.
func (e *emitter) like(i int) *model.Rescale {
	if e.o.Like == nil {
		return nil
	}
	for _, n := range e.o.Like.Nodes {
		if r, ok := n.Op.(model.Rescaled); ok && n.Name == e.label(e.g.Nodes[i], e.out[i]) {
			return r.Requantization()
		}
	}
	return nil
}

// shiftFor is the least even shift, from 10, at which an error of `error` units of a parameter's last
// place stays below a quarter of an output step.
func shiftFor(errorUnits float64) uint {
	need := math.Ceil(math.Log2(4 * errorUnits))
	return uint(min(max(2*math.Ceil(need/2), 12), 24))
}

// table emits a function of every value by itself.
func (e *emitter) table(name string, u float.Unary, in model.TensorID, out int) error {
	t := e.b.Tensor(in)
	g := e.scales.of(out)
	var values []int64
	if lo, hi, ok := clamp(&u); ok {
		for v := t.Min; v <= t.Max; v++ {
			values = append(values, quantizeTo(min(max(t.Real(v), lo), hi), g))
		}
	} else {
		f, err := u.Function()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnsupportedOp, err)
		}
		values = fixedpoint.TableOf(f, t.Scale, t.Min, t.Max, g.scale, g.lo, g.hi)
	}
	id, err := e.b.Add(name, &model.Activation{Table: model.Table{Name: u.Func, Min: t.Min, Values: values}}, g.scale, 0, in)
	e.ids[out] = id
	return err
}

func quantizeTo(x float64, g *group) int64 { return fixedpoint.Quantize(x, g.scale, 0, g.lo, g.hi) }

func (e *emitter) unary(i int, node float.Node, u float.Unary) error {
	return e.table(e.label(node, e.out[i]), u, e.ids[node.In[0]], e.out[i])
}

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
		if e.constant(id) {
			return fmt.Errorf("%w: %s of a constant and a computed tensor", ErrUnsupportedOp, node.Op.Kind())
		}
		ids[k] = e.ids[id]
	}
	id, err := e.b.Add(e.label(node, node.Out), op, out.scale, 0, ids...)
	e.ids[node.Out] = id
	return err
}

// softmax tabulates the exponential for every distance between two logits.
func (e *emitter) softmax(node float.Node, op float.Softmax) error {
	t := e.b.Tensor(e.ids[node.In[0]])
	steps := e.scales.of(node.Out).hi
	exp := model.Table{Name: "exp", Min: t.Min - t.Max}
	for d := exp.Min; d <= 0; d++ {
		exp.Values = append(exp.Values, int64(math.RoundToEven(math.Exp2(15)*math.Exp(t.Scale*float64(d)))))
	}
	id, err := e.b.Add(e.label(node, node.Out), &model.Softmax{Axis: op.Axis, Exp: exp, Steps: steps}, 1/float64(steps), 0, e.ids[node.In[0]])
	e.ids[node.Out] = id
	return err
}

func (e *emitter) argMax(node float.Node, op float.ArgMax) error {
	keep := len(e.g.Tensors[node.Out].Shape) == len(e.g.Tensors[node.In[0]].Shape)
	id, err := e.b.Add(e.label(node, node.Out), &model.ArgMax{Axis: op.Axis, KeepDims: keep, LastIndex: op.LastIndex}, 1, 0, e.ids[node.In[0]])
	e.ids[node.Out] = id
	return err
}
