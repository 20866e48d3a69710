package groth16

import (
	"context"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
)

// fixture is a small network with keys, a model commitment and a proof.
type fixture struct {
	graph   *model.Graph
	keys    *Keys
	opening *prover.ModelOpening
	proved  *prover.Proved
}

// Setups take about a second each: one a kind of keys for all tests.
var fixtures = struct {
	sync.Mutex
	made map[prover.Options]*fixture
}{made: map[prover.Options]*fixture{}}

var (
	publicKeys  = prover.Options{}
	privateKeys = prover.Options{PrivateInput: true, PrivateOutput: true, FoldRows: 2}
)

func fixtureFor(t testing.TB, o prover.Options) *fixture {
	t.Helper()
	fixtures.Lock()
	defer fixtures.Unlock()
	if f, ok := fixtures.made[o]; ok {
		return f
	}
	ctx := context.Background()
	f := &fixture{graph: smallNet(t, 1)}
	c, err := Compile(ctx, f.graph, o)
	if err != nil {
		t.Fatal(err)
	}
	if f.keys, err = c.UnsafeDevSetup(ctx); err != nil {
		t.Fatal(err)
	}
	if f.opening, err = f.keys.CommitModel(ctx, f.graph, prover.Private); err != nil {
		t.Fatal(err)
	}
	f.proved = f.prove(t, f.graph, f.opening, 3)
	fixtures.made[o] = f
	return f
}

func (f *fixture) prove(t testing.TB, g *model.Graph, o *prover.ModelOpening, image uint64) *prover.Proved {
	t.Helper()
	p, err := f.keys.Prove(context.Background(), g, o, [][]int64{randomImage(image, 64)}, []byte("task 7"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (f *fixture) verify(st *verifier.Statement, proof []byte) error {
	return verifier.Verify(f.keys.Verifying, f.opening.Commitment, st, proof)
}

func expect(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, expected %v", what, err, want)
	}
}

// New weights of the same architecture need a new commitment and no new keys; neither model's proofs
// pass for the other.
func TestNewWeightsSameKeys(t *testing.T) {
	for _, o := range []prover.Options{publicKeys, privateKeys} {
		f := fixtureFor(t, o)
		other := smallNet(t, 2)
		opening, err := f.keys.CommitModel(context.Background(), other, prover.Private)
		if err != nil {
			t.Fatal(err)
		}
		p := f.prove(t, other, opening, 3)
		vk := f.keys.Verifying
		if err := verifier.Verify(vk, opening.Commitment, &p.Bundle.Statement, p.Bundle.Proof); err != nil {
			t.Errorf("new weights: %v", err)
		}
		expect(t, "new weights, old commitment", f.verify(&p.Bundle.Statement, p.Bundle.Proof), verifier.ErrInvalidProof)
		expect(t, "old weights, new commitment",
			verifier.Verify(vk, opening.Commitment, &f.proved.Bundle.Statement, f.proved.Bundle.Proof), verifier.ErrInvalidProof)
		_, err = f.keys.Prove(context.Background(), other, f.opening, [][]int64{randomImage(3, 64)}, nil)
		expect(t, "proving new weights with the old commitment", err, prover.ErrKeyMismatch)
		expect(t, "bundle with a foreign commitment", verifier.VerifyBundle(vk, f.opening.Commitment, p.Bundle), verifier.ErrKeyMismatch)
	}
}

// A prover who uses other weights than the commitment's, and is honest otherwise, satisfies the
// circuit: only the outer check stands in the way. (EZKL's "private" parameters have no such check.)
func TestForeignWeights(t *testing.T) {
	f := fixtureFor(t, publicKeys)
	lying := smallNet(t, 1)
	dense := lying.Nodes[3].Op.(*model.Dense)
	dense.Weights[5]++
	p := f.lie(t, lying, func(a *attempt) {})
	err := f.verify(&p.Bundle.Statement, p.Bundle.Proof)
	expect(t, "altered weights", err, verifier.ErrInvalidProof)
	if err == nil || !containsText(err, "weights") {
		t.Errorf("altered weights: %v, expected the outer check of the weights to fail and no other", err)
	}
}

// lie proves g against f's commitment without the prover's own final check. The scalars of the outer
// checks are computed as the honest prover does, from whichever mask was drawn first.
func (f *fixture) lie(t *testing.T, g *model.Graph, tamper func(*attempt)) *prover.Proved {
	t.Helper()
	ctx := context.Background()
	plan, err := f.keys.plan(g)
	if err != nil {
		t.Fatal(err)
	}
	params, err := plan.Parameters(g)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := g.Execute(ctx, [][]int64{randomImage(3, 64)})
	if err != nil {
		t.Fatal(err)
	}
	w, err := plan.Assign(trace)
	if err != nil {
		t.Fatal(err)
	}
	a := &attempt{keys: f.keys, plan: plan, opening: f.opening, parameters: params, witness: w, salts: map[int]fr.Element{}}
	if err := a.bindStatement(g, trace, []byte("task 7")); err != nil {
		t.Fatal(err)
	}
	if err := a.prove(ctx); err != nil {
		t.Fatal(err)
	}
	tamper(a)
	proof := &verifier.Proof{Ar: a.proof.Ar, Bs: a.proof.Bs, Krs: a.proof.Krs, Commitments: a.proof.Commitments, PoK: a.proof.CommitmentPok}
	alpha := verifier.Challenge(proof.Commitments[0], a.s)
	for k, object := range plan.Objects()[1:] {
		delta, err := a.delta(k+1, object, alpha)
		if err != nil { // no mask fits: the lie
			_, salt, err := a.opened(k+1, object, alpha)
			if err != nil {
				t.Fatal(err)
			}
			delta.Sub(&a.masks.drawn[1], &salt)
		}
		proof.Deltas = append(proof.Deltas, delta)
	}
	return &prover.Proved{Bundle: &verifier.Bundle{Statement: *a.statement, Proof: proof.Encode()}}
}

func containsText(err error, s string) bool { return err != nil && strings.Contains(err.Error(), s) }

func commitmentInfo(k *Keys) constraint.Groth16Commitments {
	return k.system.CommitmentInfo.(constraint.Groth16Commitments)
}

// Whatever of the statement is exchanged, the proof is for another one.
func TestOtherStatement(t *testing.T) {
	f := fixtureFor(t, publicKeys)
	proof := f.proved.Bundle.Proof
	expect(t, "honest", f.verify(&f.proved.Bundle.Statement, proof), nil)
	change := func(what string, edit func(*verifier.Statement), want error) {
		st := f.proved.Bundle.Statement
		st.Inputs = []verifier.TensorValue{{Values: append([]int64{}, st.Inputs[0].Values...)}}
		st.Outputs = []verifier.TensorValue{{Values: append([]int64{}, st.Outputs[0].Values...)}}
		edit(&st)
		expect(t, what, f.verify(&st, proof), want)
	}
	change("input", func(s *verifier.Statement) { s.Inputs[0].Values[9] ^= 1 }, verifier.ErrInvalidProof)
	change("output", func(s *verifier.Statement) { s.Outputs[0].Values[0]++ }, verifier.ErrInvalidProof)
	change("context", func(s *verifier.Statement) { s.Context = []byte("task 8") }, verifier.ErrInvalidProof)
	change("no context", func(s *verifier.Statement) { s.Context = nil }, verifier.ErrInvalidProof)
	change("value out of range", func(s *verifier.Statement) { s.Inputs[0].Values[0] = 256 }, verifier.ErrStatement)
	change("missing output", func(s *verifier.Statement) { s.Outputs = nil }, verifier.ErrStatement)
	change("too few values", func(s *verifier.Statement) { s.Inputs[0].Values = s.Inputs[0].Values[1:] }, verifier.ErrStatement)
	change("commitment for a public input", func(s *verifier.Statement) {
		s.Inputs[0] = verifier.TensorValue{Commitment: []bn254.G1Affine{f.keys.Verifying.Alpha}}
	}, verifier.ErrStatement)
}

// The same for private tensors: their commitments are part of the statement.
func TestOtherCommitments(t *testing.T) {
	f := fixtureFor(t, privateKeys)
	st, proof := f.proved.Bundle.Statement, f.proved.Bundle.Proof
	expect(t, "honest", f.verify(&st, proof), nil)
	again := f.prove(t, f.graph, f.opening, 3).Bundle.Statement
	if again.Inputs[0].Commitment[0].Equal(&st.Inputs[0].Commitment[0]) {
		t.Error("two proofs of one input have the same commitment: they can be linked")
	}
	expect(t, "commitment of the same input with another salt", f.verify(&verifier.Statement{
		Inputs: again.Inputs, Outputs: st.Outputs, Context: st.Context}, proof), verifier.ErrInvalidProof)
	expect(t, "output's commitment", f.verify(&verifier.Statement{
		Inputs: st.Inputs, Outputs: again.Outputs, Context: st.Context}, proof), verifier.ErrInvalidProof)
	expect(t, "swapped", f.verify(&verifier.Statement{
		Inputs: st.Outputs, Outputs: st.Inputs, Context: st.Context}, proof), verifier.ErrInvalidProof)

	ok, err := f.keys.OpenTensor(st.Inputs[0].Commitment[0], false, 0, randomImage(3, 64), f.proved.InputSalts[0][0])
	if err != nil || !ok {
		t.Errorf("the input does not open its commitment: %v", err)
	}
	ok, err = f.keys.OpenTensor(st.Inputs[0].Commitment[0], false, 0, randomImage(4, 64), f.proved.InputSalts[0][0])
	if err != nil || ok {
		t.Errorf("another input opens the commitment: %v", err)
	}
}

// Every byte of a proof matters; so does its length. Nothing panics.
func TestEveryProofByte(t *testing.T) {
	for _, o := range []prover.Options{publicKeys, privateKeys} {
		f := fixtureFor(t, o)
		st, proof := &f.proved.Bundle.Statement, f.proved.Bundle.Proof
		for i := range proof {
			altered := append([]byte{}, proof...)
			altered[i] ^= 1 << (i % 8)
			err := f.verify(st, altered)
			if !errors.Is(err, verifier.ErrInvalidProof) && !errors.Is(err, verifier.ErrMalformed) {
				t.Errorf("byte %d altered: %v", i, err)
			}
		}
		for n := range len(proof) {
			expect(t, "truncated", f.verify(st, proof[:n]), verifier.ErrMalformed)
		}
		expect(t, "extended", f.verify(st, append(append([]byte{}, proof...), 0)), verifier.ErrMalformed)
	}
}

// δ + r is the same scalar in another encoding.
func TestScalarsBeyondTheField(t *testing.T) {
	f := fixtureFor(t, publicKeys)
	proof := append([]byte{}, f.proved.Bundle.Proof...)
	last := proof[len(proof)-fr.Bytes:]
	delta := new(big.Int).SetBytes(last)
	delta.Add(delta, fr.Modulus()).FillBytes(last)
	expect(t, "δ + r", f.verify(&f.proved.Bundle.Statement, proof), verifier.ErrMalformed)
}

func TestRowsOfTheModelCommitment(t *testing.T) {
	f := fixtureFor(t, privateKeys)
	st, proof := &f.proved.Bundle.Statement, f.proved.Bundle.Proof
	rows := f.opening.Commitment.(*verifier.ModelCommitment).Rows
	check := func(what string, rows []bn254.G1Affine, want error) {
		expect(t, what, verifier.Verify(f.keys.Verifying, &verifier.ModelCommitment{Rows: rows}, st, proof), want)
	}
	check("honest", rows, nil)
	swapped := append([]bn254.G1Affine{}, rows...)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	check("swapped rows", swapped, verifier.ErrInvalidProof)
	foreign := append([]bn254.G1Affine{}, rows...)
	foreign[1].Add(&foreign[1], &f.keys.Verifying.Commitments[1].H)
	check("another salt", foreign, verifier.ErrInvalidProof)
	check("a row less", rows[:1], verifier.ErrKeyMismatch)
	check("a row more", append(append([]bn254.G1Affine{}, rows...), rows[0]), verifier.ErrKeyMismatch)
}

// A component on a base of the trace, moved from D1 to D2 and into the model commitment, leaves
// Groth16's sum as it was: the proof of knowledge, with a secret for each commitment, finds it.
func TestForeignBase(t *testing.T) {
	f := fixtureFor(t, publicKeys)
	base := f.keys.proving.CommitmentKeys[0].Basis[0]
	p := f.lie(t, f.graph, func(a *attempt) {
		a.proof.Commitments[1].Add(&a.proof.Commitments[1], &base)
		a.proof.Commitments[0].Sub(&a.proof.Commitments[0], &base)
	})
	err := f.verify(&p.Bundle.Statement, p.Bundle.Proof)
	expect(t, "a trace base in D2", err, verifier.ErrInvalidProof)
	if !containsText(err, "knowledge") {
		t.Errorf("a trace base in D2: %v, expected the proof of knowledge to fail", err)
	}
}

// Proof bytes are malleable, which is why replay protection keys on the statement.
func TestRerandomizedProofIsTheSameStatement(t *testing.T) {
	f := fixtureFor(t, publicKeys)
	p, err := verifier.DecodeProof(f.keys.Verifying, f.proved.Bundle.Proof)
	if err != nil {
		t.Fatal(err)
	}
	z := fr.NewElement(12345)
	var inverse fr.Element
	inverse.Inverse(&z)
	var a, b big.Int
	p.Ar.ScalarMultiplication(&p.Ar, z.BigInt(&a))
	p.Bs.ScalarMultiplication(&p.Bs, inverse.BigInt(&b))
	if err := f.verify(&f.proved.Bundle.Statement, p.Encode()); err != nil {
		t.Errorf("a re-randomized proof is rejected (%v): the documentation says otherwise", err)
	}
}

// A tensor of many field elements is bound by its fold.
func TestFoldedTensor(t *testing.T) {
	b := model.NewBuilder("large")
	in, err := b.Input(model.Tensor{Name: "x", Shape: []int{2100}, Min: 0, Max: 255, Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	out, err := b.Add("half", &model.Activation{Table: model.Table{Values: halves()}}, 1, 0, in)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(out)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compile(context.Background(), g, prover.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.UnsafeDevSetup(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	opening, err := keys.CommitModel(context.Background(), g, prover.Public)
	if err != nil {
		t.Fatal(err)
	}
	p, err := keys.Prove(context.Background(), g, opening, [][]int64{randomImage(1, 2100)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if keys.Verifying.Inputs[0].Binding != verifier.BindingFolded || keys.Verifying.Outputs[0].Binding != verifier.BindingFolded {
		t.Fatal("the tensors are not bound by their folds")
	}
	p.Bundle.Statement.Outputs[0].Values[2099] ^= 1
	expect(t, "one value of a folded output", verifier.VerifyBundle(keys.Verifying, opening.Commitment, p.Bundle), verifier.ErrInvalidProof)
}

func halves() []int64 {
	out := make([]int64, 256)
	for i := range out {
		out[i] = int64(i / 2)
	}
	return out
}

// A public commitment is recomputed by anybody who has the weights; a private one cannot be.
func TestPublicCommitmentIsReproducible(t *testing.T) {
	f := fixtureFor(t, publicKeys)
	commit := func(p prover.Privacy) [32]byte {
		o, err := f.keys.CommitModel(context.Background(), f.graph, p)
		if err != nil {
			t.Fatal(err)
		}
		return o.Commitment.Digest()
	}
	first, second := commit(prover.Public), commit(prover.Public)
	if first != second {
		t.Error("two public commitments to the same weights differ")
	}
	first, second = commit(prover.Private), commit(prover.Private)
	if first == second {
		t.Error("two private commitments to the same weights are equal: the salt is not fresh")
	}
}

// The circuits that real keys are made for bind all committed wires.
func TestKeysBind(t *testing.T) {
	for _, o := range []prover.Options{publicKeys, privateKeys} {
		f := fixtureFor(t, o)
		if left := circuits.Dependent(f.keys.system.GetR1Cs(), commitmentInfo(f.keys)); len(left) > 0 {
			t.Errorf("%+v: %d committed wires may depend on others", o, len(left))
		}
		if err := prover.RefuseInfinity(f.keys.proving); err != nil {
			t.Error(err)
		}
	}
}

// A key in which a base is the point at infinity is refused.
func TestInfinityIsRefused(t *testing.T) {
	f := fixtureFor(t, publicKeys)
	basis := f.keys.proving.CommitmentKeys[1].Basis
	h := basis[len(basis)-1]
	basis[len(basis)-1] = bn254.G1Affine{}
	expect(t, "no mask", prover.RefuseInfinity(f.keys.proving), prover.ErrMalformedKeys)
	basis[len(basis)-1] = h
	expect(t, "restored", prover.RefuseInfinity(f.keys.proving), nil)
}

// Other keys of the same architecture are other keys.
func TestForeignKeys(t *testing.T) {
	f := fixtureFor(t, publicKeys)
	c, err := Compile(context.Background(), f.graph, publicKeys)
	if err != nil {
		t.Fatal(err)
	}
	other, err := c.UnsafeDevSetup(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "verifying with other keys", verifier.VerifyBundle(other.Verifying, f.opening.Commitment, f.proved.Bundle), verifier.ErrKeyMismatch)
	expect(t, "the bare proof under other keys",
		verifier.Verify(other.Verifying, f.opening.Commitment, &f.proved.Bundle.Statement, f.proved.Bundle.Proof), verifier.ErrInvalidProof)
	_, err = other.Prove(context.Background(), f.graph, f.opening, [][]int64{randomImage(3, 64)}, nil)
	expect(t, "proving with a commitment of other keys", err, prover.ErrKeyMismatch)
}
