// Package sumcheck is the prover of the sumcheck backend: a model is written as a network of claims, its execution
// committed in rows, and the claims proved under pads, for which a size class' Groth16 circuit vouches.
//
// Keys belong to a size class, not to a model: what verifiers know of a model is its commitment, which covers the
// architecture. Everything that hides (salts of rows, pads, masks) is drawn for one proof and never used again.
package sumcheck
