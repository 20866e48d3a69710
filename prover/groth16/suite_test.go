package groth16

import (
	"context"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/provertest"
)

// Every model and every case of the ONNX suites that can be quantized has a circuit which accepts
// what the executor computes for it, on several inputs: from file to constraints, nothing in between
// made by hand.
func TestEveryImportedModelIsProvable(t *testing.T) {
	for _, c := range provertest.Imported(t) {
		solveInputs(t, c.Name, c.Graph, c.Inputs)
	}
}

// solveInputs demands that the graph's circuit accepts what the executor computes on each input.
func solveInputs(t *testing.T, name string, g *model.Graph, inputs [][][]int64) {
	t.Helper()
	ctx := context.Background()
	c, err := Compile(ctx, g, prover.Options{FoldRows: 4})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	params, err := c.Plan.Parameters(g)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	for _, x := range inputs {
		trace, err := g.Execute(ctx, x)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		w, err := c.Plan.Assign(trace)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		full, err := w.Full(fr.One())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.system.IsSolved(full, params.SolverOption()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
