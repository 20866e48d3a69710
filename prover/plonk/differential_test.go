package plonk

import (
	"context"
	"errors"
	"testing"

	"golang.org/x/crypto/sha3"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	"github.com/consensys/gnark/backend"
	plonkbn254 "github.com/consensys/gnark/backend/plonk/bn254"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/srs"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/plonk"
)

// srsOf is what keys were made of.
func srsOf(k *Keys) *srs.SRS {
	return &srs.SRS{LogSize: k.Verifying.LogSize, Powers: k.proving.Kzg.G1, Lagrange: k.proving.KzgLagrange.G1, TauG2: k.Verifying.TauG2}
}

func publicInputs(t *testing.T, f *proven) fr.Vector {
	t.Helper()
	s, err := verifier.StatementDigest(f.keys.Verifying, f.opening.Commitment, &f.proved.Bundle.Statement)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.PublicInputs(f.keys.Verifying.Fixed(), &f.proved.Bundle.Statement, s)
}

// gnarkVerify is gnark's verdict. Its proofs hold the value of the linearized polynomial, which ours leave out:
// linearized.
func gnarkVerify(f *proven, p *plonk.Proof, linearized fr.Element, public fr.Vector) error {
	values := append([]fr.Element{linearized, p.AtL, p.AtR, p.AtO, p.AtS[0], p.AtS[1]}, p.AtQcp[:]...)
	theirs := &plonkbn254.Proof{
		LRO: [3]bn254.G1Affine{p.L, p.R, p.O}, Z: p.Z, H: p.H, Bsb22Commitments: p.Committed[:],
		BatchedProof:    kzg.BatchOpeningProof{H: p.Opening, ClaimedValues: values},
		ZShiftedOpening: kzg.OpeningProof{H: p.Shifted, ClaimedValue: p.AtZ},
	}
	return plonkbn254.Verify(theirs, f.keys.proving.Vk, public,
		backend.WithVerifierChallengeHashFunction(sha3.NewLegacyKeccak256()),
		backend.WithVerifierKZGFoldingHashFunction(sha3.NewLegacyKeccak256()),
		backend.WithVerifierHashToFieldFunction(sha3.NewLegacyKeccak256()))
}

// points and scalars are the fields of a proof by name.
func points(p *plonk.Proof) map[string]*bn254.G1Affine {
	return map[string]*bn254.G1Affine{"trace": &p.Committed[0], "challenge": &p.Committed[1], "L": &p.L, "R": &p.R, "O": &p.O, "Z": &p.Z,
		"H0": &p.H[0], "H1": &p.H[1], "H2": &p.H[2], "opening": &p.Opening, "shifted opening": &p.Shifted}
}

func scalars(p *plonk.Proof) map[string]*fr.Element {
	return map[string]*fr.Element{"l": &p.AtL, "r": &p.AtR, "o": &p.AtO, "s1": &p.AtS[0], "s2": &p.AtS[1],
		"qcp0": &p.AtQcp[0], "qcp1": &p.AtQcp[1], "z": &p.AtZ}
}

// Our verifier agrees with gnark's: on honest proofs, and on every field replaced in several ways.
func TestAgreesWithGnark(t *testing.T) {
	f := theFixture(t)
	public := publicInputs(t, f)
	_, _, g1, _ := bn254.Generators()
	one := fr.One()
	edits := map[string]func(*plonk.Proof){"honest": func(*plonk.Proof) {}}
	for name := range points(&plonk.Proof{}) {
		edits[name+" + G"] = func(p *plonk.Proof) { x := points(p)[name]; x.Add(x, &g1) }
		edits[name+" negated"] = func(p *plonk.Proof) { x := points(p)[name]; x.Neg(x) }
		edits[name+" at infinity"] = func(p *plonk.Proof) { *points(p)[name] = bn254.G1Affine{} }
		edits[name+" is Z"] = func(p *plonk.Proof) { *points(p)[name] = p.Z }
	}
	for name := range scalars(&plonk.Proof{}) {
		edits[name+" + 1"] = func(p *plonk.Proof) { x := scalars(p)[name]; x.Add(x, &one) }
		edits[name+" is 0"] = func(p *plonk.Proof) { x := scalars(p)[name]; x.SetZero() }
		edits[name+" is l"] = func(p *plonk.Proof) { *scalars(p)[name] = p.AtL }
	}
	for name, edit := range edits {
		p, err := plonk.DecodeProof(f.proved.Bundle.Proof)
		if err != nil {
			t.Fatal(err)
		}
		before := *p
		edit(p)
		ours := f.verify(&f.proved.Bundle.Statement, p.Encode())
		theirs := gnarkVerify(f, p, f.keys.Verifying.Linearized(p, public), public)
		if (ours == nil) != (theirs == nil) {
			t.Errorf("%s: we say %v, gnark says %v", name, ours, theirs)
		}
		if want := before == *p; want != (ours == nil) {
			t.Errorf("%s: %v", name, ours)
		}
		if ours != nil && !errors.Is(ours, verifier.ErrInvalidProof) {
			t.Errorf("%s: %v, expected ErrInvalidProof", name, ours)
		}
	}
	for i := range public {
		edited := append(fr.Vector{}, public...)
		edited[i].Add(&edited[i], &one)
		p, err := plonk.DecodeProof(f.proved.Bundle.Proof)
		if err != nil {
			t.Fatal(err)
		}
		ours := f.keys.Verifying.VerifyProof(p, edited)
		theirs := gnarkVerify(f, p, f.keys.Verifying.Linearized(p, edited), edited)
		if ours == nil || theirs == nil {
			t.Errorf("public input %d replaced: we say %v, gnark says %v", i, ours, theirs)
		}
	}
}

// Every field of the key counts.
func TestTamperedKey(t *testing.T) {
	f := theFixture(t)
	public := publicInputs(t, f)
	p, err := plonk.DecodeProof(f.proved.Bundle.Proof)
	if err != nil {
		t.Fatal(err)
	}
	_, _, g1, g2 := bn254.Generators()
	for name, edit := range map[string]func(*plonk.VerifyingKey){
		"S1":          func(k *plonk.VerifyingKey) { k.S[0].Add(&k.S[0], &g1) },
		"S2":          func(k *plonk.VerifyingKey) { k.S[1].Add(&k.S[1], &g1) },
		"S3":          func(k *plonk.VerifyingKey) { k.S[2].Add(&k.S[2], &g1) },
		"Ql":          func(k *plonk.VerifyingKey) { k.Ql.Add(&k.Ql, &g1) },
		"Qr":          func(k *plonk.VerifyingKey) { k.Qr.Add(&k.Qr, &g1) },
		"Qm":          func(k *plonk.VerifyingKey) { k.Qm.Add(&k.Qm, &g1) },
		"Qo":          func(k *plonk.VerifyingKey) { k.Qo.Add(&k.Qo, &g1) },
		"Qk":          func(k *plonk.VerifyingKey) { k.Qk.Add(&k.Qk, &g1) },
		"Qcp0":        func(k *plonk.VerifyingKey) { k.Qcp[0].Add(&k.Qcp[0], &g1) },
		"Qcp1":        func(k *plonk.VerifyingKey) { k.Qcp[1].Add(&k.Qcp[1], &g1) },
		"τ":           func(k *plonk.VerifyingKey) { k.TauG2.Add(&k.TauG2, &g2) },
		"size":        func(k *plonk.VerifyingKey) { k.LogSize++ },
		"challenge 0": func(k *plonk.VerifyingKey) { k.Challenges[0]-- },
		"challenge 1": func(k *plonk.VerifyingKey) { k.Challenges[1]++ },
	} {
		k := *f.keys.Verifying
		edit(&k)
		if err := k.VerifyProof(p, public); !errors.Is(err, verifier.ErrInvalidProof) {
			t.Errorf("%s: %v, expected ErrInvalidProof", name, err)
		}
		if k.Digest() == f.keys.Verifying.Digest() {
			t.Errorf("%s is not covered by the digest", name)
		}
	}
}

// A proof is for its statement, its model, and the SRS that its key was made of.
func TestBoundTo(t *testing.T) {
	ctx := context.Background()
	f := theFixture(t)
	honest := f.proved.Bundle
	if err := f.verify(&honest.Statement, honest.Proof); err != nil {
		t.Fatal(err)
	}
	st := honest.Statement
	st.Context = []byte("another")
	if err := f.verify(&st, honest.Proof); !errors.Is(err, verifier.ErrInvalidProof) {
		t.Errorf("another context: %v", err)
	}
	for _, side := range []*[]verifier.TensorValue{&st.Inputs, &st.Outputs} {
		st = honest.Statement
		values := append([]int64{}, (*side)[0].Values...)
		values[1] ^= 1
		*side = []verifier.TensorValue{{Values: values}}
		if err := f.verify(&st, honest.Proof); !errors.Is(err, verifier.ErrInvalidProof) {
			t.Errorf("another value: %v", err)
		}
	}
	other := &proven{graph: small(t, 2)}
	for name, g := range map[string]*proven{"other weights": other, "another SRS": {graph: f.graph}} {
		c, err := Compile(ctx, g.graph, prover.Options{PublicParameters: true})
		if err != nil {
			t.Fatal(err)
		}
		if g.keys, err = c.UnsafeDevSetup(ctx); err != nil {
			t.Fatal(err)
		}
		public := publicInputs(t, f)
		p, err := plonk.DecodeProof(honest.Proof)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.keys.Verifying.VerifyProof(p, public); !errors.Is(err, verifier.ErrInvalidProof) {
			t.Errorf("%s: %v", name, err)
		}
		if err := g.keys.Verifying.Verify(f.opening.Commitment, &honest.Statement, honest.Proof); !errors.Is(err, verifier.ErrKeyMismatch) {
			t.Errorf("%s, with the model commitment of the first: %v", name, err)
		}
	}
	if _, err := f.keys.Prove(ctx, other.graph, f.opening, randomInputs(other.graph, 1), nil); !errors.Is(err, prover.ErrKeyMismatch) {
		t.Errorf("keys used for other weights: %v", err)
	}
}
