// Package zkinfer proves what a small quantized neural network answered, without showing its weights
// or its input, in some hundred bytes that are checked in milliseconds.
//
// The module's packages, from the floor up; imports point down only:
//
//	cmd/zkinfer                the command line
//	prover, prover/backends    keys, model commitments, proofs: what proof systems have in common, and their list
//	prover/groth16             Groth16 among them
//	circuits                   integer graph → constraints
//	model                      the integer graph and its executor: the meaning of a model
//	model/onnx, model/quantize import of trained networks, by way of model/float
//	verifier, verifier/artifact the other side: needs none of the above; verifier/backends lists proof systems
//	verifier/session, /wasm, /service, /evm, /canister  the verifier in other programs, in browsers,
//	                           over HTTP, as a contract and as a canister
//	claims, sumcheck, prover/wrap, verifier/wrapped  the sumcheck protocol and its wrapping, for large
//	                           models; no command uses them yet
//	bench, prover/baseline     what proofs cost, measured and foretold
//	fixedpoint, internal/…     integer arithmetic, file framing, the statement's digest
//
// Start with packages prover and prover/groth16 for proofs, package verifier to check them, and docs/protocol.md for what
// a proof says and why it is sound.
package zkinfer
