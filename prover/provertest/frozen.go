package provertest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// FrozenDir is a folder of testvectors/proofs: a key, a model commitment and a proof that were made once, and
// are read as long as their version is.
func FrozenDir(name string) string { return filepath.Join(vectors(), "proofs", name) }

// Refreeze tells whether UPDATE_GOLDEN=1 asks for them to be made anew, after a deliberate change of a format.
func Refreeze() bool { return os.Getenv("UPDATE_GOLDEN") != "" }

// Freeze makes such a folder.
func Freeze(t *testing.T, dir string, b prover.Backend, g *model.Graph, inputs [][]int64, o prover.Options, privacy prover.Privacy) {
	t.Helper()
	ctx := context.Background()
	keys := setup(t, b, g, o)
	opening, err := keys.CommitModel(ctx, g, privacy)
	if err != nil {
		t.Fatal(err)
	}
	p, err := keys.Prove(ctx, g, opening, inputs, []byte("task 1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	if err := prover.SaveOpening(tmp, true, g, opening, privacy); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(tmp, prover.ModelFile), filepath.Join(dir, prover.ModelFile)); err != nil {
		t.Fatal(err)
	}
	if err := artifact.WriteVerifyingKey(filepath.Join(dir, prover.VerifyingKeyFile), true, keys.VerifyingKey()); err != nil {
		t.Fatal(err)
	}
	if err := artifact.WriteProof(filepath.Join(dir, "proof.zkp"), true, p.Bundle); err != nil {
		t.Fatal(err)
	}
}

// VerifyFrozen verifies what is in such a folder.
func VerifyFrozen(t *testing.T, dir string) {
	t.Helper()
	vk, err := artifact.ReadVerifyingKey(filepath.Join(dir, prover.VerifyingKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	m, err := artifact.ReadModelCommitment(filepath.Join(dir, prover.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	b, err := artifact.ReadProof(filepath.Join(dir, "proof.zkp"))
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.VerifyBundle(vk, m.Commitment, b); err != nil {
		t.Error(err)
	}
}
