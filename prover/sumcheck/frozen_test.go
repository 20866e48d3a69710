package sumcheck

import (
	"os"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/provertest"
)

// frozenProofs are kept in the folders of testvectors/proofs that have their names.
var frozenProofs = []struct {
	name    string
	graph   func(t *testing.T) *model.Graph
	input   func(t *testing.T, g *model.Graph) []int64
	options prover.Options
	privacy prover.Privacy
}{
	{"sumcheck", adder, two, prover.Options{}, prover.Public},
	{"sumcheck-private", adder, two, prover.Options{PrivateInput: true, PrivateOutput: true}, prover.Private},
	{"resnet8", resnet8, picture, prover.Options{}, prover.Private},
}

func adder(*testing.T) *model.Graph { return modeltest.Adder() }

func two(*testing.T, *model.Graph) []int64 { return []int64{30, 12} }

func resnet8(t *testing.T) *model.Graph {
	return tfliteGraph(t, tfliteVectors+"resnet8/model.tflite", tflite.TFLM)
}

// picture is the first sample for MLPerf Tiny's image classification.
func picture(t *testing.T, g *model.Graph) []int64 {
	t.Helper()
	raw, err := os.ReadFile(tfliteVectors + "resnet8/input.raw")
	if err != nil {
		t.Fatal(err)
	}
	x := make([]int64, g.Tensors[g.Inputs[0]].Len())
	for i := range x {
		x[i] = int64(int8(raw[i]))
	}
	return x
}

func TestFrozenArtifacts(t *testing.T) {
	for _, f := range frozenProofs {
		t.Run(f.name, func(t *testing.T) {
			dir := provertest.FrozenDir(f.name)
			if provertest.Refreeze() {
				g := f.graph(t)
				provertest.Freeze(t, dir, Backend{}, g, [][]int64{f.input(t, g)}, f.options, f.privacy)
			}
			provertest.VerifyFrozen(t, dir)
		})
	}
}
