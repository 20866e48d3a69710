package onnx

import (
	"math"
	"slices"

	"github.com/zkinfer/zkinfer/model/float"
)

// maxProducts bounds the products that a MatMul with a batch of constant matrices becomes.
const maxProducts = 1 << 10

func lowerConv(im *importer, n *node) ([]*value, error) {
	if err := n.needs(2, 3); err != nil {
		return nil, err
	}
	x, w, bias := n.in[0], n.in[1], n.operand(2)
	if !w.constant() || bias != nil && !bias.constant() {
		return nil, n.unsupported("weights or bias are computed, expected constants (initializers, or inputs bound in Options.Bind)")
	}
	spatial := len(x.shape) - 2
	if len(w.shape) != len(x.shape) || spatial < 1 {
		return nil, n.malformed("input %v and weights %v", x.shape, w.shape)
	}
	if err := n.wantImage(x); err != nil {
		return nil, err
	}
	g, err := n.geometry(x.shape[2:], w.shape[2:])
	if err != nil {
		return nil, err
	}
	groups, err := n.intAttr("group", 1)
	if err != nil {
		return nil, err
	}
	if groups < 1 || groups > int64(x.shape[1]) {
		return nil, n.malformed("%d groups for an input %v", groups, x.shape)
	}
	image, err := im.asImage(x)
	if err != nil {
		return nil, err
	}
	kernel, err := im.asImage(w)
	if err != nil {
		return nil, err
	}
	operands := []*value{image, kernel}
	if bias != nil {
		operands = append(operands, bias)
	}
	y, err := im.emit(float.Conv{Window: g.window(), Groups: int(groups)}, nil, operands...)
	if err != nil {
		return nil, err
	}
	return one(im.fromImage(y, spatial))
}

// lowerGemm: alpha·A·B + beta·C; a constant A is brought to the right by transposing everything.
func lowerGemm(im *importer, n *node) ([]*value, error) {
	if err := n.needs(2, 3); err != nil {
		return nil, err
	}
	operands := []*value{n.in[0], n.in[1]}
	for i, name := range []string{"transA", "transB"} {
		transposed, err := n.flag(name, false)
		if err != nil {
			return nil, err
		}
		if len(operands[i].shape) != 2 {
			return nil, n.malformed("operand %v, expected a matrix", operands[i].shape)
		}
		if !transposed {
			continue
		}
		if operands[i], err = im.emit(float.Transpose{Perm: []int{1, 0}}, nil, operands[i]); err != nil {
			return nil, err
		}
	}
	y, err := im.matMul(operands[0], operands[1])
	if err != nil {
		return nil, err
	}
	if y, err = im.scaledBy(y, "alpha"); err != nil {
		return nil, err
	}
	c := n.operand(2)
	if c == nil {
		return []*value{y}, nil
	}
	if c, err = im.scaledBy(c, "beta"); err != nil {
		return nil, err
	}
	if !c.constant() {
		if c, err = im.expand(c, y.shape); err != nil {
			return nil, err
		}
	}
	out, err := im.binary("add", y, c)
	if err == nil && !slices.Equal(out.shape, y.shape) {
		err = n.malformed("C %v does not broadcast to %v", c.shape, y.shape)
	}
	return one(out, err)
}

// scaledBy multiplies by a float attribute that is 1 if left out.
func (im *importer) scaledBy(x *value, name string) (*value, error) {
	factor, err := im.current.floatAttr(name, 1)
	if err != nil || factor == 1 {
		return x, err
	}
	return im.affine(x, floatScalar(factor), floatScalar(0))
}

func lowerMatMul(im *importer, n *node) ([]*value, error) {
	if err := n.needs(2, 2); err != nil {
		return nil, err
	}
	return one(im.matMul(n.in[0], n.in[1]))
}

// matMul is the matrix product as in numpy.matmul; at least one operand must be constant.
func (im *importer) matMul(a, b *value) (*value, error) {
	if !a.constant() && !b.constant() {
		return nil, im.current.unsupported("product of two computed tensors, expected one to be constant")
	}
	if len(a.shape) == 0 || len(b.shape) == 0 {
		return nil, im.current.malformed("product of %v and %v", a.shape, b.shape)
	}
	row, column := len(a.shape) == 1, len(b.shape) == 1
	var err error
	if row {
		a, err = im.reshape(a, []int{1, a.shape[0]})
	}
	if column && err == nil {
		b, err = im.reshape(b, []int{b.shape[0], 1})
	}
	if err != nil {
		return nil, err
	}
	y, err := im.matrixProduct(a, b)
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(y.shape)
	if column {
		shape = shape[:len(shape)-1]
	}
	if row {
		at := len(y.shape) - 2
		shape = slices.Delete(shape, at, at+1)
	}
	return im.reshape(y, shape)
}

// matrixProduct is matMul for operands with at least two axes. A constant left operand goes to the
// right: A·B = (Bᵀ·Aᵀ)ᵀ.
func (im *importer) matrixProduct(a, b *value) (*value, error) {
	if b.constant() {
		return im.batchedProduct(a, b)
	}
	left, err := im.swapLast(b)
	if err != nil {
		return nil, err
	}
	right, err := im.swapLast(a)
	if err != nil {
		return nil, err
	}
	y, err := im.batchedProduct(left, right)
	if err != nil {
		return nil, err
	}
	return im.swapLast(y)
}

// swapLast transposes the last two axes.
func (im *importer) swapLast(v *value) (*value, error) {
	perm := make([]int, len(v.shape))
	for a := range perm {
		perm[a] = a
	}
	last := len(perm) - 1
	perm[last], perm[last-1] = last-1, last
	return im.emit(float.Transpose{Perm: perm}, nil, v)
}

// batchedProduct multiplies [..., M, K] by constant [..., K, N]: at once where the constant is one
// matrix, else matrix by matrix.
func (im *importer) batchedProduct(a, b *value) (*value, error) {
	last := len(b.shape) - 2
	k, n := b.shape[last], b.shape[last+1]
	count, err := elementCount(toInt64(b.shape[:last]), math.MaxInt32)
	if err != nil {
		return nil, err
	}
	if count == 1 {
		weights, err := im.reshape(b, []int{k, n})
		if err != nil {
			return nil, err
		}
		y, err := im.emit(float.Dense{}, nil, a, weights)
		if err != nil {
			return nil, err
		}
		batch, err := float.Broadcast(a.shape[:len(a.shape)-2], b.shape[:last])
		if err != nil {
			return nil, im.shapeError(err)
		}
		return im.reshape(y, append(batch, a.shape[len(a.shape)-2], n))
	}
	batch, err := float.Broadcast(a.shape[:len(a.shape)-2], b.shape[:last])
	if err != nil {
		return nil, im.shapeError(err)
	}
	if a, err = im.expand(a, append(slices.Clone(batch), a.shape[len(a.shape)-2:]...)); err != nil {
		return nil, err
	}
	if b, err = im.expand(b, append(slices.Clone(batch), k, n)); err != nil {
		return nil, err
	}
	y, err := im.productOfEach(a, b)
	if err != nil {
		return nil, err
	}
	return im.reshape(y, append(batch, a.shape[len(a.shape)-2], n))
}

// productOfEach multiplies the matrices of a and b, whose batch axes are the same, pair by pair.
func (im *importer) productOfEach(a, b *value) (*value, error) {
	rank := len(a.shape)
	count, err := elementCount(toInt64(a.shape[:rank-2]), maxProducts)
	if err != nil {
		return nil, err
	}
	flatA, err := im.reshape(a, append([]int{count}, a.shape[rank-2:]...))
	if err != nil {
		return nil, err
	}
	flatB, err := im.reshape(b, append([]int{count}, b.shape[rank-2:]...))
	if err != nil {
		return nil, err
	}
	var products []*value
	for i := range count {
		x, err := im.sliceAxis(flatA, 0, i, 1, 1)
		if err != nil {
			return nil, err
		}
		w, err := im.sliceAxis(flatB, 0, i, 1, 1)
		if err != nil {
			return nil, err
		}
		if w, err = im.reshape(w, flatB.shape[1:]); err != nil {
			return nil, err
		}
		y, err := im.emit(float.Dense{}, nil, x, w)
		if err != nil {
			return nil, err
		}
		products = append(products, y)
	}
	return im.emit(float.Concat{Axis: 0}, nil, products...)
}

// lowerBatchNormalization: (x − μ)·γ/√(σ² + ε) + β, an Affine a channel.
func lowerBatchNormalization(im *importer, n *node) ([]*value, error) {
	if err := n.needs(5, 5); err != nil {
		return nil, err
	}
	training, err := n.flag("training_mode", false)
	if err != nil {
		return nil, err
	}
	spatial, err := n.flag("spatial", true)
	if err != nil {
		return nil, err
	}
	if training || !spatial {
		return nil, n.unsupported("training mode or statistics a position, expected inference with statistics a channel")
	}
	epsilon, err := n.floatAttr("epsilon", 1e-5)
	if err != nil {
		return nil, err
	}
	x := n.in[0]
	if len(x.shape) < 2 {
		return nil, n.malformed("input %v, expected [N, C, ...]", x.shape)
	}
	channels := x.shape[1]
	for _, v := range n.in[1:] {
		if !v.constant() || !v.typ.isFloat() {
			return nil, n.unsupported("a parameter is computed, expected constants of floats")
		}
		if len(v.floats) != channels {
			return nil, n.malformed("a parameter of shape %v for %d channels", v.shape, channels)
		}
	}
	gamma, beta, mean, variance := n.in[1].floats, n.in[2].floats, n.in[3].floats, n.in[4].floats
	scale, shift := make([]float32, channels), make([]float32, channels)
	for c := range channels {
		s := float64(gamma[c]) / math.Sqrt(float64(variance[c])+epsilon)
		scale[c], shift[c] = float32(s), float32(float64(beta[c])-float64(mean[c])*s)
	}
	shape := []int{channels}
	for range len(x.shape) - 2 {
		shape = append(shape, 1)
	}
	return one(im.affine(x, floatConstant(shape, scale), floatConstant(shape, shift)))
}
