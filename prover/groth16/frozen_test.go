package groth16_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/groth16"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// The artifacts in testvectors/proofs stay verifiable: what was written once is read as long as its
// version is. Run with UPDATE_GOLDEN=1, after a deliberate change of a format, to make them anew.
func TestFrozenArtifacts(t *testing.T) {
	for name, o := range map[string]prover.Options{"public": {}, "private": {PrivateInput: true, PrivateOutput: true}} {
		dir := filepath.Join("..", "..", "testvectors", "proofs", name)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			freeze(t, dir, o)
		}
		vk, err := artifact.ReadVerifyingKey(filepath.Join(dir, "verifying.key"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := artifact.ReadModelCommitment(filepath.Join(dir, "model.zkc"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := artifact.ReadProof(filepath.Join(dir, "proof.zkp"))
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.VerifyBundle(vk, m.Commitment, b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func freeze(t *testing.T, dir string, o prover.Options) {
	t.Helper()
	ctx := context.Background()
	g := adder()
	circuit, err := groth16.Compile(ctx, g, o)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := circuit.UnsafeDevSetup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	opening, err := keys.CommitModel(ctx, g, prover.Public)
	if err != nil {
		t.Fatal(err)
	}
	p, err := keys.Prove(ctx, g, opening, [][]int64{{30, 12}}, []byte("task 1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	if err := prover.SaveOpening(tmp, true, g, opening, prover.Public); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(tmp, prover.ModelFile), filepath.Join(dir, prover.ModelFile)); err != nil {
		t.Fatal(err)
	}
	if err := artifact.WriteVerifyingKey(filepath.Join(dir, prover.VerifyingKeyFile), true, keys.Verifying); err != nil {
		t.Fatal(err)
	}
	if err := artifact.WriteProof(filepath.Join(dir, "proof.zkp"), true, p.Bundle); err != nil {
		t.Fatal(err)
	}
}
