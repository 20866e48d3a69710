// Package prover makes keys, model commitments and proofs for integer graphs, with Groth16 over
// BN254.
//
// The order of things:
//
//	circuit, _ := prover.Compile(ctx, graph, prover.Options{})   // architecture → constraints
//	keys, _    := circuit.UnsafeDevSetup(ctx)                    // once an architecture
//	opening, _ := keys.CommitModel(ctx, graph, prover.Private)   // once a set of weights
//	proof, _   := keys.Prove(ctx, graph, opening, inputs, task)  // once an inference
//
// What leaves the prover is keys.Verifying, opening.Commitment and the proof; package verifier needs
// no more. The opening's salts and the weights stay.
//
// Every proof is verified before it is returned: a key made by somebody malicious could otherwise
// make a proof leak the weights.
package prover
