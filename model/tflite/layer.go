package tflite

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// maxChannels bounds the output channels of a model: each takes up to some milliseconds to reproduce.
const maxChannels = 1 << 17

// clampedLayer is an emitted requantization whose table may yet be widened: tables that several layers
// share are paid for once (shareTables).
type clampedLayer struct {
	rescale     *model.Rescale
	least, most int64 // quotients that the clamp tells apart
	zero        int64 // of the output
	width       uint  // quotients lie in [−2^width, 2^width)
	count       int   // elements of the output
}

// requantize completes a layer: channels say what each has to compute, up to the zero point that is added
// to quotients; count elements are computed; fold makes the op with the lines in its parameters.
func (n *integerNode) requantize(channels []steps, zero int64, count int, fold func(q *requantization) model.Rescaled) (model.Op, error) {
	if len(channels) == 0 {
		return nil, fmt.Errorf("%w: no output", ErrMalformed)
	}
	if n.g.channels += len(channels); n.g.channels > maxChannels {
		return nil, fmt.Errorf("%w: more than %d output channels in all layers", ErrLimit, maxChannels)
	}
	q, err := requantize(channels)
	if err != nil {
		return nil, err
	}
	if n.g.observe != nil {
		n.g.observe(channels, zero, q)
	}
	op := fold(q)
	lo, hi := q.quotients(channels)
	c := &clampedLayer{rescale: op.Requantization(), least: channels[0].least, most: channels[0].most,
		zero: zero, count: count}
	c.width = bitsOf(min(lo, c.least), max(hi, c.most))
	*c.rescale = model.Rescale{Shift: q.shift, Roundings: q.roundings}
	c.saturate()
	n.g.clamps = append(n.g.clamps, c)
	return op, nil
}

// maxSumTable bounds tables over all values of an accumulator.
const maxSumTable = 1 << 16

// requantizeOrTabulate completes a layer of one accumulator a element and one multiplier without bias: with
// a line if there is one, with a table of everything the accumulator can be otherwise.
func (n *integerNode) requantizeOrTabulate(s steps, build func(multiplier int64) model.Rescaled) (model.Op, error) {
	zero, count := n.out().zero(), n.out().volume()
	op, err := n.requantize([]steps{s}, zero, count, func(q *requantization) model.Rescaled { return build(q.lines[0].multiplier) })
	if err == nil || s.hi-s.lo >= maxSumTable {
		return op, err
	}
	table := model.Table{Name: "requantization", Min: s.lo}
	for acc := s.lo; acc <= s.hi; acc++ {
		table.Values = append(table.Values, s.at(acc)+zero)
	}
	rescaled := build(1)
	*rescaled.Requantization() = model.Rescale{QMin: s.lo, QMax: s.hi, Table: table}
	return rescaled, nil
}

// bitsOf is the least w with [lo, hi] in [−2^w, 2^w).
func bitsOf(lo, hi int64) uint {
	return uint(max(bits.Len64(uint64(max(hi, 0))), bits.Len64(uint64(max(-lo-1, 0)))))
}

// saturate takes the table that just tells apart what the clamp does: quotients beyond it are counted as
// its ends, at some constraints each.
func (c *clampedLayer) saturate() {
	excess := int64(1)<<c.width - 1
	c.rescale.Table = clampTable(c.least, c.most, c.least, c.most, c.zero)
	c.rescale.QMin, c.rescale.QMax = c.least-excess, c.most+excess
}

// widen takes a table of all quotients of a width.
func (c *clampedLayer) widen(width uint) {
	reach := int64(1) << width
	c.rescale.Table = clampTable(-reach, reach-1, c.least, c.most, c.zero)
	c.rescale.QMin, c.rescale.QMax = -reach, reach-1
}

// clampTable is q ↦ min(max(q, least), most) + zero over [lo, hi].
func clampTable(lo, hi, least, most, zero int64) model.Table {
	t := model.ClampTable(lo, hi, least, most)
	for i := range t.Values {
		t.Values[i] += zero
	}
	return t
}

// What an element costs more with a saturating table than with one of all quotients: two products and
// two range checks, less one column of a lookup.
const saturationCost = 3

// maxWidth bounds tables of all quotients to 2^(maxWidth+1) rows.
const maxWidth = 14

// shareTables widens tables where that is cheaper: for each clamp, the layers up to some width share one
// table.
func (g *integers) shareTables() {
	type key struct{ least, most, zero int64 }
	byClamp := map[key][]*clampedLayer{}
	var order []key
	for _, c := range g.clamps {
		k := key{c.least, c.most, c.zero}
		if byClamp[k] == nil {
			order = append(order, k)
		}
		byClamp[k] = append(byClamp[k], c)
	}
	for _, k := range order {
		layers := byClamp[k]
		best, saved := uint(0), 0
		for width := uint(1); width <= maxWidth; width++ {
			gain := -(2 << width)
			for _, c := range layers {
				if c.width <= width {
					gain += saturationCost * c.count
				}
			}
			if gain > saved {
				best, saved = width, gain
			}
		}
		for _, c := range layers {
			if c.width <= best {
				c.widen(best)
			}
		}
	}
}

// accumulators is the range of Σ w·x + bias for x in [lo, hi], where terms may also be missing.
func accumulators(weights []int64, bias, lo, hi int64, missing bool) (from, to int64) {
	from, to = bias, bias
	for _, w := range weights {
		a, b := w*lo, w*hi
		if a > b {
			a, b = b, a
		}
		if missing {
			a, b = min(a, 0), max(b, 0)
		}
		from, to = from+a, to+b
	}
	return from, to
}

// weights are the constant weights of input k less their zero points, whose channels run along axis.
func (n *integerNode) weights(k, axis int) ([]int64, error) {
	t := n.tensor(k)
	if t == nil || t.data == nil {
		return nil, fmt.Errorf("%w: weights are not constant", ErrUnsupportedOp)
	}
	if len(t.scales) == 0 {
		return nil, fmt.Errorf("%w: weights %q are not quantized", ErrUnsupportedOp, t.name)
	}
	if len(t.scales) > 1 && t.axis != axis {
		return nil, fmt.Errorf("%w: weights %q have scales along axis %d, expected %d", ErrUnsupportedOp, t.name, t.axis, axis)
	}
	w, err := t.integers()
	if err != nil {
		return nil, err
	}
	if t.typ == schema.TensorTypeINT8 && (slices.Min(t.zeros) != 0 || slices.Max(t.zeros) != 0) {
		return nil, fmt.Errorf("%w: INT8 weights %q with a zero point, which kernels ignore", ErrUnsupportedModel, t.name)
	}
	inner := 1
	for _, d := range t.shape[axis+1:] {
		inner *= d
	}
	for i := range w {
		w[i] -= t.zeros[min(i/inner%t.shape[axis], len(t.zeros)-1)]
	}
	return w, nil
}

// bias is the constant bias of input k, zeros where it is left out.
func (n *integerNode) bias(k, channels int) ([]int64, error) {
	t := n.tensor(k)
	if t == nil {
		return make([]int64, channels), nil
	}
	b, err := t.integers()
	if err != nil {
		return nil, err
	}
	if len(b) != channels {
		return nil, fmt.Errorf("%w: %d biases for %d channels", ErrMalformed, len(b), channels)
	}
	return b, nil
}

// layer describes what the output channels of a linear layer compute. rows are the weights of each, ranges
// of x are less its zero point; whole says that a layer quantized as a whole multiplies scales in binary32.
func (n *integerNode) layer(rows [][]int64, bias []int64, x model.Tensor, lo, hi int64, padded, whole bool) ([]steps, error) {
	in, w, out := n.tensor(0), n.tensor(1), n.out()
	if err := n.sameType(0, 1); err != nil {
		return nil, err
	}
	if w.typ == schema.TensorTypeUINT8 && len(w.scales) > 1 {
		return nil, fmt.Errorf("%w: UINT8 weights with a scale for each channel", ErrUnsupportedOp)
	}
	if err := n.checkBiasScale(); err != nil {
		return nil, err
	}
	zero := out.zero()
	channels := make([]steps, len(rows))
	for o, row := range rows {
		from, to := accumulators(row, bias[o], x.Min-in.zero(), x.Max-in.zero(), padded)
		r, err := n.rounding.layerRule(in.scale(0), w.scale(o), out.scale(0), whole && len(w.scales) == 1, max(to, -from))
		if err != nil {
			return nil, fmt.Errorf("channel %d: %w", o, err)
		}
		channels[o] = steps{lo: from, hi: to, least: lo - zero, most: hi - zero, rule: r}
	}
	return channels, nil
}

// maxBiasError is how far the bias' scale may be from that of the accumulators, in output steps: what the
// reference kernels tolerate.
const maxBiasError = 0.02

func (n *integerNode) checkBiasScale() error {
	bias := n.tensor(2)
	if bias == nil || len(bias.scales) == 0 {
		return nil
	}
	for o, s := range bias.scales {
		want := n.tensor(0).scale(0) * n.tensor(1).scale(min(o, max(len(n.tensor(1).scales)-1, 0)))
		if math.Abs(float64(s)-float64(want))/float64(n.out().scale(0)) > maxBiasError {
			return fmt.Errorf("%w: bias %d has scale %g, input and weights make %g", ErrMalformed, o, s, want)
		}
	}
	return nil
}

// foldLines multiplies each row by its line's multiplier and puts the offset into the bias.
func foldLines(q *requantization, rows [][]int64, bias []int64) (weights, biases []int64) {
	for o, row := range rows {
		m := q.lines[o].multiplier
		for _, w := range row {
			weights = append(weights, w*m)
		}
		biases = append(biases, bias[o]*m+q.bias(o))
	}
	return weights, biases
}
