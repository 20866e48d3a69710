// Package plonk makes keys and proofs for integer graphs with PLONK over BN254, from an SRS that serves every
// circuit.
//
// The promise: if the circuit of package circuits accepts exactly the traces that the executor produces, the
// gates made of it accept them for the one set of parameters that they hold, and no others
// (docs/protocol.md says why).
//
// How it works, in the order of the files:
//
//   - The rank-1 constraints of package circuits become gates of three wires (arithmetize.go, form.go): a sum
//     costs a gate a term, so sums that occur again are kept. Parameters are constants of the gates: the packed
//     rows of linear layers make a product with a weight one term, one gate for as many weights as share a
//     row. Looked up values need no gate of their own to be committed: the gate that defines their difference
//     with the challenge commits them.
//   - Keys are those of gnark (compile.go, setup.go), which proves (prove.go), with statistical zero knowledge
//     and challenges drawn by keccak-256; package verifier/plonk verifies.
//   - Commitments to the selectors are salted: a key says nothing about its parameters, and which wires the gates
//     have does not depend on them. With Options.PublicParameters there are no salts, and whoever has the model and
//     the SRS makes the same key, byte by byte.
//
// Pitfalls: a key whose maker nobody checks proves nothing: a salted key can be checked only by those who see the
// parameters, unlike Groth16's, whose circuit is public. gnark puts blinding factors at the last gate and at those that receive
// challenges, none of which may commit a value.
package plonk
