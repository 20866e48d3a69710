package sumcheck

import (
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
	rows   [][]int   // by lookup: rows of its table, row-major
}

// Assign fills all tensors from an execution of the plan's graph. Errors are of an execution of another graph.
func (p *Plan) Assign(t *model.Trace) (*Witness, error) {
	w := &Witness{plan: p, trace: t, values: make([][]int64, len(p.fills)), rows: make([][]int, len(p.rows))}
	for i, fill := range p.fills {
		if fill == nil {
			continue
		}
		if w.values[i] = fill(w); len(w.values[i]) != p.Network.Tensors[i].Len() {
			return nil, fmt.Errorf("tensor %d has %d elements, expected %d: the execution is of another model", i, len(w.values[i]), p.Network.Tensors[i].Len())
		}
	}
	for i := range p.Network.Tables {
		w.values[p.Network.Tables[i].Multiplicities] = make([]int64, p.Network.Tables[i].Rows())
	}
	for i := range p.rows {
		if err := w.find(i); err != nil {
			return nil, err
		}
	}
	return w, nil
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

// find looks up the rows of a lookup's elements and counts them.
func (w *Witness) find(lookup int) error {
	l := &w.plan.Network.Lookups[lookup]
	t := &w.plan.Network.Tables[l.Table]
	uses := w.values[t.Multiplicities]
	arguments := w.plan.rows[lookup](w)
	rows := make([]int, len(arguments[0]))
	at := make([]int64, len(arguments))
	for i := range rows {
		for k := range arguments {
			at[k] = arguments[k][i]
		}
		row, ok := t.Row(at)
		if !ok {
			return fmt.Errorf("element %d of lookup %d: no row for %v: the execution is of another model", i, lookup, at)
		}
		rows[i] = row
		uses[row]++
	}
	w.rows[lookup] = rows
	return nil
}

// expression evaluates an expression without contractions. The result may alias a tensor's values.
func (w *Witness) expression(x *claims.Shaped) []int64 {
	if len(x.Linear) == 1 && x.Constant == 0 && x.Shift == 0 && x.Linear[0].Coefficient == 1 {
		return w.view(&x.Linear[0].View)
	}
	n := 1
	for _, d := range x.Shape {
		n *= d
	}
	out := make([]int64, n)
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
		n := 1
		for _, d := range shape {
			n *= d
		}
		values = slices.Repeat([]int64{1}, n)
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
	channels, area := own[1], own[2]*own[3]
	out := make([]int64, len(values))
	for n := 0; n < len(values); n += channels * area {
		for c := range channels {
			for i, v := range values[n+c*area:][:area] {
				out[n+i*channels+c] = v
			}
		}
	}
	return out
}
