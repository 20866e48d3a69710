package claims

import (
	"fmt"
	"math/bits"
	"slices"
)

// maxCost bounds the elements that a verifier computes from a description, maxBlocks the blocks of its tensors: a few
// bytes can describe a great deal, and whoever reads a description has to be able to refuse it at once. An element took
// 15 ns and 8 bytes where that was measured; MobileNetV2 at 224×224 has a cost of 10^7.
const (
	maxCost   = 1 << 25
	maxBlocks = 1 << 16
)

// blockCost is what a block costs, as elements: its extension at a point is a product over the address.
const blockCost = 64

// blockCount is the number of blocks of a shape.
func blockCount(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= bits.OnesCount(uint(d))
	}
	return n
}

// checkCost errs where claims about a network that is otherwise right would take too long.
func (n *Network) checkCost() error {
	c := coster{network: n}
	for i := range n.Contractions {
		c.contractions = append(c.contractions, c.contraction(&n.Contractions[i]))
	}
	for i := range n.Tables {
		c.add(1, n.Tables[i].cost())
	}
	for i := range n.Lookups {
		c.lookup(&n.Lookups[i])
	}
	for i := range n.Multiplications {
		m := &n.Multiplications[i]
		for _, e := range []*Expression{&m.A, &m.B, &m.C} {
			c.add(blockCount(m.Shape), c.expression(e, m.Shape, true))
		}
	}
	for _, list := range [][]Shaped{n.Zeros, n.Public} {
		for i := range list {
			c.add(1, list[i].Len()+c.expression(&list[i].Expression, list[i].Shape, false))
		}
	}
	if c.spent > maxCost {
		return fmt.Errorf("%w: claims about it take some %d elements or more, at most %d", ErrNetwork, c.spent, maxCost)
	}
	return nil
}

// coster adds up what claims cost.
type coster struct {
	network      *Network
	contractions []contractionCost
	spent        int // beyond maxCost no more is added
}

// contractionCost is what a contraction adds for a block of outputs, and for each stretch of output channels.
type contractionCost struct{ block, channels int }

func (c *coster) add(times, cost int) {
	if c.spent <= maxCost {
		c.spent += times * cost
	}
}

func (c *coster) lookup(l *Lookup) {
	blocks := blockCount(l.Shape)
	for i := range l.Columns {
		e := &l.Columns[i]
		c.add(blocks, blockCost+c.expression(e, l.Shape, true))
		for _, x := range e.Contractions {
			of := c.contractions[x.Contraction]
			c.add(blocks, of.block)
			c.add(lastParts(l.Shape), of.channels)
		}
	}
}

// lastParts is the number of parts of the last axis.
func lastParts(shape []int) int {
	if len(shape) == 0 {
		return 1
	}
	return bits.OnesCount(uint(shape[len(shape)-1]))
}

func (c *coster) contraction(x *Contraction) contractionCost {
	weight, err := c.network.ShapeOf(&x.Weight)
	if err != nil || c.spent > maxCost {
		return contractionCost{}
	}
	out := contractionCost{
		block:    c.expression(&x.Input.Expression, x.Input.Shape, false) + total(x.Input.Shape) + total(weight),
		channels: c.network.viewCost(&x.Weight, false) + total(weight),
	}
	if x.Kind == Convolution {
		out.block += x.Out[0]*weight[2] + x.Out[1]*weight[3]
		if x.Groups > 1 {
			out.channels += weight[0] * weight[1]
		}
	}
	return out
}

// total is the sum of the axes' lengths.
func total(shape []int) (sum int) {
	for _, d := range shape {
		sum += d
	}
	return sum
}

// expression is the cost of a functional of an expression but for its contractions; see viewCost.
func (c *coster) expression(e *Expression, shape []int, parts bool) int {
	sum := total(shape)
	for i := range e.Linear {
		if sum += c.network.viewCost(&e.Linear[i].View, parts); sum > maxCost {
			break
		}
	}
	return sum
}

// cost is that of the keys at a point.
func (t *Table) cost() (sum int) {
	rows := t.Rows()
	for _, column := range t.progressions() {
		sum += bits.OnesCount(uint(rows))*column + min(rows, 2*column*AxisBits(rows))
	}
	return sum
}

// progressions is the number of progressions of each column.
func (t *Table) progressions() (out []int) {
	repeat, length := 1, t.Rows()
	for _, a := range t.Arguments {
		if length /= a.Len; length == 1 {
			out = append(out, repeat)
		} else {
			out = append(out, repeat*a.Len)
		}
		repeat *= a.Len
	}
	for _, v := range t.Values {
		out = append(out, len(v))
	}
	return out
}

// viewCost is the cost of a functional of a view that is a product of one vector an axis: of eq over one part of it, or any.
// Groups stand for their vectors here: isEq for eq over a part, a start for what was mapped.
func (n *Network) viewCost(v *View, parts bool) (sum int) {
	shapes, err := n.shapes(v)
	if err != nil {
		return 0 // of a network that is refused for it
	}
	w := Weights{Shape: shapes[len(shapes)-1]}
	for a := range w.Shape {
		w.groups = append(w.groups, group{oneAxis(a), vector{isEq: parts}})
	}
	for i := len(v.Steps) - 1; i >= 0 && sum <= maxCost; i-- {
		var cost int
		w, cost = v.Steps[i].backCost(w, shapes[i])
		sum += cost
	}
	if v.Tensor == Ones {
		return sum + total(w.Shape)
	}
	return sum + w.blocksCost()
}

// backCost is back for groups that stand for their vectors.
func (s *Step) backCost(w Weights, source []int) (out Weights, cost int) {
	switch {
	case s.Permute != nil:
		out = w.on(source)
		out.permute(s.Permute)
		return out, len(source)
	case s.Reshape != nil:
		return w.reshapedCost(source)
	}
	axis, taps := 0, 1
	if s.Window != nil {
		axis, taps = s.Window.Axis, s.Window.Kernel
	} else {
		axis = s.Select.Axis
	}
	out = Weights{Shape: source}
	for _, g := range w.groups {
		if slices.Contains(g.axes, axis) {
			lines := volumeOf(g.axes, w.Shape) / w.Shape[axis]
			cost = lines * (w.Shape[axis]*taps + source[axis])
			g.vector = vector{start: 1}
		}
		out.groups = append(out.groups, g)
	}
	return out, cost
}

// reshapedCost is reshaped for groups that stand for their vectors.
func (w *Weights) reshapedCost(source []int) (out Weights, cost int) {
	out.Shape = source
	for a, d := range source {
		if d == 1 {
			out.groups = append(out.groups, group{oneAxis(a), vector{isEq: true}})
		}
	}
	for _, s := range w.stretches(source) {
		g := group{axes: s.from}
		if len(s.to) == 1 && len(s.from) == 1 {
			at := slices.IndexFunc(w.groups, func(g group) bool { return slices.Contains(g.axes, s.to[0]) })
			g.vector = w.groups[at].vector
		} else {
			cost += (1 + len(s.to)) * volumeOf(s.to, w.Shape)
		}
		out.groups = append(out.groups, g)
	}
	return out, cost
}

func volumeOf(axes, shape []int) int {
	n := 1
	for _, a := range axes {
		n *= shape[a]
	}
	return n
}

// blocksCost is the cost of Blocks on a tensor. Groups that are no neighbours are joined; eq over a part meets one part of the
// axis, anything else all of them, each for every block of the other axes. Shifted eq is evaluated for every block.
func (w *Weights) blocksCost() (sum int) {
	blocks := 1
	var meets [][2]int // volume and parts
	for axis := 0; axis < len(w.Shape); {
		members, last := w.closure(axis)
		shape := w.Shape[axis : last+1]
		size, parts := volume(shape), blockCount(shape)
		switch {
		case len(members) > 1 || !slices.IsSorted(members[0].axes):
			sum += (1 + len(members)) * size
			meets = append(meets, [2]int{size, parts})
		case members[0].start > 0:
			meets = append(meets, [2]int{size, 1})
		case members[0].isEq:
			parts = 1
		default:
			meets = append(meets, [2]int{size, parts})
		}
		blocks *= parts
		axis = last + 1
	}
	for _, m := range meets {
		sum += m[0] * blocks / m[1]
	}
	return sum + blocks*blockCost
}
