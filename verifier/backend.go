package verifier

import (
	"bytes"
	"fmt"

	"github.com/zkinfer/zkinfer/internal/wire"
)

// Backend is a proof system as a verifier sees it: how its keys and model commitments are read. Package
// backends lists those that there are.
type Backend struct {
	// Name stands in proof files and model commitments.
	Name string
	// KeyTag is the string that the encoding of a key begins with; no two proof systems share one.
	KeyTag string
	// DecodeKey and DecodeCommitment decode strictly: fixed sizes, bounded before anything is allocated, one
	// encoding a value. Errors wrap ErrMalformed.
	DecodeKey        func(b []byte) (Key, error)
	DecodeCommitment func(b []byte) (Commitment, error)
}

// HoldsKey reports whether b begins as the proof system's keys do.
func (s *Backend) HoldsKey(b []byte) bool {
	return bytes.HasPrefix(b, wire.AppendString(nil, s.KeyTag))
}

// Key is a verifying key of any proof system. It must not be changed once used.
type Key interface {
	// Backend is the name of the proof system.
	Backend() string
	// Digest names the key; it covers all of it.
	Digest() [32]byte
	// MarshalBinary is the encoding, which begins with the proof system's KeyTag.
	MarshalBinary() ([]byte, error)
	// Describe is for people.
	Describe() Description
	// Fixed is what proofs under this key are about where the key alone says it, nil where it takes a model
	// commitment.
	Fixed() *Subject
	// Subject is what proofs under this key are about, for the model that m commits to. Where m does not fit
	// the key, errors wrap ErrKeyMismatch.
	Subject(m Commitment) (*Subject, error)
	// Verify checks a proof of st for the model that m commits to. Errors wrap ErrMalformed, ErrStatement,
	// ErrKeyMismatch, or ErrInvalidProof where a well-formed proof is wrong.
	Verify(m Commitment, st *Statement, proof []byte) error
}

// Commitment is a model commitment of any proof system.
type Commitment interface {
	// Backend is the name of the proof system.
	Backend() string
	// Digest is M, by which registries and statements name the model.
	Digest() [32]byte
	// Points is the number of points that it has: none where the key itself holds the parameters.
	Points() int
	MarshalBinary() ([]byte, error)
}

// Description is for people; it is part of the key's digest all the same.
type Description struct {
	Name           string // of the model, or of what else the key is for
	Rounding       string // the variant of integer arithmetic, where the key fixes it
	TrustedSetup   string // "unsafe-dev", "ceremony:" and a digest, "universal:" and a digest
	LibraryVersion string
	Constraints    uint64
}

// Subject is what a verifier knows of a model without its parameters, whether it has that from the key or
// from the model commitment.
type Subject struct {
	Name            string // for people
	Rounding        string // for people: the variant of integer arithmetic
	Architecture    [32]byte
	Inputs, Outputs []TensorSpec
	ProofSize       int // bytes of each proof
}

// Verify checks a proof of st under k for the model that m commits to; m must come from the caller's
// own records. Errors wrap ErrMalformed, ErrStatement, ErrKeyMismatch, or ErrInvalidProof where a
// well-formed proof is wrong.
func Verify(k Key, m Commitment, st *Statement, proof []byte) error { return k.Verify(m, st, proof) }

// VerifyBundle is Verify for a bundle. It tells a bundle for another key or model (ErrKeyMismatch)
// from a wrong proof.
func VerifyBundle(k Key, m Commitment, b *Bundle) error {
	if b.Backend != k.Backend() {
		return fmt.Errorf("%w: proof of backend %q, the key is for %q", ErrKeyMismatch, b.Backend, k.Backend())
	}
	if b.VKDigest != k.Digest() {
		return fmt.Errorf("%w: the proof was made for verifying key %x…, this is %x…", ErrKeyMismatch, b.VKDigest[:4], digestPrefix(k.Digest()))
	}
	if b.Model != m.Digest() {
		return fmt.Errorf("%w: the proof was made for model %x…, the commitment is %x…", ErrKeyMismatch, b.Model[:4], digestPrefix(m.Digest()))
	}
	return k.Verify(m, &b.Statement, b.Proof)
}

func digestPrefix(d [32]byte) []byte { return d[:4] }
