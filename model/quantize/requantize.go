package quantize

import (
	"errors"
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// Classes of the widths of quotients. Clamps of a network share one, so that they share tables: from
// minClassBits to maxClassBits bits, with headroom so that further training stays in the class. Layers
// whose worst case is wider saturate: their tables cover what calibration saw, and quotients beyond
// count as the table's ends, which costs some constraints an activation.
const (
	minClassBits = 10
	maxClassBits = 14
	maxWideBits  = 30
	// maxFunctionBits bounds the tables of functions other than clamps, of which each has its own.
	maxFunctionBits = 12
	// maxResultBits bounds results, which are not clamped and have no table.
	maxResultBits = 16
	// headroom is half a bit: weights may grow by that much, all at once, before the class changes.
	headroom = math.Sqrt2
)

// observedBits is the precision in which a function's argument is looked up, over the range that
// calibration saw.
const observedBits = 10

// errTooNarrow asks for wider quotients of clamps.
var errTooNarrow = errors.New("quotients of clamps need more bits")

// quotients are where a linear layer's accumulators go.
type quotients struct {
	scale  float64 // real value of one
	shared bool    // their table is a clamp, which other layers share
	// at is their range and table for a width; ok is false where there is no such class.
	at func(bits uint) (q quotientRange, ok bool)
}

type quotientRange struct {
	min, max int64
	table    model.Table
}

// halves is the range of a width.
func halves(bits uint) (least, greatest int64) {
	h := int64(1) << (bits - 1)
	return -h, h - 1
}

// saturating takes quotients to about ±2^(bits−1); a table that covers less stands for them with its
// ends. The excess at either end is below a power of two, whose range is the cheapest to check.
func saturating(bits uint, t model.Table) quotientRange {
	least, excess := halves(bits)
	if t.Min == least && t.Max() == excess {
		excess = 0
	}
	return quotientRange{t.Min - excess, t.Max() + excess, t}
}

// quotients chooses those of node i.
func (e *emitter) quotients(i int) (quotients, error) {
	out, u := e.scales.of(e.out[i]), e.fused[i]
	if lo, hi, ok := clamp(u); ok {
		if u == nil && !out.read && !out.tabulated && !out.input {
			return results(out), nil
		}
		return clamped(out, lo, hi), nil
	}
	f, err := u.Function()
	if err != nil {
		return quotients{}, fmt.Errorf("%w: %w", ErrUnsupportedOp, err)
	}
	tabulate := func(scale float64, lo, hi int64) []int64 {
		return fixedpoint.TableOf(f, scale, lo, hi, out.scale, out.lo, out.hi)
	}
	scale := e.likeScale(e.argumentScale(e.g.Nodes[i].Out, *u, out), tabulate)
	return quotients{scale: scale, at: func(bits uint) (quotientRange, bool) {
		lo, hi := halves(min(bits, maxFunctionBits))
		return saturating(bits, model.Table{Name: u.Func, Min: lo, Values: tabulate(scale, lo, hi)}), true
	}}, nil
}

// results are not clamped: quotients are values.
func results(out *group) quotients {
	return quotients{scale: out.scale, at: func(bits uint) (quotientRange, bool) {
		if bits > maxResultBits {
			return quotientRange{}, false
		}
		lo, hi := halves(bits)
		return quotientRange{lo, hi, model.ClampTable(lo, hi, lo, hi)}, true
	}}
}

// clamped are quotients in steps of the output, clamped to [lo, hi] and to its integers.
func clamped(out *group, lo, hi float64) quotients {
	from := quantizeTo(lo, out)
	to := max(quantizeTo(hi, out), from)
	return quotients{scale: out.scale, shared: true, at: func(bits uint) (quotientRange, bool) {
		if bits > maxClassBits {
			return saturating(bits, model.ClampTable(from, to, from, to)), true
		}
		least, greatest := halves(bits)
		return quotientRange{least, greatest, model.ClampTable(least, greatest, from, to)}, true
	}}
}

// argumentScale is the power of two in whose units a function's argument is looked up.
func (e *emitter) argumentScale(tensor int, u float.Unary, out *group) float64 {
	m := min(e.seen[tensor].magnitude(), saturation(u))
	if m == 0 {
		m = 1
	}
	bits := uint(observedBits)
	if !out.read {
		bits = maxFunctionBits // a result: as precise as it gets
	}
	_, greatest := halves(bits)
	return math.Exp2(math.Ceil(math.Log2(m / float64(greatest))))
}

// add emits a linear layer with the narrowest quotients that the worst case allows. build makes the op
// but for its requantization, given how a real number becomes a parameter.
func (e *emitter) add(i int, node float.Node, inputs []int, build func(parameter func(float64) int64) model.Rescaled) error {
	q, err := e.quotients(i)
	if err != nil {
		return err
	}
	shift, like := e.layerShift(node), e.likeRescale()
	if like != nil {
		shift = like.Shift
	}
	factor := math.Exp2(float64(shift)) / q.scale
	op := build(func(x float64) int64 { return toInteger(x * factor) })
	ids := make([]model.TensorID, len(inputs))
	in := make([]model.Tensor, len(inputs))
	for k, id := range inputs {
		ids[k], in[k] = e.ids[id], e.b.Tensor(e.ids[id])
	}
	if like != nil {
		err = fitLike(op, in, q, like)
	} else {
		err = e.fit(op, in, q, shift)
	}
	switch {
	case errors.Is(err, model.ErrRange) || errors.Is(err, model.ErrAttribute):
		return &tooWide{e.scales.of(e.out[i]), fmt.Errorf("%w; calibrate on samples with larger values", err)}
	case err != nil:
		return err
	}
	return e.append(e.label(node, e.out[i]), op, e.scaleOf(e.out[i]), e.out[i], ids...)
}

// toInteger rounds a parameter; what no layer can have becomes so large that inference refuses it.
func toInteger(x float64) int64 {
	return int64(min(max(math.Round(x), -1<<62), 1<<62))
}

// fit sets the op's requantization to the narrowest class that holds its worst case.
func (e *emitter) fit(op model.Rescaled, in []model.Tensor, q quotients, shift uint) error {
	least := uint(minClassBits)
	if q.shared {
		least = e.classBits
	}
	var last error
	for bits := least; bits <= maxWideBits; bits++ {
		r, ok := q.at(bits)
		if !ok {
			break
		}
		last = set(op, in, model.Rescale{Shift: shift, QMin: r.min, QMax: r.max, Table: r.table}, headroom)
		if !errors.Is(last, model.ErrRange) && !errors.Is(last, model.ErrAttribute) {
			return last
		}
		if q.shared && bits == e.classBits && bits < maxClassBits {
			return fmt.Errorf("%w: %s", errTooNarrow, last)
		}
	}
	return last
}

// fitLike sets the op's requantization to the demanded one.
func fitLike(op model.Rescaled, in []model.Tensor, q quotients, like *model.Rescale) error {
	for bits := uint(minClassBits); bits <= maxWideBits; bits++ {
		r, ok := q.at(bits)
		if ok && r.min == like.QMin && r.max == like.QMax {
			return set(op, in, model.Rescale{Shift: like.Shift, QMin: r.min, QMax: r.max, Table: r.table}, 1)
		}
	}
	return fmt.Errorf("%w: quotients in [%d, %d] do not occur for this layer", ErrArchitecture, like.QMin, like.QMax)
}

// set gives the op its requantization if the worst case fits, with headroom: as if quotients were
// narrower than they are.
func set(op model.Rescaled, in []model.Tensor, r model.Rescale, headroom float64) error {
	narrow := r
	narrow.QMin, narrow.QMax = int64(float64(r.QMin)/headroom), int64(float64(r.QMax)/headroom)
	narrow.Table = model.ClampTable(0, 1, 0, 1) // all quotients saturate
	*op.Requantization() = narrow
	_, err := op.Infer(in)
	*op.Requantization() = r
	return err
}
