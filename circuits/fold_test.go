package circuits

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// The wire beside the folded parameters is what docs/protocol.md says a verifier computes from the statement's bytes:
// here it is computed from them once more.
func TestFoldIsOfTheStatement(t *testing.T) {
	folds := 0
	for _, gc := range gadgetCases() {
		c := compile(t, gc)
		if !c.plan.FoldsTensors() {
			continue
		}
		folds++
		trace := c.execute(t, rand.New(rand.NewPCG(15, 16)))
		w, err := c.plan.Assign(trace)
		if err != nil {
			t.Fatal(err)
		}
		solution, err := c.system.Solve(c.witness(t, w), c.params.SolverOption())
		if err != nil {
			t.Fatal(err)
		}
		wires := solution.(*cs.R1CSSolution).W
		alpha := wires[c.system.CommitmentInfo.(constraint.Groth16Commitments)[0].CommitmentIndex]
		object := c.circuit.CommittedWires()[ParameterIndex]
		if len(object) != c.plan.Columns+1 {
			t.Fatalf("%s: %d wires beside the mask, expected %d parameters and the fold", gc.name, len(object), c.plan.Columns)
		}
		if want := foldOfBytes(c, trace, alpha); !wires[object[c.plan.Columns]].Equal(&want) {
			t.Errorf("%s: the fold is %v, by the statement's bytes %v", gc.name, wires[object[c.plan.Columns]].String(), want.String())
		}
	}
	if folds < 30 {
		t.Errorf("only %d cases fold tensors", folds)
	}
}

// foldOfBytes is Σ e_j·α^(R+j) by plain integers: bytes of each element, pieces of 31 bytes at most, powers.
func foldOfBytes(c *compiled, trace *model.Trace, alpha fr.Element) (sum fr.Element) {
	power := fr.One()
	for range c.plan.FoldRows {
		power.Mul(&power, &alpha)
	}
	for _, id := range append(append([]model.TensorID{}, c.graph.Inputs...), c.graph.Outputs...) {
		tensor := c.graph.Tensors[id]
		width := 1
		for (tensor.Max-tensor.Min)>>(8*width) > 0 {
			width++
		}
		var piece []byte // most significant byte first
		flush := func() {
			var e fr.Element
			e.SetBigInt(new(big.Int).SetBytes(piece))
			e.Mul(&e, &power)
			sum.Add(&sum, &e)
			power.Mul(&power, &alpha)
			piece = nil
		}
		for _, v := range trace.Values[id] {
			if len(piece)+width > 31 {
				flush()
			}
			for b := range width {
				piece = append([]byte{byte((v - tensor.Min) >> (8 * b))}, piece...)
			}
		}
		flush()
	}
	return sum
}

// One public input takes as many bytes as one piece has, and one byte more folds. PLONK folds nothing.
func TestFoldLimit(t *testing.T) {
	for _, c := range []struct {
		n    int
		o    Options
		want Binding
	}{
		{31, Options{PrivateInput: true}, Packed}, {32, Options{PrivateInput: true}, Folded},
		{1, Options{}, Folded}, {1000, Options{Arithmetization: Gates}, Packed},
	} {
		p, err := NewPlan(bytesThrough(c.n), c.o)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Outputs()[0]; got != c.want || p.FoldsTensors() != (c.want == Folded) {
			t.Errorf("%d bytes, %+v: binding %d, expected %d", c.n, c.o, got, c.want)
		}
	}
}

// bytesThrough looks n bytes up in a table.
func bytesThrough(n int) *model.Graph {
	table := model.Table{Values: make([]int64, 256)}
	for i := range table.Values {
		table.Values[i] = int64(255 - i)
	}
	return modeltest.Graph(&model.Activation{Table: table}, modeltest.Bytes(1, n))
}

// late is a gadget whose output is made of wires that are known after α only.
type late struct {
	gadget
	out model.TensorID
}

func (g *late) define(b *builder) error {
	if err := g.gadget.define(b); err != nil {
		return err
	}
	for i, v := range b.values[g.out] {
		b.values[g.out][i] = b.inner([]frontend.Variable{v}, []frontend.Variable{1})
	}
	return nil
}

// What is folded at α is fixed before α, or the circuit does not compile.
func TestFoldOfLateWires(t *testing.T) {
	g := bytesThrough(40)
	p, err := NewPlan(g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.gadgets[0] = &late{p.gadgets[0], g.Outputs[0]}
	_, err = frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, p.NewCircuit(), CompileOption())
	if !errors.Is(err, errLateFold) {
		t.Errorf("%v, expected %v", err, errLateFold)
	}
}

// foldedPieces says of two field elements, the pieces of a tensor, that they have the fold of the stated ones. The point is
// drawn from the elements, or before there are any.
type foldedPieces struct {
	Stated [2]frontend.Variable `gnark:",public"`
	X      [2]frontend.Variable
	early  bool // the elements are committed before the point is drawn
}

// sameFold finds pieces other than the stated ones with the same fold at a known point z: differences d_0 = −z·d_1 of
// half the field's size are what Euclid's algorithm stops at halfway.
func sameFold(field *big.Int, in, out []*big.Int) error {
	r0, r1 := new(big.Int).Set(field), new(big.Int).Set(in[0])
	t0, t1 := big.NewInt(0), big.NewInt(1)
	for r1.BitLen() > field.BitLen()/2 {
		q, r := new(big.Int).QuoRem(r0, r1, new(big.Int))
		r0, r1 = r1, r
		t0, t1 = t1, new(big.Int).Sub(t0, q.Mul(q, t1))
	}
	// r1 = t1·z, so x_0 + z·x_1 stays if x_0 gains r1 and x_1 loses t1.
	out[0].Add(in[1], r1)
	out[1].Sub(in[2], t1)
	return nil
}

func (c *foldedPieces) Define(api frontend.API) error {
	x := c.X[:]
	committed := append([]frontend.Variable{}, c.Stated[:]...)
	if c.early {
		committed = append(committed, x...)
	}
	z := commit(api, committed...)
	if !c.early {
		var err error
		if x, err = api.NewHint(sameFold, 2, z, c.Stated[0], c.Stated[1]); err != nil {
			return err
		}
		api.AssertIsDifferent(x[1], c.Stated[1]) // what the attack is for
	}
	for i := range x {
		api.ToBinary(x[i], 8*31)
	}
	api.AssertIsEqual(api.Add(x[0], api.Mul(z, x[1])), api.Add(c.Stated[0], api.Mul(z, c.Stated[1])))
	return nil
}

// A point that is known while the wires are chosen lets other bytes pass, all in range.
func TestFoldNeedsLaterPoint(t *testing.T) {
	solver.RegisterHint(sameFold)
	middle := new(big.Int).Lsh(big.NewInt(1), 247)
	stated := [2]frontend.Variable{middle, middle}
	other := [2]frontend.Variable{middle, new(big.Int).Add(middle, big.NewInt(1))}
	broken, sound := mustCompile(t, &foldedPieces{}), mustCompile(t, &foldedPieces{early: true})
	if !satisfies(t, broken, &foldedPieces{Stated: stated, X: stated}) {
		t.Error("the attack on an early point does not work any more: is it still the right one?")
	}
	if !satisfies(t, sound, &foldedPieces{Stated: stated, X: stated}) {
		t.Error("the stated elements rejected")
	}
	if satisfies(t, sound, &foldedPieces{Stated: stated, X: other}) {
		t.Error("other elements than the stated ones accepted although the point is drawn from them")
	}
}

// besideRows is the outer check of parameters and fold, whose bases share a commitment, as a circuit: the opened fold, of X,
// is that of the stated elements plus what rows of a model commitment have at the fold's base, Σ αⁱ·C_i.
type besideRows struct {
	Stated [2]frontend.Variable `gnark:",public"`
	C      [2]frontend.Variable `gnark:",public"` // fixed before α, as M is
	X      [2]frontend.Variable
	above  bool // the fold's powers begin above those of the rows
}

func (c *besideRows) Define(api frontend.API) error {
	alpha := commit(api, c.Stated[0], c.Stated[1], c.C[0], c.C[1], c.X[0], c.X[1])
	first := frontend.Variable(1)
	if c.above {
		first = api.Mul(alpha, alpha)
	}
	line := func(v [2]frontend.Variable) frontend.Variable { return api.Add(v[0], api.Mul(alpha, v[1])) }
	api.AssertIsEqual(api.Mul(first, line(c.X)), api.Add(api.Mul(first, line(c.Stated)), line(c.C)))
	return nil
}

// The owner of a model commitment could put differences at the fold's base, if rows had the same powers of α.
func TestFoldNeedsItsOwnPowers(t *testing.T) {
	forged := &besideRows{Stated: [2]frontend.Variable{10, 20}, C: [2]frontend.Variable{1, -5}, X: [2]frontend.Variable{11, 15}}
	honest := &besideRows{Stated: [2]frontend.Variable{10, 20}, C: [2]frontend.Variable{0, 0}, X: [2]frontend.Variable{10, 20}}
	broken, sound := mustCompile(t, &besideRows{}), mustCompile(t, &besideRows{above: true})
	if !satisfies(t, broken, forged) {
		t.Error("the attack on shared powers does not work any more: is it still the right one?")
	}
	if !satisfies(t, sound, honest) {
		t.Error("the stated elements rejected")
	}
	if satisfies(t, sound, forged) {
		t.Error("other elements accepted although the fold has powers of its own")
	}
}
