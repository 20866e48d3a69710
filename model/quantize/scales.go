package quantize

import (
	"math"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// outputBits is the precision of a result that no layer reads any more: it costs one range check.
const outputBits = 12

// logitBits is the precision of what goes into a softmax; its exponential table has as many rows.
const logitBits = 11

// group is a set of tensors that share a scale, because ops between them only move values.
type group struct {
	seen    interval // of all members
	limits  interval // what the producers' functions can make at most
	lo, hi  int64    // integers
	scale   float64
	input   bool // a member is an input of the network
	final   bool // no member is read by a layer
	logits  bool // a softmax reads a member
	fixed   bool // the scale must not depend on weights: a table does not cover a plain clamp
	natural bool // limits is finite on the side that matters
}

// groups is a union-find over tensors.
type groups struct {
	parent []int
	info   []*group
}

func newGroups(n int) *groups {
	g := &groups{parent: make([]int, n), info: make([]*group, n)}
	for i := range g.parent {
		g.parent[i] = i
	}
	return g
}

func (g *groups) find(i int) int {
	for g.parent[i] != i {
		g.parent[i] = g.parent[g.parent[i]]
		i = g.parent[i]
	}
	return i
}

func (g *groups) join(a, b int) { g.parent[g.find(b)] = g.find(a) }

func (g *groups) of(i int) *group {
	r := g.find(i)
	if g.info[r] == nil {
		g.info[r] = &group{final: true}
	}
	return g.info[r]
}

// chooseScales groups tensors and gives every group its scale and integer range.
func (n *network) chooseScales() error {
	n.scales = newGroups(len(n.g.Tensors))
	for _, node := range n.g.Nodes {
		if keepsScale(node.Op) {
			for _, id := range node.In {
				n.scales.join(node.Out, id)
			}
		}
	}
	for _, id := range n.g.Inputs {
		gr := n.scales.of(id)
		gr.input = true
		gr.limits = gr.limits.join(n.seen[id])
	}
	for i, node := range n.g.Nodes {
		n.describe(i, node)
	}
	for t := range n.g.Tensors {
		gr := n.scales.of(t)
		gr.seen = gr.seen.join(n.seen[t])
	}
	done := map[*group]bool{}
	for t := range n.g.Tensors {
		if gr := n.scales.of(t); !done[gr] {
			done[gr] = true
			n.scaleGroup(gr)
		}
	}
	return nil
}

// describe notes what a node demands of the groups it touches.
func (n *network) describe(i int, node float.Node) {
	if n.merged[i] || keepsScale(node.Op) {
		return
	}
	for _, id := range node.In {
		in := n.scales.of(id)
		switch node.Op.(type) {
		case float.ArgMax:
		case float.Softmax:
			in.logits, in.final = true, false
		default:
			in.final = false
		}
	}
	out := n.scales.of(n.out[i])
	u := n.fused[i]
	if alone, ok := node.Op.(float.Unary); ok {
		u = &alone
	}
	switch node.Op.(type) {
	case float.Softmax:
		out.limits, out.fixed = out.limits.join(interval{0, 1}), true
	case float.ArgMax:
	default:
		out.limits = out.limits.join(bounds(u))
		lo, hi, isClamp := clamp(u)
		plain := isClamp && math.IsInf(hi, 1) && (lo == 0 || math.IsInf(lo, -1))
		if !plain {
			out.fixed, out.final = true, false
		}
	}
}

// scaleGroup picks the scale: from the bounds of the functions that make the values where these are
// finite, else from what was seen; a power of two where a table depends on it.
func (n *network) scaleGroup(g *group) {
	bits := uint(8)
	switch {
	case g.input:
		bits = n.o.ActivationBits
	case g.logits:
		bits = logitBits
	case g.final && !g.fixed && g.limits.lo < 0:
		bits = outputBits
	}
	unsigned := g.limits.lo >= 0
	g.lo, g.hi = 0, 1<<bits-1
	if !unsigned {
		g.lo, g.hi = -1<<(bits-1), 1<<(bits-1)-1
	}
	if g.input && n.pixelGrid(g) {
		return
	}
	greatest := g.seen.magnitude()
	if bound := g.limits.magnitude(); g.fixed && !math.IsInf(bound, 0) {
		greatest, g.natural = bound, true
	}
	if greatest == 0 || math.IsInf(greatest, 0) {
		greatest = 1
	}
	g.scale = greatest / float64(g.hi)
	if (g.fixed || g.logits) && !g.natural {
		g.scale = math.Exp2(math.Ceil(math.Log2(g.scale)))
	}
}

// pixelGrid uses the pixels' own grid for an 8-bit image input: quantization is then exact.
func (n *network) pixelGrid(g *group) bool {
	if len(n.o.PixelScale) != 1 || g.hi != 255 {
		return false
	}
	for _, m := range n.o.PixelMean {
		if m != 0 {
			return false
		}
	}
	g.scale = n.o.PixelScale[0]
	return g.seen.hi <= 255.5*g.scale && g.scale > 0
}

// tensor is the description of a float tensor as an input of the integer graph.
func (n *network) tensor(id int) model.Tensor {
	g := n.scales.of(id)
	return model.Tensor{Name: n.g.Tensors[id].Name, Shape: n.g.Tensors[id].Shape, Min: g.lo, Max: g.hi, Scale: g.scale}
}
