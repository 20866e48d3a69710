package circuits

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// rescaled is the gadget shared by all ops of the form "linear in the parameters, then
// requantized": what differs is how each describes itself as a linear layer.
type rescaled struct {
	*requantizer
	layer *linear
}

func newRescaled(p *Plan, node int, op model.Rescaled, l *linear) *rescaled {
	return &rescaled{newRequantizer(p, node, op), newLinear(p, node, op.Requantization(), l)}
}

func (g *rescaled) constraints() int { return g.requantizer.constraints() + g.layer.constraints() }

func (g *rescaled) note() string { return g.layer.note() }

func (g *rescaled) define(b *builder) error {
	acc := g.requantizer.define(b)
	return b.identity(func() error { return g.layer.define(b, acc) })
}

// pointwiseWindow is the 1×1 kernel of layers without a neighbourhood.
func pointwiseWindow() model.Window {
	return model.Window{Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// less is x − zero.
func (b *builder) less(x frontend.Variable, zero int64) frontend.Variable {
	if zero == 0 {
		return x
	}
	return b.api.Sub(x, zero)
}
