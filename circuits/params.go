package circuits

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/zkinfer/zkinfer/model"
)

// Parameters is the matrix P of a model: everything that training changes, in FoldRows rows.
// Row i, column j is what the model commitment C_i commits to at base G_j.
type Parameters struct{ Rows [][]fr.Element }

// Parameters arranges the parameters of g, which must have the plan's architecture.
func (p *Plan) Parameters(g *model.Graph) (*Parameters, error) {
	if g.ArchitectureDigest() != p.graph.ArchitectureDigest() {
		return nil, fmt.Errorf("the model's architecture is not the one this circuit was made for")
	}
	rows := make([][]fr.Element, p.FoldRows)
	for i := range rows {
		rows[i] = make([]fr.Element, p.Columns)
	}
	for _, l := range p.linears {
		l.fill(rows, g.Nodes[l.node].Op)
	}
	return &Parameters{rows}, nil
}

// Fold is Σ αⁱ·Pᵢ.
func (m *Parameters) Fold(alpha fr.Element) []fr.Element {
	if len(m.Rows) == 0 {
		return nil
	}
	out := make([]fr.Element, len(m.Rows[0]))
	var t fr.Element
	power := fr.One()
	for _, row := range m.Rows {
		for j := range row {
			if !row[j].IsZero() {
				t.Mul(&row[j], &power)
				out[j].Add(&out[j], &t)
			}
		}
		power.Mul(&power, &alpha)
	}
	return out
}

// SolverOption gives the solver the parameters: without it no witness satisfies the circuit.
func (m *Parameters) SolverOption() solver.Option {
	return solver.OverrideHint(solver.GetHintID(foldParameters), func(_ *big.Int, in, out []*big.Int) error {
		var alpha fr.Element
		alpha.SetBigInt(in[0])
		folded := m.Fold(alpha)
		if len(folded) != len(out) {
			return fmt.Errorf("the circuit folds %d parameters, the model has %d", len(out), len(folded))
		}
		for j := range folded {
			folded[j].BigInt(out[j])
		}
		return nil
	})
}
