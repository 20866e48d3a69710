package claims

import (
	"errors"
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The tests of this file take a step of the protocol apart, leave out what a rule demands, and show the lie that it then lets pass.
// Pads are 0 here: what is sent is what is meant.

func unpadded(seed byte) *Run {
	return NewProver([32]byte{seed}, func(Kind, int) fr.Element { return fr.Element{} })
}

// holds tells whether all checks do, of messages without pads.
func holds(r *Run, z []fr.Element) bool {
	for i := range r.Checks {
		if v := r.Checks[i].Value(r.Sent, z); !v.IsZero() {
			return false
		}
	}
	return true
}

func difference(a, b fr.Element) fr.Element { return *a.Sub(&a, &b) }

func product(a ...fr.Element) fr.Element {
	out := fr.One()
	for i := range a {
		out.Mul(&out, &a[i])
	}
	return out
}

// TestChallengesFollowMessages: the round of a sum over two values, false by one. Who knows the challenge sends the h(0) that
// leads to the right end.
func TestChallengesFollowMessages(t *testing.T) {
	values := random(2)
	var claim, one fr.Element
	one.SetOne()
	claim.Add(&values[0], &values[1]).Add(&claim, &one)
	lie := func(rho fr.Element) []fr.Element { // ρ·claim + (1−2ρ)·h(0) = the value at ρ, without a square
		end, k := Extension(values, []fr.Element{rho}), product(rho, claim)
		end.Sub(&end, &k)
		k.Sub(&one, &rho).Sub(&k, &rho).Inverse(&k)
		return []fr.Element{product(end, k), {}}
	}
	accepted := func(early bool) bool {
		r := unpadded(1)
		rho := r.Draw("round") // what a liar hopes for
		m := r.Send(Linear, 2, func() []fr.Element { return lie(rho) })
		if !early {
			rho = r.Draw("round")
		}
		end := afterRounds(Public(claim), [][]Message{m}, []fr.Element{rho})
		value := (&Check{Form: end}).Value(r.Sent, nil)
		return value == Extension(values, []fr.Element{rho})
	}
	if !accepted(true) {
		t.Error("the attack does not work any more: is it still the right one?")
	}
	if accepted(false) {
		t.Error("a false sum was accepted")
	}
}

// TestWeightsFollowValues: two checks in one, with a weight that the prover knows when it chooses what they are about.
func TestWeightsFollowValues(t *testing.T) {
	want := random(2)
	accepted := func(early bool) bool {
		r := unpadded(2)
		gamma := r.Draw("combine")
		m := r.Send(Linear, 2, func() []fr.Element { // one is too great by γ, the other too small by 1
			out := []fr.Element{want[0], want[1]}
			one := fr.One()
			out[0].Add(&out[0], &gamma)
			out[1].Sub(&out[1], &one)
			return out
		})
		if !early {
			gamma = r.Draw("combine")
		}
		var both Form
		for i, weight := range []fr.Element{fr.One(), gamma} {
			f := Of(m[i])
			f.Add(minusOne(), Public(want[i]))
			both.Add(weight, f)
		}
		value := (&Check{Form: both}).Value(r.Sent, nil)
		return value.IsZero()
	}
	if !accepted(true) {
		t.Error("the attack does not work any more: is it still the right one?")
	}
	if accepted(false) {
		t.Error("two false checks were accepted")
	}
}

// twoLeaves is a tree of two leaves with any root.
type twoLeaves struct {
	p, q   fr.Element
	leaves [4]fr.Element // p0 p1 q0 q1
}

func (t *twoLeaves) Root() (p, q fr.Element)                 { return t.p, t.q }
func (t *twoLeaves) Level(int, []fr.Element, fr.Element)     {}
func (t *twoLeaves) Round() (difference, leading fr.Element) { return }
func (t *twoLeaves) Bind(fr.Element)                         {}
func (t *twoLeaves) Children() [4]fr.Element                 { return t.leaves }

// newTwoLeaves has the root that its leaves make.
func newTwoLeaves(leaves [4]fr.Element) *twoLeaves {
	t := &twoLeaves{leaves: leaves}
	a, b := product(leaves[0], leaves[3]), product(leaves[1], leaves[2])
	t.p.Add(&a, &b)
	t.q = product(leaves[2], leaves[3])
	return t
}

// compare is a run of two trees whose roots have to be the same fraction.
func compare(trees [2]*twoLeaves) *Run {
	r := unpadded(3)
	roots, _ := r.Fractions([]Tree{{Name: "a", Height: 1}, {Name: "b", Height: 1}}, []TreeProver{trees[0], trees[1]})
	r.Require(Check{Products: []Product{{roots[0][0], roots[1][1], fr.One()}, {roots[1][0], roots[0][1], minusOne()}}})
	return r
}

// TestTreesHaveTheirOwnWeights: of two different fractions one numerator is too great by Δ and the other too small, so that
// the roots are the same. With equal weights the trees' claims together are what their leaves make.
func TestTreesHaveTheirOwnWeights(t *testing.T) {
	var a, b *twoLeaves
	fresh := func() {
		v := random(8)
		a, b = newTwoLeaves([4]fr.Element(v[:4])), newTwoLeaves([4]fr.Element(v[4:]))
	}
	if fresh(); holds(compare([2]*twoLeaves{a, b}), nil) {
		t.Fatal("different fractions are the same")
	}
	// (P1+Δ)·Q2 = (P2−Δ)·Q1
	var sum fr.Element
	sum.Add(&a.q, &b.q).Inverse(&sum)
	delta := product(difference(product(b.p, a.q), product(a.p, b.q)), sum)
	a.p.Add(&a.p, &delta)
	b.p.Sub(&b.p, &delta)
	if left, right := product(a.p, b.q), product(b.p, a.q); left != right {
		t.Fatal("the roots are not the same fraction")
	}
	if holds(compare([2]*twoLeaves{a, b}), nil) {
		t.Error("roots that are not those of their trees were accepted")
	}
	// What the level's check would be with weights 1 and 1.
	lambda := random(1)[0]
	var without fr.Element
	for _, x := range []*twoLeaves{a, b} {
		claim := product(lambda, x.q)
		claim.Add(&claim, &x.p)
		node := newTwoLeaves(x.leaves)
		right := product(lambda, node.q)
		right.Add(&right, &node.p)
		claim.Sub(&claim, &right)
		without.Add(&without, &claim)
	}
	if !without.IsZero() {
		t.Error("the attack does not work any more: is it still the right one?")
	}
}

// TestRootsOfNothing: 0/0 is every fraction. Only that the root's denominator is the leaves' product tells.
func TestRootsOfNothing(t *testing.T) {
	v := random(8)
	a, b := newTwoLeaves([4]fr.Element(v[:4])), newTwoLeaves([4]fr.Element(v[4:]))
	a.p, a.q = fr.Element{}, fr.Element{}
	r := compare([2]*twoLeaves{a, b})
	if holds(r, nil) {
		t.Error("0/0 was accepted")
	}
	roots := r.Checks[len(r.Checks)-1]
	if value := roots.Value(r.Sent, nil); !value.IsZero() {
		t.Error("the attack does not work any more: is it still the right one?")
	}
}

// TestTreesReachTheirLeaves: the rounds go on for the tallest tree, and each tree ends in a claim at its own leaves. A tree that was
// cut short would have a claim on inner nodes, which nothing else is about.
func TestTreesReachTheirLeaves(t *testing.T) {
	for first := range 6 {
		for second := range 6 {
			r := NewRehearsal()
			_, leaves := r.Fractions([]Tree{{Name: "a", Height: first, Numerators: func([]fr.Element) fr.Element { return fr.One() }}, {Name: "b", Height: second}}, nil)
			for i, height := range []int{first, second} {
				if len(leaves[i].Point) != height {
					t.Errorf("heights %d and %d: a claim on tree %d at %d coordinates", first, second, i, len(leaves[i].Point))
				}
			}
			want := max(first, second)
			if first == 0 {
				want++ // the numerator of a root
			}
			if len(r.Checks) != want {
				t.Errorf("heights %d and %d: %d checks, expected %d", first, second, len(r.Checks), want)
			}
		}
	}
}

// TestVanishing: where the combined functional is 0 at the point it says nothing about Z, and there is no opening.
func TestVanishing(t *testing.T) {
	for _, vanishes := range []bool{true, false} {
		r := unpadded(4)
		block := Block{Coefficient: fr.One(), Factors: []Factor{EqFactor(random(3))}}
		opposite := block
		opposite.Coefficient = minusOne()
		if !vanishes {
			opposite.Coefficient.Double(&opposite.Coefficient)
		}
		r.Require(Check{Form: Form{cells: []Block{block, opposite}}})
		r.source = blank{}
		_, err := r.Merge(3, func(int) int { return 0 }, nil)
		if errors.Is(err, ErrVanishing) != vanishes {
			t.Errorf("vanishes is %v: %v", vanishes, err)
		}
	}
}

// small has a lookup, a contraction, a product, a zero and a public tensor.
func small() *Network {
	view := func(t int) Expression {
		return Expression{Linear: []Summand{{Coefficient: 1, View: View{Tensor: t}}}}
	}
	shape := []int{1, 3}
	n := &Network{
		Tensors:         tensors(shape, []int{3, 3}, shape, []int{16}),
		Contractions:    []Contraction{{Kind: MatMul, Weight: View{Tensor: 1}, Input: Shaped{Shape: shape, Expression: view(0)}}},
		Tables:          []Table{{Arguments: []Argument{{Min: -8, Len: 16}}, Multiplicities: 3}},
		Lookups:         []Lookup{{Shape: shape, Columns: []Expression{{Constant: 1, Contractions: []ContractionTimes{{Coefficient: 1}}, Shift: 1}}}},
		Multiplications: []Multiplication{{Shape: shape, A: view(0), B: view(0), C: view(2)}},
		Zeros:           []Shaped{{Shape: shape, Expression: view(2)}},
		Public:          []Shaped{{Shape: shape, Expression: view(0)}},
	}
	n.Tensors[1].Owner = Parameter
	return n
}

// outcome is what a verifier of the small network makes of messages: the state that it ends with, and U.
func outcome(t *testing.T, seed byte, sent []fr.Element, values []int64) (state [32]byte, u []fr.Element, err error) {
	t.Helper()
	n := small()
	if err := errors.Join(n.Cut(), n.Check()); err != nil {
		t.Fatal(err)
	}
	l, err := n.Lay(3, 64)
	if err != nil {
		t.Fatal(err)
	}
	r := NewVerifier([32]byte{seed}, sent)
	if err := n.Prove(r, [][]int64{values}, nil); err != nil {
		t.Fatal(err)
	}
	o, err := r.Merge(l.AddressBits, func(i int) int { return l.FirstPad() + i }, nil)
	if err != nil {
		return state, nil, err
	}
	u, err = Class{RowBits: 3, Singles: 64, Groups: 64}.PublicForm(r, o)
	return r.State(), u, err
}

// TestEverythingIsAbsorbed: each message, the last one too, changes the state that a run ends with, from which the circuit's
// challenge is drawn, and U; so do seed and public values. A message more or less is refused.
func TestEverythingIsAbsorbed(t *testing.T) {
	n := small()
	if err := errors.Join(n.Cut(), n.Check()); err != nil {
		t.Fatal(err)
	}
	l, err := n.Lay(3, 64)
	if err != nil {
		t.Fatal(err)
	}
	rehearsal := NewRehearsal()
	if err := n.Prove(rehearsal, [][]int64{{1, 2, 3}}, nil); err != nil {
		t.Fatal(err)
	}
	sent := random(len(rehearsal.Sent) + 2*l.AddressBits)
	states, forms := map[[32]byte]string{}, map[string]string{}
	note := func(what string, seed byte, values ...int64) {
		state, u, err := outcome(t, seed, sent, values)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := states[state]; ok && values[0] == 1 {
			t.Errorf("%s and %s end in one state", what, other)
		}
		states[state] = what
		form := fmt.Sprint(u)
		if other, ok := forms[form]; ok {
			t.Errorf("%s and %s have one U", what, other)
		}
		forms[form] = what
	}
	note("nothing changed", 5, 1, 2, 3)
	note("another seed", 6, 1, 2, 3)
	note("another public value", 5, 2, 2, 3) // of which the seed has a digest
	one := fr.One()
	for i := range sent {
		sent[i].Add(&sent[i], &one)
		note(fmt.Sprintf("message %d changed", i), 5, 1, 2, 3)
		sent[i].Sub(&sent[i], &one)
	}
	for _, wrong := range [][]fr.Element{sent[:len(sent)-1], append(sent, one), nil} {
		if _, _, err := outcome(t, 5, wrong, []int64{1, 2, 3}); !errors.Is(err, ErrMessages) {
			t.Errorf("%d messages of %d: %v, expected ErrMessages", len(wrong), len(sent), err)
		}
	}
}

// TestClassesAreKept: a run that needs more wires than a class has gets no U.
func TestClassesAreKept(t *testing.T) {
	r := unpadded(7)
	r.source = blank{}
	for range 3 {
		r.Send(Multiplied, 4, nil)
	}
	r.Send(Single, 5, nil)
	o := &Opening{Point: random(6)}
	for _, c := range []struct {
		Class
		fits bool
	}{{Class{6, 5, 3}, true}, {Class{6, 4, 3}, false}, {Class{6, 5, 2}, false}, {Class{7, 5, 3}, false}} {
		if _, err := c.PublicForm(r, o); (err == nil) != c.fits {
			t.Errorf("%+v: %v", c.Class, err)
		}
	}
}

// TestQuotientsAreUnique: whatever the parameters make of an accumulator, any field element at all, there is one quotient and
// one remainder: quotients times 2^T stay far below the field's order, by the limits of a description alone.
func TestQuotientsAreUnique(t *testing.T) {
	if bits := AxisBits(maxRows) + maxShift; bits > fr.Bits-2 {
		t.Errorf("quotients and remainders of %d bits", bits)
	}
	of := func(rows int, shift uint) error {
		n := small()
		n.Tensors[3].Shape, n.Tables[0].Arguments[0].Len = []int{rows}, rows
		n.Lookups[0].Columns[0].Shift = shift
		return errors.Join(n.Cut(), n.Check())
	}
	if err := of(maxRows, maxShift); err != nil {
		t.Errorf("the largest: %v", err)
	}
	if err := of(maxRows+1, maxShift); !errors.Is(err, ErrNetwork) {
		t.Errorf("more rows: %v, expected ErrNetwork", err)
	}
	if err := of(maxRows, maxShift+1); !errors.Is(err, ErrNetwork) {
		t.Errorf("a larger shift: %v, expected ErrNetwork", err)
	}
}
