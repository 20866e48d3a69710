// Package prover is what all proof systems have in common where keys, model commitments and proofs are
// made: the interface that each stands behind (Backend, Circuit, Keys), key folders, and openings of model
// commitments.
//
// The order of things, for any of them:
//
//	backend, _ := backends.Choose(backends.Auto, graph, prover.Options{})
//	circuit, _ := backend.Compile(ctx, graph, prover.Options{})  // architecture → constraints
//	keys, _    := circuit.UnsafeDevSetup(ctx)                    // once an architecture
//	opening, _ := keys.CommitModel(ctx, graph, prover.Private)   // once a set of weights
//	proof, _   := keys.Prove(ctx, graph, opening, inputs, task)  // once an inference
//
// What leaves the prover is keys.VerifyingKey(), opening.Commitment and the proof; package verifier needs
// no more. The opening's salts and the weights stay.
//
// Every proof is verified before it is returned: a key made by somebody malicious could otherwise
// make a proof leak the weights.
package prover
