package circuits

import (
	"math/rand/v2"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// privateDense is a 1024×1024 layer with ReLU on bytes, as own quantization makes it: shift 12,
// quotients of 11 bits.
func privateDense(r *rand.Rand) *model.Graph {
	rs := modeltest.Rescale(11)
	rs.Shift = 12
	return modeltest.Graph(&model.Dense{OutN: 1024, Rescale: rs, Weights: modeltest.Noise(r, 1024*1024, 15), Bias: modeltest.Noise(r, 1024, 1<<15)}, modeltest.Bytes(1, 1024))
}

// The budgets that this package promises.
func TestBudgets(t *testing.T) {
	p, err := NewPlan(privateDense(rand.New(rand.NewPCG(1, 2))), Options{FoldRows: 16})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("dense 1024×1024: %d constraints, %d columns, %d fold rows, %s", p.Constraints, p.Columns, p.FoldRows, p.Nodes[0].Note)
	if p.Constraints > 25000 {
		t.Errorf("dense 1024×1024: %d constraints, at most 25,000", p.Constraints)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name      string
		op        model.Op
		in        model.Tensor
		most      float64
		withBands bool
	}{
		{"conv 3x3", modeltest.Conv(r, modeltest.Window(3, 1, 1, 1), 16, 16, 1, 0), modeltest.Bytes(1, 16, 32, 32), 3.7, true},
		{"conv 3x3 stride 2", modeltest.Conv(r, modeltest.Window(3, 2, 1, 1), 16, 32, 1, 0), modeltest.Bytes(1, 16, 32, 32), 4.5, false},
		{"conv 1x1", modeltest.Conv(r, modeltest.Window(1, 1, 1, 0), 64, 64, 1, 0), modeltest.Bytes(1, 64, 25, 5), 3.7, true},
		{"depthwise 3x3", modeltest.Conv(r, modeltest.Window(3, 1, 1, 1), 64, 64, 64, 0), modeltest.Bytes(1, 64, 25, 5), 4.5, false},
	} {
		op := c.op.(*model.Conv)
		op.Rescale = modeltest.Rescale(11)
		op.Rescale.Shift = 12
		p, err := NewPlan(modeltest.Graph(op, c.in), Options{})
		if err != nil {
			t.Fatal(err)
		}
		per := float64(p.Nodes[0].Constraints) / float64(p.Nodes[0].Activations)
		t.Logf("%s: %.2f constraints an activation, %s", c.name, per, p.Nodes[0].Note)
		if per > c.most {
			t.Errorf("%s: %.2f constraints an activation, at most %.1f", c.name, per, c.most)
		}
	}
}
