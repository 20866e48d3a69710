package circuits

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/zkinfer/zkinfer/model"
)

func (c *compiled) witness(t testing.TB, w *Witness) witness.Witness {
	t.Helper()
	full, err := w.Full(fr.NewElement(42))
	if err != nil {
		t.Fatal(err)
	}
	return full
}

func (c *compiled) solve(w witness.Witness, opts ...solver.Option) error {
	return c.system.IsSolved(w, append([]solver.Option{c.params.SolverOption()}, opts...)...)
}

// Every gadget accepts what the executor computes, on random inputs with extremes.
func TestHonest(t *testing.T) {
	for _, gc := range gadgetCases() {
		t.Run(gc.name, func(t *testing.T) {
			c := compile(t, gc)
			r := rand.New(rand.NewPCG(3, 4))
			for range 5 {
				w, err := c.plan.Assign(c.execute(t, r))
				if err != nil {
					t.Fatal(err)
				}
				if err := c.solve(c.witness(t, w)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// The plan predicts the constraints exactly, and the counts are under version control: a change shows
// in the diff. Run with UPDATE_GOLDEN=1 to rewrite them.
func TestConstraintCounts(t *testing.T) {
	var got strings.Builder
	got.WriteString("case,constraints,of the op,table rows,folded columns,fold rows\n")
	for _, gc := range gadgetCases() {
		c := compile(t, gc)
		if n := c.system.GetNbConstraints(); n != c.plan.Constraints {
			t.Errorf("%s: the plan says %d constraints, the circuit has %d", gc.name, c.plan.Constraints, n)
		}
		op := 0
		for _, n := range c.plan.Nodes {
			op += n.Constraints
		}
		fmt.Fprintf(&got, "%s,%d,%d,%d,%d,%d\n", strings.ReplaceAll(gc.name, ",", ";"), c.plan.Constraints, op, c.plan.TableCost, c.plan.Columns, c.plan.FoldRows)
	}
	const file = "testdata/constraints.csv"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("constraint counts differ from %s:\n%s", file, got.String())
	}
}

// Every packing of every linear layer is right, not only the one that costs least: the honest trace
// passes, an output one off does not, and the cost is as predicted.
func TestEveryPacking(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	tried := 0
	for _, gc := range gadgetCases() {
		g := gc.build(rand.New(rand.NewPCG(1, 2)))
		plan, err := NewPlan(g, gc.opts)
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.linears) != 1 {
			continue
		}
		for _, k := range plan.linears[0].packings() {
			if k[0] > 4 && k[1] > 1 && k[0] != plan.linears[0].outC {
				continue // more of the same
			}
			p, err := newPlan(g, plan.Options(), func(l *linear, p *Plan) { l.pack(k[0], k[1], p.opts.FoldRows) })
			if err != nil {
				t.Fatal(err)
			}
			c := compilePlan(t, p)
			if n := c.system.GetNbConstraints(); n != p.Constraints {
				t.Errorf("%s, %v: the plan says %d constraints, the circuit has %d", gc.name, k, p.Constraints, n)
			}
			if left := Dependent(c.system.GetR1Cs(), c.system.CommitmentInfo.(constraint.Groth16Commitments)); len(left) > 0 {
				t.Errorf("%s, %v: the columns of %d committed wires may depend on each other", gc.name, k, len(left))
			}
			trace := c.execute(t, r)
			w, err := p.Assign(trace)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.solve(c.witness(t, w)); err != nil {
				t.Errorf("%s, %v channels and bands: %v", gc.name, k, err)
			}
			acc := trace.Acc[len(trace.Acc)-1]
			acc[r.IntN(len(acc))] ^= 1 // within the remainder: the output stays, the sum does not
			if w, err = p.Assign(trace); err != nil {
				t.Fatal(err)
			}
			if c.solve(c.witness(t, w)) == nil {
				t.Errorf("%s, %v channels and bands: an accumulator one off was accepted", gc.name, k)
			}
			tried++
		}
	}
	t.Logf("%d packings", tried)
}

// Every single wire of the witness matters: one off by one is rejected. (All wires of small circuits,
// a random sample of larger ones.)
func TestTamperedWitness(t *testing.T) {
	for _, gc := range gadgetCases() {
		t.Run(gc.name, func(t *testing.T) {
			c := compile(t, gc)
			r := rand.New(rand.NewPCG(5, 6))
			w, err := c.plan.Assign(c.execute(t, r))
			if err != nil {
				t.Fatal(err)
			}
			honest := c.witness(t, w)
			if err := c.solve(honest); err != nil {
				t.Fatal(err)
			}
			values := honest.Vector().(fr.Vector)
			indices := sample(r, len(values), 120)
			for i := max(len(values)-16, 0); i < len(values); i++ { // private tensors come last
				indices = append(indices, i)
			}
			for _, i := range indices {
				if i == 0 {
					continue // S constrains nothing by itself
				}
				old := values[i]
				one := fr.One()
				values[i].Add(&values[i], &one)
				if c.solve(honest) == nil {
					t.Errorf("wire %d (of %d public, %d trace) changed from %s: accepted", i, 1+len(w.Packed), len(w.Trace), old.String())
				}
				values[i] = old
			}
		})
	}
}

func sample(r *rand.Rand, n, most int) []int {
	p := r.Perm(n)
	return p[:min(n, most)]
}

// circomlib-ml's Dense accepts an output raised by k whose remainder is lowered by k·2^T, because it
// does not check the remainder's range. Here every way to make the books balance fails.
func TestRemainderForgery(t *testing.T) {
	c := compile(t, gadgetCases()[indexOf(t, "dense identity, rows folded")])
	r := rand.New(rand.NewPCG(7, 8))
	w, err := c.plan.Assign(c.execute(t, r))
	if err != nil {
		t.Fatal(err)
	}
	z := c.plan.gadgets[0].(*rescaled).parts[0].step.(*floorStep)
	honest := c.witness(t, w)
	values := honest.Vector().(fr.Vector)
	first := 1 + len(w.Packed)
	at := func(s span, i int) *fr.Element { return &values[first+s.off+i] }

	k := fr.NewElement(3)
	q, rem := at(z.identity.limbs[0], 0), at(z.rem.limbs[0], 0)
	q.Add(q, &k)
	shift := fr.NewElement(1 << z.r.Shift)
	k.Mul(&k, &shift)
	rem.Sub(rem, &k)
	if c.solve(honest) == nil {
		t.Fatal("an output raised by 3, taken from its remainder, was accepted")
	}
}

func indexOf(t *testing.T, name string) int {
	t.Helper()
	for i, c := range gadgetCases() {
		if c.name == name {
			return i
		}
	}
	t.Fatalf("no case %q", name)
	return -1
}

// A solver that lies in one output of one hint is caught: everything a hint computes is constrained.
func TestLyingHints(t *testing.T) {
	hints := map[string]solver.Hint{"runningSum": runningSum, "powers": powers, "divide": divide, "horner": horner}
	used := map[string]int{}
	for _, gc := range gadgetCases() {
		c := compile(t, gc)
		r := rand.New(rand.NewPCG(9, 10))
		w, err := c.plan.Assign(c.execute(t, r))
		if err != nil {
			t.Fatal(err)
		}
		full := c.witness(t, w)
		for name, h := range hints {
			for k := range 4 {
				lie := 2*r.IntN(1<<20) + k%2
				told := false
				option := solver.OverrideHint(solver.GetHintID(h), func(q *big.Int, in, out []*big.Int) error {
					if err := h(q, in, out); err != nil {
						return err
					}
					if !told && len(out) > 0 {
						o := out[lie%len(out)]
						o.Add(o, big.NewInt(1))
						if lie%2 == 1 && len(out) > 1 { // a lie that leaves sums as they are
							o = out[(lie+1)%len(out)]
							o.Sub(o, big.NewInt(1))
						}
						told = true
					}
					return nil
				})
				err := c.solve(full, option, solver.WithNbTasks(1))
				if told {
					used[name]++
					if err == nil {
						t.Errorf("%s: a lie of %s was accepted", gc.name, name)
					}
				}
			}
		}
		c.lyingFold(t, gc.name, full, r)
	}
	for name := range hints {
		if used[name] == 0 {
			t.Errorf("no case uses the hint %s", name)
		}
	}
}

// lyingFold folds other parameters than the trace was computed with: some identity fails.
func (c *compiled) lyingFold(t *testing.T, name string, full witness.Witness, r *rand.Rand) {
	if c.plan.Columns == 0 {
		return
	}
	option := solver.OverrideHint(solver.GetHintID(foldParameters), func(_ *big.Int, in, out []*big.Int) error {
		var alpha fr.Element
		alpha.SetBigInt(in[0])
		for j, v := range c.params.Fold(alpha) {
			v.BigInt(out[j])
		}
		// A bias is multiplied by ones, so that the lie cannot meet an input that happens to be zero.
		o := out[len(out)-1]
		o.Add(o, big.NewInt(1))
		return nil
	})
	if c.system.IsSolved(full, option) == nil {
		t.Errorf("%s: foreign parameters were accepted", name)
	}
}

// Hint numbers are stored in keys.
func TestHintNumbers(t *testing.T) {
	want := map[string]solver.HintID{}
	for _, h := range []solver.Hint{foldParameters, runningSum, powers, divide, horner} {
		name := solver.GetHintName(h)
		want[name] = solver.GetHintID(h)
		if !strings.HasPrefix(name, "github.com/zkinfer/zkinfer/circuits.") {
			t.Errorf("hint %s moved: stored circuits name it by its old place", name)
		}
	}
	if len(want) != 5 {
		t.Errorf("hints share a name: %v", want)
	}
}

// The commitments bind: the columns of all committed wires are jointly independent, hence none has its
// base at infinity. Peeling shows it: while some constraint side has exactly one committed wire left,
// that wire is independent of the rest.
func TestCommittedColumnsIndependent(t *testing.T) {
	for _, gc := range gadgetCases() {
		c := compile(t, gc)
		if left := Dependent(c.system.GetR1Cs(), c.system.CommitmentInfo.(constraint.Groth16Commitments)); len(left) > 0 {
			t.Errorf("%s: the columns of %d committed wires may depend on each other, %v …", gc.name, len(left), left[:min(5, len(left))])
		}
	}
}

// Compiling twice gives the same constraint system, whatever the parameters.
func TestCircuitDependsOnArchitectureOnly(t *testing.T) {
	for _, gc := range gadgetCases() {
		a := compile(t, gc)
		build := gc.build
		gc.build = func(*rand.Rand) *model.Graph { return build(rand.New(rand.NewPCG(77, 78))) }
		b := compile(t, gc)
		if x, y := digest(t, a), digest(t, b); x != y {
			t.Errorf("%s: other weights, other circuit", gc.name)
		}
	}
}

func digest(t *testing.T, c *compiled) [32]byte {
	t.Helper()
	h := sha256.New()
	if _, err := c.system.WriteTo(h); err != nil {
		t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}
