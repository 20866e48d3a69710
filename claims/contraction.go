package claims

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// ContractionKind says how parameters meet inputs.
type ContractionKind int

const (
	// Convolution has weights [O, C/Groups, KY, KX], input [1, Y, X, C] and the shape [1, OY, OX, O]: taps beyond the
	// image contribute nothing, group g has input channels from g·C/Groups on.
	Convolution ContractionKind = iota
	// MatMul has weights [N, K], input [..., K] and the shape [..., N].
	MatMul
	// Scaling has an input of its shape and weights that broadcast to it.
	Scaling
)

// Contraction is a tensor of sums of products: parameters times inputs.
type Contraction struct {
	Kind   ContractionKind
	Weight View
	Input  Shaped
	// Of a convolution, by axis y, x.
	Out, Stride, Dilation, Pad [2]int
	Groups                     int
}

// shape is that of the result. Errors wrap ErrNetwork.
func (c *Contraction) shape(n *Network) ([]int, error) {
	weight, err := n.ShapeOf(&c.Weight)
	if err != nil {
		return nil, err
	}
	in := c.Input.Shape
	if err := checkShape(in); err != nil {
		return nil, err
	}
	if err := n.checkExpression(&c.Input.Expression, in, nil); err != nil {
		return nil, err
	}
	var out []int
	switch c.Kind {
	case Convolution:
		out, err = c.convolutionShape(weight, in)
	case MatMul:
		if len(weight) != 2 || len(in) == 0 || in[len(in)-1] != weight[1] {
			err = fmt.Errorf("%w: %v times %v", ErrNetwork, in, weight)
			break
		}
		out = append(slices.Clone(in[:len(in)-1]), weight[0])
	case Scaling:
		ok := len(weight) == len(in)
		for a := range min(len(weight), len(in)) {
			ok = ok && (weight[a] == 1 || weight[a] == in[a])
		}
		if !ok {
			err = fmt.Errorf("%w: %v scaled by %v", ErrNetwork, in, weight)
		}
		out = in
	default:
		err = fmt.Errorf("%w: contraction of kind %d", ErrNetwork, c.Kind)
	}
	if err != nil {
		return nil, err
	}
	return out, checkShape(out)
}

func (c *Contraction) convolutionShape(weight, in []int) ([]int, error) {
	if len(weight) != 4 || len(in) != 4 || in[0] != 1 || c.Groups < 1 || weight[0]%c.Groups != 0 || in[3] != c.Groups*weight[1] {
		return nil, fmt.Errorf("%w: convolution of %v with %v in %d groups", ErrNetwork, in, weight, c.Groups)
	}
	for a := range 2 {
		if c.Out[a] < 1 || c.Out[a] > maxLength || c.Stride[a] < 1 || outside(c.Stride[a]) || c.Dilation[a] < 1 || outside(c.Dilation[a]) || outside(c.Pad[a]) || c.Out[a]*weight[2+a] > maxElements {
			return nil, fmt.Errorf("%w: convolution %+v", ErrNetwork, *c)
		}
	}
	return []int{1, c.Out[0], c.Out[1], weight[0]}, nil
}

// Term is what a contraction contributes to the sum of products:
//
//	Σ_x W(x)·I(x),
//
// where x is (tap y, tap x, input channel) of a convolution, k of a product of matrices, the axes along which the
// weights of a scaling run, each padded to a power of two. W is the weights times Channel over outputs, I the inputs
// times the Outputs' other axes, added up over them.
type Term struct {
	Contraction *Contraction
	// Outputs are functionals on the contraction's result, each on one block.
	Outputs []Weights

	network *Network
	weight  []int // shapes
	in      []int
}

// collector gathers terms of one lookup: those of a contraction whose functionals have the same weights along the output
// channels are one.
type collector struct {
	network *Network
	shape   []int
	terms   []*Term
	byPart  map[termKey]*Term
	block   map[int]*Weights // of the block at hand, by contraction
}

type termKey struct{ contraction, start, bits int }

func newCollector(n *Network, shape []int) *collector {
	return &collector{network: n, shape: shape, byPart: map[termKey]*Term{}}
}

// begin begins a block.
func (c *collector) begin() { c.block = map[int]*Weights{} }

// subtract takes a functional of an expression from a form, all but the contractions: their sum, the terms', is what is left.
func (c *collector) subtract(f *Form, e *Expression, w Weights) {
	c.network.addExpression(f, e, w.scaled(minusOne()))
	w = w.scaled(shiftInverse(e.Shift))
	for _, x := range e.Contractions {
		var k fr.Element
		k.SetInt64(x.Coefficient).Mul(&k, &w.Coefficient)
		if same, ok := c.block[x.Contraction]; ok { // of another column
			same.Coefficient.Add(&same.Coefficient, &k)
			continue
		}
		t := c.term(x.Contraction, &w)
		t.Outputs = append(t.Outputs, w)
		last := &t.Outputs[len(t.Outputs)-1]
		last.Coefficient = k
		c.block[x.Contraction] = last
	}
}

func (c *collector) term(contraction int, w *Weights) *Term {
	key := termKey{contraction: contraction}
	x := &c.network.Contractions[contraction]
	if x.Kind != Scaling {
		v := w.axis(len(w.Shape) - 1)
		key.start, key.bits = v.start, len(v.point)
	}
	if t, ok := c.byPart[key]; ok {
		return t
	}
	t := &Term{Contraction: x, network: c.network}
	t.weight, _ = c.network.ShapeOf(&x.Weight)
	t.in = x.Input.Shape
	c.byPart[key] = t
	c.terms = append(c.terms, t)
	return t
}

// WeightShape is the shape of the contraction's weights.
func (t *Term) WeightShape() []int { return t.weight }

// Sizes are the lengths of the variables before padding.
func (t *Term) Sizes() []int {
	switch t.Contraction.Kind {
	case Convolution:
		return []int{t.weight[2], t.weight[3], t.in[3]}
	case MatMul:
		return []int{t.weight[1]}
	}
	return t.weight
}

// Bits is the number of variables.
func (t *Term) Bits() int {
	n := 0
	for _, d := range t.Sizes() {
		n += AxisBits(d)
	}
	return n
}

// claim requires that the messages are the values of W and of I at the point, as functionals of Z.
func (t *Term) claim(r *Run, ends [2]Message, point []fr.Element) {
	for side, read := range []func(*Form, []vector){t.addWeights, t.addInputs} {
		var check Check
		read(&check.Form, t.vectors(point))
		check.Form.Add(minusOne(), Of(ends[side]))
		r.Require(check)
	}
}

// vectors are eq of the point's variables, of the variables' lengths.
func (t *Term) vectors(point []fr.Element) []vector {
	var out []vector
	for _, d := range t.Sizes() {
		b := AxisBits(d)
		out = append(out, paddedVector(point[:b], d))
		point = point[b:]
	}
	return out
}

// Channel is the vector over output channels that all Outputs share, of a convolution or a product of matrices.
func (t *Term) Channel() (start int, values []fr.Element) {
	w := &t.Outputs[0]
	return w.Axis(len(w.Shape) - 1)
}

func (t *Term) channel() vector {
	w := &t.Outputs[0]
	return *w.axis(len(w.Shape) - 1)
}

// addWeights adds the functional of W at a point.
func (t *Term) addWeights(f *Form, at []vector) {
	c := t.Contraction
	w := Weights{Shape: t.weight, Coefficient: fr.One()}
	switch c.Kind {
	case Convolution:
		w.groups = []group{{[]int{2}, at[0]}, {[]int{3}, at[1]}}
		if c.Groups == 1 {
			w.groups = append(w.groups, group{[]int{0}, t.channel()}, group{[]int{1}, at[2]})
		} else {
			w.groups = append(w.groups, group{[]int{0, 1}, denseVector(t.grouped(at[2].entries()))})
		}
	case MatMul:
		w.groups = []group{{[]int{0}, t.channel()}, {[]int{1}, at[0]}}
	default:
		w = weightsOf(t.weight, at)
	}
	t.network.addView(f, w, &c.Weight)
}

// grouped is channel(o)·at(first input channel of o's group + c), for every o and c.
func (t *Term) grouped(at []fr.Element) []fr.Element {
	vector, per := t.channel(), t.weight[1]
	channel := vector.dense(t.weight[0])
	out := make([]fr.Element, len(channel)*per)
	for o := range channel {
		first := o / (len(channel) / t.Contraction.Groups) * per
		for c := range per {
			out[o*per+c].Mul(&channel[o], &at[first+c])
		}
	}
	return out
}

// addInputs adds the functional of I at a point.
func (t *Term) addInputs(f *Form, at []vector) {
	for i := range t.Outputs {
		t.network.addExpression(f, &t.Contraction.Input.Expression, t.inputs(&t.Outputs[i], at))
	}
}

// inputs is the functional on the input of one of Outputs, with the variables at a point.
func (t *Term) inputs(w *Weights, at []vector) Weights {
	switch t.Contraction.Kind {
	case Convolution:
		return w.with(t.in, map[int]vector{
			1: denseVector(t.window(0, w.axis(1), at[0].entries())), 2: denseVector(t.window(1, w.axis(2), at[1].entries())), 3: at[2]})
	case MatMul:
		return w.with(t.in, map[int]vector{len(t.in) - 1: at[0]})
	}
	changed := map[int]vector{}
	for a, d := range t.weight {
		if d == 1 {
			continue
		}
		v := *w.axis(a)
		values, eq := slices.Clone(v.entries()), at[a].entries()
		for i := range values {
			values[i].Mul(&values[i], &eq[v.start+i])
		}
		changed[a] = vector{start: v.start, n: len(values), values: values}
	}
	return w.with(t.in, changed)
}

// window is, for every input position along an axis, Σ u(o)·taps(k) over the output positions o and the taps k that read it.
func (t *Term) window(axis int, u *vector, taps []fr.Element) []fr.Element {
	c := t.Contraction
	out := make([]fr.Element, t.in[1+axis])
	entries := u.entries()
	var v fr.Element
	for o := range entries {
		for k := range taps {
			if i := (u.start+o)*c.Stride[axis] + k*c.Dilation[axis] - c.Pad[axis]; i >= 0 && i < len(out) {
				out[i].Add(&out[i], v.Mul(&entries[o], &taps[k]))
			}
		}
	}
	return out
}

// Tables are W and I at every corner, by the definition: z is the committed vector. A fast prover computes the same.
func (t *Term) Tables(z func(cell int) fr.Element) (w, i []fr.Element) {
	w, i = make([]fr.Element, 1<<t.Bits()), make([]fr.Element, 1<<t.Bits())
	for corner := range w {
		at := t.vectors(bitsOf(corner, t.Bits()))
		for _, side := range []struct {
			add func(*Form, []vector)
			to  *fr.Element
		}{{t.addWeights, &w[corner]}, {t.addInputs, &i[corner]}} {
			var f Form
			side.add(&f, at)
			*side.to = f.Constant
			for k := range f.Cells {
				v := f.Cells[k].of(z)
				side.to.Add(side.to, &v)
			}
		}
	}
	return w, i
}

// bitsOf are the n lowest bits of v as coordinates, top bit first.
func bitsOf(v, n int) []fr.Element {
	out := make([]fr.Element, n)
	for i := range out {
		out[i].SetUint64(uint64(v >> (n - 1 - i) & 1))
	}
	return out
}
