package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// maxTableSpread is the greatest difference of values for which the maximum of two is a lookup of
// max(0, a − b); larger ones are compared.
const maxTableSpread = 1 << 11

// maxPool takes maxima of two at a time: along x first, where overlapping windows share them.
type maxPool struct {
	in, out  model.TensorID
	min      int64
	elements int
	pairs    [][2]int // operands: input elements, then earlier pairs (elements + k)
	results  []int    // of each output element

	byTable *function // max(0, a − b)

	maxima       span    // of byComparison: the maxima less min
	overA, overB *ranged // max − a, max − b
	spread       int64   // max − min of the input
}

func newMaxPool(p *Plan, node int, op *model.MaxPool) gadget {
	n := &p.graph.Nodes[node]
	t := p.tensor(n.In[0])
	g := &maxPool{in: n.In[0], out: n.Out, min: t.Min, elements: t.Len(), spread: t.Max - t.Min}
	g.schedule(op.Window, t.Shape, p.tensor(n.Out).Shape)
	if g.spread <= maxTableSpread {
		g.byTable = newFunction(positivePart(g.spread), len(g.pairs))
	} else {
		g.overA = newBits(bitsFor(g.spread+1), len(g.pairs), true)
		g.overB = newBits(bitsFor(g.spread+1), len(g.pairs), true)
	}
	return g
}

// positivePart is max(0, d) for |d| ≤ spread.
func positivePart(spread int64) model.Table {
	t := model.Table{Name: "positive part", Min: -spread}
	for d := -spread; d <= spread; d++ {
		t.Values = append(t.Values, max(0, d))
	}
	return t
}

// schedule lists the pairs.
func (g *maxPool) schedule(win model.Window, in, out []int) {
	type rowKey struct{ c, y, ox int }
	rows := map[rowKey]int{}
	along := model.Window{Kernel: [2]int{1, win.Kernel[1]}, Stride: [2]int{1, win.Stride[1]},
		Dilation: [2]int{1, win.Dilation[1]}, PadBefore: [2]int{0, win.PadBefore[1]}}
	for c := range out[1] {
		for oy := range out[2] {
			for ox := range out[3] {
				best := -1
				for ky := range win.Kernel[0] {
					y := oy*win.Stride[0] + ky*win.Dilation[0] - win.PadBefore[0]
					if y < 0 || y >= in[2] {
						continue
					}
					key := rowKey{c, y, ox}
					if _, ok := rows[key]; !ok {
						m := -1
						forWindow(along, in[2], in[3], y, ox, func(y, x int) { m = g.pair(m, (c*in[2]+y)*in[3]+x) })
						rows[key] = m
					}
					best = g.pair(best, rows[key])
				}
				g.results = append(g.results, best)
			}
		}
	}
}

// pair schedules the maximum of two values; −1 is none.
func (g *maxPool) pair(a, b int) int {
	if a < 0 {
		return b
	}
	if b < 0 {
		return a
	}
	g.pairs = append(g.pairs, [2]int{a, b})
	return g.elements + len(g.pairs) - 1
}

func (g *maxPool) demand(d *demands) {
	if g.byTable == nil {
		g.overA.demand(d)
		g.overB.demand(d)
	}
}

func (g *maxPool) allocate(p *Plan) error {
	if g.byTable != nil {
		if len(g.pairs) == 0 {
			return nil
		}
		return g.byTable.allocate(p)
	}
	g.maxima = p.wires(len(g.pairs))
	g.overA.allocate(p)
	g.overB.allocate(p)
	return nil
}

func (g *maxPool) constraints() int {
	if g.byTable != nil {
		return g.byTable.constraints()
	}
	return len(g.pairs) + g.overA.constraints() + g.overB.constraints()
}

func (g *maxPool) assign(w *Witness) {
	values := append([]int64(nil), w.values(g.in)...)
	for k, p := range g.pairs {
		a, b := values[p[0]], values[p[1]]
		m := max(a, b)
		values = append(values, m)
		if g.byTable != nil {
			g.byTable.set(w, k, a-b)
			continue
		}
		w.set(g.maxima, k, uint64(m-g.min))
		g.overA.set(w, k, uint64(m-a))
		g.overB.set(w, k, uint64(m-b))
	}
}

func (g *maxPool) define(b *builder) error {
	values := append([]frontend.Variable(nil), b.values[g.in]...)
	for k, p := range g.pairs {
		values = append(values, g.maximum(b, k, values[p[0]], values[p[1]]))
	}
	out := make([]frontend.Variable, len(g.results))
	for i, r := range g.results {
		out[i] = values[r]
	}
	b.values[g.out] = out
	return nil
}

func (g *maxPool) maximum(b *builder, k int, x, y frontend.Variable) frontend.Variable {
	if g.byTable != nil {
		difference := b.api.Add(b.api.Sub(x, y), g.spread)
		return b.api.Add(y, g.byTable.define(b, k, difference))
	}
	m := b.api.Add(b.wire(g.maxima, k), g.min)
	overX, overY := b.api.Sub(m, x), b.api.Sub(m, y)
	g.overA.define(b, k, overX)
	g.overB.define(b, k, overY)
	b.product(overX, overY, 0)
	return m
}
