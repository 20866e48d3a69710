package quantize

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/zkinfer/zkinfer/model"
)

// inputBits is the width of a graph's widest input, at least 8.
func inputBits(g *model.Graph) uint {
	width := 8
	for _, id := range g.Inputs {
		width = max(width, bits.Len64(uint64(g.Tensors[id].Max-g.Tensors[id].Min)))
	}
	return uint(width)
}

// like is the node in the place of the next one in the graph whose architecture is demanded: nil where
// there is none. Names do not matter, they may be missing.
func (e *emitter) like() *model.Node {
	if e.o.Like == nil || e.added >= len(e.o.Like.Nodes) {
		return nil
	}
	return &e.o.Like.Nodes[e.added]
}

// likeRescale is the requantization of like, nil where there is none.
func (e *emitter) likeRescale() *model.Rescale {
	if n := e.like(); n != nil {
		return rescaleOf(*n)
	}
	return nil
}

// adopt takes the scale of a group that tables depend on from the demanded architecture, where t is
// one of its tensors. Other scales are free.
func (e *emitter) adopt(g *group, t model.Tensor) {
	if g.tabulated && !g.adopted && t.Scale > 0 && finite(t.Scale) {
		g.scale, g.adopted = t.Scale, true
	}
}

// adoptNext is adopt for the group of the tensor that the next node makes.
func (e *emitter) adoptNext(tensor int) {
	if n := e.like(); n != nil {
		e.adopt(e.scales.of(tensor), e.o.Like.Tensors[n.Out])
	}
}

// maxOctaves is how far apart, as a power of two, the argument's scales of a function and of its
// counterpart in another network are looked for.
const maxOctaves = 8

// likeScale is the power of two times scale at which tabulate makes the same table as the demanded
// architecture has; scale itself where there is none.
func (e *emitter) likeScale(scale float64, tabulate func(scale float64, lo, hi int64) []int64) float64 {
	r := e.likeRescale()
	if r == nil {
		return scale
	}
	for octave := range maxOctaves + 1 {
		for _, s := range []float64{scale / float64(int(1)<<octave), scale * float64(int(1)<<octave)} {
			if slices.Equal(tabulate(s, r.Table.Min, r.Table.Max()), r.Table.Values) {
				return s
			}
		}
	}
	return scale
}

// difference says where two architectures part.
func difference(got, want *model.Graph) string {
	if len(got.Inputs) != len(want.Inputs) || len(got.Nodes) != len(want.Nodes) {
		return fmt.Sprintf("%d inputs and %d nodes, expected %d and %d", len(got.Inputs), len(got.Nodes), len(want.Inputs), len(want.Nodes))
	}
	for i, t := range got.Tensors {
		if i < len(want.Tensors) && differ(t, want.Tensors[i]) {
			w := want.Tensors[i]
			return fmt.Sprintf("tensor %q is %v in [%d, %d], expected %v in [%d, %d]", t.Name, t.Shape, t.Min, t.Max, w.Shape, w.Min, w.Max)
		}
	}
	for i, n := range got.Nodes {
		if kind := want.Nodes[i].Op.Kind(); n.Op.Kind() != kind {
			return fmt.Sprintf("node %q is %s, expected %s", n.Name, n.Op.Kind(), kind)
		}
		g, w := rescaleOf(n), rescaleOf(want.Nodes[i])
		if g == nil || w == nil {
			continue
		}
		switch {
		case g.Shift != w.Shift || g.QMin != w.QMin || g.QMax != w.QMax:
			return fmt.Sprintf("node %q has quotients in [%d, %d] at shift %d, expected [%d, %d] at shift %d", n.Name, g.QMin, g.QMax, g.Shift, w.QMin, w.QMax, w.Shift)
		case g.Table.Min != w.Table.Min || !slices.Equal(g.Table.Values, w.Table.Values):
			return fmt.Sprintf("node %q has another function table", n.Name)
		}
	}
	return "nodes have other attributes, tables or operands"
}

func differ(a, b model.Tensor) bool {
	return !slices.Equal(a.Shape, b.Shape) || a.Min != b.Min || a.Max != b.Max || a.Type != b.Type
}

func rescaleOf(n model.Node) *model.Rescale {
	if op, ok := n.Op.(model.Rescaled); ok {
		return op.Requantization()
	}
	return nil
}
