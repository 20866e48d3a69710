package circuits

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"

	"github.com/zkinfer/zkinfer/model"
)

// Witness is the assignment of a circuit but for S: packed public inputs, the trace, private tensors.
type Witness struct {
	Packed  []fr.Element
	Trace   []uint64
	Private [][]uint64 // unsigned values of each private tensor, inputs before outputs

	plan  *Plan
	trace *model.Trace
	err   error
}

// Assign fills the witness from an execution of the plan's architecture (any parameters).
// It errs where a value lies outside the range that the architecture declares.
func (p *Plan) Assign(t *model.Trace) (*Witness, error) {
	w := &Witness{plan: p, trace: t, Trace: make([]uint64, p.TraceWires)}
	for _, b := range p.borders {
		b.assign(w)
	}
	for i, g := range p.gadgets {
		g.assign(w)
		if w.err != nil {
			return nil, fmt.Errorf("node %q: %w", p.graph.Nodes[i].Name, w.err)
		}
	}
	return w, w.err
}

// Full is the witness for gnark's prover, in the order of Circuit's fields.
func (w *Witness) Full(s fr.Element) (witness.Witness, error) {
	return fill(s, w.Packed, w.Trace, w.Private)
}

func fill(s fr.Element, packed []fr.Element, trace []uint64, private [][]uint64) (witness.Witness, error) {
	out, err := witness.New(ecc.BN254.ScalarField())
	if err != nil {
		return nil, err
	}
	secret := len(trace)
	for _, p := range private {
		secret += len(p)
	}
	values := make(chan any, 256)
	go func() {
		defer close(values)
		values <- s
		for _, v := range packed {
			values <- v
		}
		for _, v := range trace {
			values <- v
		}
		for _, p := range private {
			for _, v := range p {
				values <- v
			}
		}
	}()
	return out, out.Fill(1+len(packed), secret, values)
}

func (w *Witness) set(s span, i int, v uint64) { w.Trace[s.off+i] = v }

// count adds one use of a table's row.
func (w *Witness) count(t *table, row uint64) { w.Trace[t.multiplicities.off+int(row)]++ }

func (w *Witness) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *Witness) values(id model.TensorID) []int64 { return w.trace.Values[id] }
