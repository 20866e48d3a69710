// Package evm brings the verifier into the Ethereum virtual machine: it writes a Solidity contract for
// a verifying key, and encodes proofs as calls of it.
//
// The promise: a call of the contract's verify returns only if verifier.Verify accepts the same
// statement and proof for the model that the contract was deployed with, and it returns the same
// digest S; otherwise it reverts, with an error of the same class. The tests of the module in evmtest
// compare the two, proof by proof and change by change, in a real virtual machine.
//
// The contract is our own. The one that gnark exports checks a proof of knowledge for the first
// commitment only, and forgeries pass.
//
// Pitfalls: the model is chosen by whoever deploys the contract, so that is whom its users trust; replay
// protection keys on S, never on a proof's bytes; a public tensor costs gas for each of its bytes.
package evm
