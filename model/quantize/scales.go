package quantize

import (
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// Widths of tensors.
const (
	// activationBits is what layers read.
	activationBits = 8
	// outputBits is the precision of a result that no layer reads any more: it costs one range check.
	outputBits = 12
	// logitBits is the precision of what goes into a softmax; its exponential table has as many rows.
	logitBits = 11
)

// usefulBound is how many times larger than what was seen the bound of a clip may be to give the scale.
// (The greatest float32 is none.)
const usefulBound = 4

// group is a set of tensors that share a scale, because ops between them only move values.
type group struct {
	seen      interval // of all members
	limits    interval // what their makers can give at most
	lo, hi    int64    // integers
	scale     float64
	input     bool // a member is an input of the network
	computed  bool // a layer other than argmax makes a member
	index     bool // argmax makes a member: integers already
	clamped   bool // a clamp other than the identity makes a member
	read      bool // a layer reads a member
	logits    bool // a softmax does
	tabulated bool // a table depends on the scale, which must therefore not depend on weights
	adopted   bool // the scale is that of the demanded architecture
	coarser   float64
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
		g.info[r] = &group{coarser: 1}
	}
	return g.info[r]
}

// chooseScales groups tensors and gives every group its scale and integer range, then the network its
// shift.
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
	for t := range n.g.Tensors {
		if gr := n.scales.of(t); gr.scale == 0 {
			if err := n.scaleGroup(gr); err != nil {
				return fmt.Errorf("tensor %q: %w", n.g.Tensors[t].Name, err)
			}
		}
	}
	n.shift = n.sharedShift()
	return nil
}

// describe notes what a node demands of the groups it touches.
func (n *network) describe(i int, node float.Node) {
	out := n.scales.of(n.out[i])
	if pad, ok := node.Op.(float.Pad); ok && pad.Mode == "constant" && !math.IsNaN(pad.Value) {
		out.limits = out.limits.join(interval{pad.Value, pad.Value})
	}
	if n.merged[i] || keepsScale(node.Op) {
		return
	}
	u := n.fused[i]
	switch op := node.Op.(type) {
	case float.ArgMax:
		out.index = true
		classes := n.g.Tensors[node.In[0]].Shape[op.Axis]
		out.limits = out.limits.join(interval{0, float64(classes - 1)})
		return // it compares, whatever the precision
	case float.Softmax:
		in := n.scales.of(node.In[0])
		in.read, in.logits, in.tabulated = true, true, true
		out.computed, out.tabulated = true, true
		out.limits = out.limits.join(interval{0, 1})
		return
	case float.Unary: // one that no layer could take in: its table depends on both scales
		u = &op
		n.scales.of(node.In[0]).tabulated = true
		out.tabulated = true
	}
	for _, id := range node.In {
		n.scales.of(id).read = true
	}
	_, _, isClamp := clamp(u)
	out.computed = true
	out.clamped = out.clamped || u != nil && isClamp
	out.tabulated = out.tabulated || !plain(u)
	out.limits = out.limits.join(bounds(u))
}

// scaleGroup picks the scale: from the bounds of the functions that make the values where a table
// depends on it and these are finite, else from what was seen; a power of two where a table depends on
// it and layers make the values.
func (n *network) scaleGroup(g *group) error {
	if g.index {
		if g.computed || g.input {
			return fmt.Errorf("%w: indices from argmax are put together with other values", ErrUnsupportedOp)
		}
		g.lo, g.hi, g.scale = 0, max(int64(g.limits.hi), 1), 1
		return nil
	}
	g.lo, g.hi = 0, 1<<n.bits(g)-1
	if g.limits.lo < 0 {
		g.lo, g.hi = -1-g.hi/2, g.hi/2
	}
	if g.input && n.pixelGrid(g) {
		return nil
	}
	greatest := g.seen.magnitude()
	bound := g.limits.magnitude()
	natural := g.tabulated && bound > 0 && finite(bound) && (!g.clamped || greatest == 0 || bound <= usefulBound*greatest)
	switch {
	case natural:
		greatest = bound
	case greatest == 0:
		greatest = 1
	}
	g.scale = greatest / float64(g.hi)
	if g.tabulated && !natural && g.computed {
		g.scale = math.Exp2(math.Ceil(math.Log2(g.scale)))
	}
	return nil
}

// bits is the width of a group's integers.
func (n *network) bits(g *group) uint {
	switch {
	case g.input:
		return n.o.ActivationBits
	case g.logits:
		return logitBits
	case !g.read && !g.clamped && (g.tabulated || g.limits.lo < 0):
		return outputBits
	}
	return activationBits
}

// pixelGrid uses the pixels' own grid where an input is made of pixels: quantization is then exact.
func (n *network) pixelGrid(g *group) bool {
	if len(n.o.PixelScale) == 0 || g.computed || g.limits.lo < 0 {
		return false
	}
	scale := n.o.PixelScale[0]
	for _, s := range n.o.PixelScale {
		if s != scale || !(s > 0) || !finite(s) {
			return false
		}
	}
	for _, m := range n.o.PixelMean {
		if m != 0 {
			return false
		}
	}
	for k, id := range n.g.Inputs {
		if n.scales.of(id) == g && !onGrid(n.o.Calibration, k, scale) {
			return false
		}
	}
	g.lo, g.hi, g.scale = 0, 255, scale
	return true
}

// coarsen makes a group's steps larger by a half power of two, so that the same integers reach
// further. Scales that tables depend on are not for coarsening.
func (g *group) coarsen() bool {
	if g.input || g.index || g.tabulated {
		return false
	}
	g.scale *= math.Sqrt2
	g.coarser *= math.Sqrt2
	return true
}

// tensor is the description of a float tensor as an input of the integer graph.
func (n *network) tensor(id int) model.Tensor {
	g := n.scales.of(id)
	return model.Tensor{Name: n.g.Tensors[id].Name, Shape: n.g.Tensors[id].Shape, Min: g.lo, Max: g.hi, Scale: g.scale}
}
