package circuits

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// The circuit that folding is measured against proves the same thing: it accepts what the executor
// computes and nothing else, and it has the size that is predicted.
func TestBaseline(t *testing.T) {
	for _, gc := range gadgetCases() {
		t.Run(gc.name, func(t *testing.T) {
			g := gc.build(rand.New(rand.NewPCG(1, 2)))
			gc.opts.PackTensors = true
			p, err := NewPlan(g, gc.opts)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range []Holding{PrivateWires, PublicWires, Constants} {
				testBaseline(t, p, h)
			}
		})
	}
}

func testBaseline(t *testing.T, p *Plan, h Holding) {
	t.Helper()
	b, err := p.NewBaseline(p.graph, h)
	if err != nil {
		t.Fatal(err)
	}
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, b, CompileOption())
	if err != nil {
		t.Fatal(err)
	}
	if n, most := system.GetNbConstraints(), p.BaselineConstraints(h); n > most {
		t.Errorf("holding %d: %d constraints, predicted are %d at most", h, n, most)
	}
	c := &compiled{graph: p.graph, plan: p}
	w, err := p.Assign(c.execute(t, rand.New(rand.NewPCG(5, 6))))
	if err != nil {
		t.Fatal(err)
	}
	solve := func() error {
		full, err := b.Full(w, fr.One())
		if err != nil {
			t.Fatal(err)
		}
		return system.IsSolved(full)
	}
	if err := solve(); err != nil {
		t.Errorf("holding %d: %v", h, err)
	}
	if len(p.linears) == 0 {
		return
	}
	// Other parameters do not fit the trace, nor another bias the sums.
	for _, l := range p.linears {
		for _, q := range p.graph.Nodes[l.node].Op.Params() {
			(*q.Values)[0]++
			if h != Constants && solve() == nil && q.Name == "bias" {
				t.Errorf("holding %d: another %s of %s is accepted", h, q.Name, l.name)
			}
			(*q.Values)[0]--
		}
	}
}

// A model of another architecture has no baseline in this plan.
func TestBaselineOfAnotherModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	small := modeltest.Graph(&model.Dense{OutN: 2, Rescale: modeltest.Rescale(10), Weights: modeltest.Noise(r, 8, 5), Bias: modeltest.Noise(r, 2, 5)}, modeltest.Bytes(1, 4))
	other := modeltest.Graph(&model.Dense{OutN: 3, Rescale: modeltest.Rescale(10), Weights: modeltest.Noise(r, 12, 5), Bias: modeltest.Noise(r, 3, 5)}, modeltest.Bytes(1, 4))
	p, err := NewPlan(small, Options{PackTensors: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.NewBaseline(other, PrivateWires); err == nil {
		t.Error("accepted")
	}
}

// A fold binds nothing where no verifier compares it.
func TestBaselineOfFolds(t *testing.T) {
	g := privateDense(rand.New(rand.NewPCG(1, 2)))
	p, err := NewPlan(g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.NewBaseline(g, Constants); err == nil {
		t.Error("accepted")
	}
}
