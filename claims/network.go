package claims

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Network is what a verifier knows of a model: shapes, windows, shifts and tables, and where everything lies in Z.
// It holds no parameters. Images are [Y, X, C]: channels run fastest, so that all blocks of a channel part
// share the coordinates of a point that belong to channels.
type Network struct {
	Tensors []*Tensor // activations, parameters, limbs
	Layers  []Layer
	Tables  []Table
	Public  []int // tensors whose values the statement shows
	// AddressBits is the logarithm of the number of cells of Z.
	AddressBits int
}

// Layer is a tensor a = f(⌊(acc + 2^(T−1))/2^T⌋) with acc = bias + Σ terms. In cells:
//
//	acc + 2^(T−1) = 2^T·q + rem,   rem = Σ_k 2^(s_k)·limb_k,   (q, a) in the table, limbs in their ranges.
//
// q is no cell: it is what acc and the limbs make of it.
type Layer struct {
	Out   int // [Y, X, C]
	Shift uint
	Table int
	Limbs []Limb
	Bias  int // [C]
	Terms []Term
}

// Limb is a part of a remainder.
type Limb struct {
	Tensor int // of the layer's shape
	Shift  uint
	Table  int // a range
}

// TermKind says how a term multiplies.
type TermKind uint8

const (
	// Convolution has weights [KY, KX, I, O]; a dense layer is one whose kernel is the image.
	Convolution TermKind = iota
	// Depthwise has weights [KY, KX, C].
	Depthwise
	// Pooling multiplies the sum over the window by one parameter, []; a weighted sum of tensors has windows of 1×1.
	Pooling
)

// Term is a product of parameters and of the inputs that a window reads, less Zero. Taps beyond the image
// contribute nothing.
type Term struct {
	Kind   TermKind
	In     int // [Y, X, I]
	Weight int
	Zero   int64
	Kernel [2]int
	Stride [2]int
	Dilate [2]int
	Pad    [2]int // before
}

// Table is the function i+Min ↦ Values[i], or the range [0, 2^Bits) for nil Values.
type Table struct {
	Min            int64
	Values         []int64
	Bits           uint
	Multiplicities int // tensor of 2^Height cells
}

// Height is the logarithm of the number of rows, rounded up; rows beyond the last repeat it.
func (t *Table) Height() int {
	if t.Values == nil {
		return int(t.Bits)
	}
	return AxisBits(len(t.Values))
}

// Keys are α − (argument + β·value) of all rows.
func (t *Table) Keys(alpha, beta fr.Element) []fr.Element {
	out := make([]fr.Element, 1<<t.Height())
	for i := range out {
		out[i].Sub(&alpha, t.key(i, beta))
	}
	return out
}

func (t *Table) key(row int, beta fr.Element) *fr.Element {
	if t.Values == nil {
		v := fr.NewElement(uint64(row))
		return &v
	}
	row = min(row, len(t.Values)-1)
	var argument, value fr.Element
	argument.SetInt64(t.Min + int64(row))
	value.SetInt64(t.Values[row])
	return value.Mul(&value, &beta).Add(&value, &argument)
}

// Query is a tensor whose cells are looked up in a table, with its place among the table's queries.
type Query struct {
	Layer int
	Limb  int // −1 for the layer's outputs
	Place *Tensor
}

// Queries lists what is looked up in a table, placed, and the height of the tree.
func (n *Network) Queries(table int) (out []Query, height int) {
	var places []*Tensor
	add := func(layer, limb int) {
		place := NewTensor(n.Tensors[n.Layers[layer].Out].Shape...)
		places = append(places, place)
		out = append(out, Query{layer, limb, place})
	}
	for i := range n.Layers {
		if n.Layers[i].Table == table {
			add(i, -1)
		}
		for k := range n.Layers[i].Limbs {
			if n.Layers[i].Limbs[k].Table == table {
				add(i, k)
			}
		}
	}
	return out, AxisBits(max(Layout(0, places...), 1))
}

// high is eq of a point's coordinates above a block and the block's offset: the extension of its indicator.
func high(b *TensorBlock, point []fr.Element) fr.Element {
	one := Block{Offset: b.Offset, Coefficient: fr.One()}
	n := b.Bits()
	ones := make([][2]fr.Element, n)
	for i := range ones {
		ones[i] = [2]fr.Element{fr.One(), fr.One()}
	}
	one.Factors = []Factor{{Pairs: ones}}
	return one.At(point)
}

// NetworkProver computes what a prover of a network sends.
type NetworkProver interface {
	// Trees are the trees of queries and of rows of every table.
	Trees(alpha, beta fr.Element) []TreeProver
	// Term is the sum of products of a term: see TermClaim.
	Term(t *TermClaim) ProductProver
}

// Prove runs the protocol for values of public tensors (flat, row-major). All checks together say that Z holds an
// execution of the network with the parameters that are in Z.
func (n *Network) Prove(r *Run, public [][]int64, prover NetworkProver) error {
	if len(public) != len(n.Public) {
		return fmt.Errorf("values of %d public tensors, expected %d", len(public), len(n.Public))
	}
	alpha, beta := r.Draw("alpha"), r.Draw("beta")
	looked := n.lookups(r, alpha, beta, prover)
	n.layers(r, looked, alpha, beta, prover)
	for i, id := range n.Public {
		if err := n.bind(r, i, n.Tensors[id], public[i]); err != nil {
			return err
		}
	}
	return nil
}

func (n *Network) lookups(r *Run, alpha, beta fr.Element, prover NetworkProver) []Looked {
	lookups := make([]Lookup, len(n.Tables))
	for t := range n.Tables {
		queries, height := n.Queries(t)
		lookups[t] = Lookup{
			Name: fmt.Sprintf("table %d", t), Queries: height, Rows: n.Tables[t].Height(),
			Live: func(point []fr.Element) (sum fr.Element) {
				for _, q := range queries {
					for i := range q.Place.Blocks {
						v := high(&q.Place.Blocks[i], point)
						sum.Add(&sum, &v)
					}
				}
				return sum
			},
			Keys: func(point []fr.Element) fr.Element { return Extension(n.Tables[t].Keys(alpha, beta), point) },
		}
	}
	var trees []TreeProver
	if prover != nil {
		trees = prover.Trees(alpha, beta)
	}
	out := r.Lookups(lookups, trees)
	for t, l := range out {
		var check Check
		check.Form.Add(fr.One(), l.Multiplicities)
		m := n.Tensors[n.Tables[t].Multiplicities]
		check.Cells = append(check.Cells, m.Blocks[0].At(minusOne(), l.Row))
		r.Require(check)
	}
	return out
}

func minusOne() fr.Element {
	v := fr.One()
	return *v.Neg(&v)
}

// layers turns the claims on queries into claims on accumulators, all of them into one sum of products, and that
// into claims on parameters and inputs.
func (n *Network) layers(r *Run, looked []Looked, alpha, beta fr.Element, prover NetworkProver) {
	eta := r.Draw("tables")
	weight := fr.One()
	var total Form
	var terms []*TermClaim
	for t, l := range looked {
		queries, _ := n.Queries(t)
		claim, more := n.tableClaim(queries, l, weight, alpha, beta)
		if len(more) == 0 {
			r.Require(Check{Form: claim}) // a range: nothing but cells
			continue
		}
		total.Add(fr.One(), claim)
		terms = append(terms, more...)
		weight.Mul(&weight, &eta)
	}
	if len(terms) == 0 {
		return
	}
	products := Products{}
	var provers []ProductProver
	for _, t := range terms {
		products.Bits = append(products.Bits, t.Bits())
		if prover != nil {
			provers = append(provers, prover.Term(t))
		}
	}
	point, reduced, factors := products.Reduce(r, total, Linear, provers)
	ends := products.Split(r, reduced, factors, provers)
	for i, t := range terms {
		t.claim(r, ends[i], point[:t.Bits()])
	}
}

// tableClaim is weight times what remains of a table's queries. With D their claimed denominator at the point r,
//
//	α − D = Σ_blocks eq(r_high, block)·key(r_low),   key = limb for a range, q + β·a for a function,
//
// where q = (acc + 2^(T−1) − rem)/2^T. The form is α − D less all that are cells, so that it is the sum of all
// accumulators of terms; for a range it is 0.
func (n *Network) tableClaim(queries []Query, l Looked, weight, alpha, beta fr.Element) (Form, []*TermClaim) {
	var claim Form
	var terms []*TermClaim
	var minus fr.Element
	minus.Neg(&weight)
	claim.Add(weight, Public(alpha))
	claim.Add(minus, l.Denominator)
	for _, q := range queries {
		layer := &n.Layers[q.Layer]
		var blocks []termBlock
		for i := range q.Place.Blocks {
			b := &q.Place.Blocks[i]
			e := high(b, l.Query)
			e.Mul(&e, &weight)
			low := l.Query[len(l.Query)-b.Bits():]
			if q.Limb >= 0 {
				n.subtract(&claim, layer.Limbs[q.Limb].Tensor, i, e, low)
				continue
			}
			blocks = append(blocks, n.outputs(&claim, layer, i, e, low, beta))
		}
		if q.Limb < 0 {
			for t := range layer.Terms {
				terms = append(terms, n.termClaims(layer, &layer.Terms[t], blocks)...)
			}
		}
	}
	return claim, terms
}

// subtract takes e times the extension of block i of a tensor from a claim.
func (n *Network) subtract(claim *Form, tensor, i int, e fr.Element, low []fr.Element) {
	e.Neg(&e)
	claim.Cells = append(claim.Cells, n.Tensors[tensor].Blocks[i].At(e, low))
}

// outputs takes everything of a block of a layer's outputs but its terms from the claim.
func (n *Network) outputs(claim *Form, layer *Layer, i int, e fr.Element, low []fr.Element, beta fr.Element) termBlock {
	var k fr.Element
	n.subtract(claim, layer.Out, i, *k.Mul(&e, &beta), low)
	scale := shiftInverse(layer.Shift)
	scale.Mul(&scale, &e)
	for _, limb := range layer.Limbs { // q has −limb·2^s/2^T
		k.SetUint64(1<<limb.Shift).Mul(&k, &scale).Neg(&k)
		n.subtract(claim, limb.Tensor, i, k, low)
	}
	if layer.Shift > 0 {
		k.SetUint64(1<<(layer.Shift-1)).Mul(&k, &scale)
		claim.Add(minusOne(), Public(k))
	}
	b := &n.Tensors[layer.Out].Blocks[i]
	axes := b.Axes(low)
	k.Neg(&scale)
	channels := placed(EqTable(axes[2]), b.Parts[2], n.Tensors[layer.Out].Shape[2])
	claim.Cells = append(claim.Cells, n.Tensors[layer.Bias].Product(k, channels)...)
	return termBlock{block: b, axes: axes, scale: scale}
}

// shiftInverse is 2^−shift.
func shiftInverse(shift uint) fr.Element {
	var v fr.Element
	v.SetUint64(1 << shift).Inverse(&v)
	return v
}

// placed is a vector of n elements with v at a part.
func placed(v []fr.Element, p Part, n int) []fr.Element {
	out := make([]fr.Element, n)
	copy(out[p.Start:], v)
	return out
}

// bind claims that a tensor's extension at a random point is that of its public values.
func (n *Network) bind(r *Run, i int, t *Tensor, values []int64) error {
	if len(values) != t.Len() {
		return fmt.Errorf("public tensor %d has %d values, expected %d", i, len(values), t.Len())
	}
	vectors := make([][]fr.Element, len(t.Shape))
	for a, d := range t.Shape {
		point := make([]fr.Element, AxisBits(d))
		for k := range point {
			point[k] = r.Draw(fmt.Sprintf("public %d %d %d", i, a, k))
		}
		vectors[a] = Padded(point, d)
	}
	sum := productSum(values, t.Shape, vectors)
	check := Check{Form: Public(sum)}
	check.Cells = t.Product(minusOne(), vectors...)
	r.Require(check)
	return nil
}

// productSum is Σ values[i]·Π_a vectors[a][i_a], axis by axis.
func productSum(values []int64, shape []int, vectors [][]fr.Element) fr.Element {
	v := make([]fr.Element, len(values))
	for i, x := range values {
		v[i].SetInt64(x)
	}
	for a := len(shape) - 1; a >= 0; a-- {
		d := shape[a]
		next := make([]fr.Element, len(v)/d)
		var x fr.Element
		for i := range next {
			for k := range d {
				next[i].Add(&next[i], x.Mul(&v[i*d+k], &vectors[a][k]))
			}
		}
		v = next
	}
	return v[0]
}
