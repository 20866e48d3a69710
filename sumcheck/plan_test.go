package sumcheck

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/claims/plain"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// executed is a case with its cells.
type executed struct {
	plan    *Plan
	witness *Witness
	z       []int64 // of all tensors, in one piece
	public  [][]int64
}

func randomInputs(r *rand.Rand, g *model.Graph) [][]int64 {
	var out [][]int64
	for _, id := range g.Inputs {
		t := g.Tensors[id]
		v := make([]int64, t.Len())
		for i := range v {
			v[i] = t.Min + r.Int64N(t.Max-t.Min+1)
		}
		out = append(out, v)
	}
	return out
}

func execute(t *testing.T, r *rand.Rand, c modeltest.Case) *executed {
	t.Helper()
	g := c.Build(r)
	p, err := NewPlan(g, Options{PrivateInput: c.Private, PrivateOutput: c.Private})
	if err != nil {
		t.Fatal(err)
	}
	trace, err := g.Execute(context.Background(), randomInputs(r, g))
	if err != nil {
		t.Fatal(err)
	}
	e := &executed{plan: p}
	if e.witness, err = p.Assign(trace); err != nil {
		t.Fatal(err)
	}
	e.public = make([][]int64, len(p.Network.Public))
	for i, ids := range [][]model.TensorID{g.Inputs, g.Outputs} {
		for k, border := range [][]Border{p.Inputs, p.Outputs}[i] {
			if !border.Private {
				e.public[border.Index] = trace.Values[ids[k]]
			}
		}
	}
	var tensors []*claims.Tensor
	for _, x := range p.Network.Tensors {
		tensors = append(tensors, x.Tensor)
	}
	e.z = make([]int64, claims.Place(0, tensors...))
	for i, x := range tensors {
		x.Each(func(element, cell int) { e.z[cell] = e.witness.values[i][element] })
	}
	return e
}

func (e *executed) cells() plain.Cells {
	z := make([]fr.Element, len(e.z))
	for i, v := range e.z {
		z[i].SetInt64(v)
	}
	return plain.Cells{Network: e.plan.Network, Z: z}
}

// TestExecutionsSatisfyTheirPlans: the cells of an execution are what the network says.
func TestExecutionsSatisfyTheirPlans(t *testing.T) {
	for _, c := range modeltest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			for seed := range uint64(3) {
				e := execute(t, rand.New(rand.NewPCG(seed, 1)), c)
				if err := e.cells().Check(e.public); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
