package circuits

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

func TestMain(m *testing.M) {
	logger.Disable()
	m.Run()
}

// gadgetCase is a case of the suite that all backends share.
type gadgetCase struct {
	name  string
	opts  Options
	build func(r *rand.Rand) *model.Graph
}

func gadgetCases() []gadgetCase {
	var out []gadgetCase
	for _, c := range modeltest.Cases() {
		out = append(out, gadgetCase{c.Name, Options{FoldRows: c.FoldRows, PrivateInput: c.Private, PrivateOutput: c.Private}, c.Build})
	}
	return out
}

// compiled is a case ready to be solved.
type compiled struct {
	graph   *model.Graph
	plan    *Plan
	system  *cs.R1CS
	circuit *Circuit
	params  *Parameters
}

func compile(t testing.TB, c gadgetCase) *compiled {
	t.Helper()
	return compileGraph(t, c.build(rand.New(rand.NewPCG(1, 2))), c.opts)
}

func compileGraph(t testing.TB, g *model.Graph, o Options) *compiled {
	t.Helper()
	p, err := NewPlan(g, o)
	if err != nil {
		t.Fatal(err)
	}
	return compilePlan(t, p)
}

func compilePlan(t testing.TB, p *Plan) *compiled {
	t.Helper()
	g := p.graph
	circuit := p.NewCircuit()
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, circuit, CompileOption())
	if err != nil {
		t.Fatal(err)
	}
	params, err := p.Parameters(g)
	if err != nil {
		t.Fatal(err)
	}
	return &compiled{g, p, system.(*cs.R1CS), circuit, params}
}

// execute runs the graph on a random input, extremes included.
func (c *compiled) execute(t testing.TB, r *rand.Rand) *model.Trace {
	t.Helper()
	var inputs [][]int64
	for _, id := range c.graph.Inputs {
		x := make([]int64, c.graph.Tensors[id].Len())
		lo, hi := c.graph.Tensors[id].Min, c.graph.Tensors[id].Max
		for i := range x {
			switch r.IntN(5) {
			case 0:
				x[i] = lo
			case 1:
				x[i] = hi
			default:
				x[i] = lo + r.Int64N(hi-lo+1)
			}
		}
		inputs = append(inputs, x)
	}
	trace, err := c.graph.Execute(context.Background(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}
