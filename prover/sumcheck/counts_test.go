package sumcheck

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/wrap"
)

// TestCounts compares what proofs consist of with testdata/counts.golden; UPDATE_GOLDEN=1 writes it anew. A model's
// counts depend on its architecture alone: a change is one of the protocol, of a plan or of the choice of classes.
func TestCounts(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "%-44s %5s %11s %8s %6s %6s %10s %6s %4s %7s %8s\n",
		"model", "class", "constraints", "messages", "linear", "groups", "parameters", "trace", "pads", "cells", "proof")
	count := func(name string, g *model.Graph, private bool) {
		m, err := newModel(g, prover.Options{PrivateInput: private, PrivateOutput: private})
		if err != nil {
			t.Fatal(err)
		}
		a, l := m.architecture, m.architecture.Layout()
		fmt.Fprintf(&table, "%-44s %5d %11d %8d %6d %6d %10d %6d %4d %7s %8d\n", name, m.class.RowBits, wrap.Constraints(m.class), a.Messages, a.Linear, a.Groups,
			l.Parameters.Rows, l.Trace.Rows, l.Pads.Rows, fmt.Sprintf("2^%d", l.AddressBits), a.ProofSize())
	}
	for _, c := range modeltest.Cases() {
		count(c.Name, c.Build(rand.New(rand.NewPCG(1, 2))), c.Private)
	}
	for _, name := range []string{"hello-world", "ad01", "kws", "resnet8", "vww"} {
		for _, r := range []tflite.Rounding{tflite.TFLM, tflite.LiteRT} {
			count(name+", "+string(r), tfliteGraph(t, tfliteVectors+name+"/model.tflite", r), false)
		}
	}
	path := filepath.Join("testdata", "counts.golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := table.String(); got != string(golden) {
		t.Errorf("counts have changed (UPDATE_GOLDEN=1 writes them anew):\n%s\nexpected\n%s", got, golden)
	}
}
