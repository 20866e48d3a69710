package sumcheck

import (
	"fmt"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// avgPool scales sums of windows; positions whose windows have other numbers of taps have other multipliers.
func (b *builder) avgPool(node int, op *model.AvgPool) claims.Shaped {
	n := &b.graph.Nodes[node]
	multipliers := b.parameter(op.Params()[0])
	shape := storedShape(b.tensor(n.Out).Shape)
	in := b.operand(n.In[0], op.Zero)
	sums := b.windows(in, op.Window, shape)
	var acc claims.Expression
	for _, c := range poolClasses(op, b.tensor(n.In[0]).Shape, shape) {
		x := sums
		if c.masked {
			x = choose(choose(x, 1, c.rows), 2, c.columns)
		}
		acc.Contractions = append(acc.Contractions, b.scaledBy(multipliers, c.multiplier, x))
	}
	return shown(b.requantize(node, op, true, acc))
}

// windows adds up the taps of each window that lie on the image [1, Y, X, C].
func (b *builder) windows(in claims.Shaped, w model.Window, shape []int) claims.Shaped {
	for a := range 2 {
		in = then(in, claims.Step{Window: &claims.Window{
			Axis: 1 + a, Length: shape[1+a], Kernel: w.Kernel[a], Stride: w.Stride[a], Dilation: w.Dilation[a], Pad: w.PadBefore[a]}})
	}
	return in
}

// poolClass is the positions that have one multiplier, in some rows and columns.
type poolClass struct {
	multiplier    int
	rows, columns []int // the index itself, −1 for those of another class
	masked        bool
}

// poolClasses cuts positions into rectangles of one multiplier: by the class of the rows against the first column's, and so
// on, which is enough as the number of taps is a product of one by rows and one by columns.
func poolClasses(op *model.AvgPool, in, out []int) []poolClass {
	if len(op.Counts(in)) == 1 {
		return []poolClass{{}}
	}
	rows := alike(out[1], func(y int) (key []int) {
		for x := range out[2] {
			key = append(key, op.Class(in, y, x))
		}
		return key
	})
	columns := alike(out[2], func(x int) (key []int) {
		for y := range out[1] {
			key = append(key, op.Class(in, y, x))
		}
		return key
	})
	var classes []poolClass
	for _, r := range rows {
		for _, c := range columns {
			classes = append(classes, poolClass{op.Class(in, first(r), first(c)), r, c, true})
		}
	}
	return classes
}

// alike groups indices below n that have equal keys: each group as a list with −1 for the others.
func alike(n int, key func(i int) []int) (groups [][]int) {
	byKey := map[string]int{}
	for i := range n {
		k := fmt.Sprint(key(i))
		at, ok := byKey[k]
		if !ok {
			at = len(groups)
			byKey[k] = at
			group := make([]int, n)
			for j := range group {
				group[j] = -1
			}
			groups = append(groups, group)
		}
		groups[at][i] = i
	}
	return groups
}

func first(group []int) int {
	for _, i := range group {
		if i >= 0 {
			return i
		}
	}
	return 0
}
