package wrapped_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/sumcheck"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// TestEveryStepIsNeeded: of the Groth16 equation, the proofs of knowledge and the link, each rejects what the other two accept.
func TestEveryStepIsNeeded(t *testing.T) {
	class, err := sumcheck.NumberedClass(prover.MinSizeClass, prover.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := class.UnsafeDevSetup(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	g := modeltest.Network(r)
	opening, err := keys.CommitModel(context.Background(), g, prover.Private)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]int64, g.Tensors[g.Inputs[0]].Len())
	proved, err := keys.Prove(context.Background(), g, opening, [][]int64{x}, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, c, st := keys.VerifyingKey().(*wrapped.Key), opening.Commitment.(*wrapped.Commitment), &proved.Bundle.Statement
	told, err := wrapped.DecodeProof(c.Architecture, proved.Bundle.Proof)
	if err != nil {
		t.Fatal(err)
	}
	_, _, point, _ := bn254.Generators()
	one := fr.One()
	for name, lie := range map[string]struct {
		change func(p *wrapped.Proof)
		want   [3]bool // accepted
	}{
		"nothing":  {func(*wrapped.Proof) {}, [3]bool{true, true, true}},
		"C":        {func(p *wrapped.Proof) { p.Krs.Add(&p.Krs, &point) }, [3]bool{false, true, true}},
		"A":        {func(p *wrapped.Proof) { p.Ar.Add(&p.Ar, &point) }, [3]bool{false, true, true}},
		"PoK":      {func(p *wrapped.Proof) { p.PoK.Add(&p.PoK, &point) }, [3]bool{true, false, true}},
		"delta":    {func(p *wrapped.Proof) { p.Delta.Add(&p.Delta, &one) }, [3]bool{true, true, false}},
		"a row":    {func(p *wrapped.Proof) { p.Rows[1].Add(&p.Rows[1], &point) }, [3]bool{true, true, false}},
		"H in row": {func(p *wrapped.Proof) { p.Rows[1].Add(&p.Rows[1], &key.H) }, [3]bool{true, true, false}},
		// The sum of the commitments stays what it was: only that each is of its own bases tells.
		"between pads and form": {func(p *wrapped.Proof) { move(p, 0, 1, point) }, [3]bool{true, false, true}},
		"pads and form swapped": {func(p *wrapped.Proof) {
			p.Commitments[0], p.Commitments[1] = p.Commitments[1], p.Commitments[0]
		}, [3]bool{true, false, true}},
		"between form and row": {func(p *wrapped.Proof) { move(p, 1, 2, key.H) }, [3]bool{true, false, false}},
	} {
		shown := *told
		shown.Rows = slices.Clone(told.Rows)
		lie.change(&shown)
		groth16, knowledge, link := key.Steps(c, st, told, &shown)
		for i, err := range []error{groth16, knowledge, link} {
			if (err == nil) != lie.want[i] || err != nil && !errors.Is(err, verifier.ErrInvalidProof) {
				t.Errorf("%s: step %d says %v, accepted was expected to be %v", name, i, err, lie.want[i])
			}
		}
		if err := key.Verify(c, st, shown.Encode()); (err == nil) != (name == "nothing") {
			t.Errorf("%s: the verifier says %v", name, err)
		}
	}
}

// move takes a point from one commitment to another.
func move(p *wrapped.Proof, from, to int, x bn254.G1Affine) {
	p.Commitments[to].Add(&p.Commitments[to], &x)
	p.Commitments[from].Sub(&p.Commitments[from], &x)
}
