package sumcheck

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
)

// What a plan says of sizes is what keys and proofs have: constraints and proof to the unit, the proving key within a
// few flags, the verifying key within what its texts differ by.
func TestPlanIsExact(t *testing.T) {
	g := tfliteGraph(t, tfliteVectors+"hello-world/model.tflite", tflite.TFLM)
	for _, o := range []prover.Options{{}, {PrivateInput: true, PrivateOutput: true}} {
		plan, err := Backend{}.Plan(g, o, estimate.Usual())
		if err != nil {
			t.Fatal(err)
		}
		circuit, err := Backend{}.Compile(context.Background(), g, o)
		if err != nil {
			t.Fatal(err)
		}
		made, err := circuit.UnsafeDevSetup(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		k := made.(*Keys)
		if k.wrap.Constraints() != plan.Constraints || circuit.Constraints() != plan.Constraints {
			t.Errorf("%d constraints, planned %d", k.wrap.Constraints(), plan.Constraints)
		}
		var proving bytes.Buffer
		if err := k.wrap.WriteProving(&proving); err != nil {
			t.Fatal(err)
		}
		if got, planned := float64(proving.Len()), float64(plan.Proof.ProvingKeyBytes); math.Abs(got-planned) > 0.005*got {
			t.Errorf("proving key of %.0f bytes, planned %.0f", got, planned)
		}
		vk, err := k.VerifyingKey().MarshalBinary()
		if err != nil || math.Abs(float64(int64(len(vk))-plan.Proof.VerifyingKeyBytes)) > 40 {
			t.Errorf("verifying key of %d bytes, planned %d (%v)", len(vk), plan.Proof.VerifyingKeyBytes, err)
		}
		opening, err := made.CommitModel(context.Background(), g, prover.Private)
		if err != nil {
			t.Fatal(err)
		}
		p, err := made.Prove(context.Background(), g, opening, [][]int64{{1}}, nil)
		if err != nil || len(p.Bundle.Proof) != plan.Proof.ProofBytes {
			t.Errorf("%v: proof planned with %d bytes: %v", o, plan.Proof.ProofBytes, err)
		}
	}
}

// Keys of a class prove what a commitment hides or shows, whatever they were told themselves.
func TestOptionsOfTheCommitment(t *testing.T) {
	g := tfliteGraph(t, tfliteVectors+"hello-world/model.tflite", tflite.TFLM)
	keys := setup(t, 8, prover.Options{})
	hiding := keys.WithOptions(prover.Options{PrivateInput: true})
	opening, err := hiding.CommitModel(context.Background(), g, prover.Private)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []prover.Keys{hiding, keys} {
		p, err := k.Prove(context.Background(), g, opening, [][]int64{{1}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if st := p.Bundle.Statement; st.Inputs[0].Commitment == nil || st.Outputs[0].Commitment != nil {
			t.Errorf("input %+v, output %+v", st.Inputs, st.Outputs)
		}
	}
}

// What a canister takes is within a tenth of what its tests count for the frozen proofs.
func TestPlanOfCanister(t *testing.T) {
	b, err := os.ReadFile("../../verifier/canister/test/testdata/instructions.json")
	if err != nil {
		t.Fatal(err)
	}
	var counted map[string]float64
	if err := json.Unmarshal(b, &counted); err != nil {
		t.Fatal(err)
	}
	for name, graph := range map[string]*model.Graph{"sumcheck": modeltest.Adder(), "resnet8": resnet8(t)} {
		plan, err := Backend{}.Plan(graph, prover.Options{}, estimate.Usual())
		if err != nil {
			t.Fatal(err)
		}
		got, want := float64(plan.Verification.CanisterInstructions), counted[name+" verify"]
		if want == 0 || math.Abs(got-want) > 0.1*want {
			t.Errorf("%s: %.0f instructions, %.0f are counted", name, got, want)
		}
	}
}
