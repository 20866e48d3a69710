package groth16

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/provertest"
	"github.com/zkinfer/zkinfer/verifier"
)

const tfliteVectors = "../../testvectors/tflite/"

func tfliteGraph(t *testing.T, path string, r tflite.Rounding) *model.Graph {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := tflite.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	res, err := m.Integer(r, filepath.Base(filepath.Dir(path)))
	if err != nil {
		t.Fatal(err)
	}
	return res.Graph
}

// proveGolden proves the first sample of a shipped model with private weights and demands that what was
// proved is, byte for byte, what the device answered.
func proveGolden(t *testing.T, name string, r tflite.Rounding, golden string) {
	t.Helper()
	ctx := context.Background()
	g := tfliteGraph(t, tfliteVectors+name+"/model.tflite", r)
	raw, err := os.ReadFile(tfliteVectors + name + "/input.raw")
	if err != nil {
		t.Fatal(err)
	}
	x := make([]int64, g.Tensors[g.Inputs[0]].Len())
	for i := range x {
		x[i] = int64(int8(raw[i]))
	}
	c, err := Compile(ctx, g, prover.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.UnsafeDevSetup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	opening, err := keys.CommitModel(ctx, g, prover.Private)
	if err != nil {
		t.Fatal(err)
	}
	p, err := keys.Prove(ctx, g, opening, [][]int64{x}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.VerifyBundle(keys.Verifying, opening.Commitment, p.Bundle); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(tfliteVectors + name + "/" + golden)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range p.Outputs[0] {
		if int8(want[i]) != int8(v) {
			t.Fatalf("output %d is %d, the device says %d", i, v, int8(want[i]))
		}
	}
	t.Logf("%s, %s: %d constraints, proof of %d bytes, %+v", name, r, c.Constraints(), len(p.Bundle.Proof), p.Stats)
}

// A real model of 264k private weights, and a small one in both roundings that have golden bytes.
func TestTFLiteProofs(t *testing.T) {
	proveGolden(t, "hello-world", tflite.TFLM, "tflm.out")
	proveGolden(t, "hello-world", tflite.LiteRT, "litert.out")
	proveGolden(t, "ad01", tflite.TFLM, "tflm.out")
}

// Every model of the op suite that imports has a circuit which accepts what the executor computes, with
// extremes among the inputs.
func TestTFLiteOpsAreProvable(t *testing.T) {
	for _, c := range provertest.TFLiteOps(t) {
		solveInputs(t, c.Name, c.Graph, c.Inputs)
	}
}
