package prover

import (
	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/verifier"
)

var bindings = map[circuits.Binding]verifier.Binding{
	circuits.Packed:    verifier.BindingPacked,
	circuits.Folded:    verifier.BindingFolded,
	circuits.Committed: verifier.BindingCommitted,
}

// Specs describe the tensors of g with the given ids, and how each is bound, to a verifier.
func Specs(g *model.Graph, ids []model.TensorID, how []circuits.Binding) []verifier.TensorSpec {
	out := make([]verifier.TensorSpec, len(ids))
	for i, id := range ids {
		t := g.Tensors[id]
		out[i] = verifier.TensorSpec{Name: t.Name, Shape: t.Shape, Type: t.Type.String(),
			Min: t.Min, Max: t.Max, Binding: bindings[how[i]]}
	}
	return out
}
