package plonk

import (
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/provertest"
)

// frozenProofs are folders of testvectors/proofs, with how they were made.
var frozenProofs = []struct {
	name  string
	graph func(*testing.T) *model.Graph
	input func(*testing.T, *model.Graph) []int64
}{
	{"plonk", func(t *testing.T) *model.Graph { return small(t, 1) }, func(_ *testing.T, g *model.Graph) []int64 { return randomInputs(g, 7)[0] }},
	{"plonk-hello", shipped("hello-world"), firstSample("hello-world")},
	{"plonk-ad01", shipped("ad01"), firstSample("ad01")},
	{"plonk-mnist", provertest.MNIST, func(t *testing.T, g *model.Graph) []int64 { return provertest.Digit(t, g, 7) }},
}

func shipped(name string) func(*testing.T) *model.Graph {
	return func(t *testing.T) *model.Graph { return provertest.TFLite(t, name, tflite.TFLM) }
}

func firstSample(name string) func(*testing.T, *model.Graph) []int64 {
	return func(t *testing.T, g *model.Graph) []int64 { return provertest.FirstSample(t, name, g) }
}

// The artifacts in testvectors/proofs stay verifiable.
func TestFrozenArtifacts(t *testing.T) {
	for _, f := range frozenProofs {
		t.Run(f.name, func(t *testing.T) {
			dir := provertest.FrozenDir(f.name)
			if provertest.Refreeze() {
				g := f.graph(t)
				provertest.Freeze(t, dir, Backend{}, g, [][]int64{f.input(t, g)}, prover.Options{}, prover.Private)
			}
			provertest.VerifyFrozen(t, dir)
		})
	}
}
