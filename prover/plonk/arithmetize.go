package plonk

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	fcs "github.com/consensys/gnark/frontend/cs"

	"github.com/zkinfer/zkinfer/circuits"
)

// errForeign is a constraint system that package circuits did not make.
var errForeign = errors.New("constraint system of an unexpected form")

// A stored constraint system names its hints by a hash of the Go function's name; see package circuits.
func init() { solver.RegisterHint(evaluate) }

// evaluate gives its inputs, which are sums, as outputs.
func evaluate(_ *big.Int, in, out []*big.Int) error {
	for i := range out {
		out[i].Set(in[i])
	}
	return nil
}

// arithmetizer turns the rank-1 constraints of a circuit into gates
// qL·a + qR·b + qM·a·b + qO·c + qC + Σ_k qCp_k·PI2_k = 0, where PI2_k is the k-th commitment's polynomial.
type arithmetizer struct {
	in  *cs.R1CS
	out *cs.SparseR1CS

	wires   []form // of each wire of in; undefined is nil
	defined []bool
	add     constraint.BlueprintID
	general constraint.BlueprintID
	cache   map[string]int // sums that are wires, by their terms; the first has coefficient 1
	hints   map[solver.HintID]solver.Hint

	parameters []fr.Element // of the folded wires, in their order
	folded     map[int]int  // number of a folded wire
	trace      []int        // committed wires of in
	committed  map[int]int  // place of a trace wire among what the first commitment holds
	uses       []int32      // how often a wire of in stands in constraints
	lookups    []lookup
	deferred   map[int]bool // trace wires that have no wire of their own: looked up values,
	products   map[int]bool // and values of a product that stand nowhere else
	rows       [2][]int     // gates that define what each commitment holds
	challenge  [2]int       // gates that receive the challenges
	drawn      int
}

// lookup is a query whose argument is one committed wire: key is the difference with the challenge.
type lookup struct {
	wire int
	key  constraint.LinearExpression
}

// salts hide the parameters in the commitments to the selectors: one for each selector.
type salts [5]fr.Element

// arithmetize makes the gates of a compiled circuit whose folded parameters, in one row, are given. Which
// wires the gates have does not depend on the parameters: nothing that is left of them is public but salted
// commitments to selectors.
func arithmetize(in *cs.R1CS, defined *circuits.Circuit, parameters []fr.Element, s *salts) (*cs.SparseR1CS, error) {
	a, err := newArithmetizer(in, defined, parameters)
	if err != nil {
		return nil, err
	}
	a.findLookups()
	for i := range in.Instructions {
		if err := a.instruction(in.GetInstruction(i), in.Blueprints[in.Instructions[i].BlueprintID]); err != nil {
			return nil, err
		}
	}
	return a.out, a.finish(s)
}

func newArithmetizer(in *cs.R1CS, defined *circuits.Circuit, parameters []fr.Element) (*arithmetizer, error) {
	objects := defined.CommittedWires()
	if len(objects) != 2 || len(objects[circuits.ParameterIndex]) != len(parameters) {
		return nil, fmt.Errorf("%w: %d commitments and %d parameters", errForeign, len(objects), len(parameters))
	}
	n := in.GetNbConstraints()
	a := &arithmetizer{in: in, out: cs.NewSparseR1CS(8 * n), parameters: parameters,
		cache: map[string]int{}, hints: map[solver.HintID]solver.Hint{}, folded: map[int]int{},
		committed: map[int]int{}, deferred: map[int]bool{}, products: map[int]bool{}, trace: objects[0]}
	internal, secret, public := in.GetNbVariables()
	a.wires, a.defined = make([]form, internal+secret+public), make([]bool, internal+secret+public)
	a.uses = make([]int32, len(a.wires))
	a.add = a.out.AddBlueprint(&constraint.BlueprintSparseR1CAdd[constraint.U64]{})
	a.general = a.out.AddBlueprint(&constraint.BlueprintGenericSparseR1C[constraint.U64]{})
	for _, h := range solver.GetRegisteredHints() {
		a.hints[solver.GetHintID(h)] = h
	}
	for i, w := range objects[0] {
		a.committed[w] = 1 + i // S comes first
	}
	for i, w := range objects[circuits.ParameterIndex] {
		a.folded[w] = i
	}
	a.define(0, form{constant: fr.One()})
	for i := 1; i < public; i++ {
		a.define(i, single(a.out.AddPublicVariable(in.Public[i])))
	}
	for i := range secret {
		a.define(public+i, single(a.out.AddSecretVariable(in.Secret[i])))
	}
	a.rows[0] = make([]int, 1+len(a.trace))
	for i := range a.rows[0] {
		a.rows[0][i] = -1
	}
	return a, nil
}

func (a *arithmetizer) define(wire int, f form) {
	a.wires[wire], a.defined[wire] = f, true
}

// maxDeferred bounds the uses of a looked up value that is no wire: each of them takes one gate more, for
// the challenge, and a wire of its own would take two.
const maxDeferred = 2

// findLookups finds the queries of committed wires, L·(β − v) = 1, and the committed wires that are a
// product of others and stand nowhere else, as multiplicities do.
func (a *arithmetizer) findLookups() {
	beta := a.in.CommitmentInfo.CommitmentIndexes()[1]
	a.countUses()
	it := a.in.GetR1CIterator()
	for c := it.Next(); c != nil; c = it.Next() {
		if a.isProduct(c) {
			a.products[c.O[0].WireID()] = true
		}
		if len(c.R) != 2 || len(c.O) != 1 || c.O[0].WireID() != 0 {
			continue
		}
		for i, t := range c.R {
			_, committed := a.committed[t.WireID()]
			if !committed || c.R[1-i].WireID() != beta || a.deferred[t.WireID()] || a.uses[t.WireID()] > maxDeferred {
				continue
			}
			a.deferred[t.WireID()] = true
			a.defined[t.WireID()] = false // until β is known
			a.lookups = append(a.lookups, lookup{t.WireID(), append(constraint.LinearExpression{}, c.R...)})
		}
	}
}

// isProduct tells whether the gate of L·R = O can commit O by itself.
func (a *arithmetizer) isProduct(c *constraint.R1C) bool {
	if len(c.O) != 1 || len(c.L) == 0 || len(c.R) == 0 || a.isParameter(c.L) || a.isParameter(c.R) {
		return false
	}
	_, committed := a.committed[c.O[0].WireID()]
	// The one wire, 0, is the first of an expression that has it.
	constant := len(c.L) == 1 && c.L[0].WireID() == 0 || len(c.R) == 1 && c.R[0].WireID() == 0
	return committed && !constant && a.uses[c.O[0].WireID()] == 1
}

func (a *arithmetizer) countUses() {
	it := a.in.GetR1CIterator()
	for c := it.Next(); c != nil; c = it.Next() {
		for _, side := range []constraint.LinearExpression{c.L, c.R, c.O} {
			for _, t := range side {
				a.uses[t.WireID()]++
			}
		}
	}
}

func (a *arithmetizer) instruction(i constraint.Instruction, b constraint.Blueprint) error {
	switch b := b.(type) {
	case constraint.BlueprintHint:
		var h constraint.HintMapping
		b.DecompressHint(&h, i)
		return a.hint(&h)
	case constraint.BlueprintR1C:
		var c constraint.R1C
		b.DecompressR1C(&c, i)
		return a.constrain(&c)
	}
	return fmt.Errorf("%w: instruction %T", errForeign, b)
}

func (a *arithmetizer) hint(h *constraint.HintMapping) error {
	first := int(h.OutputRange.Start)
	_, folds := a.folded[first]
	switch {
	case h.HintID == solver.GetHintID(fcs.Bsb22CommitmentComputePlaceholder):
		return a.commit(first)
	case len(h.Inputs) == 0: // the mask of a Groth16 commitment; PLONK's are blinded by the prover
		a.define(first, form{})
		return nil
	case folds:
		for w := first; w < int(h.OutputRange.End); w++ {
			a.define(w, form{constant: a.parameters[a.folded[w]]})
		}
		return nil
	}
	in := make([]constraint.LinearExpression, len(h.Inputs))
	for i, l := range h.Inputs {
		f, err := a.form(l)
		if err != nil {
			return err
		}
		in[i] = a.expression(f)
	}
	return a.hinted(a.hints[h.HintID], h.HintID, in, func(i, wire int) { a.define(first+i, single(wire)) }, int(h.OutputRange.End)-first)
}

func (a *arithmetizer) hinted(f solver.Hint, id solver.HintID, in []constraint.LinearExpression, each func(i, wire int), n int) error {
	out, err := a.out.AddSolverHint(f, id, in, n)
	if err != nil {
		return err
	}
	for i, w := range out {
		each(i, w)
	}
	return nil
}

// commit draws the next challenge: the first after the statement and the trace, the second after the
// first.
func (a *arithmetizer) commit(challenge int) error {
	k := a.drawn
	a.drawn++
	depth := form{constant: fr.NewElement(uint64(k))}
	inputs := []constraint.LinearExpression{a.expression(depth)}
	if k == 0 {
		s := a.wires[1]
		inputs = append(inputs, a.expression(s))
		a.rows[0][0] = a.commitWire(s.terms[0].wire)
		for i, w := range a.trace {
			inputs = append(inputs, a.expression(a.wires[w]))
			if !a.deferred[w] && !a.products[w] {
				a.rows[0][1+i] = a.commitWire(a.wires[w].terms[0].wire)
			}
		}
	} else {
		alpha := a.wires[a.in.CommitmentInfo.CommitmentIndexes()[0]]
		inputs = append(inputs, a.expression(alpha))
		a.rows[1] = []int{a.commitWire(alpha.terms[0].wire)}
	}
	id := solver.GetHintID(fcs.Bsb22CommitmentComputePlaceholder)
	var wire int
	if err := a.hinted(fcs.Bsb22CommitmentComputePlaceholder, id, inputs, func(_, w int) { wire = w }, 1); err != nil {
		return err
	}
	a.define(challenge, single(wire))
	a.challenge[k] = a.gate(gate{a: wire, l: minusOne(), mark: constraint.COMMITMENT})
	if k == 1 {
		return a.defineKeys()
	}
	return nil
}

// commitWire is the gate that makes a wire a value of the commitment.
func (a *arithmetizer) commitWire(w int) int {
	return a.gate(gate{a: w, l: minusOne(), mark: constraint.COMMITTED})
}

// defineKeys makes wires of the differences with β by which committed values are looked up. One gate both
// commits the value v and defines the key d = k + m·β + n·v: the value itself is no wire, but (d − k − m·β)/n
// wherever it is needed.
func (a *arithmetizer) defineKeys() error {
	if len(a.lookups) == 0 {
		return nil
	}
	inputs := make([]constraint.LinearExpression, len(a.lookups))
	keys := make([]form, len(a.lookups))
	for i, l := range a.lookups {
		a.defined[l.wire] = true
		f, err := a.form(l.key)
		if err != nil {
			return err
		}
		inputs[i], keys[i] = a.expression(f), f
	}
	return a.hinted(evaluate, solver.GetHintID(evaluate), inputs, func(i, d int) {
		v := a.lookups[i].wire
		old := a.wires[v].terms[0].wire
		value := keys[i].solve(old, d) // v in terms of d and β
		g := gate{mark: constraint.COMMITTED, k: value.constant}
		g.a, g.l = value.terms[0].wire, value.terms[0].coeff
		g.b, g.r = value.terms[1].wire, value.terms[1].coeff
		g.negate() // PI2 − value = 0
		a.rows[0][a.committed[v]] = a.gate(g)
		a.define(v, value)
	}, len(a.lookups))
}

// constrain adds L·R = O.
func (a *arithmetizer) constrain(c *constraint.R1C) error {
	left, err := a.form(c.L)
	if err != nil {
		return err
	}
	right, err := a.form(c.R)
	if err != nil {
		return err
	}
	if l, r := a.isParameter(c.L), a.isParameter(c.R); l || r {
		if !l {
			left, right = right, left
		}
		return a.weigh(left.constant, right, c.O)
	}
	// An output that has no value yet is what a product of wires defines.
	if w := a.undefinedWire(c.O); w >= 0 {
		a.define(w, single(a.out.AddInternalVariable()))
	}
	out, err := a.form(c.O)
	if err != nil {
		return err
	}
	switch {
	case left.isConstant():
		a.zero(right.times(left.constant).minus(out))
	case right.isConstant():
		a.zero(left.times(right.constant).minus(out))
	case len(c.O) == 1 && a.products[c.O[0].WireID()]:
		a.rows[0][a.committed[c.O[0].WireID()]] = a.product(left, right, form{}, out.terms[0].coeff)
	default:
		a.product(left, right, out, fr.Element{})
	}
	return nil
}

func (a *arithmetizer) isParameter(l constraint.LinearExpression) bool {
	if len(l) != 1 {
		return false
	}
	_, ok := a.folded[l[0].WireID()]
	return ok
}

// weigh adds weight·value = out, where out is a wire or the difference of two. The gates are the same for
// every weight, 0 included.
func (a *arithmetizer) weigh(weight fr.Element, value form, out constraint.LinearExpression) error {
	o, err := a.form(out)
	if err != nil {
		return err
	}
	if len(o.terms) > 2 {
		return fmt.Errorf("%w: %d terms beside a parameter", errForeign, len(o.terms))
	}
	g := linearGate(form{}.minus(o))
	if !value.isConstant() {
		var c fr.Element
		g.c, c, value.constant = a.wire(value)
		g.o.Mul(&weight, &c)
	}
	weight.Mul(&weight, &value.constant)
	g.k.Add(&g.k, &weight)
	a.gate(g)
	return nil
}

func (a *arithmetizer) undefinedWire(l constraint.LinearExpression) int {
	for _, t := range l {
		if w := t.WireID(); !a.defined[w] && !a.deferred[w] {
			return w
		}
	}
	return -1
}

// product adds left·right = out, or if committed is not 0, left·right = committed·PI2; it returns the gate
// of the product.
func (a *arithmetizer) product(left, right, out form, committed fr.Element) int {
	x, cx, kx := a.wire(left)
	y, cy, ky := a.wire(right)
	g := gate{a: x, b: y}
	g.m.Mul(&cx, &cy)
	g.l.Mul(&cx, &ky)
	g.r.Mul(&cy, &kx)
	g.k.Mul(&kx, &ky)
	g.k.Sub(&g.k, &out.constant)
	var rest form
	for _, t := range out.terms {
		switch t.wire {
		case x:
			g.l.Sub(&g.l, &t.coeff)
		case y:
			g.r.Sub(&g.r, &t.coeff)
		default:
			rest.terms = append(rest.terms, t)
		}
	}
	switch len(rest.terms) {
	case 0:
	case 1:
		g.c = rest.terms[0].wire
		g.o.Neg(&rest.terms[0].coeff)
	default: // the product becomes a wire; a committed value has no other term, and never comes here
		t := a.out.AddInternalVariable()
		g.c, g.o = t, minusOne()
		a.gate(g)
		a.zero(single(t).minus(rest))
		return -1
	}
	if !committed.IsZero() {
		g.mark = constraint.COMMITTED
		g.scale(minusInverse(committed)) // (left·right)/(−committed) + PI2 = 0
	}
	return a.gate(g)
}

// zero adds f = 0.
func (a *arithmetizer) zero(f form) {
	if len(f.terms) == 0 && f.constant.IsZero() {
		return
	}
	f.terms = a.join(f.terms, 3)
	a.gate(linearGate(f))
}

// join replaces the first terms by a wire that is their sum, so that at most n are left.
func (a *arithmetizer) join(terms []term, n int) []term {
	if len(terms) <= n {
		return terms
	}
	first := terms[0]
	last := len(terms) - n
	for _, t := range terms[1 : last+1] {
		wire := a.out.AddInternalVariable()
		a.sum(first, t, wire)
		first = term{wire, fr.One()}
	}
	return append([]term{first}, terms[last+1:]...)
}

// sum is the gate x + y = t, which defines t.
func (a *arithmetizer) sum(x, y term, t int) {
	a.out.AddInstruction(a.add, []uint32{uint32(x.wire), uint32(y.wire), uint32(t),
		a.coefficient(x.coeff), a.coefficient(y.coeff), constraint.CoeffIdZero})
}

// maxCached bounds the terms of sums that are kept, in case the same occurs again: those of windows do,
// for each set of output channels.
const maxCached = 256

// wire makes the terms of f one wire w: f = c·w + k.
func (a *arithmetizer) wire(f form) (w int, c, k fr.Element) {
	if len(f.terms) == 1 {
		return f.terms[0].wire, f.terms[0].coeff, f.constant
	}
	c = f.terms[0].coeff
	var inverse fr.Element
	inverse.Inverse(&c)
	unit := form{terms: f.times(inverse).terms}
	key := ""
	if len(unit.terms) <= maxCached {
		key = unit.key()
		if w, ok := a.cache[key]; ok {
			return w, c, f.constant
		}
	}
	w = a.join(unit.terms, 1)[0].wire
	if key != "" {
		a.cache[key] = w
	}
	return w, c, f.constant
}

func (a *arithmetizer) gate(g gate) int {
	return a.out.AddSparseR1C(constraint.SparseR1C{XA: uint32(g.a), XB: uint32(g.b), XC: uint32(g.c),
		QL: a.coefficient(g.l), QR: a.coefficient(g.r), QO: a.coefficient(g.o), QM: a.coefficient(g.m),
		QC: a.coefficient(g.k), Commitment: g.mark}, a.general)
}

func (a *arithmetizer) coefficient(e fr.Element) uint32 {
	var u constraint.U64
	copy(u[:], e[:])
	return a.out.AddCoeff(u)
}

// expression is f for a hint.
func (a *arithmetizer) expression(f form) constraint.LinearExpression {
	out := make(constraint.LinearExpression, 0, len(f.terms)+1)
	for _, t := range f.terms {
		out = append(out, constraint.Term{CID: a.coefficient(t.coeff), VID: uint32(t.wire)})
	}
	if len(f.terms) == 0 || !f.constant.IsZero() {
		out = append(out, constraint.Term{CID: a.coefficient(f.constant), VID: math.MaxUint32})
	}
	return out
}

// form is a linear expression of in, in wires of the gates.
func (a *arithmetizer) form(l constraint.LinearExpression) (form, error) {
	var f form
	for _, t := range l {
		c := a.in.Coefficients[t.CoeffID()]
		if t.IsConstant() {
			f.constant.Add(&f.constant, &c)
			continue
		}
		if !a.defined[t.WireID()] {
			return form{}, fmt.Errorf("%w: wire %d is used before it has a value", errForeign, t.WireID())
		}
		f.add(a.wires[t.WireID()], c)
	}
	f.merge()
	return f, nil
}

// finish adds the salts, and records the commitments. The last gate must not be one that commits a value:
// gnark's prover puts a blinding factor there.
func (a *arithmetizer) finish(s *salts) error {
	if a.drawn != 2 {
		return fmt.Errorf("%w: %d challenges", errForeign, a.drawn)
	}
	for i, gate := range a.rows[0] {
		if gate < 0 {
			return fmt.Errorf("%w: no gate commits value %d of the trace", errForeign, i)
		}
	}
	a.addSalts(s)
	for k := range a.rows {
		if err := a.out.AddCommitment(constraint.PlonkCommitment{Committed: a.rows[k], CommitmentIndex: a.challenge[k], Width: 1}); err != nil {
			return err
		}
	}
	return nil
}

// addSalts adds a gate on a wire that is 0, which holds for any coefficients, and one that takes the salt
// of the constant back by a wire that is 1.
func (a *arithmetizer) addSalts(s *salts) {
	zero, one := a.out.AddInternalVariable(), a.out.AddInternalVariable()
	a.gate(gate{a: zero, l: fr.One()})
	a.gate(gate{a: one, l: fr.One(), k: minusOne()})
	g := gate{a: one, k: s[4]}
	g.l.Neg(&s[4])
	a.gate(g)
	a.gate(gate{a: zero, b: zero, c: zero, l: s[0], r: s[1], m: s[2], o: s[3]})
}
