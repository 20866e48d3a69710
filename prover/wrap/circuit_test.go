package wrap

import (
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/claims"
)

func TestMain(m *testing.M) {
	logger.Disable()
	m.Run()
}

func random(n int) []fr.Element {
	out := make([]fr.Element, n)
	for i := range out {
		out[i].MustSetRandom()
	}
	return out
}

func compile(t *testing.T, c claims.Class) *cs.R1CS {
	t.Helper()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, newCircuit(c), circuits.CompileOption())
	if err != nil {
		t.Fatal(err)
	}
	return system.(*cs.R1CS)
}

// assignment is a witness in the clear.
type assignment struct {
	pads, u, row []fr.Element
}

// honest has random pads and coefficients, and a constant that makes the form right.
func honest(c claims.Class) *assignment {
	a := &assignment{pads: random(c.Pads()), u: random(c.Public()), row: random(c.Row())}
	want := claims.Extension(a.row, a.u[1:1+c.RowBits])
	value := a.form(c)
	value.Sub(&want, &value)
	a.u[0].Add(&a.u[0], &value)
	return a
}

func (a *assignment) form(c claims.Class) fr.Element {
	sum := a.u[0]
	coefficients := a.u[1+c.RowBits:]
	var v fr.Element
	for i := range a.pads {
		sum.Add(&sum, v.Mul(&coefficients[i], &a.pads[i]))
	}
	for g := range c.Groups {
		for k, slots := range claims.Patterns {
			group := a.pads[c.Singles+claims.GroupSize*g:]
			v.Mul(&group[slots[0]], &group[slots[1]]).Mul(&v, &coefficients[c.Pads()+len(claims.Patterns)*g+k])
			sum.Add(&sum, &v)
		}
	}
	return sum
}

// z is what the tests' commitments hash to, whatever is committed: the circuit's own checks are what is tested.
const z = 987654321

func solves(t *testing.T, system *cs.R1CS, c claims.Class, a *assignment, public []fr.Element) bool {
	t.Helper()
	w := newCircuit(c)
	w.S, w.F, w.PadMask, w.RowMask = 11, 22, random(1)[0], random(1)[0]
	w.P = claims.Combine(public, fr.NewElement(z))
	for _, s := range []struct {
		to   []frontend.Variable
		from []fr.Element
	}{{w.Pads, a.pads}, {w.U, a.u}, {w.Row, a.row}} {
		for i := range s.to {
			s.to[i] = s.from[i]
		}
	}
	full, err := frontend.NewWitness(w, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	return system.IsSolved(full, solver.OverrideHint(commitmentHint(t), func(_ *big.Int, _, out []*big.Int) error {
		out[0].SetInt64(z)
		return nil
	})) == nil
}

func commitmentHint(t *testing.T) solver.HintID {
	t.Helper()
	for _, h := range solver.GetRegisteredHints() {
		if strings.Contains(solver.GetHintName(h), "Bsb22CommitmentComputePlaceholder") {
			return solver.GetHintID(h)
		}
	}
	t.Fatal("gnark's commitment hint is not registered")
	return 0
}

var classes = []claims.Class{{RowBits: 1, Singles: 1, Groups: 1}, {RowBits: 3, Singles: 4, Groups: 2}, {RowBits: 5, Singles: 2, Groups: 7}}

// TestCircuit: an honest assignment solves the circuit; any pad, cell or entry of U one off does not, even where P
// follows U, and neither does a U whose verifier computed another.
func TestCircuit(t *testing.T) {
	for _, c := range classes {
		system := compile(t, c)
		if n := system.GetNbConstraints(); n != Constraints(c) {
			t.Errorf("%+v: %d constraints, expected %d", c, n, Constraints(c))
		}
		a := honest(c)
		if !solves(t, system, c, a, a.u) {
			t.Fatalf("%+v: an honest assignment was rejected", c)
		}
		one := fr.One()
		for name, v := range map[string][]fr.Element{"pad": a.pads, "entry of U": a.u, "cell": a.row} {
			for i := range v {
				v[i].Add(&v[i], &one)
				if solves(t, system, c, a, a.u) {
					t.Errorf("%+v: %s %d one off was accepted", c, name, i)
				}
				v[i].Sub(&v[i], &one)
			}
		}
		other := append([]fr.Element(nil), a.u...)
		other[0].Add(&other[0], &one)
		if solves(t, system, c, a, other) {
			t.Errorf("%+v: the verifier's U is another, accepted", c)
		}
	}
}

// TestCommittedColumns: no committed wire's base is a combination of others.
func TestCommittedColumns(t *testing.T) {
	for _, c := range classes {
		system := compile(t, c)
		if left := circuits.Dependent(system.GetR1Cs(), system.CommitmentInfo.(constraint.Groth16Commitments)); len(left) > 0 {
			t.Errorf("%+v: the columns of %d committed wires may depend on each other: %v", c, len(left), left[:min(len(left), 5)])
		}
	}
}
