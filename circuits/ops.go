package circuits

import (
	"fmt"

	"github.com/zkinfer/zkinfer/model"
)

// newGadget is the one list of ops that have a circuit.
func (p *Plan) newGadget(node int) (gadget, error) {
	n := &p.graph.Nodes[node]
	switch op := n.Op.(type) {
	case *model.Conv:
		return newConv(p, node, op), nil
	case *model.Dense:
		return newDense(p, node, op), nil
	case *model.Affine:
		return newAffine(p, node, op), nil
	case *model.Add:
		return newAdd(p, node, op), nil
	case *model.Mul:
		return newMul(p, node, op), nil
	case *model.AvgPool:
		return newAvgPool(p, node, op), nil
	case *model.Mean:
		return newMean(p, node, op), nil
	case *model.Activation:
		return newActivation(p, node, op), nil
	case *model.MaxPool:
		return newMaxPool(p, node, op), nil
	case *model.Softmax:
		return newSoftmax(p, node, op), nil
	case *model.FixedSoftmax:
		return newFixedSoftmax(p, node, op), nil
	case *model.ArgMax:
		return newArgMax(p, node, op), nil
	case model.Rearrangement:
		return newRearrangement(p, node, op), nil
	}
	return nil, fmt.Errorf("%w: %s", ErrUnsupportedOp, n.Op.Kind())
}
