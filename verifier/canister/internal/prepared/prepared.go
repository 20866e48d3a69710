// Package prepared verifies proofs under a key that was prepared for it: the checks are those of
// verifier.Verify, computed with fewer instructions, which is what a canister pays for. Groth16 is
// prepared (groth16.go), and so are size classes (class.go); any other proof system is verified as it is (plain.go).
//
// The promise: Check returns nil exactly if verifier.Verify does (except with a probability of 2^-128
// over a hash), and otherwise an error of the same class. What is different: the two pairing equations
// are one, combined by a factor that is drawn from everything in them; the lines of the key's own
// points are computed once, and so is the pairing of α and β; sums over points of the key and of the model
// use tables of their multiples.
//
// Source: gnark's Groth16 verifier and pedersen.BatchVerifyMultiVk, as package verifier has them; batching
// of pairing equations: Ferrara, Green, Hohenberger, Pedersen, "Practical short signature batch
// verification", CT-RSA 2009. Pitfalls: a factor that a prover knows before it chooses its points would
// let two wrong equations cancel; it is therefore hashed from the statement and the whole proof.
package prepared

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// Key is a verifying key with what can be computed before there is a proof.
type Key interface {
	verifier.Key
	// Check is verifier.Verify; it returns the digest of the statement as well.
	Check(m Model, st *verifier.Statement, proof []byte) (fr.Element, error)
}

// Model is a model commitment with what can be computed before there is a proof.
type Model interface {
	Commitment() verifier.Commitment
	// AppendBinary appends the model for a memory that nobody else writes.
	AppendBinary(b []byte) []byte
}

// NewKey prepares a key that was decoded by package backends, which checks it.
func NewKey(k verifier.Key) (Key, error) {
	switch vk := k.(type) {
	case *verifier.VerifyingKey:
		return newGroth16Key(vk)
	case *wrapped.Key:
		if key, err := newClassKey(vk); key != nil || err != nil {
			return key, err
		}
	}
	return plainKey{k}, nil
}

// NewModel prepares a model commitment.
func NewModel(m verifier.Commitment) (Model, error) {
	if c, ok := m.(*verifier.ModelCommitment); ok {
		return &groth16Model{c, NewTable(c.Rows)}, nil
	}
	return newPlainModel(m)
}

// ParseModel reads what AppendBinary wrote.
func ParseModel(b []byte) (Model, error) {
	if isPlain(b) {
		return parsePlainModel(b)
	}
	return parseGroth16Model(b)
}
