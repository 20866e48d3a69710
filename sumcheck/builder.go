package sumcheck

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// ErrUnsupportedOp is an operation that has no claims.
var ErrUnsupportedOp = errors.New("operation is not supported by the sumcheck backend")

// ErrTooLarge is a model beyond a limit of this backend.
var ErrTooLarge = errors.New("model is too large for the sumcheck backend")

// TooLarge says of what a verifier would refuse in the description of a valid graph that it is beyond a limit.
func TooLarge(refusal error) error {
	reason := strings.TrimPrefix(refusal.Error(), claims.ErrNetwork.Error()+": ")
	return fmt.Errorf("%w: no verifier would accept its description: %s; use smaller inputs or fewer layers, or another proof system (--backend)", ErrTooLarge, reason)
}

// Options say what of a statement is private.
type Options struct {
	PrivateInput, PrivateOutput bool
}

// Plan is a graph as a network, with how an execution fills its cells.
type Plan struct {
	Network *claims.Network
	// Inputs and Outputs say how the statement shows them.
	Inputs, Outputs []Border

	graph   *model.Graph
	fills   []func(w *Witness) []int64 // by tensor, row-major; nil for multiplicities
	queries []query                    // by lookup
}

// Border is an input or output: one of Network.Public, or of the external tensors, in their order.
type Border struct {
	Private bool
	Index   int
}

// NewPlan lowers a valid graph. Errors wrap ErrUnsupportedOp or ErrTooLarge.
func NewPlan(g *model.Graph, o Options) (*Plan, error) {
	b := &builder{
		Plan:   &Plan{Network: &claims.Network{}, graph: g},
		values: make([]claims.Shaped, len(g.Tensors)),
		tables: map[string]*table{},
	}
	b.chooseTieBits()
	for _, id := range g.Inputs {
		b.input(id, o.PrivateInput)
	}
	for i := range g.Nodes {
		if err := b.lower(i); err != nil {
			return nil, fmt.Errorf("node %q: %w", g.Nodes[i].Name, err)
		}
	}
	for _, id := range g.Outputs {
		b.output(id, o.PrivateOutput)
	}
	if err := b.finishTables(); err != nil {
		return nil, err
	}
	if err := b.Network.Check(); err != nil {
		return nil, TooLarge(err)
	}
	return b.Plan, nil
}

// builder is a plan in the making.
type builder struct {
	*Plan
	values  []claims.Shaped // by TensorID, in the graph's shapes
	tables  map[string]*table
	ordered []*table
	tieBits uint // leading bits of remainders that tell ties

	externals int // so far
}

func (b *builder) tensor(id model.TensorID) *model.Tensor { return &b.graph.Tensors[id] }

// commit adds a tensor. fill computes its elements, row-major.
func (b *builder) commit(owner claims.Owner, shape []int, fill func(w *Witness) []int64) int {
	b.Network.Tensors = append(b.Network.Tensors, claims.Committed{Tensor: claims.NewTensor(shape...), Owner: owner})
	b.fills = append(b.fills, fill)
	return len(b.fills) - 1
}

// trace commits a tensor that is made for each proof.
func (b *builder) trace(shape []int, fill func(w *Witness) []int64) claims.Shaped {
	return of(b.commit(claims.Trace, shape, fill), shape)
}

// parameter commits one of an op's parameters, and shows it.
func (b *builder) parameter(p model.Param) claims.Shaped {
	shape := p.Shape
	values := p.Values
	return of(b.commit(claims.Parameter, shape, func(*Witness) []int64 { return *values }), shape)
}

// of shows a committed tensor.
func of(tensor int, shape []int) claims.Shaped {
	return claims.Shaped{Shape: shape, Expression: claims.Expression{Linear: []claims.Summand{{Coefficient: 1, View: claims.View{Tensor: tensor}}}}}
}

// constant is one number everywhere.
func constant(shape []int, v int64) claims.Shaped {
	return claims.Shaped{Shape: shape, Expression: claims.Expression{Constant: v}}
}

// then applies a step to an expression.
func then(x claims.Shaped, s claims.Step) claims.Shaped {
	shape, err := s.Apply(x.Shape)
	if err != nil {
		panic(fmt.Sprintf("sumcheck: %v", err)) // the graph was valid
	}
	out := claims.Shaped{Shape: shape}
	linear := x.Linear
	if x.Constant != 0 {
		if s.Window != nil || s.Select != nil { // elements may vanish or add up
			linear = append(slices.Clone(linear), claims.Summand{Coefficient: x.Constant, View: claims.View{Tensor: claims.Ones, Shape: x.Shape}})
		} else {
			out.Constant = x.Constant
		}
	}
	for _, l := range linear {
		l.View.Steps = join(l.View.Steps, s, x.Shape)
		out.Linear = append(out.Linear, l)
	}
	return out
}

// join appends a step that does something; a permutation that undoes the last step takes that away.
func join(steps []claims.Step, s claims.Step, shape []int) []claims.Step {
	switch {
	case s.Reshape != nil && slices.Equal(s.Reshape.Shape, shape):
		return steps
	case s.Permute != nil && slices.IsSorted(s.Permute):
		return steps
	case s.Permute != nil && len(steps) > 0 && steps[len(steps)-1].Permute != nil:
		last := steps[len(steps)-1].Permute
		both := make([]int, len(last))
		for i, a := range s.Permute {
			both[i] = last[a]
		}
		steps = slices.Clone(steps[:len(steps)-1])
		if slices.IsSorted(both) {
			return steps
		}
		return append(steps, claims.Step{Permute: both})
	}
	return append(slices.Clone(steps), s)
}

// plus is x + k·y of one shape.
func plus(x claims.Shaped, k int64, y claims.Shaped) claims.Shaped {
	out := claims.Shaped{Shape: x.Shape, Expression: x.Expression}
	out.Constant += k * y.Constant
	out.Linear = slices.Clone(x.Linear)
	for _, l := range y.Linear {
		l.Coefficient *= k
		out.Linear = append(out.Linear, l)
	}
	return out
}

// times is k·x + c.
func times(k int64, x claims.Shaped, c int64) claims.Shaped {
	return plus(constant(x.Shape, c), k, x)
}

// The steps by which expressions are rearranged.

func reshape(x claims.Shaped, shape ...int) claims.Shaped {
	return then(x, claims.Step{Reshape: &claims.Reshape{Shape: shape}})
}

func permute(x claims.Shaped, perm ...int) claims.Shaped {
	return then(x, claims.Step{Permute: perm})
}

// every takes length elements from the first on, step apart; what lies outside is 0.
func every(x claims.Shaped, axis, length, first, step int) claims.Shaped {
	if first == 0 && step == 1 && length == x.Shape[axis] {
		return x
	}
	return then(x, claims.Step{Window: &claims.Window{Axis: axis, Length: length, Kernel: 1, Stride: step, Dilation: 1, Pad: -first}})
}

// sum adds up an axis to one element.
func sum(x claims.Shaped, axis int) claims.Shaped { return total(x, axis, 1) }

// total is the sum along an axis, repeated.
func total(x claims.Shaped, axis, length int) claims.Shaped {
	return then(x, claims.Step{Window: &claims.Window{Axis: axis, Length: length, Kernel: x.Shape[axis], Dilation: 1}})
}

// broadcast repeats axes of one element, after it has put axes of one element in front, as numpy does.
func broadcast(x claims.Shaped, shape []int) claims.Shaped {
	if len(x.Shape) < len(shape) {
		x = reshape(x, append(slices.Repeat([]int{1}, len(shape)-len(x.Shape)), x.Shape...)...)
	}
	for a, d := range shape {
		if x.Shape[a] != d {
			x = every(x, a, d, 0, 0)
		}
	}
	return x
}

// choose takes elements along an axis.
func choose(x claims.Shaped, axis int, indices []int) claims.Shaped {
	return then(x, claims.Step{Select: &claims.Select{Axis: axis, Indices: indices}})
}

// Images are stored with the channels last, so that a point's lowest coordinates are the channel's on every block.
var (
	channelsLast  = []int{0, 2, 3, 1}
	channelsFirst = []int{0, 3, 1, 2}
)

// stored is an expression in the order in which tensors of its rank are stored.
func stored(x claims.Shaped) claims.Shaped {
	if len(x.Shape) == 4 {
		return permute(x, channelsLast...)
	}
	return x
}

// shown undoes stored.
func shown(x claims.Shaped) claims.Shaped {
	if len(x.Shape) == 4 {
		return permute(x, channelsFirst...)
	}
	return x
}

// storedShape is the shape of stored.
func storedShape(shape []int) []int {
	if len(shape) != 4 {
		return shape
	}
	return []int{shape[0], shape[2], shape[3], shape[1]}
}

// operand is an input of a node as it is stored, less a zero point.
func (b *builder) operand(id model.TensorID, zero int64) claims.Shaped {
	return times(1, stored(b.values[id]), -zero)
}

// contract adds a contraction and returns an expression of it alone.
func (b *builder) contract(c claims.Contraction) claims.ContractionTimes {
	b.Network.Contractions = append(b.Network.Contractions, c)
	return claims.ContractionTimes{Coefficient: 1, Contraction: len(b.Network.Contractions) - 1}
}

// scaling is the contraction weight·input, for one summand as weight.
func (b *builder) scaling(weight, input claims.Shaped) claims.ContractionTimes {
	return b.contract(claims.Contraction{Kind: claims.Scaling, Weight: weight.Linear[0].View, Input: input})
}

// scaledBy is the contraction of an input with the k-th of a list of parameters.
func (b *builder) scaledBy(list claims.Shaped, k int, input claims.Shaped) claims.ContractionTimes {
	return b.scaling(scalar(list, k, len(input.Shape)), input)
}

// lookup says that columns are rows of a table. arguments computes those columns that find the row; nil evaluates
// their expressions, which then have no contractions.
func (b *builder) lookup(shape []int, t *table, columns []claims.Expression, arguments func(w *Witness) [][]int64) {
	if arguments == nil {
		n := t.arguments
		arguments = func(w *Witness) [][]int64 {
			out := make([][]int64, n)
			for k := range out {
				out[k] = w.expression(&claims.Shaped{Shape: shape, Expression: columns[k]})
			}
			return out
		}
	}
	b.Network.Lookups = append(b.Network.Lookups, claims.Lookup{Shape: shape, Table: t.index, Columns: columns})
	b.queries = append(b.queries, query{len(b.fills), arguments})
}

// multiply says that x·y = product, elementwise.
func (b *builder) multiply(x, y, product claims.Shaped) {
	b.Network.Multiplications = append(b.Network.Multiplications,
		claims.Multiplication{Shape: x.Shape, A: x.Expression, B: y.Expression, C: product.Expression})
}

func (b *builder) zero(x claims.Shaped) { b.Network.Zeros = append(b.Network.Zeros, x) }

// inRange says that min ≤ x < min + n.
func (b *builder) inRange(x claims.Shaped, min, n int64) {
	if n <= 1<<limbBits {
		b.lookup(x.Shape, b.rangeTable(min, int(n)), []claims.Expression{x.Expression}, nil)
		return
	}
	width := bitsFor(n)
	b.hasBits(times(1, x, -min), width)
	if n != 1<<width {
		b.hasBits(times(-1, x, min+n-1), width)
	}
}

// hasBits says that 0 ≤ x < 2^width. Limbs but the lowest are cells.
func (b *builder) hasBits(x claims.Shaped, width uint) {
	lowest := x
	for at := uint(limbBits); at < width; at += limbBits {
		from, size := at, min(limbBits, width-at)
		limb := b.trace(x.Shape, func(w *Witness) []int64 {
			values := w.expression(&x)
			out := make([]int64, len(values))
			for i, v := range values {
				out[i] = v>>from&(1<<size-1) - 1<<(size-1)
			}
			return out
		})
		b.lookup(x.Shape, b.rangeTable(-1<<(size-1), 1<<size), []claims.Expression{limb.Expression}, nil)
		lowest = plus(lowest, -1<<from, times(1, limb, 1<<(size-1)))
	}
	b.lookup(x.Shape, b.rangeTable(0, 1<<min(width, limbBits)), []claims.Expression{lowest.Expression}, nil)
}

// bitsFor is the least number of bits that hold n values.
func bitsFor(n int64) uint { return uint(claims.AxisBits(int(n))) }

// input commits a model's input.
func (b *builder) input(id model.TensorID, private bool) {
	t := b.tensor(id)
	owner := claims.Trace
	if private {
		owner = claims.External
	}
	x := of(b.commit(owner, storedShape(t.Shape), func(w *Witness) []int64 { return w.stored(id) }), storedShape(t.Shape))
	b.values[id] = shown(x)
	if !private { // the verifier sees that values are in range
		b.Inputs = append(b.Inputs, b.public(id))
		return
	}
	b.inRange(x, t.Min, t.Max-t.Min+1)
	b.Inputs = append(b.Inputs, b.external())
}

// external is the border of the external tensor that was just committed.
func (b *builder) external() Border {
	b.externals++
	return Border{true, b.externals - 1}
}

func (b *builder) public(id model.TensorID) Border {
	b.Network.Public = append(b.Network.Public, b.values[id])
	return Border{false, len(b.Network.Public) - 1}
}

// output binds a model's output; a private one is copied to rows of its own.
func (b *builder) output(id model.TensorID, private bool) {
	if !private {
		b.Outputs = append(b.Outputs, b.public(id))
		return
	}
	x := stored(b.values[id])
	tensor := b.commit(claims.External, x.Shape, func(w *Witness) []int64 { return w.stored(id) })
	b.zero(plus(x, -1, of(tensor, x.Shape)))
	b.Outputs = append(b.Outputs, b.external())
}

// Cells are the numbers of cells that each proof commits, and of parameters.
func (p *Plan) Cells() (trace, parameters int) {
	for _, t := range p.Network.Tensors {
		if t.Owner == claims.Parameter {
			parameters += t.Len()
		} else {
			trace += t.Len()
		}
	}
	return trace, parameters
}
