// Package vectortest reads testvectors/verify.json: proofs, honest and tampered with in every region,
// each with the answer that every embedding of the verifier must give. Tests only.
package vectortest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Format is the version of the file's form.
const Format = 2

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
	// Proof is a whole file, base64 in the JSON, or Base with some stretches replaced; Load makes it whole.
	Proof []byte `json:"proof,omitempty"`
	Base  string `json:"base,omitempty"` // names one of Files
	Edits []Edit `json:"edits,omitempty"`
	// Context is the context that the verifier demands, 0x and hexadecimal; nil demands none.
	Context *string `json:"context,omitempty"`
	Valid   bool    `json:"valid"`
	// Class is the error's, for what is not valid.
	Class string `json:"class,omitempty"`
	// Statement is the digest S of a valid proof, hexadecimal.
	Statement string `json:"statement,omitempty"`
}

// Edit replaces Cut bytes at a place of the base by others. Edits are in order and apart.
type Edit struct {
	At  int    `json:"at"`
	Cut int    `json:"cut"`
	Put []byte `json:"put"`
}

// worthEditing is the length of files that are worth the trouble.
const worthEditing = 1000

// header is the length of a file's frame, which holds the digest of the rest.
const header = 54

// Shorten replaces the proof by its difference to a base, where that is much shorter.
func (c *Case) Shorten(name string, base []byte) {
	if len(base) < worthEditing || len(c.Proof) < header {
		return
	}
	var edits []Edit
	if !bytes.Equal(c.Proof[:header], base[:header]) {
		edits = append(edits, Edit{0, header, c.Proof[:header]})
	}
	a, b := base[header:], c.Proof[header:]
	before := 0
	for before < min(len(a), len(b)) && a[before] == b[before] {
		before++
	}
	after := 0
	for after < min(len(a), len(b))-before && a[len(a)-1-after] == b[len(b)-1-after] {
		after++
	}
	if cut, put := len(a)-before-after, b[before:len(b)-after]; cut+len(put) > 0 {
		edits = append(edits, Edit{header + before, cut, put})
		if len(put) > len(b)/2 {
			return
		}
	}
	c.Proof, c.Base, c.Edits = nil, name, edits
}

// whole undoes Shorten.
func (c *Case) whole(files map[string][]byte) {
	if c.Base == "" {
		return
	}
	base, at := files[c.Base], 0
	for _, e := range c.Edits {
		c.Proof = append(append(c.Proof, base[at:e.At]...), e.Put...)
		at = e.At + e.Cut
	}
	c.Proof = append(c.Proof, base[at:]...)
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
	for i := range v.Cases {
		v.Cases[i].whole(v.Files)
	}
	return &v
}
