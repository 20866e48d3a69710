package circuits

import (
	"fmt"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// Holding says where a Baseline circuit has its parameters.
type Holding int

const (
	// PrivateWires are secret inputs: a wire a parameter, a constraint a product.
	PrivateWires Holding = iota + 1
	// PublicWires are public inputs: the same, and a point of the verifying key a parameter.
	PublicWires
	// Constants are part of the circuit, which then serves one set of parameters only.
	Constants
)

// Baseline is the circuit of a plan without folding, as most tools prove a network: every product of a
// parameter and an activation stands for itself. It is there to be measured against. Activations,
// tables and statement are those of the plan; what is missing is the binding of the parameters to a
// model commitment.
//
// It is made to be cheap where that costs nothing: wires hold unsigned numbers, for which gnark's
// multi-exponentiations are several times as fast, and lie on the left of a constraint.
type Baseline struct {
	Circuit
	// Public and Secret are the parameters, in the order of Baseline.parameters; one of them at most.
	Public []frontend.Variable `gnark:",public"`
	Secret []frontend.Variable

	holding Holding
	graph   *model.Graph `gnark:"-"` // with the parameters
	offset  int64        // added to a weight, so that the wire is not negative
	next    int          // parameters handed out while the circuit is defined
}

// biasOffset is added to a bias, whose absolute value is below it in every valid graph.
const biasOffset = int64(1) << 62

// NewBaseline is the circuit to compile for the parameters of g, which must have the plan's
// architecture. The plan must pack tensors: nobody compares a fold with the statement.
func (p *Plan) NewBaseline(g *model.Graph, h Holding) (*Baseline, error) {
	if g.ArchitectureDigest() != p.graph.ArchitectureDigest() {
		return nil, fmt.Errorf("the model's architecture is not the one this circuit was made for")
	}
	if p.FoldsTensors() {
		return nil, fmt.Errorf("the plan folds public tensors: make it with PackTensors")
	}
	plain := *p
	// No parameter is folded: what is left of the challenges' powers are those that combine the columns of tables.
	plain.Columns, plain.powers, plain.FoldRows, plain.alphas = 0, 0, 1, max(1, p.tables.width)
	b := &Baseline{Circuit: *plain.NewCircuit(), holding: h, graph: g}
	b.offset = 1 << bits.Len64(uint64(b.greatestWeight()))
	switch n := len(b.parameters()); h {
	case PublicWires:
		b.Public = make([]frontend.Variable, n)
	case PrivateWires:
		b.Secret = make([]frontend.Variable, n)
	}
	return b, nil
}

// BaselineConstraints is how many constraints a Baseline has, at most: products with padding are
// counted.
func (p *Plan) BaselineConstraints(h Holding) int {
	n := p.Constraints - p.FixedCost + powerCost(p.tables.width) + len(p.Objects())
	for _, l := range p.linears {
		n += l.oh*l.ow*l.outC - l.constraints()
		if h != Constants {
			node := p.graph.Nodes[l.node]
			n += int(node.Op.MACs(p.graph.Operands(node), *p.tensor(node.Out)))
		}
	}
	return n
}

// Full is the witness for gnark's prover: w is of the same plan and the same graph.
func (b *Baseline) Full(w *Witness, s fr.Element) (witness.Witness, error) {
	public, secret := w.Packed, w.Private
	switch b.holding {
	case PublicWires:
		public = append([]fr.Element{}, w.Packed...)
		for _, v := range b.parameters() {
			public = append(public, fr.NewElement(v))
		}
	case PrivateWires:
		secret = append(append([][]uint64{}, w.Private...), b.parameters())
	}
	return fill(s, public, w.Trace, secret)
}

// Define implements frontend.Circuit.
func (b *Baseline) Define(api frontend.API) error {
	b.next = 0
	return b.Circuit.define(api, b)
}

// each visits the parameters of every layer in one order: output by output, its weights, then its
// bias.
func (b *Baseline) each(weight func(l *linear, v int64), bias func(v int64)) {
	for _, l := range b.plan.linears {
		op := b.graph.Nodes[l.node].Op
		l.eachOutput(func(o int, inputs []int) {
			for _, t := range l.taps {
				for _, c := range inputs {
					weight(l, l.weight(op, o, c, t.ky, t.kx))
				}
			}
			if l.hasBias {
				bias(l.bias(op, o))
			}
		})
	}
}

func (b *Baseline) greatestWeight() int64 {
	greatest := int64(0)
	b.each(func(_ *linear, v int64) { greatest = max(greatest, v, -v) }, func(int64) {})
	return greatest
}

// parameters are the values of the wires.
func (b *Baseline) parameters() []uint64 {
	var out []uint64
	b.each(func(_ *linear, v int64) { out = append(out, uint64(v+b.offset)) },
		func(v int64) { out = append(out, uint64(v+biasOffset)) })
	return out
}

// take hands out the next n parameter wires.
func (b *Baseline) take(n int) []frontend.Variable {
	wires := b.Secret
	if b.holding == PublicWires {
		wires = b.Public
	}
	b.next += n
	return wires[b.next-n : b.next]
}

// eachOutput visits the output channels with the input channels that each reads.
func (l *linear) eachOutput(visit func(o int, inputs []int)) {
	for _, g := range l.groups {
		for _, o := range g.outputs {
			if g.depthwise {
				visit(o, []int{g.inputOf(o)})
			} else {
				visit(o, g.inputs)
			}
		}
	}
}

// defineProducts constrains the accumulators product by product.
func (l *linear) defineProducts(b *builder, acc []frontend.Variable) error {
	op := b.baseline.graph.Nodes[l.node].Op
	l.eachOutput(func(o int, inputs []int) {
		sum := l.productSum(b, op, o, inputs)
		for y := range l.oh {
			for x := range l.ow {
				b.product(b.api.Sub(acc[l.index(o, y, x)], sum(y, x)), 1, 0)
			}
		}
	})
	return b.err
}

// productSum is the accumulator of output channel o as a function of the position.
func (l *linear) productSum(b *builder, op model.Op, o int, inputs []int) func(y, x int) frontend.Variable {
	var wires []frontend.Variable
	var bias frontend.Variable = 0
	base := b.baseline
	if base.holding != Constants {
		wires = base.take(len(l.taps) * len(inputs))
	}
	switch {
	case l.hasBias && base.holding == Constants:
		bias = l.bias(op, o)
	case l.hasBias:
		bias = b.api.Sub(base.take(1)[0], biasOffset)
	}
	return func(y, x int) frontend.Variable {
		terms := []frontend.Variable{bias}
		for k, t := range l.taps {
			iy, ix := (y+t.sy)*l.window.Stride[0]+t.cy, (x+t.sx)*l.window.Stride[1]+t.cx
			if iy < 0 || iy >= l.h || ix < 0 || ix >= l.w {
				continue
			}
			for j, c := range inputs {
				v := l.input(b, c, iy, ix)
				if v == nil {
					continue
				}
				if base.holding == Constants {
					terms = append(terms, b.api.Mul(v, l.weight(op, o, c, t.ky, t.kx)))
					continue
				}
				w := wires[k*len(inputs)+j]
				terms = append(terms, b.api.Mul(w, v), b.api.Mul(v, -base.offset))
			}
		}
		return b.sum(terms)
	}
}
