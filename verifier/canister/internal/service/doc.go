// Package service is what the canister does, apart from the system it runs on: messages in, messages
// out, records in stable memory.
//
// The promise: verify answers ok exactly if verifier.Verify does, for the key given at install and a
// model registered here; a task is settled once, by a proof of a statement with the task's model, inputs and
// context, and stays as it was settled. Whatever a caller sends, a method answers or fails as a whole.
//
// An error returned by a method is for the system, which undoes the message and rejects the call; what
// a caller did wrong is part of an answer. Pitfalls: all state is in stable memory, the Service holds only what
// is decoded from it; a query's changes are lost.
package service
