// Package verifier checks proofs of inference. It needs a verifying key, a model commitment that the
// caller holds already, and a proof with its statement; it never sees weights or, where they are
// private, inputs.
//
// The promise: Verify returns nil only if, in the architecture fixed by the key, the parameters that
// the commitment opens to give the stated output for the stated input; see docs/protocol.md for the
// argument, its assumptions, and what is not proved.
//
// Proof systems stand behind Key and Commitment, and are listed in package backends; a statement, its
// digest and the proof file are the same for all. Groth16's key and commitment, VerifyingKey and
// ModelCommitment, are of this package.
//
// The package depends on gnark-crypto, on golang.org/x/crypto/sha3 and on the standard library, so
// that it stays small as WebAssembly. Groth16's checks follow gnark's Groth16 verifier for circuits with
// commitments (BSB22, ePrint 2022/1072), against which they are tested, and add the outer checks that
// tie commitments to objects outside of the proof.
//
// Pitfalls: a proof's bytes are malleable, key replay protection on the statement's digest; a model
// commitment that arrives with the proof proves nothing about any particular model; every decoder
// here refuses scalars that are not below the field's order and points that are not in the
// subgroup, and whoever decodes by other means must do the same.
package verifier
