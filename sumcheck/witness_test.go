package sumcheck

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// BenchmarkAssign is a convolution of 147456 outputs, each rounded twice.
func BenchmarkAssign(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	c := modeltest.Conv(rng, modeltest.Window(1, 1, 1, 0), 8, 144, 1, 3)
	c.Rescale = model.Rescale{Shift: 37, QMin: -300, QMax: 300, Table: modeltest.ReLU(-301, 300), Roundings: slices.Repeat([]model.Rounding{model.HalfAway(6)}, 144)}
	c.Weights = modeltest.Noise(rng, len(c.Weights), 1<<33)
	g := modeltest.Graph(c, modeltest.Bytes(1, 8, 32, 32))
	p, err := NewPlan(g, Options{})
	if err != nil {
		b.Fatal(err)
	}
	trace, err := g.Execute(context.Background(), randomInputs(rng, g))
	if err != nil {
		b.Fatal(err)
	}
	l, err := p.Network.Lay(10, 0)
	if err != nil {
		b.Fatal(err)
	}
	lookups := 0
	for b.Loop() {
		w, err := p.Assign(trace)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := NewCells(w, l, nil); err != nil {
			b.Fatal(err)
		}
		lookups = len(w.queries)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(lookups), "ns/lookup")
}
