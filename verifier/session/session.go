// Package session is the verifier for programs that get files as bytes and give answers as JSON: the
// WebAssembly module and the HTTP service. It holds one verifying key with one model commitment and
// checks proofs against them, with the classes of errors that zkinfer verify has.
//
// The promise: Check returns no error only where verifier.VerifyBundle returns none, for the key and
// the commitment that Open was given; a report of a proof that was not accepted shows nothing of what
// it claims. A test runs the cases of testvectors/verify.json, which every embedding runs.
//
// Pitfall: a session proves something about a model only if its commitment comes from the caller's
// own records, and not from whoever sent the proof.
package session

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// Session is a verifying key with a model commitment. It is safe for concurrent use.
type Session struct {
	key   verifier.Key
	model *artifact.ModelCommitment
	about *verifier.Subject
	info  *Info
}

// Expect is what the caller demands of a proof beside its being valid.
type Expect struct {
	// Context is compared with the proof's, unless it is nil; an empty one that is not nil demands an
	// empty context.
	Context []byte
}

// Open decodes the files verifying.key and model.zkc. Errors have the classes malformed_key,
// wrong_kind, unsupported_version and key_mismatch.
func Open(keyFile, commitmentFile []byte) (*Session, error) {
	vk, err := artifact.DecodeVerifyingKey(keyFile)
	if err != nil {
		return nil, inFile("malformed_key", "verifying key", err)
	}
	m, err := artifact.DecodeModelCommitment(commitmentFile)
	if err != nil {
		return nil, inFile("malformed_key", "model commitment", err)
	}
	return New(vk, m)
}

// New is Open for what is decoded already. Neither may be changed afterwards.
func New(vk verifier.Key, m *artifact.ModelCommitment) (*Session, error) {
	about, err := m.Subject(vk)
	if err != nil {
		return nil, err
	}
	return &Session{key: vk, model: m, about: about, info: newInfo(vk, m, about)}, nil
}

// Info describes the key and the commitment. It is shared and must not be changed.
func (s *Session) Info() *Info { return s.info }

// Check verifies the contents of a .zkp file and reports what it proves. Errors have the classes
// malformed_proof, wrong_kind, unsupported_version, key_mismatch, bad_statement and rejected.
func (s *Session) Check(proofFile []byte, e Expect) (*Report, error) {
	b, err := artifact.DecodeProof(proofFile)
	if err != nil {
		return nil, inFile("malformed_proof", "proof", err)
	}
	if err := verifier.VerifyBundle(s.key, s.model.Commitment, b); err != nil {
		return nil, err
	}
	if e.Context != nil && !bytes.Equal(e.Context, b.Statement.Context) {
		return nil, fmt.Errorf("%w: it was made for context 0x%x, expected 0x%x", verifier.ErrInvalidProof, b.Statement.Context, e.Context)
	}
	return s.report(b)
}

// classified is an error whose class its cause alone does not tell.
type classified struct {
	class string
	error
}

func (c *classified) Unwrap() error { return c.error }

// WithClass gives an error a class of the caller's.
func WithClass(class string, err error) error { return &classified{class, err} }

// inFile gives an error of decoding the class malformed, unless it is of another kind or version.
func inFile(malformed, what string, err error) error {
	err = fmt.Errorf("%s: %w", what, err)
	switch {
	case errors.Is(err, artifact.ErrKind):
		return WithClass("wrong_kind", err)
	case errors.Is(err, artifact.ErrUnsupportedVersion):
		return WithClass("unsupported_version", err)
	}
	return WithClass(malformed, err)
}

// Class is the stable name of an error of this package, as zkinfer verify --json reports it; "" for nil.
func Class(err error) string {
	var c *classified
	if errors.As(err, &c) {
		return c.class
	}
	return verifier.Class(err)
}
