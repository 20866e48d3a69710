package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// softmax checks y = ⌊(2·Steps·e + S)/(2·S)⌋ for each element: the greatest value is one of the
// line's, e is a lookup of the distance to it, and the division has its remainder checked from both
// sides.
type softmax struct {
	in, out  model.TensorID
	op       *model.Softmax
	min      int64
	lines    [][]int
	greatest span      // one a line, less min
	exp      *function // by element, line after line
	y        *ranged
	rem      *ranged // 2·Steps·e + S − y·2·S
	below    *ranged // 2·S − 1 − rem
}

func newSoftmax(p *Plan, node int, op *model.Softmax) gadget {
	n := &p.graph.Nodes[node]
	t := p.tensor(n.In[0])
	g := &softmax{in: n.In[0], out: n.Out, op: op, min: t.Min, lines: axisLines(t.Shape, op.Axis)}
	_, greatest := op.Exp.Range()
	b := bitsFor(2 * greatest * int64(len(g.lines[0])))
	g.exp = newFunction(op.Exp, t.Len())
	g.y = newRanged(op.Steps+1, t.Len(), false)
	g.rem = newBits(b, t.Len(), false)
	g.below = newBits(b, t.Len(), true)
	return g
}

func (g *softmax) demand(d *demands) {
	g.y.demand(d)
	g.rem.demand(d)
	g.below.demand(d)
}

func (g *softmax) allocate(p *Plan) error {
	g.greatest = p.wires(len(g.lines))
	g.y.allocate(p)
	g.rem.allocate(p)
	g.below.allocate(p)
	return g.exp.allocate(p)
}

func (g *softmax) constraints() int {
	perLine := max(len(g.lines[0])-1, 1) + len(g.lines[0])
	return len(g.lines)*perLine + g.exp.constraints() + g.y.constraints() + g.rem.constraints() + g.below.constraints()
}

func (g *softmax) assign(w *Witness) {
	x := w.values(g.in)
	for l, line := range g.lines {
		greatest := x[line[0]]
		for _, e := range line {
			greatest = max(greatest, x[e])
		}
		g.assignLine(w, l, greatest)
	}
}

// assignLine fills the wires of a line whose greatest value is given.
func (g *softmax) assignLine(w *Witness, l int, greatest int64) {
	x, y, line := w.values(g.in), w.values(g.out), g.lines[l]
	w.set(g.greatest, l, uint64(greatest-g.min))
	var sum int64
	for _, e := range line {
		sum += g.op.Exp.At(x[e] - greatest)
	}
	for k, e := range line {
		at := l*len(line) + k
		rem := 2*g.op.Steps*g.op.Exp.At(x[e]-greatest) + sum - y[e]*2*sum
		g.exp.set(w, at, x[e]-greatest)
		g.y.set(w, at, uint64(y[e]))
		g.rem.set(w, at, uint64(rem))
		g.below.set(w, at, uint64(2*sum-1-rem))
	}
}

func (g *softmax) define(b *builder) error {
	out := make([]frontend.Variable, g.exp.count)
	for l, line := range g.lines {
		g.defineLine(b, l, line, out)
	}
	b.values[g.out] = out
	return nil
}

func (g *softmax) defineLine(b *builder, l int, line []int, out []frontend.Variable) {
	greatest := b.api.Add(b.wire(g.greatest, l), g.min)
	exps := make([]frontend.Variable, len(line))
	gap := frontend.Variable(1) // Π (greatest − x) = 0: it is one of them
	for k, e := range line {
		distance := b.api.Sub(b.values[g.in][e], greatest)
		exps[k] = g.exp.define(b, l*len(line)+k, b.less(distance, g.op.Exp.Min))
		if k == len(line)-1 {
			b.product(gap, distance, 0)
		} else {
			gap = b.api.Mul(gap, distance)
		}
	}
	twice := b.api.Mul(b.sum(exps), 2)
	for k, e := range line {
		at := l*len(line) + k
		y, rem := g.y.value(b, at), g.rem.value(b, at)
		g.y.define(b, at, y)
		g.rem.define(b, at, rem)
		g.below.define(b, at, b.api.Sub(b.api.Sub(twice, 1), rem))
		dividend := b.api.Add(b.api.Mul(exps[k], 2*g.op.Steps), b.sum(exps))
		b.product(y, twice, b.api.Sub(dividend, rem))
		out[e] = y
	}
}
