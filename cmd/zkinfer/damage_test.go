package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// TestDamagedContents changes files behind a valid digest, as only somebody malicious would: no
// command panics, and each answers with one JSON object. A model commitment also holds scales and flags
// that no proof is about.
func TestDamagedContents(t *testing.T) {
	for backend, steps := range map[string]steps{
		"groth16":  {model: 5, proof: 3, commitment: 5, key: 13},
		"sumcheck": {model: 97, proof: 301, commitment: 17, key: 61},
	} {
		t.Run(backend, func(t *testing.T) { damageContents(t, backend, steps) })
	}
}

// steps say how many bytes of each file lie between those that are changed.
type steps struct{ model, proof, commitment, key int }

func damageContents(t *testing.T, backend string, n steps) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	g, err := tinyModel()
	if err != nil {
		t.Fatal(err)
	}
	b, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	write(t, at("tiny.zkm"), b)
	write(t, at("x.json"), []byte("[1, 2, 3]"))
	for _, args := range [][]string{
		{"setup", at("tiny.zkm"), "-o", at("keys"), "--unsafe-dev-setup", "--input", "private", "--backend", backend},
		{"commit", at("tiny.zkm"), "--keys", at("keys")},
		{"prove", at("tiny.zkm"), "--keys", at("keys"), "--input", at("x.json"), "-o", at("x.zkp")},
	} {
		if code, out := runJSON(t, args); code != exitOK {
			t.Fatalf("%v: %s", args, out)
		}
	}
	vk, zkc := at("keys/"+prover.VerifyingKeyFile), at("keys/"+prover.ModelFile)
	for _, c := range []struct {
		file, kind string
		step       int  // changes every step-th byte
		meaningful bool // every byte bears on whether a proof is valid
		commands   [][]string
	}{
		{at("tiny.zkm"), model.FileKind, n.model, false, [][]string{{"inspect", "FILE"}, {"run", "FILE", "--input", at("x.json")}}},
		{at("x.zkp"), artifact.KindProof, n.proof, true, [][]string{{"inspect", "FILE"}, {"verify", "FILE", "--keys", at("keys"), "--output", "[0, 0]"}}},
		{zkc, artifact.KindModelCommitment, n.commitment, false, [][]string{{"inspect", "FILE"}, {"verify", at("x.zkp"), "--vk", vk, "--model-commitment", "FILE"}}},
		{vk, artifact.KindVerifyingKey, n.key, true, [][]string{{"inspect", "FILE"}, {"verify", at("x.zkp"), "--vk", "FILE", "--model-commitment", zkc}}},
	} {
		t.Run(strings.TrimSpace(c.kind), func(t *testing.T) {
			original, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			version, payload, err := envelope.Decode(original, c.kind)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(payload); i += c.step {
				for _, change := range []byte{0x01, 0x80, 0xff} {
					damaged := bytes.Clone(payload)
					damaged[i] ^= change
					write(t, at("damaged"), envelope.Encode(c.kind, version, damaged))
					for _, command := range c.commands {
						args := strings.Split(strings.ReplaceAll(strings.Join(command, "\n"), "FILE", at("damaged")), "\n")
						if code, out := runJSON(t, args); code == exitUsage || code == exitInterrupted || args[0] == "verify" && c.meaningful && code == exitOK {
							t.Fatalf("%v with byte %d changed by %#x: exit code %d\n%s", command, i, change, code, out)
						}
					}
				}
			}
		})
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// runJSON runs a command with --json and checks that it prints exactly one object.
func runJSON(t *testing.T, args []string) (code int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(context.Background(), append(args, "--json"), strings.NewReader(""), &stdout, &stderr)
	d := json.NewDecoder(bytes.NewReader(stdout.Bytes()))
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		t.Fatalf("%v: standard output %q: %v", args, stdout.String(), err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("%v: standard output goes on after the object: %q", args, stdout.String())
	}
	if _, failed := object["error"]; failed != (code != exitOK) {
		t.Fatalf("%v: exit code %d with %s", args, code, stdout.String())
	}
	return code, stdout.String()
}
