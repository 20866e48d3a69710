package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/verifier/session/vectortest"
)

// The command line gives every case of testvectors/verify.json the answer that all embeddings give.
func TestVerifyVectors(t *testing.T) {
	v := vectortest.Load(t)
	dir := t.TempDir()
	key, commitment, proof := filepath.Join(dir, "verifying.key"), filepath.Join(dir, "model.zkc"), filepath.Join(dir, "proof.zkp")
	for i := range v.Cases {
		c := &v.Cases[i]
		write(t, key, v.Files[c.Key])
		write(t, commitment, v.Files[c.Commitment])
		write(t, proof, c.Proof)
		if c.Context != nil && *c.Context == "0x" {
			continue // the command line cannot demand an empty context
		}
		args := []string{"verify", proof, "--keys", dir, "--json"}
		if c.Context != nil {
			args = append(args, "--context", *c.Context)
		}
		var out, errOut bytes.Buffer
		code := run(context.Background(), args, nil, &out, &errOut)
		var r verifyReport
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		class := ""
		if r.Error != nil {
			class = r.Error.Class
		}
		if r.Valid != c.Valid || class != c.Class || c.Valid && r.Statement != c.Statement || c.Valid != (code == exitOK) {
			t.Errorf("%s: exit code %d, %s; expected %t, %q", c.Name, code, out.String(), c.Valid, c.Class)
		}
	}
}

func readVector(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
