package circuits

import (
	"errors"
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// border binds one tensor of the statement, an input or an output. Elements are handled as v − Min,
// which is not negative, as everywhere in the statement.
type border struct {
	id      model.TensorID
	input   bool
	binding Binding
	count   int
	min     int64
	width   uint // bytes an element
	bounds  *ranged
	owned   span // of a public input

	private []frontend.Variable
	packed  []frontend.Variable
}

// newBorders decides how each tensor is bound. The public ones are bound alike: where one is folded, the others
// cost the verifier hardly anything.
func (p *Plan) newBorders() {
	public := 0
	for i, ids := range [][]model.TensorID{p.graph.Inputs, p.graph.Outputs} {
		for _, id := range ids {
			b := p.newBorder(id, i == 0)
			if b.binding == Packed {
				public += b.elements()
			}
			p.borders = append(p.borders, b)
		}
	}
	if public <= packLimit || p.opts.Arithmetization != Rank1 || p.opts.PackTensors {
		return
	}
	for _, b := range p.borders {
		if b.binding == Packed {
			b.binding = Folded
		}
	}
}

func (p *Plan) newBorder(id model.TensorID, input bool) *border {
	t := p.tensor(id)
	b := &border{id: id, input: input, count: t.Len(), min: t.Min, width: (bitsFor(t.Max-t.Min+1) + 7) / 8}
	b.width = max(b.width, 1)
	b.binding = Packed
	if input && p.opts.PrivateInput || !input && p.opts.PrivateOutput {
		b.binding = Committed
	}
	if input { // what computes an output bounds it
		b.bounds = newRanged(t.Max-t.Min+1, b.count, true)
	}
	return b
}

// perElement is the number of values packed into one field element.
func (b *border) perElement() int { return 31 / int(b.width) }

// elements is the number of field elements a public tensor is packed into.
func (b *border) elements() int { return (b.count + b.perElement() - 1) / b.perElement() }

func (b *border) demand(d *demands) {
	if b.bounds != nil {
		b.bounds.demand(d)
	}
}

func (b *border) allocate(p *Plan) error {
	if b.input && b.binding != Committed {
		b.owned = p.wires(b.count)
	}
	if b.bounds != nil {
		b.bounds.allocate(p)
	}
	return nil
}

func (b *border) constraints() int {
	n := 0
	if b.bounds != nil {
		n += b.bounds.constraints()
	}
	switch {
	case b.binding != Committed:
		n += b.elements()
	case !b.input:
		n += b.count
	}
	return n
}

func (b *border) assign(w *Witness) {
	unsigned := make([]uint64, b.count)
	for i, v := range w.values(b.id) {
		unsigned[i] = uint64(v - b.min)
		if b.bounds != nil {
			b.bounds.set(w, i, unsigned[i])
		}
	}
	if b.input && b.binding != Committed {
		copy(w.Trace[b.owned.off:], unsigned)
	}
	switch b.binding {
	case Packed:
		w.Packed = append(w.Packed, b.pack(unsigned)...)
	case Committed:
		w.Private = append(w.Private, unsigned)
	}
}

// pack is the tensor as field elements: element j of each chunk has the weight 2^(8·width·j).
func (b *border) pack(unsigned []uint64) []fr.Element {
	out := make([]fr.Element, b.elements())
	var base, v fr.Element
	base.SetUint64(1 << (8 * b.width))
	for i := len(unsigned) - 1; i >= 0; i-- {
		e := &out[i/b.perElement()]
		e.Mul(e, &base)
		v.SetUint64(unsigned[i])
		e.Add(e, &v)
	}
	return out
}

// bind takes the border's public inputs or private wires from the circuit.
func (b *border) bind(c *builder) {
	b.private, b.packed = nil, nil
	switch b.binding {
	case Packed:
		b.packed = c.circuit.Packed[c.public : c.public+b.elements()]
		c.public += b.elements()
	case Committed:
		b.private = c.circuit.Private[c.private]
		c.private++
	}
}

// defineInput sets the expressions of an input tensor and checks their range.
func (b *border) defineInput(c *builder) {
	exprs := make([]frontend.Variable, b.count)
	for i := range exprs {
		v := b.element(c, i)
		if b.bounds != nil {
			b.bounds.define(c, i, v)
		}
		exprs[i] = c.api.Add(v, b.min)
	}
	c.values[b.id] = exprs
}

func (b *border) element(c *builder, i int) frontend.Variable {
	if b.binding == Committed {
		return b.private[i]
	}
	return c.wire(b.owned, i)
}

// unsigned are the expressions of the tensor's elements, known by now, as the statement counts them.
func (b *border) unsigned(c *builder) []frontend.Variable {
	out := make([]frontend.Variable, b.count)
	for i := range out {
		out[i] = c.api.Sub(c.values[b.id][i], b.min)
	}
	return out
}

// define ties a tensor that is not folded to the statement.
func (b *border) define(c *builder) error {
	switch b.binding {
	case Packed:
		for k, e := range b.pieces(c) {
			c.product(e, 1, b.packed[k])
		}
	case Committed:
		return b.defineCommitted(c, b.unsigned(c))
	}
	return nil
}

// pieces are the expressions of the field elements that the tensor is packed into.
func (b *border) pieces(c *builder) []frontend.Variable {
	unsigned, per := b.unsigned(c), b.perElement()
	out := make([]frontend.Variable, b.elements())
	for k := range out {
		var terms []frontend.Variable
		for j, v := range unsigned[k*per : min((k+1)*per, b.count)] {
			terms = append(terms, c.scale(v, pow2(8*b.width*uint(j))))
		}
		out[k] = c.sum(terms)
	}
	return out
}

// foldTensors is the wire v = Σ e_j·α^(R+j) over the elements of all folded tensors, for the verifier to compare. It
// shares the commitment of the parameters, whose rows α⁰ … α^(R−1) combine: with other powers no row of a model commitment
// can make up for a difference.
func (b *builder) foldTensors() frontend.Variable {
	var e []frontend.Variable
	for _, t := range b.plan.borders {
		if t.binding == Folded {
			e = append(e, t.pieces(b)...)
		}
	}
	b.requireBeforeAlpha(e)
	sum, last := e[0], len(e)-1
	if last > 0 {
		h := b.hint(horner, last, append([]frontend.Variable{b.alpha}, e...))
		for i := range h {
			next := e[last]
			if i < last-1 {
				next = h[i+1]
			}
			b.product(next, b.alpha, b.api.Sub(h[i], e[i]))
		}
		sum = h[0]
	}
	return b.inner([]frontend.Variable{sum}, b.alphas[b.plan.FoldRows:][:1])
}

// requireBeforeAlpha fails unless expressions consist of wires of the witness, all of which are fixed before α. Wires that are
// made later have greater numbers than α.
func (b *builder) requireBeforeAlpha(e []frontend.Variable) {
	alpha := b.lin(b.alpha)[0].VID
	for i := range e {
		for _, term := range b.lin(e[i]) {
			if term.VID > alpha && b.err == nil {
				b.err = fmt.Errorf("%w: wire %d, α is wire %d", errLateFold, term.VID, alpha)
			}
		}
	}
}

var errLateFold = errors.New("a tensor is made of wires that are chosen after α, at which it is folded")

// defineCommitted commits a private tensor. An output has wires of its own, equal to the expressions.
func (b *border) defineCommitted(c *builder, unsigned []frontend.Variable) error {
	if !b.input {
		for i, v := range unsigned {
			c.product(b.private[i], 1, v)
		}
	}
	_, err := c.commitObject(b.private)
	return err
}

// ObjectKind says what a commitment of the circuit holds.
type ObjectKind int

// The kinds of committed objects; each object has one owner and one commitment.
const (
	TraceObject     ObjectKind = iota + 1
	ParameterObject            // the last wire is the fold of public tensors, where there is one
	InputObject
	OutputObject
)

// ParameterIndex is the place of the parameters among the objects.
const ParameterIndex = 1

// Object is what one commitment holds. Tensor indexes the graph's inputs, or outputs for Output.
type Object struct {
	Kind   ObjectKind
	Tensor int
	Output bool
}

// Objects lists the circuit's commitments in order.
func (p *Plan) Objects() []Object {
	out := []Object{{Kind: TraceObject}, {Kind: ParameterObject}}
	for i, b := range p.borders {
		o := Object{Tensor: i, Output: !b.input}
		if !b.input {
			o.Tensor -= len(p.graph.Inputs)
		}
		if b.binding != Committed {
			continue
		}
		o.Kind = OutputObject
		if b.input {
			o.Kind = InputObject
		}
		out = append(out, o)
	}
	return out
}

// FoldsTensors reports whether some public tensor is bound by its fold.
func (p *Plan) FoldsTensors() bool {
	return slices.ContainsFunc(p.borders, func(b *border) bool { return b.binding == Folded })
}
