package sumcheck

import (
	"fmt"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
)

// lower is the one list of ops that have claims. Each sets the value of the node's output.
func (b *builder) lower(node int) error {
	n := &b.graph.Nodes[node]
	var out claims.Shaped
	switch op := n.Op.(type) {
	case *model.Conv:
		out = b.conv(node, op)
	case *model.Dense:
		out = b.dense(node, op)
	case *model.Affine:
		out = b.affine(node, op)
	case *model.Add:
		out = b.add(node, op)
	case *model.Mul:
		out = b.mul(node, op)
	case *model.AvgPool:
		out = b.avgPool(node, op)
	case *model.Mean:
		out = b.mean(node, op)
	case *model.Activation:
		out = b.activation(n, op)
	case *model.MaxPool:
		out = b.maxPool(n, op)
	case *model.Softmax:
		out = b.softmax(n, op)
	case *model.FixedSoftmax:
		out = b.fixedSoftmax(n, op)
	case *model.ArgMax:
		out = b.argMax(n, op)
	case *model.Reshape:
		out = reshape(b.values[n.In[0]], op.Shape...)
	case *model.Transpose:
		out = permute(b.values[n.In[0]], op.Perm...)
	case *model.Concat:
		out = b.concat(n, op)
	case *model.Slice:
		out = b.slice(n, op)
	case *model.Pad:
		out = b.pad(n, op)
	case *model.Gather:
		out = choose(b.values[n.In[0]], op.Axis, op.Indices)
	default:
		return fmt.Errorf("%w: %s", ErrUnsupportedOp, n.Op.Kind())
	}
	b.values[n.Out] = out
	return nil
}
