package sumcheck

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/provertest"
	engine "github.com/zkinfer/zkinfer/sumcheck"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// satisfied tells whether an execution passes the protocol, without a circuit to vouch for it: all pads are 0, so that what
// the opening says of Z can be looked at.
func satisfied(t *testing.T, g *model.Graph, inputs [][]int64) bool {
	t.Helper()
	m, err := newModel(g, prover.Options{})
	if err != nil {
		t.Fatal(err)
	}
	trace, err := g.Execute(context.Background(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	w, err := m.plan.Assign(trace)
	if err != nil {
		t.Fatal(err)
	}
	l := m.architecture.Layout()
	cells, err := engine.NewCells(w, l, make([]fr.Element, l.Pads.Rows<<l.RowBits))
	if err != nil {
		t.Fatal(err)
	}
	public := m.architecture.Public(&verifier.Statement{Inputs: shown(m.architecture.Inputs, g.Inputs, trace), Outputs: shown(m.architecture.Outputs, g.Outputs, trace)})
	r := claims.NewProver([32]byte{5}, func(claims.Kind, int) fr.Element { return fr.Element{} })
	opening, err := m.architecture.Run(r, public, cells, cells.Merge)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Sent) != m.architecture.Messages {
		t.Errorf("%d messages, the architecture has %d", len(r.Sent), m.architecture.Messages)
	}
	says, _, _ := opening.InPads(r.Sent)
	is := engineValue(cells, opening.Point)
	return says.Equal(&is)
}

func shown(borders []wrapped.Border, ids []model.TensorID, t *model.Trace) []verifier.TensorValue {
	out := make([]verifier.TensorValue, len(borders))
	for i := range out {
		out[i].Values = t.Values[ids[i]]
	}
	return out
}

// engineValue is the extension of the cells at a point.
func engineValue(c *engine.Cells, point []fr.Element) fr.Element {
	at := len(point) - c.Layout.RowBits
	row, eq := c.Fold(claims.EqTable(point[:at])), claims.EqTable(point[at:])
	var sum, v fr.Element
	for i := range row {
		sum.Add(&sum, v.Mul(&row[i], &eq[i]))
	}
	return sum
}

// TestEveryImportedModel: whatever the importers make of the ONNX suites passes the protocol.
func TestEveryImportedModel(t *testing.T) {
	for _, c := range provertest.Imported(t) {
		if !satisfied(t, c.Graph, c.Inputs[0]) {
			t.Errorf("%s: an execution does not satisfy its claims", c.Name)
		}
	}
}

// TestEveryTFLiteOp: the op suite in every rounding, with extremes among the inputs.
func TestEveryTFLiteOp(t *testing.T) {
	paths, err := filepath.Glob(tfliteVectors + "ops/*/model.tflite")
	if err != nil || len(paths) < 100 {
		t.Fatalf("%d models found (%v)", len(paths), err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := tflite.Parse(data)
		if err != nil { // which models import is a test of package tflite
			continue
		}
		for _, r := range []tflite.Rounding{tflite.TFLM, tflite.LiteRT, tflite.Single} {
			res, err := m.Integer(r, "op")
			if err != nil {
				continue
			}
			if !satisfied(t, res.Graph, extremes(rng, res.Graph)) {
				t.Errorf("%s, %s: an execution does not satisfy its claims", filepath.Base(filepath.Dir(path)), r)
			}
			tried++
		}
	}
	t.Logf("%d models", tried)
	if tried < 200 {
		t.Error("too few models: the test means little")
	}
}

// extremes are random inputs of which some elements are the least and the greatest.
func extremes(rng *rand.Rand, g *model.Graph) [][]int64 {
	inputs := randomInputs(rng, g)
	for k, id := range g.Inputs {
		t := g.Tensors[id]
		for i := range inputs[k] {
			switch rng.IntN(8) {
			case 0:
				inputs[k][i] = t.Min
			case 1:
				inputs[k][i] = t.Max
			}
		}
	}
	return inputs
}
