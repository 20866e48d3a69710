package plonk

import (
	"context"
	"math"
	"testing"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/provertest"
)

// The budgets that this package promises; and what a plan foretells is what is compiled, within a tenth.
func TestBudgets(t *testing.T) {
	for name, c := range map[string]struct {
		graph *model.Graph
		gates int
	}{
		"hello-world": {provertest.TFLite(t, "hello-world", tflite.TFLM), 1 << 12},
		"ad01":        {provertest.TFLite(t, "ad01", tflite.TFLM), 1 << 17},
		"mnist-8":     {provertest.MNIST(t), 1 << 18},
	} {
		plan, err := Backend{}.Plan(c.graph, prover.Options{}, estimate.Usual())
		if err != nil {
			t.Fatal(err)
		}
		circuit, err := Compile(context.Background(), c.graph, prover.Options{})
		if err != nil {
			t.Fatal(err)
		}
		gates := circuit.Constraints()
		t.Logf("%s: %d gates, foretold %d", name, gates, plan.Constraints)
		if gates > c.gates {
			t.Errorf("%s: %d gates, at most %d", name, gates, c.gates)
		}
		if math.Abs(float64(plan.Constraints)/float64(gates)-1) > 0.1 {
			t.Errorf("%s: %d gates, foretold %d", name, gates, plan.Constraints)
		}
	}
}

// A small model in both roundings that have golden bytes.
func TestTFLiteProofs(t *testing.T) {
	provertest.ProveGolden(t, Backend{}, "hello-world", tflite.TFLM, "tflm.out")
	provertest.ProveGolden(t, Backend{}, "hello-world", tflite.LiteRT, "litert.out")
}
