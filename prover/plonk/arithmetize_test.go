package plonk

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	fcs "github.com/consensys/gnark/frontend/cs"

	"github.com/zkinfer/zkinfer/prover"
)

func compileSmall(t *testing.T, seed uint64, o prover.Options) *Circuit {
	t.Helper()
	c, err := Compile(context.Background(), small(t, seed), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A trace that differs from the executor's in any wire is refused: no wire is free.
func TestEveryWireIsConstrained(t *testing.T) {
	c := compileSmall(t, 1, prover.Options{})
	honest := assign(t, c, randomInputs(c.graph, 5))
	if err := satisfied(c.system, honest); err != nil {
		t.Fatal(err)
	}
	vector := honest.Vector().(fr.Vector)
	one := fr.One()
	for i := 1; i < len(vector); i++ { // S stands in challenges only
		lie := slices.Clone(vector)
		lie[i].Add(&lie[i], &one)
		w := replaced(t, c, lie)
		if err := satisfied(c.system, w); err == nil {
			t.Fatalf("wire %d of %d may be another", i, len(vector))
		}
	}
}

func replaced(t *testing.T, c *Circuit, vector fr.Vector) witness.Witness {
	t.Helper()
	w, err := witness.New(c.system.Field())
	if err != nil {
		t.Fatal(err)
	}
	values := make(chan any, len(vector))
	for _, v := range vector {
		values <- v
	}
	close(values)
	public := c.system.GetNbPublicVariables()
	if err := w.Fill(public, len(vector)-public, values); err != nil {
		t.Fatal(err)
	}
	return w
}

// Hints prove nothing: each of them lies in its first, its middle and its last output.
func TestLyingHints(t *testing.T) {
	c := compileSmall(t, 1, prover.Options{})
	honest := assign(t, c, randomInputs(c.graph, 5))
	lied := 0
	for _, h := range solver.GetRegisteredHints() {
		id := solver.GetHintID(h)
		if _, used := c.system.MHintsDependencies[id]; !used || id == solver.GetHintID(fcs.Bsb22CommitmentComputePlaceholder) {
			continue
		}
		for _, which := range []func(n int) int{func(int) int { return 0 }, func(n int) int { return n / 2 }, func(n int) int { return n - 1 }} {
			lie := solver.OverrideHint(id, func(m *big.Int, in, out []*big.Int) error {
				err := h(m, in, out)
				k := which(len(out))
				out[k].Add(out[k], big.NewInt(1))
				return err
			})
			if err := satisfied(c.system, honest, lie); err == nil {
				t.Errorf("%s may lie", solver.GetHintName(h))
			}
			lied++
		}
	}
	if lied < 12 { // evaluate, runningSum, powers, divide at least
		t.Errorf("%d hints lied, expected more", lied)
	}
}

// Every value of the trace, and S, has one gate in the first commitment, the second holds the first's
// challenge; and no gate that gnark's prover uses for blinding commits a value.
func TestCommittedGates(t *testing.T) {
	c := compileSmall(t, 1, prover.Options{})
	info := c.system.CommitmentInfo.(constraint.PlonkCommitments)
	if len(info) != 2 || len(info[0].Committed) != 1+c.Plan.TraceWires || len(info[1].Committed) != 1 {
		t.Fatalf("%d commitments", len(info))
	}
	seen := map[int]bool{}
	for _, gates := range [][]int{info[0].Committed, info[1].Committed, {info[0].CommitmentIndex, info[1].CommitmentIndex, c.system.GetNbConstraints() - 1}} {
		for _, gate := range gates {
			if seen[gate] {
				t.Errorf("gate %d has two uses", gate)
			}
			seen[gate] = true
		}
	}
	marks := map[constraint.CommitmentConstraint]int{}
	it := c.system.GetSparseR1CIterator()
	for g := it.Next(); g != nil; g = it.Next() {
		marks[g.Commitment]++
	}
	if marks[constraint.COMMITTED] != 2+c.Plan.TraceWires || marks[constraint.COMMITMENT] != 2 {
		t.Errorf("marks %v", marks)
	}
}

// Which wires the gates have, and how many gates there are, is the same for any weights, zeros included: what
// is left of them in a key are selectors, which are salted.
func TestWiringHidesWeights(t *testing.T) {
	one, other := compileSmall(t, 1, prover.Options{}), compileSmall(t, 2, prover.Options{})
	for i := range other.graph.Nodes {
		for _, p := range other.graph.Nodes[i].Op.Params() {
			clear((*p.Values)[:len(*p.Values)/2])
		}
	}
	zeros, err := Compile(context.Background(), other.graph, prover.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Circuit{other, zeros} {
		a, b := one.system.GetSparseR1CIterator(), c.system.GetSparseR1CIterator()
		differing := 0
		for x, y := a.Next(), b.Next(); x != nil || y != nil; x, y = a.Next(), b.Next() {
			if x == nil || y == nil || x.XA != y.XA || x.XB != y.XB || x.XC != y.XC || x.Commitment != y.Commitment {
				t.Fatal("the wiring depends on the weights")
			}
			if one.system.Coefficients[x.QO] != c.system.Coefficients[y.QO] {
				differing++
			}
		}
		if differing == 0 {
			t.Error("the weights are not in the gates")
		}
	}
}

// Salted selectors have other commitments each time; without salts everybody makes the same key.
func TestSalts(t *testing.T) {
	ctx := context.Background()
	f := theFixture(t)
	again := compileSmall(t, 1, prover.Options{})
	s := srsOf(f.keys)
	salted, err := again.Setup(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	a, b := f.keys.Verifying, salted.Verifying
	if a.Ql.Equal(&b.Ql) || a.Qr.Equal(&b.Qr) || a.Qm.Equal(&b.Qm) || a.Qo.Equal(&b.Qo) || a.Qk.Equal(&b.Qk) {
		t.Error("a commitment to a selector is not salted")
	}
	if a.S != b.S || a.Qcp != b.Qcp {
		t.Error("the wiring is not the same")
	}
	var digests [][32]byte
	for range 2 {
		c := compileSmall(t, 1, prover.Options{PublicParameters: true})
		k, err := c.Setup(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, k.Verifying.Digest())
		if _, err := k.CommitModel(ctx, c.graph, prover.Private); !errors.Is(err, prover.ErrKeyMismatch) {
			t.Errorf("a private commitment of public keys: %v", err)
		}
		if _, err := k.CommitModel(ctx, c.graph, prover.Public); err != nil {
			t.Error(err)
		}
	}
	if digests[0] != digests[1] {
		t.Error("keys for public weights differ")
	}
	if _, err := salted.CommitModel(ctx, f.graph, prover.Public); !errors.Is(err, prover.ErrKeyMismatch) {
		t.Errorf("a public commitment of salted keys: %v", err)
	}
}
