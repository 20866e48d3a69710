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

// collector gathers the terms of one lookup: those of a contraction whose functionals have the same weights along the output
// channels are one.
type collector struct {
	network *Network
	terms   []*Term
	byPart  map[termKey]*Term
	block   map[int]*Weights // of the block at hand, by contraction
}

type termKey struct{ contraction, start, bits int }

// add adds contractions in the columns of a lookup, each column times a coefficient, under the functional of a block.
func (c *collector) add(columns []Expression, coefficients []fr.Element, w *Weights) {
	clear(c.block)
	for column := range columns {
		e := &columns[column]
		for _, x := range e.Contractions {
			var k fr.Element
			k.SetInt64(x.Coefficient).Mul(&k, &w.Coefficient).Mul(&k, &coefficients[column])
			if e.Shift > 0 {
				inverse := shiftInverse(e.Shift)
				k.Mul(&k, &inverse)
			}
			if same, ok := c.block[x.Contraction]; ok { // of another column
				same.Coefficient.Add(&same.Coefficient, &k)
				continue
			}
			t := c.term(x.Contraction, w)
			t.Outputs = append(t.Outputs, *w)
			last := &t.Outputs[len(t.Outputs)-1]
			last.Coefficient = k
			c.block[x.Contraction] = last
		}
	}
}

func (c *collector) term(contraction int, w *Weights) *Term {
	key := termKey{contraction: contraction}
	x := &c.network.Contractions[contraction]
	if x.Kind != Scaling {
		v := w.axis(len(w.Shape) - 1)
		key.start, key.bits = v.start, v.bits
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

// claim requires that the messages are the values of W and of I at the beginning of a point, as functionals of Z.
func (t *Term) claim(r *Run, ends [2]Message, point *coordinates) {
	at := t.vectors(point)
	for side, read := range []func(*Form, []vector){t.addWeights, t.addInputs} {
		var check Check
		read(&check.Form, at)
		check.addMessage(minusOne(), ends[side])
		r.Require(check)
	}
}

// vectors are eq of the variables, which the point begins with, of the variables' lengths.
func (t *Term) vectors(point *coordinates) []vector {
	var out []vector
	at := 0
	for _, d := range t.Sizes() {
		out = append(out, paddedVector(point, at, d))
		at += AxisBits(d)
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
		w.groups = t.kernel(at)
	case MatMul:
		w.groups = []group{{oneAxis(0), t.channel()}, {oneAxis(1), at[0]}}
	default:
		w = weightsOf(t.weight, at)
	}
	t.network.into(f).addView(&c.Weight, fr.One(), []Weights{w})
}

// kernel is the functional on a convolution's weights.
func (t *Term) kernel(at []vector) []group {
	y, x := group{oneAxis(2), at[0]}, group{oneAxis(3), at[1]}
	switch {
	case t.Contraction.Groups == 1:
		return []group{{oneAxis(0), t.channel()}, {oneAxis(1), at[2]}, y, x}
	case t.weight[1] == 1:
		return []group{{oneAxis(0), t.grouped(at[2].entries())}, {oneAxis(1), oneWeight()}, y, x}
	}
	all := t.grouped(at[2].entries())
	return []group{{[]int{0, 1}, denseVector(all.values)}, y, x}
}

// grouped is channel(o)·at(first input channel of o's group + c), for every o and c.
func (t *Term) grouped(at []fr.Element) vector {
	channel, per := t.channel(), t.weight[1]
	of := t.weight[0] / t.Contraction.Groups // outputs of a group
	out := make([]fr.Element, t.weight[0]*per)
	for k, u := range channel.entries() {
		o := channel.start + k
		for c := range per {
			out[o*per+c].Mul(&u, &at[o/of*per+c])
		}
	}
	return vector{start: channel.start * per, n: channel.n * per, values: out}
}

// addInputs adds the functional of I at a point.
func (t *Term) addInputs(f *Form, at []vector) {
	m := mapping{Term: t, at: at, known: map[[3]int]vector{}}
	inputs := make([]Weights, len(t.Outputs))
	for i := range inputs {
		inputs[i] = m.input(&t.Outputs[i])
	}
	t.network.into(f).addExpression(&t.Contraction.Input.Expression, fr.One(), inputs)
}

// mapping makes functionals on the input of those on the result, with the variables at a point. What it makes of the
// vectors along an axis is shared: they are eq of some coordinates over parts of the axis.
type mapping struct {
	*Term
	at    []vector
	known map[[3]int]vector // by axis, start and first coordinate
}

// input is the functional on the input for one of Outputs.
func (m *mapping) input(w *Weights) Weights {
	out := w.on(m.in)
	switch m.Contraction.Kind {
	case Convolution:
		for axis := range 2 {
			v := w.axis(1 + axis)
			out.groups[1+axis].vector = m.once(1+axis, v, func() vector { return m.window(axis, v, m.at[axis].entries()) })
		}
		out.groups[3].vector = m.at[2]
	case MatMul:
		out.groups[len(m.in)-1].vector = m.at[0]
	default:
		for a, d := range m.weight {
			if d > 1 {
				v := w.axis(a)
				out.groups[a].vector = m.once(a, v, func() vector { return scaledVector(v, &m.at[a], d) })
			}
		}
	}
	return out
}

func (m *mapping) once(axis int, v *vector, of func() vector) vector {
	key := [3]int{axis, v.start, v.at}
	out, ok := m.known[key]
	if !ok {
		out = of()
		m.known[key] = out
	}
	return out
}

// scaledVector is the product of two, element by element, on an axis of n.
func scaledVector(v, at *vector, n int) vector {
	out := vector{start: v.start, n: v.n, values: make([]fr.Element, n)}
	entries, eq := v.entries(), at.entries()
	for i := range entries {
		out.values[v.start+i].Mul(&entries[i], &eq[v.start+i])
	}
	return out
}

// window is, for every input position along an axis, Σ u(o)·taps(k) over the output positions o and the taps k that read it.
func (t *Term) window(axis int, u *vector, taps []fr.Element) vector {
	c, n := t.Contraction, t.in[1+axis]
	stride, dilation, pad := c.Stride[axis], c.Dilation[axis], c.Pad[axis]
	if start := u.start - pad; len(taps) == 1 && stride == 1 && start >= 0 && start+u.n <= n {
		out := *u
		out.start = start // the one tap's weight is 1
		return out
	}
	first, end := n, 0 // of what is read
	values := make([]fr.Element, n)
	var v fr.Element
	for o, weight := range u.entries() {
		for k := range taps {
			if i := (u.start+o)*stride + k*dilation - pad; i >= 0 && i < n {
				values[i].Add(&values[i], v.Mul(&weight, &taps[k]))
				first, end = min(first, i), max(end, i+1)
			}
		}
	}
	return vector{start: min(first, end), n: max(end-first, 0), values: values}
}

// Tables are W and I at every corner, by the definition: z is the committed vector. A fast prover computes the same.
func (t *Term) Tables(z func(cell int) fr.Element) (w, i []fr.Element) {
	w, i = make([]fr.Element, 1<<t.Bits()), make([]fr.Element, 1<<t.Bits())
	for corner := range w {
		at := t.vectors(newCoordinates(bitsOf(corner, t.Bits())))
		for _, side := range []struct {
			add func(*Form, []vector)
			to  *fr.Element
		}{{t.addWeights, &w[corner]}, {t.addInputs, &i[corner]}} {
			var f Form
			side.add(&f, at)
			*side.to = f.Constant
			for k := range f.cells {
				v := f.cells[k].of(z)
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
