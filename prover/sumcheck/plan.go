package sumcheck

import (
	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/wrap"
)

// Plan implements prover.Backend: for the size class that g needs. No constraint belongs to a layer.
func (Backend) Plan(g *model.Graph, o prover.Options, r *estimate.Rates) (*prover.Plan, error) {
	m, err := newModel(g, o)
	if err != nil {
		return nil, err
	}
	shape := m.shape(g)
	return &prover.Plan{Constraints: shape.Class.Constraints,
		Proof: estimate.NewSumcheckProof(shape, r), Verification: estimate.NewSumcheckVerification(shape, r)}, nil
}

// shape counts what a proof is made of.
func (m *lowered) shape(g *model.Graph) estimate.Sumcheck {
	a, n := m.architecture, &m.architecture.Network
	l := a.Layout()
	s := estimate.Sumcheck{
		Class:     estimate.ClassCircuit{Constraints: wrap.Constraints(m.class), Pads: m.class.Pads(), Form: m.class.Public(), Row: m.class.Row()},
		Cells:     l.Trace.Rows << l.RowBits,
		Pads:      l.Pads.Rows << l.RowBits,
		Rows:      l.Trace.Rows + l.Pads.Rows,
		ModelRows: l.Parameters.Rows,
		Messages:  a.Messages, Addresses: l.AddressBits, ProofBytes: a.ProofSize(),
	}
	for _, e := range l.Externals {
		s.Cells += e.Rows << l.RowBits
		s.Rows += e.Rows
	}
	for i := range n.Tensors {
		if n.Tensors[i].Owner == claims.Parameter {
			s.Parameters += n.Tensors[i].Len()
		}
	}
	_, s.Lookups = n.Places()
	_, s.TableRows = n.TablePlaces()
	_, s.Products = n.ProductPlaces()
	for i := range n.Public {
		s.StatementBytes += n.Public[i].Len()
	}
	for _, node := range g.Nodes {
		s.MACs += node.Op.MACs(g.Operands(node), g.Tensors[node.Out])
	}
	return s
}
