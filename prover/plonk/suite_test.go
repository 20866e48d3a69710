package plonk

import (
	"context"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/provertest"
)

// Every model and every case of the ONNX suites that can be quantized has gates which accept what the executor
// computes for it, on several inputs.
func TestEveryImportedModelIsProvable(t *testing.T) {
	for _, c := range provertest.Imported(t) {
		solveInputs(t, c.Name, c.Graph, c.Inputs)
	}
}

// The same for the op suite of TensorFlow Lite, in both roundings.
func TestTFLiteOpsAreProvable(t *testing.T) {
	for _, c := range provertest.TFLiteOps(t) {
		solveInputs(t, c.Name, c.Graph, c.Inputs)
	}
}

// solveInputs demands that the graph's gates accept what the executor computes on each input.
func solveInputs(t *testing.T, name string, g *model.Graph, inputs [][][]int64) {
	t.Helper()
	c, err := Compile(context.Background(), g, prover.Options{})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	for _, x := range inputs {
		if err := satisfied(c.system, assign(t, c, x)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
