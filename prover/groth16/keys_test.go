package groth16

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

func saved(t *testing.T, o prover.Options) (string, *fixture) {
	t.Helper()
	f := fixtureFor(t, o)
	dir := filepath.Join(t.TempDir(), "keys")
	if _, err := f.keys.Save(dir, false); err != nil {
		t.Fatal(err)
	}
	if err := prover.SaveOpening(dir, false, f.graph, f.opening, prover.Private); err != nil {
		t.Fatal(err)
	}
	return dir, f
}

func openFolder(dir string) (*Keys, *prover.Manifest, error) {
	m, err := prover.ReadManifest(dir)
	if err != nil {
		return nil, nil, err
	}
	k, err := OpenKeys(dir, m)
	return k, m, err
}

// Everything a key folder holds survives writing and reading, and proves.
func TestKeyFolder(t *testing.T) {
	for _, o := range []prover.Options{publicKeys, privateKeys} {
		dir, f := saved(t, o)
		keys, manifest, err := openFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		if keys.Verifying.Digest() != f.keys.Verifying.Digest() || manifest.Constraints != f.keys.system.GetNbConstraints() {
			t.Error("the verifying key or the manifest differ after reading")
		}
		opening, err := prover.OpenOpening(dir)
		if err != nil {
			t.Fatal(err)
		}
		p, err := keys.Prove(context.Background(), f.graph, opening, [][]int64{randomImage(8, 64)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "p.zkp")
		if err := artifact.WriteProof(path, false, p.Bundle); err != nil {
			t.Fatal(err)
		}
		// What a verifier gets: two files and the proof.
		vk, err := artifact.ReadVerifyingKey(filepath.Join(dir, prover.VerifyingKeyFile))
		if err != nil {
			t.Fatal(err)
		}
		m, err := artifact.ReadModelCommitment(filepath.Join(dir, prover.ModelFile))
		if err != nil {
			t.Fatal(err)
		}
		b, err := artifact.ReadProof(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.VerifyBundle(vk, m.Commitment, b); err != nil {
			t.Error(err)
		}
		info, err := os.Stat(filepath.Join(dir, prover.SecretFile))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("secret file: %v, %v", info.Mode(), err)
		}
	}
}

// A folder appears whole or not at all, and is not replaced by accident.
func TestSaveIsAtomic(t *testing.T) {
	dir, f := saved(t, publicKeys)
	if _, err := f.keys.Save(dir, false); !errors.Is(err, artifact.ErrExists) {
		t.Errorf("writing over a folder: %v", err)
	}
	if _, err := f.keys.Save(dir, true); err != nil {
		t.Errorf("replacing a key folder: %v", err)
	}
	other := t.TempDir()
	if _, err := f.keys.Save(other, true); !errors.Is(err, artifact.ErrExists) {
		t.Errorf("replacing a folder that holds no keys: %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

// Damage of any file is found before its contents are used.
func TestDamagedKeys(t *testing.T) {
	for _, name := range []string{prover.ProvingKeyFile, prover.CircuitFile, prover.VerifyingKeyFile, prover.ManifestFile, prover.ModelFile, prover.SecretFile} {
		for what, damage := range map[string]func([]byte) []byte{
			"truncated": func(b []byte) []byte { return b[:len(b)/2] },
			"empty":     func([]byte) []byte { return nil },
			"altered":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		} {
			dir, _ := saved(t, publicKeys)
			path := filepath.Join(dir, name)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, err = openFolder(dir); err == nil {
				_, err = prover.OpenOpening(dir)
			}
			if err == nil && !(name == prover.ManifestFile && what == "altered") {
				t.Errorf("%s %s: accepted", name, what)
			}
		}
	}
	if _, _, err := openFolder(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no keys: %v", err)
	}
}

// An interrupt leaves nothing.
func TestCancelled(t *testing.T) {
	f := fixtureFor(t, publicKeys)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Compile(ctx, f.graph, publicKeys); !errors.Is(err, context.Canceled) {
		t.Errorf("compile: %v", err)
	}
	if _, err := f.keys.CommitModel(ctx, f.graph, prover.Private); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	if _, err := f.keys.Prove(ctx, f.graph, f.opening, [][]int64{randomImage(3, 64)}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("prove: %v", err)
	}
}
