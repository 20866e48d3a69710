// Package circuits turns an integer graph into a gnark circuit that accepts exactly the traces the
// executor produces.
//
// The promise: if every commitment opens (package verifier checks that) and the constraints hold,
// then the output wires are the executor's output for the input wires and the one parameter matrix
// P that the model commitment opens to.
//
// How it works, in the order of the files:
//
//   - The executor's trace is the witness (plan.go, witness.go). Nothing is computed in the circuit;
//     it only checks. Wires hold unsigned numbers: a negative number is a full-size scalar in every
//     multi-exponentiation of the prover.
//   - Two challenges (builder.go): α after the whole trace, multiplicities included, is committed;
//     β after the folded parameters u = Σ αⁱ·Pᵢ are. Whatever an identity in α or β mentions is
//     committed before it is drawn. Each gnark commitment holds one object of one owner.
//   - Public tensors (border.go) are packed, and bound by one wire beside u, Σ eⱼ·α^(R+j), which a
//     verifier computes from their bytes.
//   - Ranges and function tables are log-derivative lookups (tables.go), one sum a table, following
//     Haböck's "Multivariate lookups based on logarithmic derivatives" (ePrint 2022/1530).
//   - Linear layers (linear.go) never see a weight as a wire: several output channels are packed as
//     the digits of one number, image bands likewise, rows are folded with powers of α, positions
//     with powers of β, and what is left is one product a folded weight.
//   - Each op has its gadget in op_*.go, under the same name as in package model.
//
// Pitfalls that the code relies on (each has a test): a committed wire must stand in a constraint,
// and the columns of committed wires must be jointly independent, or the commitment does not bind;
// a wire may stand in one Commit only; the challenge β must not be a power of α.
package circuits
