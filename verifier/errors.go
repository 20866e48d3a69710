package verifier

import (
	"errors"

	"github.com/zkinfer/zkinfer/internal/wire"
)

// What can be wrong. Every error of this package wraps one of these.
var (
	// ErrMalformed: bytes that are no encoding of what they should be.
	ErrMalformed = wire.ErrMalformed
	// ErrInvalidProof: the proof was checked and is wrong for this statement.
	ErrInvalidProof = errors.New("proof rejected")
	// ErrKeyMismatch: proof, key and model commitment do not belong together.
	ErrKeyMismatch = errors.New("proof, key and model commitment do not belong together")
	// ErrStatement: a statement that no proof of this key can be about.
	ErrStatement = errors.New("statement does not fit the key")
)

// Class is a stable name of an error for other programs: "malformed_proof", "rejected",
// "key_mismatch", "bad_statement"; "" for nil and "failure" for everything else.
func Class(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrMalformed):
		return "malformed_proof"
	case errors.Is(err, ErrInvalidProof):
		return "rejected"
	case errors.Is(err, ErrKeyMismatch):
		return "key_mismatch"
	case errors.Is(err, ErrStatement):
		return "bad_statement"
	}
	return "failure"
}
