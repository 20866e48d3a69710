package float

import (
	"slices"
)

// Fold rewrites the graph, which must be valid, in place to an equal one with fewer ops: an Affine
// after a Conv or Dense goes into the weights where it is one factor and one summand a channel, also
// across a Reshape or Transpose in between; successive Affines, Reshapes and Transposes become one; ops that
// change nothing go; x·sigmoid(x), x·hardsigmoid(x) and the products that spell out GELU become one
// function. Nodes and tensors that no output needs are dropped; inputs stay. Equal means up to the
// rounding of the folded parameters to float32. Names of outputs are kept.
func Fold(g *Graph) {
	f := newFolder(g)
	for _, n := range g.Nodes {
		f.take(n)
	}
	g.Nodes = f.nodes
	for i, id := range g.Outputs {
		g.Outputs[i] = f.alias[id]
	}
	prune(g)
}

// folder rewrites nodes in one pass in topological order: nodes holds those already rewritten.
type folder struct {
	g        *Graph
	nodes    []Node
	producer []int  // by tensor: index in nodes, −1 for inputs and constants
	uses     []int  // by tensor: how many operands and outputs it is
	alias    []int  // by tensor: the one that holds the same elements now
	border   []bool // by tensor: is an input or output of the graph
}

func newFolder(g *Graph) *folder {
	n := len(g.Tensors)
	f := &folder{g: g, producer: make([]int, n), uses: make([]int, n), alias: make([]int, n), border: make([]bool, n)}
	for i := range n {
		f.producer[i], f.alias[i] = -1, i
	}
	for _, n := range g.Nodes {
		for _, id := range n.In {
			f.uses[id]++
		}
	}
	for _, id := range g.Inputs {
		f.border[id] = true
	}
	for _, id := range g.Outputs {
		f.uses[id]++
		f.border[id] = true
	}
	return f
}

// take rewrites one node and appends what becomes of it.
func (f *folder) take(n Node) {
	n.In = slices.Clone(n.In)
	for i, id := range n.In {
		n.In[i] = f.alias[id]
	}
	switch op := n.Op.(type) {
	case Affine:
		f.mergeAffines(&n)
		if f.foldIntoWeights(n) {
			return
		}
	case Reshape:
		if p := f.producerOf(n.In[0]); p != nil && p.Op == Op(Reshape{}) {
			f.rewire(&n, 0, p.In[0])
		}
	case Transpose:
		if p := f.producerOf(n.In[0]); p != nil {
			if first, ok := p.Op.(Transpose); ok {
				n.Op = op.after(first)
				f.rewire(&n, 0, p.In[0])
			}
		}
	case Binary:
		if f.matchProduct(&n) {
			return
		}
	}
	if f.changesNothing(n) && f.replace(n.Out, n.In[0]) {
		f.uses[n.In[0]]--
		return
	}
	f.append(n)
}

func (f *folder) append(n Node) {
	f.producer[n.Out] = len(f.nodes)
	f.nodes = append(f.nodes, n)
}

// producerOf is the rewritten node that makes the tensor, nil for an input or a constant.
func (f *folder) producerOf(tensor int) *Node {
	if f.producer[tensor] < 0 {
		return nil
	}
	return &f.nodes[f.producer[tensor]]
}

// rewire makes tensor the node's operand i.
func (f *folder) rewire(n *Node, i, tensor int) {
	f.uses[n.In[i]]--
	f.uses[tensor]++
	n.In[i] = tensor
}

// replace lets tensor take the place of old, unless both are at the graph's border, which names them
// and counts them.
func (f *folder) replace(old, tensor int) bool {
	if f.border[old] {
		if f.border[tensor] {
			return false
		}
		f.border[tensor] = true
		f.g.Tensors[tensor].Name = f.g.Tensors[old].Name
	}
	f.alias[old] = tensor
	f.uses[tensor] += f.uses[old]
	return true
}

// addTensor appends a tensor to the graph; constants have elements.
func (f *folder) addTensor(t Tensor) int {
	f.g.Tensors = append(f.g.Tensors, t)
	f.producer = append(f.producer, -1)
	f.uses = append(f.uses, 0)
	f.alias = append(f.alias, len(f.alias))
	f.border = append(f.border, false)
	return len(f.g.Tensors) - 1
}

// changesNothing tells whether the node's output is its first operand.
func (f *folder) changesNothing(n Node) bool {
	if !slices.Equal(f.g.Tensors[n.In[0]].Shape, f.g.Tensors[n.Out].Shape) {
		return false
	}
	switch op := n.Op.(type) {
	case Reshape:
		return true
	case Concat:
		return len(n.In) == 1
	case Transpose:
		return slices.IsSorted(op.Perm)
	case Slice: // all elements of each axis, the first one first
		return !slices.ContainsFunc(op.Start, func(s int) bool { return s != 0 })
	case Pad: // an axis cannot shrink, so nothing was added
		return true
	case Gather:
		return slices.Equal(op.Indices, arithmetic(0, 1, len(op.Indices)))
	case Affine:
		isOne, isZero := func(v float32) bool { return v == 1 }, func(v float32) bool { return v == 0 }
		return all(f.g.Tensors[n.In[1]].Const, isOne) && all(f.g.Tensors[n.In[2]].Const, isZero)
	}
	return false
}

func all(x []float32, ok func(float32) bool) bool {
	return !slices.ContainsFunc(x, func(v float32) bool { return !ok(v) })
}

// mergeAffines applies n and the Affine that feeds only it in one step:
// (x·s₁ + t₁)·s₂ + t₂ = x·s₁s₂ + (t₁s₂ + t₂).
func (f *folder) mergeAffines(n *Node) {
	p := f.producerOf(n.In[0])
	if p == nil || p.Op != Op(Affine{}) || f.uses[n.In[0]] != 1 || f.border[n.In[0]] {
		return
	}
	s1, t1 := f.constant(p.In[1]), f.constant(p.In[2])
	s2, t2 := f.constant(n.In[1]), f.constant(n.In[2])
	scaleShape, _ := Broadcast(s1.shape, s2.shape) // all broadcast to x
	shiftShape, _ := Broadcast(t1.shape, s2.shape, t2.shape)
	scale := combine(scaleShape, func(v []float64) float64 { return v[0] * v[1] }, s1, s2)
	shift := combine(shiftShape, func(v []float64) float64 { return v[0]*v[1] + v[2] }, t1, s2, t2)
	name := f.g.Tensors[n.Out].Name
	f.rewire(n, 1, f.addTensor(Tensor{Name: name + ".scale", Shape: scaleShape, Const: scale}))
	f.rewire(n, 2, f.addTensor(Tensor{Name: name + ".shift", Shape: shiftShape, Const: shift}))
	f.rewire(n, 0, p.In[0])
}

// constant is a constant tensor of the graph as an array.
func (f *folder) constant(tensor int) array {
	t := f.g.Tensors[tensor]
	return array{t.Shape, t.Const}
}

// combine computes an elementwise function of arrays that broadcast to shape.
func combine(shape []int, fn func(v []float64) float64, in ...array) []float32 {
	wide := make([][]float32, len(in))
	for i, a := range in {
		wide[i] = a.broadcast(shape)
	}
	out, v := make([]float32, volume(shape)), make([]float64, len(in))
	for i := range out {
		for k := range in {
			v[k] = float64(wide[k][i])
		}
		out[i] = float32(fn(v))
	}
	return out
}

// foldIntoWeights moves the Affine n into the Conv or Dense before it and lets that take n's place.
func (f *folder) foldIntoWeights(n Node) bool {
	x := n.In[0]
	shape := f.g.Tensors[x].Shape
	scale, shift := f.constant(n.In[1]).broadcast(shape), f.constant(n.In[2]).broadcast(shape)
	// Walk back to the weights over ops that only move elements, and move the constants along.
	at := x
	p := f.producerOf(at)
	for p != nil && f.uses[at] == 1 && !f.border[at] {
		back := Op(nil)
		switch op := p.Op.(type) {
		case Reshape:
			back = op
		case Transpose:
			back = op.inverse()
		}
		if back == nil {
			break
		}
		from, to := f.g.Tensors[at].Shape, f.g.Tensors[p.In[0]].Shape
		scale = eval(back, []array{{from, scale}}, to)
		shift = eval(back, []array{{from, shift}}, to)
		at = p.In[0]
		p = f.producerOf(at)
	}
	if p == nil || f.uses[at] != 1 || f.border[at] {
		return false
	}
	shape = f.g.Tensors[at].Shape
	var channels int // axis
	switch p.Op.(type) {
	case Conv:
		channels = 1
	case Dense:
		channels = len(shape) - 1
	default:
		return false
	}
	s, ok := perChannel(scale, shape, channels)
	t, uniform := perChannel(shift, shape, channels)
	if !ok || !uniform || !f.replace(n.Out, x) {
		return false
	}
	f.uses[x]--
	f.scaleWeights(p, s, t)
	return true
}

// perChannel is one value for each index along the axis, if the elements depend on nothing else.
func perChannel(x []float32, shape []int, axis int) ([]float32, bool) {
	_, n, inner := splitAxis(shape, axis)
	values := make([]float32, n)
	for c := range values {
		values[c] = x[c*inner]
	}
	for i, v := range x {
		if v != values[i/inner%n] {
			return nil, false
		}
	}
	return values, true
}

// scaleWeights multiplies each output channel of a Conv or Dense by scale and adds shift.
func (f *folder) scaleWeights(p *Node, scale, shift []float32) {
	w := f.g.Tensors[p.In[1]]
	_, perRow := p.Op.(Dense) // [K, N]; those of a Conv are [O, …]
	block := len(w.Const) / len(scale)
	weights := make([]float32, len(w.Const))
	for i, v := range w.Const {
		c := i / block
		if perRow {
			c = i % len(scale)
		}
		weights[i] = float32(float64(v) * float64(scale[c]))
	}
	bias := slices.Clone(shift)
	if len(p.In) == 3 {
		for c, b := range f.g.Tensors[p.In[2]].Const {
			bias[c] = float32(float64(b)*float64(scale[c]) + float64(shift[c]))
		}
	}
	f.rewire(p, 1, f.addTensor(Tensor{Name: w.Name, Shape: w.Shape, Const: weights}))
	b := f.addTensor(Tensor{Name: p.Name + ".bias", Shape: []int{len(bias)}, Const: bias})
	if len(p.In) == 3 {
		f.g.Tensors[b].Name = f.g.Tensors[p.In[2]].Name
		f.rewire(p, 2, b)
		return
	}
	p.In = append(p.In, b)
	f.uses[b]++
}

// prune drops the nodes and tensors that no output needs, except inputs.
func prune(g *Graph) {
	needed := make([]bool, len(g.Tensors))
	for _, id := range g.Outputs {
		needed[id] = true
	}
	var kept []Node
	for _, n := range slices.Backward(g.Nodes) {
		if !needed[n.Out] {
			continue
		}
		for _, id := range n.In {
			needed[id] = true
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	for _, id := range g.Inputs {
		needed[id] = true
	}
	renumber(g, kept, needed)
}

// renumber makes kept the nodes and the needed tensors the tensors.
func renumber(g *Graph, kept []Node, needed []bool) {
	number := make([]int, len(g.Tensors))
	var tensors []Tensor
	for i, t := range g.Tensors {
		if needed[i] {
			number[i] = len(tensors)
			tensors = append(tensors, t)
		}
	}
	renumbered := func(ids []int) []int {
		out := make([]int, len(ids))
		for i, id := range ids {
			out[i] = number[id]
		}
		return out
	}
	for i, n := range kept {
		kept[i].In, kept[i].Out = renumbered(n.In), number[n.Out]
	}
	g.Inputs, g.Outputs = renumbered(g.Inputs), renumbered(g.Outputs)
	g.Nodes, g.Tensors = kept, tensors
}
