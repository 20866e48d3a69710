// Package statement computes the digest S that binds a proof to what it claims. It is the one source
// of that digest, for prover and verifier alike.
//
// The promise: two different statements (another key, model, input, output or context, or the same
// tensor bound in another way) have different digests, as long as keccak-256 has no collisions.
// Every part is hashed to 32 bytes first, under a tag of its own where kinds could be confused.
package statement

import (
	"encoding/binary"

	"golang.org/x/crypto/sha3"
)

// Kind says how a tensor is bound.
type Kind int

// The kinds of binding.
const (
	Public    Kind = iota // the bytes, packed into public inputs as well
	Fold                  // the bytes, compared by their fold
	Committed             // the 64-byte points of a commitment
)

// tags separate the kinds: the same bytes bound in two ways are two statements.
func (k Kind) tag() string {
	switch k {
	case Public:
		return "zkinfer/v1/public"
	case Fold:
		return "zkinfer/v1/fold"
	}
	return "zkinfer/v1/committed"
}

// Keccak is keccak-256 of the concatenation.
func Keccak(parts ...[]byte) [32]byte {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

// Tensor binds one tensor: payload is its element bytes or the uncompressed points of its commitment.
func Tensor(kind Kind, payload []byte) [32]byte {
	return Keccak([]byte(kind.tag()), payload)
}

// Inputs binds the list of a model's inputs, Outputs that of its outputs.
func Inputs(tensors [][32]byte) [32]byte { return list("zkinfer/v1/inputs", tensors) }

// Outputs is Inputs for outputs.
func Outputs(tensors [][32]byte) [32]byte { return list("zkinfer/v1/outputs", tensors) }

func list(tag string, tensors [][32]byte) [32]byte {
	parts := [][]byte{[]byte(tag), binary.BigEndian.AppendUint32(nil, uint32(len(tensors)))}
	for i := range tensors {
		parts = append(parts, tensors[i][:])
	}
	return Keccak(parts...)
}

// Model is the digest M of a model commitment: the number of rows and their uncompressed points.
func Model(rows [][64]byte) [32]byte {
	parts := [][]byte{binary.BigEndian.AppendUint32(nil, uint32(len(rows)))}
	for i := range rows {
		parts = append(parts, rows[i][:])
	}
	return Keccak(parts...)
}

// Digest is S, 253 bits: below the order of BN254's scalar field.
func Digest(key, model, inputs, outputs [32]byte, context []byte) [32]byte {
	ctx := Keccak(context)
	s := Keccak([]byte("zkinfer/v1"), key[:], model[:], inputs[:], outputs[:], ctx[:])
	s[0] &= 0x1f
	return s
}
