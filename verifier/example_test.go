package verifier_test

import (
	"fmt"
	"log"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// A service that pays once for each proved inference: it holds the verifying key and the model
// commitment, chooses the context, and keys its records on the statement's digest.
func Example() {
	const files = "../testvectors/proofs/public/"
	vk, err := artifact.ReadVerifyingKey(files + "verifying.key")
	if err != nil {
		log.Fatal(err)
	}
	model, err := artifact.ReadModelCommitment(files + "model.zkc")
	if err != nil {
		log.Fatal(err)
	}
	proof, err := artifact.ReadProof(files + "proof.zkp")
	if err != nil {
		log.Fatal(err)
	}
	if string(proof.Statement.Context) != "task 1" {
		log.Fatal("a proof for another task")
	}
	if err := verifier.VerifyBundle(vk, model.Commitment, proof); err != nil {
		log.Fatal(verifier.Class(err), err)
	}
	digest, err := verifier.StatementDigest(vk, model.Commitment, &proof.Statement)
	if err != nil {
		log.Fatal(err)
	}
	paid := map[string]bool{digest.String(): true} // never by the proof's bytes: they can be changed
	fmt.Println("input ", proof.Statement.Inputs[0].Values)
	fmt.Println("output", proof.Statement.Outputs[0].Values, "paid", len(paid))
	// Output:
	// input  [30 12]
	// output [42 18] paid 1
}
