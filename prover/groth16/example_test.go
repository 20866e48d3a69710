package groth16_test

import (
	"context"
	"fmt"
	"log"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/groth16"
	"github.com/zkinfer/zkinfer/verifier"
)

// adder is a layer of two outputs, (x0 + x1, x0 − x1), in steps of a sixteenth.
func adder() *model.Graph {
	b := model.NewBuilder("adder")
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{2}, Min: 0, Max: 100, Scale: 1})
	if err != nil {
		log.Fatal(err)
	}
	y, err := b.Add("y", &model.Dense{
		OutN:    2,
		Weights: []int64{16, 16, 16, -16},
		Bias:    []int64{0, 0},
		Rescale: model.Rescale{Shift: 4, QMin: -256, QMax: 255, Table: model.ClampTable(-256, 255, -256, 255)},
	}, 1, 0, x)
	if err != nil {
		log.Fatal(err)
	}
	b.Output(y)
	g, err := b.Graph()
	if err != nil {
		log.Fatal(err)
	}
	return g
}

// The whole way from a model to a proof that somebody else checks.
func Example() {
	ctx := context.Background()
	g := adder()

	circuit, err := groth16.Compile(ctx, g, prover.Options{})
	if err != nil {
		log.Fatal(err)
	}
	keys, err := circuit.UnsafeDevSetup(ctx) // once an architecture
	if err != nil {
		log.Fatal(err)
	}
	opening, err := keys.CommitModel(ctx, g, prover.Private) // once a set of weights
	if err != nil {
		log.Fatal(err)
	}
	task := []byte("task 1") // whoever asks for the proof chooses it
	proved, err := keys.Prove(ctx, g, opening, [][]int64{{30, 12}}, task)
	if err != nil {
		log.Fatal(err)
	}

	// The verifier has the key and the model commitment from its own records, and gets the proof.
	if err := verifier.VerifyBundle(keys.Verifying, opening.Commitment, proved.Bundle); err != nil {
		log.Fatal(err)
	}
	fmt.Println("proved:", proved.Bundle.Statement.Outputs[0].Values)
	fmt.Println("proof of", len(proved.Bundle.Proof), "bytes")

	// A claim of another output is rejected.
	proved.Bundle.Statement.Outputs[0].Values[1]++
	err = verifier.VerifyBundle(keys.Verifying, opening.Commitment, proved.Bundle)
	fmt.Println("another output:", verifier.Class(err))
	// Output:
	// proved: [42 18]
	// proof of 256 bytes
	// another output: rejected
}
