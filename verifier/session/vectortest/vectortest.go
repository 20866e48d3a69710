// Package vectortest reads testvectors/verify.json: proofs, honest and tampered with in every region,
// each with the answer that every embedding of the verifier must give. Tests only.
package vectortest

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Format is the version of the file's form.
const Format = 1

// Vectors are all cases. Keys and model commitments are files by name, in base64 in the JSON.
type Vectors struct {
	Format int               `json:"format"`
	About  string            `json:"about"`
	Files  map[string][]byte `json:"files"`
	Cases  []Case            `json:"cases"`
}

// Case is one proof file and what is expected of it.
type Case struct {
	Name       string `json:"name"`
	Key        string `json:"key"`        // names one of Files
	Commitment string `json:"commitment"` // names one of Files
	Proof      []byte `json:"proof"`      // base64 in the JSON
	// Context is the context that the verifier demands, 0x and hexadecimal; nil demands none.
	Context *string `json:"context,omitempty"`
	Valid   bool    `json:"valid"`
	// Class is the error's, for what is not valid.
	Class string `json:"class,omitempty"`
	// Statement is the digest S of a valid proof, hexadecimal.
	Statement string `json:"statement,omitempty"`
}

// Expected is the context that the verifier demands: nil for any.
func (c *Case) Expected(t testing.TB) []byte {
	t.Helper()
	if c.Context == nil {
		return nil
	}
	b, err := hex.DecodeString(strings.TrimPrefix(*c.Context, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{}, b...)
}

// Path is where the file lies.
func Path() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../../../testvectors/verify.json")
}

// Load reads the file.
func Load(t testing.TB) *Vectors {
	t.Helper()
	b, err := os.ReadFile(Path())
	if err != nil {
		t.Fatal(err)
	}
	var v Vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if v.Format != Format || len(v.Cases) < 100 {
		t.Fatalf("format %d with %d cases", v.Format, len(v.Cases))
	}
	return &v
}
