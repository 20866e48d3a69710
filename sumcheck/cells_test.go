package sumcheck

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/claims/plain"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// mixed are grouped convolutions of which some channels round in one way and some in another.
func mixed() (cases []modeltest.Case) {
	for name, channels := range map[string][3]int{ // inputs, outputs, groups
		"mixed, one group":    {3, 5, 1},
		"mixed, groups":       {6, 4, 2},
		"mixed, depthwise":    {5, 5, 5},
		"mixed, two an input": {3, 6, 3},
	} {
		in, out, groups := channels[0], channels[1], channels[2]
		cases = append(cases, modeltest.Case{Name: name, Build: func(r *rand.Rand) *model.Graph {
			c := modeltest.Conv(r, modeltest.Window(2, 1, 1, 1), in, out, groups, 3)
			c.Rescale = modeltest.Binary32Rescale(-130, 127, -130, 127)
			c.Rescale.Roundings = make([]model.Rounding, out)
			for i := range out {
				c.Rescale.Roundings[i] = []model.Rounding{model.Binary32, model.HalfUp, model.Binary32}[i%3]
			}
			c.Weights, c.Bias = modeltest.Noise(r, len(c.Weights), 1<<19), modeltest.Noise(r, out, 1<<29)
			return modeltest.Graph(c, modeltest.Bytes(1, in, 4, 3))
		}})
	}
	return cases
}

// TestMixedRoundings: executions satisfy the plans of such convolutions, by the definition and by the protocol.
func TestMixedRoundings(t *testing.T) {
	for _, c := range mixed() {
		t.Run(c.Name, func(t *testing.T) {
			e := execute(t, rand.New(rand.NewPCG(1, 2)), c)
			if err := e.cells().Check(e.public); err != nil {
				t.Fatal(err)
			}
			if !e.accepted(t) {
				t.Fatal("an execution was rejected")
			}
		})
	}
}

// TestCellsProveWhatTheyHold: all messages are those of the slow prover of the same cells, which works by the definitions.
func TestCellsProveWhatTheyHold(t *testing.T) {
	for _, c := range append(modeltest.Cases(), mixed()...) {
		t.Run(c.Name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(15, 16))
			g := c.Build(rng)
			p, err := NewPlan(g, Options{PrivateInput: c.Private, PrivateOutput: c.Private})
			if err != nil {
				t.Fatal(err)
			}
			trace, err := g.Execute(context.Background(), randomInputs(rng, g))
			if err != nil {
				t.Fatal(err)
			}
			cells, slow := laid(t, p, trace)
			public := make([][]int64, len(p.Network.Public)) // of no matter to a prover
			for i := range public {
				public[i] = make([]int64, volume(p.Network.Public[i].Shape))
			}
			if !slices.Equal(messages(t, p, public, cells), messages(t, p, public, slow)) {
				t.Error("messages differ")
			}
		})
	}
}

func laid(t *testing.T, p *Plan, trace *model.Trace) (*Cells, slowProver) {
	t.Helper()
	w, err := p.Assign(trace)
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.Network.Lay(6, 0)
	if err != nil {
		t.Fatal(err)
	}
	cells, err := NewCells(w, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewCells(w, l, nil); err == nil {
		t.Error("a witness was laid twice")
	}
	z := make([]fr.Element, len(cells.Values))
	for i, v := range cells.Values {
		z[i].SetInt64(v)
	}
	return cells, slowProver{plain.Cells{Network: p.Network, Z: z}}
}

// messages are those of a run, without pads.
func messages(t *testing.T, p *Plan, public [][]int64, prover claims.NetworkProver) []fr.Element {
	t.Helper()
	r := claims.NewProver([32]byte{5}, func(claims.Kind, int) (zero fr.Element) { return zero })
	if err := p.Network.Prove(r, public, prover); err != nil {
		t.Fatal(err)
	}
	return r.Sent
}

// TestOtherExecution: an execution of another graph is refused.
func TestOtherExecution(t *testing.T) {
	g := mixed()[0].Build(rand.New(rand.NewPCG(17, 18)))
	p, err := NewPlan(g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	trace, err := g.Execute(context.Background(), randomInputs(rand.New(rand.NewPCG(19, 20)), g))
	if err != nil {
		t.Fatal(err)
	}
	node, out := len(g.Nodes)-1, g.Nodes[len(g.Nodes)-1].Out
	for name, change := range map[string]func(o *model.Trace){
		"no accumulators":       func(o *model.Trace) { o.Acc[node] = nil },
		"too few accumulators":  func(o *model.Trace) { o.Acc[node] = o.Acc[node][1:] },
		"other accumulators":    func(o *model.Trace) { o.Acc[node] = slices.Repeat([]int64{1 << 60}, len(o.Acc[node])) },
		"too few values":        func(o *model.Trace) { o.Values[out] = o.Values[out][1:] },
		"fewer nodes":           func(o *model.Trace) { o.Acc = o.Acc[1:] },
		"fewer tensors":         func(o *model.Trace) { o.Values = o.Values[1:] },
		"none, which is no lie": nil,
	} {
		other := model.Trace{Values: slices.Clone(trace.Values), Acc: slices.Clone(trace.Acc)}
		if change != nil {
			change(&other)
		}
		if _, err := p.Assign(&other); (err != nil) != (change != nil) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
