// Package wrapped verifies proofs of the sumcheck backend: runs of package claims whose last step is a Groth16 proof of a
// size class' circuit.
//
// The verifier knows the class' key and the model commitment: the rows of parameters, and the architecture (shapes,
// shifts, tables: no parameter). It runs the protocol on what the prover sent under pads, and asks of the Groth16
// proof that the pads it committed to make the outcome right, for a row that is the combination of all rows of Z:
//
//	D_t = Σ_i eq(ρ_row, i)·C_i + δ·H.
//
// Sources: docs/sumcheck.md. Pitfalls: everything that a challenge must depend on stands in the seed, or was sent
// before; U, F, P and z are computed here and never read from a proof.
package wrapped
