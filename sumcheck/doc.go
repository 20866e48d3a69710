// Package sumcheck proves executions of integer graphs by the protocol of package claims: fast for large models.
//
// A Plan writes a graph as a network of claims, once for an architecture: which tensors are committed, which rows of
// tables their elements have to be, which products they are. An Attempt fills the committed vector from an
// execution and answers the protocol's challenges: trees of fractions for lookups, sums of products for linear
// layers, and one last sum that opens everything at a point.
//
// Sources: see package claims. Pitfalls: whatever this package computes is checked by the verifier's equations, so a
// mistake here is a proof that fails, never one that lies; but a plan that leaves something out is a lie that
// verifies. Package claims/plain says what a network means, and tests compare.
package sumcheck
