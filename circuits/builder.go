package circuits

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
)

// Circuit is the gnark circuit of a plan. Its fields are the witness, in gnark's order.
type Circuit struct {
	// S is the digest of the statement. No constraint mentions it: it is bound by being hashed into
	// every challenge.
	S      frontend.Variable   `gnark:",public"`
	Packed []frontend.Variable `gnark:",public"`
	Trace  []frontend.Variable
	// Private holds the wires of private tensors, each tensor in a commitment of its own.
	Private [][]frontend.Variable

	plan *Plan `gnark:"-"`
	// committed lists the wires of each commitment as they were committed.
	committed [][]int `gnark:"-"`
}

// CommittedWires are the wires of each of the plan's objects, in the order in which the object's
// elements are counted; known once the circuit is compiled.
func (c *Circuit) CommittedWires() [][]int { return c.committed }

// NewCircuit is the circuit to compile.
func (p *Plan) NewCircuit() *Circuit {
	c := &Circuit{plan: p, Trace: make([]frontend.Variable, p.TraceWires)}
	for _, b := range p.borders {
		switch b.binding {
		case Packed:
			c.Packed = append(c.Packed, make([]frontend.Variable, b.elements())...)
		case Committed:
			c.Private = append(c.Private, make([]frontend.Variable, b.count))
		}
	}
	return c
}

// Define implements frontend.Circuit.
func (c *Circuit) Define(api frontend.API) error { return c.define(api, nil) }

// define is Define; baseline, if not nil, has the parameters instead of folding them.
func (c *Circuit) define(api frontend.API, baseline *Baseline) error {
	b := newBuilder(api, c)
	b.baseline = baseline
	if err := b.drawAlpha(); err != nil {
		return err
	}
	if !c.plan.FoldsTensors() {
		if err := b.drawBeta(); err != nil {
			return err
		}
	}
	for _, x := range c.plan.borders {
		x.bind(b)
		if x.input {
			x.defineInput(b)
		}
	}
	for i, g := range c.plan.gadgets {
		if err := g.define(b); err != nil {
			return fmt.Errorf("node %q: %w", c.plan.graph.Nodes[i].Name, err)
		}
	}
	if b.beta == nil {
		if err := b.drawBeta(); err != nil {
			return err
		}
	}
	for _, define := range b.identities {
		if err := define(); err != nil {
			return err
		}
	}
	for _, x := range c.plan.borders {
		if err := x.define(b); err != nil {
			return err
		}
	}
	for _, t := range c.plan.tables.list {
		b.defineTable(t)
	}
	return b.err
}

// builder holds what the gadgets share while a circuit is defined.
type builder struct {
	api       frontend.API
	compiler  frontend.Compiler
	blueprint constraint.BlueprintID
	circuit   *Circuit
	plan      *Plan
	baseline  *Baseline // nil where parameters are folded

	alpha, beta frontend.Variable
	last        frontend.Variable // the challenge of the latest commitment
	alphas      []frontend.Variable
	betas       []frontend.Variable
	folded      []frontend.Variable // u, one a column of the parameter matrix

	values  [][]frontend.Variable // expressions of each tensor's elements, by TensorID
	queries [][]frontend.Variable // by table, each combined to one column
	// identities are what has to wait for β and the folded parameters: a fold of outputs, whose expressions the gadgets
	// make, is committed before β is drawn. Where nothing is folded, β comes first: PLONK's gates want it so.
	identities []func() error

	public  int // packed public inputs handed out
	private int // private tensors handed out
	err     error
}

func newBuilder(api frontend.API, c *Circuit) *builder {
	b := &builder{api: api, compiler: api.Compiler(), circuit: c, plan: c.plan}
	b.blueprint = b.compiler.AddBlueprint(&constraint.BlueprintGenericR1C{})
	b.values = make([][]frontend.Variable, len(c.plan.graph.Tensors))
	b.queries = make([][]frontend.Variable, len(c.plan.tables.list))
	return b
}

// drawAlpha commits the trace.
func (b *builder) drawAlpha() error {
	var err error
	b.last = b.circuit.S
	if b.alpha, err = b.commitObject(b.circuit.Trace); err != nil {
		return err
	}
	b.alphas = b.powersOf(b.alpha, b.plan.alphas)
	return nil
}

// drawBeta folds the parameters and public tensors under α, and commits the result.
func (b *builder) drawBeta() error {
	var err error
	if b.plan.Columns > 0 {
		if b.folded, err = b.api.NewHint(foldParameters, b.plan.Columns, b.alpha); err != nil {
			return err
		}
	}
	object := b.folded
	if b.plan.FoldsTensors() {
		object = append(object[:len(object):len(object)], b.foldTensors())
	}
	if b.beta, err = b.commitObject(object); err != nil {
		return err
	}
	b.betas = b.powersOf(b.beta, b.plan.powers)
	return nil
}

// identity defines what takes β and the folded parameters, as soon as they are there.
func (b *builder) identity(define func() error) error {
	if b.beta != nil {
		return define()
	}
	b.identities = append(b.identities, define)
	return nil
}

// commitObject commits one object of one owner, after everything committed so far: the preceding
// challenge (first of all S) goes in, so that the prover computes its commitments one after another.
func (b *builder) commitObject(v []frontend.Variable) (frontend.Variable, error) {
	c, ok := b.api.(frontend.Committer)
	if !ok {
		return nil, fmt.Errorf("the backend has no commitments")
	}
	wires := make([]int, len(v))
	for i := range v {
		wires[i] = int(b.lin(v[i])[0].VID)
	}
	b.circuit.committed = append(b.circuit.committed, wires)
	var err error
	b.last, err = c.Commit(append([]frontend.Variable{b.last}, v...)...)
	return b.last, err
}

func (b *builder) wire(s span, i int) frontend.Variable { return b.circuit.Trace[s.off+i] }

// sum adds expressions.
func (b *builder) sum(v []frontend.Variable) frontend.Variable {
	switch len(v) {
	case 0:
		return 0
	case 1:
		return v[0]
	}
	return b.api.Add(v[0], v[1], v[2:]...)
}

// scale multiplies by a constant.
func (b *builder) scale(v frontend.Variable, k *big.Int) frontend.Variable {
	if k.IsInt64() && k.Int64() == 1 {
		return v
	}
	return b.api.Mul(v, k)
}

// unscale divides by 2^shift in the field.
func (b *builder) unscale(v frontend.Variable, shift uint) frontend.Variable {
	if shift == 0 {
		return v
	}
	inv := pow2(shift)
	inv.ModInverse(inv, b.compiler.Field())
	return b.api.Mul(v, inv)
}

func pow2(k uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), k) }

// lin is the linear expression of v for a raw constraint, constants on the one wire.
func (b *builder) lin(v frontend.Variable) constraint.LinearExpression {
	const constantWire = 0xFFFFFFFF // how ToCanonicalVariable marks a bare constant
	l := b.compiler.ToCanonicalVariable(v).(constraint.LinearExpression)
	out := make(constraint.LinearExpression, len(l))
	copy(out, l)
	for i := range out {
		if out[i].VID == constantWire {
			out[i].VID = 0
		}
	}
	return out
}

// product adds the constraint left·right = out. The sides matter: gnark keeps a copy in G2 of
// everything on the right, so full-size values (inverses) belong on the left.
func (b *builder) product(left, right, out frontend.Variable) {
	x := constraint.R1C{L: b.lin(left), R: b.lin(right), O: b.lin(out)}
	var calldata []uint32
	(&constraint.BlueprintGenericR1C{}).CompressR1C(&x, &calldata)
	b.compiler.AddInstruction(b.blueprint, calldata)
}

func (b *builder) hint(f func(*big.Int, []*big.Int, []*big.Int) error, n int, in []frontend.Variable) []frontend.Variable {
	out, err := b.api.NewHint(f, n, in...)
	if err != nil && b.err == nil {
		b.err = err
	}
	if err != nil {
		return make([]frontend.Variable, n)
	}
	return out
}

// powersOf is z⁰ … z^(n−1); every power from the second on is a wire.
func (b *builder) powersOf(z frontend.Variable, n int) []frontend.Variable {
	p := make([]frontend.Variable, max(n, 2))
	p[0], p[1] = 1, z
	if n <= 2 {
		return p
	}
	copy(p[2:], b.hint(powers, n-2, []frontend.Variable{z}))
	for i := 2; i < n; i++ {
		b.product(p[i-1], z, p[i])
	}
	return p
}

// runningSums are the wires s_i = s_(i−1) + left_i·right_i: one constraint a term, and every partial
// sum is at hand. The wires stand on the output side alone.
func (b *builder) runningSums(left, right []frontend.Variable) []frontend.Variable {
	in := make([]frontend.Variable, 0, 2*len(left))
	for i := range left {
		in = append(in, left[i], right[i])
	}
	s := b.hint(runningSum, len(left), in)
	for i := range s {
		if i == 0 {
			b.product(left[i], right[i], s[i])
		} else {
			b.product(left[i], right[i], b.api.Sub(s[i], s[i-1]))
		}
	}
	return s
}

// inner is Σ left_i·right_i.
func (b *builder) inner(left, right []frontend.Variable) frontend.Variable {
	if len(left) == 0 {
		return 0
	}
	s := b.runningSums(left, right)
	return s[len(s)-1]
}

// column is v as entry of a table's column in a query; column 0 counts as it is.
func (b *builder) column(k int, v frontend.Variable) frontend.Variable {
	return b.api.Mul(v, b.alphas[k])
}

// lookup asks for a row of t; query is the sum of its columns.
func (b *builder) lookup(t *table, query frontend.Variable) {
	b.queries[t.index] = append(b.queries[t.index], query)
}

// defineTable adds Σ 1/(β − query) = Σ m/(β − row).
func (b *builder) defineTable(t *table) {
	queries := b.queries[t.index]
	in := make([]frontend.Variable, 0, 2*len(queries))
	for _, q := range queries {
		in = append(in, 1, b.api.Sub(b.beta, q))
	}
	inverses := b.hint(divide, len(queries), in)
	for i := range inverses {
		b.product(inverses[i], in[2*i+1], 1)
	}
	in = nil
	for j := range t.n {
		row := frontend.Variable(t.at(0, j))
		for k := 1; k < len(t.columns); k++ {
			row = b.api.Add(row, b.api.Mul(b.alphas[k], t.at(k, j)))
		}
		in = append(in, b.wire(t.multiplicities, j), b.api.Sub(b.beta, row))
	}
	quotients := b.hint(divide, t.n, in)
	for j := range quotients {
		b.product(quotients[j], in[2*j+1], in[2*j])
	}
	b.product(b.sum(inverses), 1, b.sum(quotients))
}

// CompileOption keeps gnark from replacing long expressions by wires: the number of constraints is
// the plan's.
func CompileOption() frontend.CompileOption { return frontend.WithCompressThreshold(0) }
