package ceremony

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/backends"
	"github.com/zkinfer/zkinfer/prover/sumcheck"
	"github.com/zkinfer/zkinfer/verifier"
)

func compileClass(t testing.TB, n int) prover.CeremonyCircuit {
	t.Helper()
	class, err := sumcheck.NumberedClass(n, prover.Options{})
	if err != nil {
		t.Fatal(err)
	}
	circuit, err := class.Compile(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return circuit
}

func newClass(t testing.TB, circuit prover.CeremonyCircuit) *Ceremony {
	t.Helper()
	d := Description{Version: prover.Version, Subject: circuit.Subject()}
	c, err := Create(context.Background(), filepath.Join(t.TempDir(), "ceremony"), circuit.System(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A ceremony for the smallest size class, of two contributors and one in each phase who cheats and is found, gives keys that
// say so; they prove two models, and each model's commitment rejects the other's proof. The circuit of another class is
// refused.
func TestClassCeremony(t *testing.T) {
	ctx := context.Background()
	circuit, other := compileClass(t, prover.MinSizeClass), compileClass(t, prover.MinSizeClass+1)
	c := newClass(t, circuit)
	found := func(what string) {
		t.Helper()
		if _, err := c.Verify(ctx, circuit.System()); !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), `"Eve"`) {
			t.Fatalf("%s: %v, expected ErrRejected and who it was", what, err)
		}
		c = dropLast(t, c)
	}
	contribute(t, c, "Ada")
	_, _, one, _ := bn254.Generators()
	edit1(t, c, func(body []byte) { // a power of τ of her choice
		b := one.Bytes()
		copy(body[3*updateSize+8+g2Size+100*g1Size:], b[:])
	})
	found("a power of τ")
	contribute(t, c, "Bob")
	if err := c.BeginPhase2(ctx, other.System(), beacon1); !errors.Is(err, ErrCircuit) {
		t.Fatalf("phase 2 with the circuit of another class: %v, expected ErrCircuit", err)
	}
	if err := c.BeginPhase2(ctx, circuit.System(), beacon1); err != nil {
		t.Fatal(err)
	}
	contribute(t, c, "Ada")
	malicious2(t, c, elements(101, 102, 103, 104), func(p *mpcsetup.Phase2) { // a row's base
		p.Parameters.G1.SigmaCKK[2][5].Double(&p.Parameters.G1.SigmaCKK[2][5])
	})
	found("a row's base")
	contribute(t, c, "Bob")
	made, err := c.Finish(ctx, circuit.System(), beacon2)
	if err != nil {
		t.Fatal(err)
	}
	third, err := Open(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := third.Verify(ctx, compileClass(t, third.SizeClass).System())
	if err != nil {
		t.Fatal(err)
	}
	sameKeys(t, made, again)
	if _, err := third.Verify(ctx, other.System()); !errors.Is(err, ErrCircuit) {
		t.Errorf("verified with the circuit of another class: %v, expected ErrCircuit", err)
	}
	proveTwo(t, saved(t, circuit, again))
}

// saved are the keys of an outcome, from a folder.
func saved(t *testing.T, circuit prover.CeremonyCircuit, o *Outcome) prover.Keys {
	t.Helper()
	keys, err := circuit.CeremonyKeys(o.ProvingKey, o.VerifyingKey, o.Digest)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "keys")
	if _, err := keys.Save(dir, false); err != nil {
		t.Fatal(err)
	}
	keys, manifest, err := backends.OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := prover.CeremonySetup(o.Digest)
	if got := keys.VerifyingKey().Describe().TrustedSetup; got != want || manifest.TrustedSetup+":"+manifest.Ceremony != want {
		t.Errorf("the key says %q, the manifest %q and %q; expected %q", got, manifest.TrustedSetup, manifest.Ceremony, want)
	}
	return keys
}

// proveTwo proves two models of different architectures with the same keys.
func proveTwo(t *testing.T, keys prover.Keys) {
	t.Helper()
	ctx := context.Background()
	graphs := []*model.Graph{doubler(t, 2), modeltest.Network(rand.New(rand.NewPCG(1, 2)))}
	if graphs[0].ArchitectureDigest() == graphs[1].ArchitectureDigest() {
		t.Fatal("one architecture, expected two")
	}
	var commitments []verifier.Commitment
	var proofs []*verifier.Bundle
	for _, g := range graphs {
		opening, err := keys.CommitModel(ctx, g, prover.Private)
		if err != nil {
			t.Fatal(err)
		}
		var inputs [][]int64
		for _, id := range g.Inputs {
			x := make([]int64, g.Tensors[id].Len())
			for i := range x {
				x[i] = g.Tensors[id].Min + 1
			}
			inputs = append(inputs, x)
		}
		p, err := keys.Prove(ctx, g, opening, inputs, []byte("task"))
		if err != nil {
			t.Fatal(err)
		}
		commitments, proofs = append(commitments, opening.Commitment), append(proofs, p.Bundle)
	}
	for i, m := range commitments {
		for k, p := range proofs {
			if err := keys.VerifyingKey().Verify(m, &p.Statement, p.Proof); (err == nil) != (i == k) {
				t.Errorf("proof %d with the commitment of model %d: %v", k, i, err)
			}
		}
	}
}

// Powers of tau from elsewhere serve a size class, too.
func TestClassOfPtau(t *testing.T) {
	ctx := context.Background()
	circuit := compileClass(t, prover.MinSizeClass)
	shape, err := ShapeOf(circuit.System())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "powers.ptau")
	writePtau(t, path, someTau(t, shape.Power), nil)
	d := Description{Version: prover.Version, Subject: circuit.Subject()}
	c, err := Create(ctx, filepath.Join(t.TempDir(), "ceremony"), circuit.System(), d, path)
	if err != nil {
		t.Fatal(err)
	}
	contribute(t, c, "Ada")
	made, err := c.Finish(ctx, circuit.System(), beacon2)
	if err != nil {
		t.Fatal(err)
	}
	proveTwo(t, saved(t, circuit, made))
}

// A transcript whose first file is made to name another class is refused by whoever compiles that class, and by whoever
// compiles its own.
func TestClassRenamed(t *testing.T) {
	circuit := compileClass(t, prover.MinSizeClass)
	c := newClass(t, circuit)
	contribute(t, c, "Ada")
	forge(t, c, 0, func(h *header, b []byte) []byte { h.Description.SizeClass++; return b })
	renamed, err := Open(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := renamed.Verify(context.Background(), compileClass(t, renamed.SizeClass).System()); !errors.Is(err, ErrCircuit) {
		t.Errorf("%v, expected ErrCircuit", err)
	}
	if _, err := renamed.Verify(context.Background(), circuit.System()); !errors.Is(err, ErrRejected) {
		t.Errorf("Ada's contribution to another transcript: %v, expected ErrRejected", err)
	}
}

// The first file of a ceremony for a model is, byte for byte, what it was before there were ceremonies for size classes.
func TestFrozenDescription(t *testing.T) {
	b, err := os.ReadFile("testdata/init-of-a-model.zkt")
	if err != nil {
		t.Fatal(err)
	}
	h, body, err := decodeEntry(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := h.Description; d.SizeClass != 0 || d.Name() != "pixels" || !d.PrivateInput || d.Constraints != 58 {
		t.Errorf("read %+v", d)
	}
	again, err := encodeEntry(h, body)
	if err != nil || string(again) != string(b) {
		t.Errorf("encodes to %d other bytes, %v; expected the %d of the file", len(again), err, len(b))
	}
}
