package estimate_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/bench"
	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
)

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func built(t *testing.T, name string) *model.Graph {
	t.Helper()
	m, err := bench.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Build(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func near(estimated int64, measured, within float64) bool {
	return math.Abs(float64(estimated)-measured) <= within*measured
}

// Executions in a canister are estimated within 26 % of what was measured there; those of dense layers alone within 4 %. No
// execution takes less than the least.
func TestReplicatedInstructions(t *testing.T) {
	var measured map[string]float64
	if err := json.Unmarshal(readFile(t, "../../verifier/canister/test/testdata/replicated.json"), &measured); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for what, run := range measured {
		name, is := strings.CutSuffix(what, " run")
		if !is || name == "hello-world" {
			continue // 288 products, less than what any call takes
		}
		within := 0.26
		if name == "ad01" || name == "dense-512x1" || name == "credit-risk" {
			within = 0.04
		}
		r := estimate.NewReplicated(built(t, name), nil)
		if compared++; !near(r.CanisterInstructions, run, within) || float64(r.CanisterInstructionsLeast) > run {
			t.Errorf("%s: %d instructions estimated, at least %d; %.0f were measured", name, r.CanisterInstructions, r.CanisterInstructionsLeast, run)
		}
		if products := measured[name+" MACs"]; !near(r.CanisterInstructionsLeast, products*measured["kernel, 128×640 products"]/(128*640), 0.01) {
			t.Errorf("%s: at least %d instructions for %.0f products", name, r.CanisterInstructionsLeast, products)
		}
		if r.Native != nil || r.CanisterCycles != r.CanisterInstructions+5e6 || r.CanisterCyclesLeast >= r.CanisterCycles {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if compared < 8 {
		t.Errorf("only %d models were compared", compared)
	}
}

// Gas for the layer of 128×32 is estimated within 2 % and 8 % of what both contracts took.
func TestReplicatedGas(t *testing.T) {
	r := estimate.NewReplicated(layer(t, 128, 32), &estimate.Cost{Wall: 1})
	table := strings.Split(string(readFile(t, "../../verifier/evm/evmtest/testdata/replicated.golden")), "\n")
	for i, got := range []int64{r.EVMGas, r.EVMGasLeast} {
		fields := strings.Fields(table[1+i])
		want, err := strconv.ParseFloat(fields[5], 64)
		if err != nil || fields[0] != []string{"Plain", "Packed"}[i] {
			t.Fatalf("%q: %v", table[1+i], err)
		}
		// Of the packed one, the output is not packed again here.
		if within := []float64{0.02, 0.08}[i]; !near(got, want, within) {
			t.Errorf("%s: %d gas estimated, %.0f measured", fields[0], got, want)
		}
	}
	if r.Native.Wall != 1 || r.EVMGasWeights != 217*(128*32+32) {
		t.Errorf("%+v", r)
	}
}

func layer(t *testing.T, inputs, outputs int) *model.Graph {
	t.Helper()
	b := model.NewBuilder("layer")
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{1, inputs}, Min: -128, Max: 127, Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	weights := make([]int64, inputs*outputs)
	for i := range weights {
		weights[i] = int64(i % 3)
	}
	y, err := b.Add("y", &model.Dense{OutN: outputs, Weights: weights, Bias: make([]int64, outputs),
		Rescale: model.Rescale{Shift: 4, QMin: -4096, QMax: 4095, Table: model.ClampTable(-4096, 4095, -128, 127)}}, 1, 0, x)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(y)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}
