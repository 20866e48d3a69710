// Package groth16 makes keys, model commitments and proofs for integer graphs with Groth16 over BN254:
// one circuit for each architecture (package circuits), weights folded under a challenge and committed
// once (BSB22, ePrint 2022/1072; docs/protocol.md).
//
// Backend stands behind the interface of package prover. Beside it, Circuit takes the keys of a ceremony,
// and Keys opens commitments of private tensors.
//
// Pitfalls: gnark draws the masks of commitments itself; mask.go records them, and nothing else may draw
// for its hint. Keys whose committed wires have no base would commit to nothing: they are refused.
package groth16
