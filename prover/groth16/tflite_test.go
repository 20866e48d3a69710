package groth16

import (
	"testing"

	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover/provertest"
)

// A real model of 264k private weights, and a small one in both roundings that have golden bytes.
func TestTFLiteProofs(t *testing.T) {
	provertest.ProveGolden(t, Backend{}, "hello-world", tflite.TFLM, "tflm.out")
	provertest.ProveGolden(t, Backend{}, "hello-world", tflite.LiteRT, "litert.out")
	provertest.ProveGolden(t, Backend{}, "ad01", tflite.TFLM, "tflm.out")
}

// Every model of the op suite that imports has a circuit which accepts what the executor computes, with
// extremes among the inputs.
func TestTFLiteOpsAreProvable(t *testing.T) {
	for _, c := range provertest.TFLiteOps(t) {
		solveInputs(t, c.Name, c.Graph, c.Inputs)
	}
}
