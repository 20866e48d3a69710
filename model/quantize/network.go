package quantize

import (
	"math"
	"slices"

	"github.com/zkinfer/zkinfer/model/float"
)

// network is a float graph on its way to integers.
type network struct {
	g      *float.Graph
	o      Options
	seen   []interval
	users  [][]int        // by tensor: the nodes that read it
	fused  []*float.Unary // by node: the function that follows and belongs to it
	merged []bool         // by node: it is such a function
	out    []int          // by node: the tensor it makes, that of the fused function if there is one
	scales *groups
	shift  uint // of all layers that it is precise enough for: they share tables of remainders
	// classBits is the width of the quotients of all clamps: they share tables.
	classBits uint
}

func newNetwork(g *float.Graph, o Options, seen []interval) *network {
	n := &network{g: g, o: o, seen: seen, users: make([][]int, len(g.Tensors)),
		fused: make([]*float.Unary, len(g.Nodes)), merged: make([]bool, len(g.Nodes)), out: make([]int, len(g.Nodes))}
	for i, node := range g.Nodes {
		n.out[i] = node.Out
		for _, id := range node.In {
			n.users[id] = append(n.users[id], i)
		}
	}
	for i := range g.Nodes {
		n.fuse(i)
	}
	return n
}

// fuse takes the function that alone reads a linear layer's output into the layer: requantization
// looks the quotient up in a table anyway.
func (n *network) fuse(i int) {
	node := n.g.Nodes[i]
	users := n.users[node.Out]
	if !linear(node.Op) || len(users) != 1 || n.isOutput(node.Out) {
		return
	}
	if u, ok := n.g.Nodes[users[0]].Op.(float.Unary); ok && !n.merged[users[0]] {
		n.fused[i], n.merged[users[0]], n.out[i] = &u, true, n.g.Nodes[users[0]].Out
	}
}

func (n *network) isOutput(tensor int) bool { return slices.Contains(n.g.Outputs, tensor) }

func (n *network) constant(tensor int) bool { return n.g.Tensors[tensor].Const != nil }

// hoist is the graph with functions right behind the linear layers they belong to, where only ops that
// commute with them lie between: fused there, they need no lookup of their own. g stays as it is.
func hoist(g *float.Graph) *float.Graph {
	h := *g
	h.Tensors, h.Nodes = slices.Clone(g.Tensors), slices.Clone(g.Nodes)
	readers, producer := make([]int, len(g.Tensors)), make([]int, len(g.Tensors))
	for i := range producer {
		producer[i] = -1
	}
	for _, id := range g.Outputs {
		readers[id]++
	}
	for i, n := range g.Nodes {
		producer[n.Out] = i
		for _, id := range n.In {
			readers[id]++
		}
	}
	// before is the node that makes a tensor for one reader alone, −1 if there is none.
	before := func(tensor int) int {
		if readers[tensor] != 1 {
			return -1
		}
		return producer[tensor]
	}
	for i := range h.Nodes {
		u, ok := h.Nodes[i].Op.(float.Unary)
		if !ok {
			continue
		}
		var between []int // nodes, from the function upwards
		p := before(h.Nodes[i].In[0])
		for p >= 0 && commutes(h.Nodes[p].Op, u) {
			between = append(between, p)
			p = before(h.Nodes[p].In[0])
		}
		if p < 0 || !linear(h.Nodes[p].Op) {
			continue
		}
		at := i // where the function is
		for _, p := range between {
			h.Nodes[at], h.Nodes[p] = swapped(&h, h.Nodes[p], h.Nodes[at])
			producer[h.Nodes[at].Out], producer[h.Nodes[p].Out] = at, p
			at = p
		}
	}
	return &h
}

// swapped turns y = move(x), z = f(y) into y = f(x), z = move(y).
func swapped(g *float.Graph, move, f float.Node) (later, earlier float.Node) {
	x, y, z := move.In[0], move.Out, f.Out
	g.Tensors[y].Shape = g.Tensors[x].Shape
	move.In, f.In = []int{y}, []int{x}
	move.Out, f.Out = z, y
	return move, f
}

// commutes tells whether u may be applied before op instead of behind it.
func commutes(op float.Op, u float.Unary) bool {
	switch op.(type) {
	case float.Reshape, float.Transpose, float.Slice, float.Gather:
		return true
	case float.MaxPool:
		return nondecreasing(u)
	}
	return false
}

func nondecreasing(u float.Unary) bool {
	switch u.Func {
	case "relu", "clip", "sigmoid", "tanh", "softplus", "exp", "erf":
		return true
	case "leakyrelu", "elu", "hardsigmoid":
		return u.Alpha >= 0
	}
	return false
}

// linear tells whether an op makes accumulators that are requantized.
func linear(op float.Op) bool {
	switch op.(type) {
	case float.Conv, float.Dense, float.Affine, float.Binary, float.AvgPool, float.Mean:
		return true
	}
	return false
}

// keepsScale tells whether an op's output means the same as its inputs, integer by integer.
func keepsScale(op float.Op) bool {
	switch op.(type) {
	case float.MaxPool, float.Reshape, float.Transpose, float.Concat, float.Slice, float.Pad, float.Gather:
		return true
	}
	return false
}

// clamp tells whether a function is x clamped to [lo, hi]; identity and ReLU are such.
func clamp(u *float.Unary) (lo, hi float64, ok bool) {
	if u == nil {
		return math.Inf(-1), math.Inf(1), true
	}
	switch u.Func {
	case "relu":
		return 0, math.Inf(1), true
	case "clip":
		return u.Alpha, u.Beta, true
	}
	return 0, 0, false
}

// plain tells whether a function is a clamp whose table depends on no scale: identity or ReLU.
func plain(u *float.Unary) bool {
	lo, hi, ok := clamp(u)
	return ok && math.IsInf(hi, 1) && (lo == 0 || math.IsInf(lo, -1))
}

// bounds are the least and greatest values of a function, whatever the argument.
func bounds(u *float.Unary) interval {
	if lo, hi, ok := clamp(u); ok {
		return interval{lo, hi}
	}
	switch u.Func {
	case "sigmoid", "hardsigmoid":
		return interval{0, 1}
	case "tanh", "erf":
		return interval{-1, 1}
	case "softplus", "exp", "sqrt", "abs":
		return interval{0, math.Inf(1)}
	}
	return interval{math.Inf(-1), math.Inf(1)}
}

// saturation is the magnitude of arguments beyond which a function is as good as constant, on both
// sides.
func saturation(u float.Unary) float64 {
	switch u.Func {
	case "sigmoid":
		return 8 // 1 − sigmoid(8) = 0.0003
	case "tanh", "erf":
		return 4 // 1 − tanh(4) = 0.0007
	case "hardsigmoid":
		return (math.Abs(u.Beta) + 1) / math.Abs(u.Alpha)
	}
	return math.Inf(1)
}
