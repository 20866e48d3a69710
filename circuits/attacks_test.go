package circuits

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zkinfer/zkinfer/model/modeltest"
)

// The tests of this file break circuits that leave out one of this package's rules, to show that the
// rule is needed, and how the break would look. Each circuit is as small as the attack allows.

func mustCompile(t *testing.T, c frontend.Circuit) *cs.R1CS {
	t.Helper()
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c, frontend.IgnoreUnconstrainedInputs())
	if err != nil {
		t.Fatal(err)
	}
	return system.(*cs.R1CS)
}

func satisfies(t *testing.T, system *cs.R1CS, assignment frontend.Circuit, opts ...solver.Option) bool {
	t.Helper()
	w, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	return system.IsSolved(w, opts...) == nil
}

func commit(api frontend.API, v ...frontend.Variable) frontend.Variable {
	ch, err := api.(frontend.Committer).Commit(v...)
	if err != nil {
		panic(err)
	}
	return ch
}

// twoByTwo is a layer of two outputs (rows) on two positions, one weight each (3 and 5), folded with
// α and combined over positions with α too, or with a challenge drawn later.
type twoByTwo struct {
	X        [2]frontend.Variable
	Acc      [2][2]frontend.Variable // row, position
	ownPower bool
}

func (c *twoByTwo) Define(api frontend.API) error {
	alpha := commit(api, c.X[0], c.X[1], c.Acc[0][0], c.Acc[0][1], c.Acc[1][0], c.Acc[1][1])
	u := api.Add(3, api.Mul(alpha, 5))
	beta := alpha
	if c.ownPower {
		beta = commit(api, alpha)
	}
	left := func(p int) frontend.Variable { return api.Add(c.Acc[0][p], api.Mul(alpha, c.Acc[1][p])) }
	api.AssertIsEqual(
		api.Add(left(0), api.Mul(beta, left(1))),
		api.Mul(u, api.Add(c.X[0], api.Mul(beta, c.X[1]))))
	return nil
}

func TestPositionsNeedTheirOwnChallenge(t *testing.T) {
	forged := &twoByTwo{X: [2]frontend.Variable{10, 20}, Acc: [2][2]frontend.Variable{{30, 61}, {49, 100}}}
	honest := &twoByTwo{X: [2]frontend.Variable{10, 20}, Acc: [2][2]frontend.Variable{{30, 60}, {50, 100}}}
	broken, sound := mustCompile(t, &twoByTwo{}), mustCompile(t, &twoByTwo{ownPower: true})
	if !satisfies(t, broken, forged) {
		t.Error("the attack on positions combined with α does not work any more: is it still the right one?")
	}
	if !satisfies(t, sound, honest) {
		t.Error("honest accumulators rejected")
	}
	if satisfies(t, sound, forged) {
		t.Error("forged accumulators accepted although positions have a challenge of their own")
	}
}

// rangeOf16 checks X in [0, 16) with multiplicities that are hinted after the challenge, or committed.
type rangeOf16 struct {
	X     frontend.Variable
	M     [16]frontend.Variable
	early bool
}

// lateMultiplicities balances the sum for any X, once the challenge is known.
func lateMultiplicities(field *big.Int, in, out []*big.Int) error {
	d := new(big.Int).Sub(in[0], in[1])
	d.ModInverse(d.Mod(d, field), field)
	out[0].Mod(d.Mul(d, in[0]), field)
	for _, o := range out[1:] {
		o.SetInt64(0)
	}
	return nil
}

func (c *rangeOf16) Define(api frontend.API) error {
	committed := []frontend.Variable{c.X}
	m := c.M[:]
	if c.early {
		committed = append(committed, m...)
	}
	beta := commit(api, committed...)
	if !c.early {
		var err error
		if m, err = api.NewHint(lateMultiplicities, 16, beta, c.X); err != nil {
			return err
		}
	}
	sum := frontend.Variable(0)
	for j := range m {
		sum = api.Add(sum, api.DivUnchecked(m[j], api.Sub(beta, j)))
	}
	api.AssertIsEqual(sum, api.Inverse(api.Sub(beta, c.X)))
	return nil
}

func TestLateMultiplicities(t *testing.T) {
	solver.RegisterHint(lateMultiplicities)
	w := &rangeOf16{X: 123456789}
	for i := range w.M {
		w.M[i] = 0
	}
	w.M[0] = 1
	if !satisfies(t, mustCompile(t, &rangeOf16{}), w) {
		t.Error("the attack with late multiplicities does not work any more: is it still the right one?")
	}
	if satisfies(t, mustCompile(t, &rangeOf16{early: true}), w) {
		t.Error("a value outside the range was accepted although multiplicities are committed")
	}
}

// twoRanges puts [0, 16) and [0, 256) into one sum, told apart by a constant times the table's number.
type twoRanges struct {
	X frontend.Variable // meant to be in [0, 16)
	M [16 + 256]frontend.Variable
}

func (c *twoRanges) Define(api frontend.API) error {
	beta := commit(api, append([]frontend.Variable{c.X}, c.M[:]...)...)
	sum := frontend.Variable(0)
	for j := range c.M {
		row := j
		if j >= 16 {
			row = 256 + j - 16
		}
		sum = api.Add(sum, api.DivUnchecked(c.M[j], api.Sub(beta, row)))
	}
	api.AssertIsEqual(sum, api.Inverse(api.Sub(beta, c.X)))
	return nil
}

func TestTableNumberByConstant(t *testing.T) {
	w := &twoRanges{X: 456}
	for i := range w.M {
		w.M[i] = 0
	}
	w.M[16+200] = 1
	if !satisfies(t, mustCompile(t, &twoRanges{}), w) {
		t.Error("the attack on shared sums does not work any more: is it still the right one?")
	}
	// Here every table has a sum of its own: no two tables of any circuit share queries.
	for _, gc := range gadgetCases() {
		p := compile(t, gc).plan
		for i, x := range p.tables.list {
			if x.index != i {
				t.Errorf("%s: tables %d and %d share a sum", gc.name, i, x.index)
			}
		}
	}
}

// unbound commits a wire that stands in no constraint, and three that only occur as two sums.
type unbound struct {
	X       frontend.Variable
	Unused  frontend.Variable
	A, B, C frontend.Variable
}

func (c *unbound) Define(api frontend.API) error {
	commit(api, c.X, c.Unused, c.A, c.B, c.C)
	api.AssertIsEqual(api.Mul(c.X, c.X), 9)
	api.AssertIsEqual(api.Mul(api.Add(c.A, c.B), api.Add(c.A, c.B)), 25)
	api.AssertIsEqual(api.Mul(api.Add(c.B, c.C), api.Add(c.B, c.C)), 49)
	return nil
}

func TestUnboundWires(t *testing.T) {
	system := mustCompile(t, &unbound{})
	pk, _, err := groth16.Setup(system)
	if err != nil {
		t.Fatal(err)
	}
	fixedMask := solver.OverrideHint(maskHint(t), func(_ *big.Int, _, out []*big.Int) error {
		out[0].SetInt64(7)
		return nil
	})
	key := pk.(*groth16bn254.ProvingKey).CommitmentKeys[0]
	first := commitmentOf(t, system, key.Basis, &unbound{X: 3, Unused: 100, A: 2, B: 3, C: 4}, fixedMask)
	second := commitmentOf(t, system, key.Basis, &unbound{X: 3, Unused: 555, A: 12, B: -7, C: 14}, fixedMask)
	if !first.Equal(&second) {
		t.Error("two traces with the same dependent columns have different commitments: is this attack still the right one?")
	}
	left := Dependent(system.GetR1Cs(), system.CommitmentInfo.(constraint.Groth16Commitments))
	if len(left) != 4 {
		t.Errorf("Dependent found %v, expected Unused, A, B and C", left)
	}
}

// twice commits X a second time, meant as an object of its own.
type twice struct{ X [2]frontend.Variable }

func (c *twice) Define(api frontend.API) error {
	commit(api, c.X[0], c.X[1])
	commit(api, c.X[0], c.X[1])
	api.AssertIsEqual(api.Mul(c.X[0], c.X[1]), 6)
	return nil
}

func TestCommittedTwice(t *testing.T) {
	info := mustCompile(t, &twice{}).CommitmentInfo.(constraint.Groth16Commitments)
	if n := len(info[1].PrivateCommitted); n != 1 {
		t.Errorf("the second commitment holds %d wires; gnark used to leave it only its mask, check what it does now", n)
	}
	// Ours hold each wire once, mask apart.
	for _, gc := range gadgetCases() {
		c := compile(t, gc)
		info := c.system.CommitmentInfo.(constraint.Groth16Commitments)
		for k, wires := range c.circuit.CommittedWires() {
			if got := len(info[k].PrivateCommitted); got != len(wires)+1 {
				t.Errorf("%s: commitment %d holds %d wires, expected %d and a mask", gc.name, k, got, len(wires))
			}
		}
	}
}

// exhaustive: requantization at every accumulator of a small range has exactly one accepted quotient.
func TestRequantizationExhaustive(t *testing.T) {
	r := modeltest.Rescale(4)
	for acc := r.QMin<<r.Shift - 1<<(r.Shift-1); acc < (r.QMax+1)<<r.Shift-1<<(r.Shift-1); acc++ {
		accepted := 0
		for q := r.QMin; q <= r.QMax; q++ {
			rem := acc + 1<<(r.Shift-1) - q<<r.Shift
			if rem >= 0 && rem < 1<<r.Shift {
				accepted++
				if q != r.Floor(acc) {
					t.Fatalf("accumulator %d: the range checks accept %d, the executor says %d", acc, q, r.Floor(acc))
				}
			}
		}
		if accepted != 1 {
			t.Fatalf("accumulator %d: %d quotients pass", acc, accepted)
		}
	}
}
