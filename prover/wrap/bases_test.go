package wrap

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/constraint"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/ceremony"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// real are size classes as they are used.
var real = []claims.Class{{RowBits: 8, Singles: 64, Groups: 64}, {RowBits: 11, Singles: 64, Groups: 64}, {RowBits: 12, Singles: 64, Groups: 128}}

// TestRealColumns: of the circuits that are used, all committed wires of all three commitments together, gnark's masks and ours
// included, have independent columns.
func TestRealColumns(t *testing.T) {
	for _, c := range real {
		system := compile(t, c)
		info := system.CommitmentInfo.(constraint.Groth16Commitments)
		if len(info) != 3 {
			t.Fatalf("%d commitments, expected 3", len(info))
		}
		// Each commits to what it has to, and to gnark's mask.
		for i, want := range []int{c.Pads() + 1, c.Public(), c.Row() + 1} {
			if n := len(info[i].PrivateCommitted); n != want+1 {
				t.Errorf("%+v: commitment %d has %d wires, expected %d", c, i, n, want+1)
			}
		}
		if left := circuits.Dependent(system.GetR1Cs(), info); len(left) > 0 {
			t.Errorf("%+v: %d columns may depend on others", c, len(left))
		}
	}
}

// TestBases: no base of a commitment is infinity, and none serves twice, neither within a commitment nor in two, nor as a
// public input's, nor is one the generator: of keys of one party, and of several.
func TestBases(t *testing.T) {
	ctx := context.Background()
	c, err := Compile(ctx, real[0])
	if err != nil {
		t.Fatal(err)
	}
	dev, err := c.UnsafeDevSetup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	small, err := Compile(ctx, classes[2])
	if err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]*Keys{"unsafe dev": dev, "ceremony": ofCeremony(t, small)} {
		t.Run(name, func(t *testing.T) { checkBases(t, k) })
	}
}

// ofCeremony are keys by one contributor and two random values.
func ofCeremony(t *testing.T, c *Circuit) *Keys {
	t.Helper()
	ctx := context.Background()
	transcript, err := ceremony.Create(ctx, filepath.Join(t.TempDir(), "ceremony"), c.System(),
		ceremony.Description{Version: prover.Version, Subject: prover.Subject{SizeClass: prover.MinSizeClass}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transcript.Contribute(ctx, "Ada"); err != nil {
		t.Fatal(err)
	}
	if err := transcript.BeginPhase2(ctx, c.System(), []byte("a block hash after phase 1")); err != nil {
		t.Fatal(err)
	}
	if _, err := transcript.Contribute(ctx, "Ada"); err != nil {
		t.Fatal(err)
	}
	made, err := transcript.Finish(ctx, c.System(), []byte("a block hash after phase 2"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := c.CeremonyKeys(made.ProvingKey, made.VerifyingKey, made.Digest)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func checkBases(t *testing.T, k *Keys) {
	_, _, one, _ := bn254.Generators()
	seen := map[bn254.G1Affine]string{one: "the generator"}
	note := func(p bn254.G1Affine, what string) {
		if p.IsInfinity() {
			t.Errorf("%s is infinity", what)
		}
		if other, ok := seen[p]; ok {
			t.Errorf("%s is %s", what, other)
		}
		seen[p] = what
	}
	for i, c := range k.proving.CommitmentKeys {
		for j := range c.Basis {
			note(c.Basis[j], fmt.Sprintf("base %d of commitment %d", j, i))
		}
		for j := range c.BasisExpSigma {
			note(c.BasisExpSigma[j], fmt.Sprintf("base %d of the proof of knowledge of commitment %d", j, i))
		}
	}
	for i := range k.Verifying.K {
		if p := k.Verifying.K[i]; !p.IsInfinity() { // S and F stand in no constraint: they are bound by being hashed
			note(p, fmt.Sprintf("K[%d]", i))
		}
	}
	row := k.proving.CommitmentKeys[wrapped.CommitRow].Basis
	if !row[k.Verifying.Class.Row()].Equal(&k.Verifying.H) {
		t.Error("H is not the base of the rows' masks")
	}
	if err := k.Check(); err != nil {
		t.Error(err)
	}
}
