package artifact_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

const frozen = "../../testvectors/proofs/public/"

// A verifier reads the key and the model commitment from its own records, and a proof from anybody.
func Example() {
	vk, err := artifact.ReadVerifyingKey(frozen + "verifying.key")
	if err != nil {
		log.Fatal(err)
	}
	model, err := artifact.ReadModelCommitment(frozen + "model.zkc")
	if err != nil {
		log.Fatal(err)
	}
	proof, err := artifact.ReadProof(frozen + "proof.zkp")
	if err != nil {
		log.Fatal(err)
	}
	if err := verifier.VerifyBundle(vk, model.Commitment, proof); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("for %q: %v\n", proof.Statement.Context, proof.Statement.Outputs[0].Values)
	// Output: for "task 1": [42 18]
}

// Every file of another kind, truncated, extended or altered is refused with a class of its own.
func TestDamagedFiles(t *testing.T) {
	readers := map[string]func(string) error{
		"verifying.key": func(p string) error { _, err := artifact.ReadVerifyingKey(p); return err },
		"model.zkc":     func(p string) error { _, err := artifact.ReadModelCommitment(p); return err },
		"proof.zkp":     func(p string) error { _, err := artifact.ReadProof(p); return err },
	}
	dir := t.TempDir()
	for name, read := range readers {
		b, err := os.ReadFile(frozen + name)
		if err != nil {
			t.Fatal(err)
		}
		try := func(what string, content []byte, want error) {
			path := filepath.Join(dir, "file")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := read(path); !errors.Is(err, want) {
				t.Errorf("%s %s: %v, expected %v", name, what, err, want)
			}
		}
		try("whole", b, nil)
		try("empty", nil, artifact.ErrMalformed)
		try("extended", append(bytes.Clone(b), 0), artifact.ErrMalformed)
		for n := 0; n < len(b); n += 7 {
			try("truncated", b[:n], artifact.ErrMalformed)
		}
		for at := 60; at < len(b); at += 11 {
			altered := bytes.Clone(b)
			altered[at] ^= 4
			try("altered", altered, artifact.ErrMalformed)
		}
		for other, wrong := range readers {
			if other != name {
				if err := wrong(frozen + name); !errors.Is(err, artifact.ErrKind) {
					t.Errorf("%s read as %s: %v", name, other, err)
				}
			}
		}
	}
}

// What was read is written with the same bytes: files of Groth16 are as they were before there were other
// proof systems.
func TestRewritten(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"public", "private"} {
		from := "../../testvectors/proofs/" + name + "/"
		vk, err := artifact.ReadVerifyingKey(from + "verifying.key")
		if err != nil {
			t.Fatal(err)
		}
		m, err := artifact.ReadModelCommitment(from + "model.zkc")
		if err != nil {
			t.Fatal(err)
		}
		b, err := artifact.ReadProof(from + "proof.zkp")
		if err != nil {
			t.Fatal(err)
		}
		for file, write := range map[string]func(string) error{
			"verifying.key": func(p string) error { return artifact.WriteVerifyingKey(p, true, vk) },
			"model.zkc":     func(p string) error { return artifact.WriteModelCommitment(p, true, m) },
			"proof.zkp":     func(p string) error { return artifact.WriteProof(p, true, b) },
		} {
			path := filepath.Join(dir, file)
			if err := write(path); err != nil {
				t.Fatal(err)
			}
			if got, want := readAll(t, path), readAll(t, from+file); !bytes.Equal(got, want) {
				t.Errorf("%s of %s differs from the one that was read", file, name)
			}
		}
	}
}

func readAll(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A model commitment names its proof system, but for Groth16, so that one commitment has one file.
func TestBackendOfCommitment(t *testing.T) {
	_, payload, err := envelope.Decode(readAll(t, frozen+"model.zkc"), artifact.KindModelCommitment)
	if err != nil {
		t.Fatal(err)
	}
	for name, good := range map[string]bool{"": true, "groth16": false, "fish": false} {
		var fields map[string]any
		if err := envelope.Unmarshal(payload, &fields); err != nil {
			t.Fatal(err)
		}
		if name != "" {
			fields["backend"] = name
		}
		b, err := envelope.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		m, err := artifact.DecodeModelCommitment(envelope.Encode(artifact.KindModelCommitment, 1, b))
		if (err == nil) != good || good && m.Commitment.Backend() != verifier.BackendGroth16 || !good && !errors.Is(err, verifier.ErrMalformed) && !errors.Is(err, artifact.ErrMalformed) {
			t.Errorf("backend %q: %v", name, err)
		}
	}
}
