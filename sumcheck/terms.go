package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// newTerm is the prover of a term. weights and input are the elements, row-major, of the contraction's weights and of
// its input.
func newTerm(t *claims.Term, weights, input []int64) claims.ProductProver {
	return NewProduct(termTables(t, weights, input))
}

// termTables are W and I at every corner, as claims.Term.Tables defines them. Both are sums of small numbers times field
// elements, so that nearly all work is word by element.
//
// Terms of one contraction share nothing: their blocks have different numbers of channels, and so other
// coordinates of the point for their positions.
func termTables(t *claims.Term, weights, input []int64) (w, i []fr.Element) {
	x := newTables(t, weights, input)
	return x.w(), x.i()
}

// tables computes both sides of a term.
type tables struct {
	*claims.Term
	weights, input []int64
	kernel, in     []int // their shapes
}

func newTables(t *claims.Term, weights, input []int64) *tables {
	return &tables{Term: t, weights: weights, input: input, kernel: t.WeightShape(), in: t.Contraction.Input.Shape}
}

func (x *tables) w() []fr.Element {
	switch x.Contraction.Kind {
	case claims.Convolution:
		return x.convolutionWeights()
	case claims.MatMul:
		return x.matrix()
	}
	return x.scales()
}

func (x *tables) i() []fr.Element {
	switch x.Contraction.Kind {
	case claims.Convolution:
		return x.convolutionInputs()
	case claims.MatMul:
		return x.vectors()
	}
	return x.scaled()
}

// strides are those of a row-major array.
func strides(shape []int) []int {
	out := make([]int, len(shape))
	step := 1
	for a := len(shape) - 1; a >= 0; a-- {
		out[a] = step
		step *= shape[a]
	}
	return out
}

// padded are the strides of a table whose variables have these lengths, and its length.
func padded(sizes []int) (steps []int, length int) {
	shape := make([]int, len(sizes))
	length = 1
	for a, d := range sizes {
		shape[a] = 1 << claims.AxisBits(d)
		length *= shape[a]
	}
	return strides(shape), length
}

// box lists where a functional on a block has its weights along some axes, in an array of these strides, and the weights times k.
func box(w *claims.Weights, k fr.Element, axes, steps []int) (at []int, weights []fr.Element) {
	at, weights = []int{0}, []fr.Element{k}
	for _, a := range axes {
		start, values := w.Axis(a)
		nextAt := make([]int, 0, len(at)*len(values))
		next := make([]fr.Element, len(at)*len(values))
		for i := range at {
			for j := range values {
				next[len(nextAt)].Mul(&weights[i], &values[j])
				nextAt = append(nextAt, at[i]+(start+j)*steps[a])
			}
		}
		at, weights = nextAt, next
	}
	return at, weights
}

// matrix is Σ_n channel[n]·W[n, k].
func (x *tables) matrix() []fr.Element {
	depth := x.kernel[1]
	start, channel := x.Channel()
	return pad(combine(channel, offsets(start, len(channel), depth), x.weights, depth))
}

// vectors is Σ over the leading positions of the inputs.
func (x *tables) vectors() []fr.Element {
	last := len(x.in) - 1
	var at []int
	var weights []fr.Element
	for i := range x.Outputs {
		o := &x.Outputs[i]
		a, w := box(o, o.Coefficient, upTo(last), strides(x.in))
		at, weights = append(at, a...), append(weights, w...)
	}
	return pad(combine(weights, at, x.input, x.in[last]))
}

// offsets are those of n rows from one on.
func offsets(first, n, width int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = (first + i) * width
	}
	return out
}

// pad continues a vector by zeros to a power of two.
func pad(v []fr.Element) []fr.Element {
	out := make([]fr.Element, 1<<claims.AxisBits(len(v)))
	copy(out, v)
	return out
}

// scales are the weights.
func (x *tables) scales() []fr.Element {
	steps, length := padded(x.kernel)
	out := make([]fr.Element, length)
	own := strides(x.kernel)
	for i, v := range x.weights {
		at := 0
		for a, d := range x.kernel {
			at += i / own[a] % d * steps[a]
		}
		out[at].SetInt64(v)
	}
	return out
}

// scaled adds up the inputs along the axes that the weights do not have.
func (x *tables) scaled() []fr.Element {
	steps, length := padded(x.kernel)
	out := make([]fr.Element, length)
	for i := range x.Outputs {
		x.scaledBlock(out, steps, &x.Outputs[i])
	}
	return out
}

// scaledBlock adds those of a block: along the summed axes but the last, then along the last one.
func (x *tables) scaledBlock(out []fr.Element, steps []int, w *claims.Weights) {
	last := len(x.in) - 1
	if last < 0 {
		var v fr.Element
		out[0].Add(&out[0], v.SetInt64(x.input[0]).Mul(&v, &w.Coefficient))
		return
	}
	own := strides(x.in)
	var kept, summed []int
	for a := range last {
		if x.kernel[a] > 1 {
			kept = append(kept, a)
		} else {
			summed = append(summed, a)
		}
	}
	rows, weights := box(w, w.Coefficient, summed, own)
	to, factors := box(w, fr.One(), kept, steps)
	from, _ := box(w, fr.One(), kept, own)
	start, line := w.Axis(last)
	for i := range to {
		sums := combine(weights, rows, x.input[from[i]+start:], len(line))
		for k := range sums {
			sums[k].Mul(&sums[k], &line[k]).Mul(&sums[k], &factors[i])
			at := &out[to[i]]
			if x.kernel[last] > 1 {
				at = &out[to[i]+(start+k)*steps[last]]
			}
			at.Add(at, &sums[k])
		}
	}
}
