package quantize

import (
	"math"

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

// linear tells whether an op makes accumulators that are requantized.
func linear(op float.Op) bool {
	switch op.(type) {
	case float.Conv, float.Dense, float.Affine, float.Binary, float.AvgPool, float.Mean:
		return true
	}
	return false
}

func (n *network) isOutput(tensor int) bool {
	for _, id := range n.g.Outputs {
		if id == tensor {
			return true
		}
	}
	return false
}

func (n *network) constant(tensor int) bool { return n.g.Tensors[tensor].Const != nil }

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
