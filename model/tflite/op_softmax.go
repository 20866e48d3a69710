package tflite

import (
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// softmaxIntegerBits is the format of the differences to the greatest logit.
const softmaxIntegerBits = 5

// softmax lowers SOFTMAX along the last axis.
func (n *integerNode) softmax() error {
	if err := n.operands(1, 1); err != nil {
		return err
	}
	var o schema.SoftmaxOptions
	if err := n.options(schema.BuiltinOptionsSoftmaxOptions, &o); err != nil {
		return err
	}
	if err := n.sameType(0); err != nil {
		return err
	}
	in, out := n.tensor(0), n.out()
	lo, _, err := n.outputRange()
	if err != nil {
		return err
	}
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	if n.rounding == LiteRT {
		return n.leaveSoftmaxOut()
	}
	if out.zero() != lo || out.scale(0) != 1.0/256 {
		return fmt.Errorf("%w: output scale %g and zero point %d, expected 1/256 and %d", ErrUnsupportedOp, out.scale(0), out.zero(), lo)
	}
	exp, err := n.rounding.softmaxTable(float64(in.scale(0)), float64(o.Beta()), n.at(x))
	if err != nil {
		return err
	}
	return n.emit(&model.FixedSoftmax{Exp: exp, Zero: lo}, native, x)
}

// softmaxTable is the exponential of every difference, 0 below what the format can hold.
func (r Rounding) softmaxTable(scale, beta float64, t model.Tensor) (model.Table, error) {
	real := min(beta*scale*(1<<(31-softmaxIntegerBits)), math.MaxInt32)
	m, shift, err := fixedpoint.QuantizeMultiplier(real)
	if err != nil || shift < 0 {
		return model.Table{}, fmt.Errorf("%w: softmax with beta %g of scale %g", ErrUnsupportedModel, beta, scale)
	}
	least := -int64(math.Floor(31 * math.Ldexp(1, 31-softmaxIntegerBits-shift)))
	table := model.Table{Name: "exp", Min: t.Min - t.Max}
	for d := table.Min; d <= 0; d++ {
		e := int64(0)
		if d >= least {
			e = int64(fixedpoint.Exp(int32(r.multiply(d, m, shift)), softmaxIntegerBits))
		}
		table.Values = append(table.Values, e)
	}
	return table, nil
}

// leaveSoftmaxOut ends the graph at the logits: LiteRT's softmax is floating point, and differs between
// processors.
func (n *integerNode) leaveSoftmaxOut() error {
	id := n.op.outputs[0]
	for _, op := range n.file.operators {
		for _, in := range op.inputs {
			if in == id && op.code != schema.BuiltinOperatorDEQUANTIZE {
				return fmt.Errorf("%w: a softmax that %s reads: LiteRT computes it in floating point", ErrUnsupportedOp, op.code)
			}
		}
	}
	n.values[id] = n.values[n.op.inputs[0]]
	n.importer.notes = append(n.importer.notes, fmt.Sprintf("the softmax %q is left out: LiteRT computes it in floating point, differently on different processors; "+
		"the output is its input, the logits", n.name()))
	return nil
}
