package sumcheck

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// The provers of this file lie on purpose: they tell what the rule under attack would leave unchecked.

// numerator is a tree whose root has another numerator.
type numerator struct {
	claims.TreeProver
	p fr.Element
}

func (n numerator) Root() (p, q fr.Element) {
	_, q = n.TreeProver.Root()
	return n.p, q
}

// nothingAsked says that the fractions of all queries add up to 0.
type nothingAsked struct{ slowProver }

func (p nothingAsked) Trees(alpha, beta fr.Element) (queries, rows claims.TreeProver) {
	queries, rows = p.slowProver.Trees(alpha, beta)
	return numerator{TreeProver: queries}, rows
}

// TestOneLookup: where one element is looked up, the tree of queries is a root. Its numerator is 1, though no level of the
// tree says so: a prover that says 0, and that no row was used, would have any output accepted.
func TestOneLookup(t *testing.T) {
	square := model.Table{Min: -128}
	for x := int64(-128); x < 128; x++ {
		square.Values = append(square.Values, x*x)
	}
	e := execute(t, rand.New(rand.NewPCG(1, 2)), modeltest.Case{Build: modeltest.OneOp(func(*rand.Rand) model.Op {
		return &model.Activation{Table: square}
	}, modeltest.Signed(1))})
	if !e.accepted(t) {
		t.Fatal("an execution was rejected")
	}
	n := e.plan.Network
	if n.Tensors[n.Tables[0].Multiplicities].Each(func(_, cell int) { e.z[cell] = 0 }); len(n.Lookups) != 1 {
		t.Fatalf("%d lookups, expected 1", len(n.Lookups))
	}
	output := e.plan.Outputs[0].Index
	n.Tensors[1].Each(func(_, cell int) { e.z[cell] = 12345 })
	e.public[output] = []int64{12345}
	cells := e.cells()
	if judged(t, cells, e.public, nothingAsked{slowProver{cells}}) {
		t.Error("an output that is no value of the function was accepted")
	}
}
