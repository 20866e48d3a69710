package sumcheck

import (
	"errors"
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// Witness is the cells of an execution.
type Witness struct {
	plan   *Plan
	trace  *model.Trace
	values [][]int64 // by tensor, row-major
	// queries are the rows that lookups found, by leaf of the tree of queries; uses are how often each was found, by
	// leaf of the tree of rows, which is also a row's number.
	queries, uses []uint32

	laid bool // the cells were written
	last reordered
	// lowered is the last dividends.
	lowered reordered
}

// reordered is what ordered returned last: one node's accumulators are asked for many times.
type reordered struct {
	of  *int64
	out []int64
}

// Assign fills all tensors from an execution of the plan's graph. Errors are of an execution of another graph.
func (p *Plan) Assign(t *model.Trace) (*Witness, error) {
	if err := p.fits(t); err != nil {
		return nil, err
	}
	w := &Witness{plan: p, trace: t, values: make([][]int64, len(p.fills))}
	f := newFinder(p.Network)
	next := 0
	findBefore := func(tensor int) error { // while what they look at is at hand
		for ; next < len(p.queries) && p.queries[next].tensors <= tensor; next++ {
			if err := f.find(next, p.queries[next].arguments(w)); err != nil {
				return err
			}
		}
		return nil
	}
	for i, fill := range p.fills {
		if err := findBefore(i); err != nil {
			return nil, err
		}
		if fill == nil {
			continue
		}
		w.values[i] = fill(w)
	}
	if err := findBefore(len(p.fills)); err != nil {
		return nil, err
	}
	w.queries, w.uses = f.found, f.counts()
	for i := range p.Network.Tables {
		w.values[p.Network.Tables[i].Multiplicities] = f.rows[i].of(w.uses, p.Network.Tables[i].Rows())
	}
	return w, nil
}

// fits errs where an execution has other numbers of numbers than those of the plan's graph.
func (p *Plan) fits(t *model.Trace) error {
	if len(t.Values) != len(p.graph.Tensors) || len(t.Acc) != len(p.graph.Nodes) {
		return fmt.Errorf("%d tensors and %d nodes, expected %d and %d: the execution is of another model", len(t.Values), len(t.Acc), len(p.graph.Tensors), len(p.graph.Nodes))
	}
	for i := range p.graph.Tensors {
		if n := p.graph.Tensors[i].Len(); len(t.Values[i]) != n {
			return fmt.Errorf("tensor %d has %d values, expected %d: the execution is of another model", i, len(t.Values[i]), n)
		}
	}
	for i := range p.graph.Nodes {
		x := &p.graph.Nodes[i]
		if _, rescaled := x.Op.(model.Rescaled); rescaled && len(t.Acc[i]) != p.graph.Tensors[x.Out].Len() {
			return fmt.Errorf("node %q has %d accumulators, expected %d: the execution is of another model", x.Name, len(t.Acc[i]), p.graph.Tensors[x.Out].Len())
		}
	}
	return nil
}

// Parameters is a witness of parameters alone, for their commitment.
func (p *Plan) Parameters() *Witness {
	w := &Witness{plan: p, values: make([][]int64, len(p.fills))}
	for i, fill := range p.fills {
		if p.Network.Tensors[i].Owner == claims.Parameter {
			w.values[i] = fill(w)
		}
	}
	return w
}

// lay writes all tensors into the cells where the network's layout has placed them, and gives up what neither a contraction nor a
// multiplication reads. It errs the second time.
func (w *Witness) lay(z []int64) error {
	if w.laid {
		return errors.New("a witness fills one vector of cells: assign the execution again")
	}
	w.laid = true
	var tensors []*claims.Tensor
	var values [][]int64
	for i, t := range w.plan.Network.Tensors {
		if w.values[i] != nil { // of a witness of parameters, most are
			tensors, values = append(tensors, t.Tensor), append(values, w.values[i])
		}
	}
	eachRun(tensors, func(_, tensor int, r run) {
		copy(z[r.cell:][:r.n], values[tensor][r.element:])
	})
	read := w.plan.factors()
	for i := range w.values {
		if !read[i] {
			w.values[i] = nil
		}
	}
	w.trace, w.last, w.lowered = nil, reordered{}, reordered{}
	return nil
}

// factors are the tensors that contractions and multiplications read.
func (p *Plan) factors() []bool {
	read := make([]bool, len(p.Network.Tensors))
	note := func(v *claims.View) {
		if v.Tensor != claims.Ones {
			read[v.Tensor] = true
		}
	}
	for i := range p.Network.Contractions {
		c := &p.Network.Contractions[i]
		note(&c.Weight)
		for k := range c.Input.Linear {
			note(&c.Input.Linear[k].View)
		}
	}
	for i := range p.Network.Multiplications {
		m := &p.Network.Multiplications[i]
		for _, e := range []*claims.Expression{&m.A, &m.B} {
			for k := range e.Linear {
				note(&e.Linear[k].View)
			}
		}
	}
	return read
}

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// expression evaluates an expression without contractions. The result may alias a tensor's values.
func (w *Witness) expression(x *claims.Shaped) []int64 {
	if len(x.Linear) == 1 && x.Constant == 0 && x.Shift == 0 && x.Linear[0].Coefficient == 1 {
		return w.view(&x.Linear[0].View)
	}
	out := make([]int64, volume(x.Shape))
	for i := range out {
		out[i] = x.Constant
	}
	for k := range x.Linear {
		c := x.Linear[k].Coefficient
		for i, v := range w.view(&x.Linear[k].View) {
			out[i] += c * v
		}
	}
	for i := range out {
		out[i] >>= x.Shift
	}
	return out
}

func (w *Witness) view(v *claims.View) []int64 {
	shape := v.Shape
	var values []int64
	if v.Tensor == claims.Ones {
		values = slices.Repeat([]int64{1}, volume(shape))
	} else {
		shape, values = w.plan.Network.Tensors[v.Tensor].Shape, w.values[v.Tensor]
	}
	return claims.Forward(v.Steps, shape, values, func(a, b int64) int64 { return a + b })
}

// stored is a value of the graph as it is stored.
func (w *Witness) stored(id model.TensorID) []int64 { return w.ordered(w.trace.Values[id], id, true) }

// ordered brings numbers of the elements of a tensor of the graph into the order of stored, or leaves them.
func (w *Witness) ordered(values []int64, id model.TensorID, stored bool) []int64 {
	own := w.plan.graph.Tensors[id].Shape
	if !stored || len(own) != 4 {
		return values
	}
	if w.last.of != &values[0] {
		w.last = reordered{&values[0], interleaved(values, own[1], own[2]*own[3])}
	}
	return w.last.out
}

// interleaved transposes matrices of channels × area.
func interleaved(values []int64, channels, area int) []int64 {
	out := make([]int64, len(values))
	parallel(len(values), func(_, from, to int) { // positions that end in the part
		for p := from / channels; p < to/channels; {
			n := min(transposed-p%transposed, to/channels-p, area-p%area)
			first := p/area*channels*area + p%area
			for c := range channels {
				for i, v := range values[first+c*area:][:n] {
					out[(p+i)*channels+c] = v
				}
			}
			p += n
		}
	})
	return out
}

// transposed is how many positions are written at a time, so that they stay in a cache.
const transposed = 16
