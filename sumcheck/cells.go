package sumcheck

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// Cells is the committed vector of one proof; it implements claims.NetworkProver.
type Cells struct {
	Witness *Witness
	Layout  *claims.Layout
	// Values are all cells before the pads, in whole rows; Pads those of linear messages, in whole rows.
	Values []int64
	Pads   []fr.Element

	contraction    *claims.Contraction // the last one
	weights, input []int64
}

// NewCells lays the tensors of a witness out, whose plan's network was laid so. pads are drawn for
// this proof alone; nil for a commitment of parameters.
func NewCells(w *Witness, l *claims.Layout, pads []fr.Element) (*Cells, error) {
	if pads != nil && len(pads) != l.Pads.Rows<<l.RowBits {
		return nil, fmt.Errorf("%d pads, expected %d rows of 2^%d", len(pads), l.Pads.Rows, l.RowBits)
	}
	c := &Cells{Witness: w, Layout: l, Values: make([]int64, l.FirstPad()), Pads: pads}
	return c, w.lay(c.Values)
}

// Region is the cells of a region without pads.
func (c *Cells) Region(r claims.Region) []int64 {
	return c.Values[r.First<<c.Layout.RowBits : (r.First+r.Rows)<<c.Layout.RowBits]
}

// Trees implements claims.NetworkProver.
func (c *Cells) Trees(alpha, beta fr.Element) (queries, rows claims.TreeProver) {
	keys := c.rowKeys(alpha, beta)
	asked := c.Witness.queries
	return newQueries(claims.AxisBits(len(asked)), keys, asked), newRows(claims.AxisBits(len(keys)), c.Witness.uses, keys)
}

// rowKeys are α − key of all tables' rows, by leaf of the tree of rows.
func (c *Cells) rowKeys(alpha, beta fr.Element) []fr.Element {
	n := c.Witness.plan.Network
	places, leaves := n.TablePlaces()
	out := make([]fr.Element, leaves)
	for t, place := range places {
		keys := n.Keys(t, alpha, beta)
		eachRun([]*claims.Tensor{place}, func(_, _ int, r run) { copy(out[r.cell:], keys[r.element:][:r.n]) })
	}
	return out
}

// Term implements claims.NetworkProver.
func (c *Cells) Term(t *claims.Term) claims.ProductProver {
	weights, input := c.operands(t.Contraction)
	return newTerm(t, weights, input)
}

// operands are the parameters and inputs of a contraction, which several terms share.
func (c *Cells) operands(x *claims.Contraction) (weights, input []int64) {
	if c.contraction != x {
		c.contraction = x
		c.weights, c.input = c.Witness.view(&x.Weight), c.Witness.expression(&x.Input)
	}
	return c.weights, c.input
}

// Multiplications implements claims.NetworkProver.
func (c *Cells) Multiplications(point []fr.Element) claims.PairProver {
	n := c.Witness.plan.Network
	places, elements := n.ProductPlaces()
	a, b := make([]int64, elements, elements+1), make([]int64, elements, elements+1)
	for i, place := range places {
		m := &n.Multiplications[i]
		x := c.Witness.expression(&claims.Shaped{Shape: m.Shape, Expression: m.A})
		y := c.Witness.expression(&claims.Shaped{Shape: m.Shape, Expression: m.B})
		eachRun([]*claims.Tensor{place}, func(_, _ int, r run) {
			copy(a[r.cell:][:r.n], x[r.element:])
			copy(b[r.cell:][:r.n], y[r.element:])
		})
	}
	return newPairs(a, b, point)
}

// Merge proves the sum of all cells under a functional.
func (c *Cells) Merge(blocks []claims.Block) claims.ProductProver {
	return NewMerge(c.Layout.AddressBits, c.Values, c.Pads, c.Layout.FirstPad(), blocks)
}

// Fold is the sum of all rows, each times a weight.
func (c *Cells) Fold(weights []fr.Element) []fr.Element {
	row := 1 << c.Layout.RowBits
	rows := len(c.Values) / row
	out := combine(weights[:rows], offsets(0, rows, row), c.Values, row)
	for i := range c.Pads {
		var v fr.Element
		out[i%row].Add(&out[i%row], v.Mul(&c.Pads[i], &weights[rows+i/row]))
	}
	return out
}
