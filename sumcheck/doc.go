// Package sumcheck is the prover of the fast path: what computes the messages that package claims asks for.
//
// It promises that a prover run of package claims with these provers satisfies every check if what is claimed
// is true; soundness is nothing that this package decides.
package sumcheck
