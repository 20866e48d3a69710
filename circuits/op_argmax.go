package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// argMax selects one element of each line by a one-hot vector and shows that it is the greatest, and
// strictly greater than those that would win a tie.
type argMax struct {
	in, out  model.TensorID
	op       *model.ArgMax
	lines    [][]int // input elements along the axis, by output element
	spread   int64
	selected span    // one-hot, line by line
	margins  *ranged // greatest − x − (1 where a tie would lose)
}

func newArgMax(p *Plan, node int, op *model.ArgMax) gadget {
	n := &p.graph.Nodes[node]
	t := p.tensor(n.In[0])
	g := &argMax{in: n.In[0], out: n.Out, op: op, lines: axisLines(t.Shape, op.Axis), spread: t.Max - t.Min}
	g.margins = newBits(max(bitsFor(g.spread+1), 1), t.Len(), true)
	return g
}

// axisLines lists the elements along an axis, for each position of the other axes in order.
func axisLines(shape []int, axis int) [][]int {
	inner := product(shape[axis+1:])
	n := shape[axis]
	lines := make([][]int, product(shape)/n)
	for l := range lines {
		for k := range n {
			lines[l] = append(lines[l], (l/inner*n+k)*inner+l%inner)
		}
	}
	return lines
}

func (g *argMax) demand(d *demands) { g.margins.demand(d) }

func (g *argMax) allocate(p *Plan) error {
	g.selected = p.wires(len(g.lines) * len(g.lines[0]))
	g.margins.allocate(p)
	return nil
}

func (g *argMax) constraints() int {
	return 2*g.selected.n + len(g.lines) + g.margins.constraints()
}

// losesTie tells whether element k must be strictly less than the winner.
func (g *argMax) losesTie(k, winner int) bool {
	if g.op.LastIndex {
		return k > winner
	}
	return k < winner
}

func (g *argMax) assign(w *Witness) {
	x := w.values(g.in)
	at := 0
	for l, line := range g.lines {
		winner := int(w.values(g.out)[l])
		for k, e := range line {
			margin := x[line[winner]] - x[e]
			if g.losesTie(k, winner) {
				margin--
			}
			if k == winner {
				w.set(g.selected, at, 1)
			}
			g.margins.set(w, at, uint64(margin))
			at++
		}
	}
}

func (g *argMax) define(b *builder) error {
	out := make([]frontend.Variable, len(g.lines))
	for l, line := range g.lines {
		out[l] = g.defineLine(b, l*len(line), line)
	}
	b.values[g.out] = out
	return nil
}

func (g *argMax) defineLine(b *builder, at int, line []int) frontend.Variable {
	hot := make([]frontend.Variable, len(line))
	x := make([]frontend.Variable, len(line))
	index := make([]frontend.Variable, len(line))
	for k, e := range line {
		hot[k] = b.wire(g.selected, at+k)
		b.product(hot[k], b.api.Sub(hot[k], 1), 0)
		x[k] = b.values[g.in][e]
		index[k] = b.api.Mul(hot[k], k)
	}
	b.product(b.sum(hot), 1, 1)
	greatest := b.inner(hot, x)
	for k := range line {
		// The sum over the winners beyond k is 1 exactly where k must lose strictly.
		beyond := hot[k+1:]
		if g.op.LastIndex {
			beyond = hot[:k]
		}
		margin := b.api.Sub(b.api.Sub(greatest, x[k]), b.sum(beyond))
		g.margins.define(b, at+k, margin)
	}
	return b.sum(index)
}
