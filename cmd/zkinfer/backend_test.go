package main

import (
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/verifier"
)

// otherKey is a key of a proof system that the contract does not verify.
type otherKey struct{ verifier.Key }

func (otherKey) Backend() string { return "other" }

func TestGroth16Only(t *testing.T) {
	own := &verifier.VerifyingKey{}
	if k, err := groth16Only("the contract", own); k != own || err != nil {
		t.Errorf("Groth16: %v, %v", k, err)
	}
	_, err := groth16Only("the contract", otherKey{own})
	if class, _ := classify(err); class != "unsupported_backend" || !strings.Contains(err.Error(), `of other: make keys with --backend groth16`) {
		t.Errorf("%s: %v", class, err)
	}
}
