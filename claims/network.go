package claims

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// ErrNetwork is a description that means nothing.
var ErrNetwork = errors.New("invalid network description")

// Network is what a verifier knows of a model: committed tensors, and what they have to satisfy. It holds shapes,
// windows, shifts and tables, and no parameters.
//
// Everything is one of three relations between tensor-shaped expressions, linear but for contractions of
// parameters with inputs: rows looked up in tables, elementwise products, and zeros. An output of a layer, for
// example, is a cell a of which (q, a) is in a table, where q = (acc + 2^(T−1) − remainder)/2^T is no
// cell but what the accumulator and the remainder's cells make of it.
type Network struct {
	Tensors         []Committed
	Contractions    []Contraction
	Tables          []Table
	Lookups         []Lookup
	Multiplications []Multiplication
	// Zeros are 0, every element.
	Zeros []Shaped
	// Public are those of which the statement shows all values.
	Public []Shaped
}

// Owner says which rows of Z hold a tensor.
type Owner int

const (
	// Trace rows are made for each proof.
	Trace Owner = iota
	// Parameter rows are the model commitment.
	Parameter
	// External rows are those of one private input or output: a commitment of its own, named in the statement.
	External
)

// Committed is a tensor in Z.
type Committed struct {
	*Tensor
	Owner Owner
}

// Expression is (Constant + Σ linear + Σ contractions)/2^Shift, elementwise.
type Expression struct {
	Constant     int64
	Linear       []Summand
	Contractions []ContractionTimes
	Shift        uint
}

// Len is the number of elements.
func (s *Shaped) Len() int { return volume(s.Shape) }

// Summand is a coefficient times a view.
type Summand struct {
	Coefficient int64
	View        View
}

// ContractionTimes is a coefficient times one of the network's contractions.
type ContractionTimes struct {
	Coefficient int64
	Contraction int
}

// Lookup says that the columns of every element are a row of a table.
type Lookup struct {
	Shape   []int
	Table   int
	Columns []Expression // as many as the table's
}

// Multiplication says that A·B = C for every element. None of them has contractions.
type Multiplication struct {
	Shape   []int
	A, B, C Expression
}

// Shaped is an expression without contractions, and its shape.
type Shaped struct {
	Shape []int
	Expression
}

// maxShift keeps 2^Shift in a machine word.
const maxShift = 62

// Check errs (ErrNetwork) where shapes do not fit, an index points nowhere, or a size is beyond its limit. A network
// that passes can be run, whatever it says.
func (n *Network) Check() error {
	var contractions [][]int
	for _, part := range []func() error{
		n.checkTensors,
		func() (err error) { contractions, err = n.contractionShapes(); return err },
		n.checkTables,
		func() error { return n.checkLookups(contractions) },
		n.checkRest,
		n.checkCost,
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// Cut cuts the tensors of a decoded network into blocks. Errors wrap ErrNetwork.
func (n *Network) Cut() error {
	blocks := 0
	for i := range n.Tensors {
		t := &n.Tensors[i]
		if t.Tensor == nil {
			return fmt.Errorf("%w: tensor %d is missing", ErrNetwork, i)
		}
		if err := checkShape(t.Shape); err != nil {
			return err
		}
		if blocks += blockCount(t.Shape); blocks > maxBlocks {
			return fmt.Errorf("%w: tensors of more than %d blocks", ErrNetwork, maxBlocks)
		}
		t.Tensor = NewTensor(t.Shape...)
	}
	return nil
}

// maxParts bounds the lists of a network.
const maxParts = 1 << 14

func (n *Network) checkTensors() error {
	if max(len(n.Tensors), len(n.Contractions), len(n.Tables), len(n.Lookups), len(n.Multiplications), len(n.Zeros), len(n.Public)) > maxParts {
		return fmt.Errorf("%w: lists of more than %d", ErrNetwork, maxParts)
	}
	total := 0
	for _, t := range n.Tensors {
		if t.Tensor == nil || t.Owner < Trace || t.Owner > External {
			return fmt.Errorf("%w: tensor without shape or owner", ErrNetwork)
		}
		if err := checkShape(t.Shape); err != nil {
			return err
		}
		if total += t.Len(); total > maxElements {
			return fmt.Errorf("%w: more than %d cells", ErrNetwork, maxElements)
		}
	}
	return nil
}

func (n *Network) contractionShapes() (shapes [][]int, err error) {
	for i := range n.Contractions {
		shape, err := n.Contractions[i].shape(n)
		if err != nil {
			return nil, err
		}
		shapes = append(shapes, shape)
	}
	return shapes, nil
}

func (n *Network) checkTables() error {
	total := 0
	for i := range n.Tables {
		t := &n.Tables[i]
		if err := t.check(); err != nil {
			return err
		}
		if t.Multiplicities < 0 || t.Multiplicities >= len(n.Tensors) {
			return fmt.Errorf("%w: multiplicities of table %d", ErrNetwork, i)
		}
		if m := n.Tensors[t.Multiplicities]; len(m.Shape) != 1 || m.Shape[0] != t.Rows() || m.Owner != Trace {
			return fmt.Errorf("%w: multiplicities of table %d", ErrNetwork, i)
		}
		if total += t.Rows(); total > 1<<24 {
			return fmt.Errorf("%w: more than 2^24 rows of tables", ErrNetwork)
		}
	}
	return nil
}

func (n *Network) checkLookups(contractions [][]int) error {
	total := 0
	for i := range n.Lookups {
		l := &n.Lookups[i]
		if err := checkShape(l.Shape); err != nil {
			return err
		}
		if l.Table < 0 || l.Table >= len(n.Tables) || len(l.Columns) != len(n.Tables[l.Table].Arguments)+len(n.Tables[l.Table].Values) {
			return fmt.Errorf("%w: lookup %d", ErrNetwork, i)
		}
		if total += volume(l.Shape); total > maxElements {
			return fmt.Errorf("%w: more than %d lookups", ErrNetwork, maxElements)
		}
		for k := range l.Columns {
			if err := n.checkExpression(&l.Columns[k], l.Shape, contractions); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *Network) checkRest() error {
	total := 0
	for i := range n.Multiplications {
		m := &n.Multiplications[i]
		if err := checkShape(m.Shape); err != nil {
			return err
		}
		if total += volume(m.Shape); total > maxElements {
			return fmt.Errorf("%w: more than %d products", ErrNetwork, maxElements)
		}
		for _, e := range []*Expression{&m.A, &m.B, &m.C} {
			if err := n.checkExpression(e, m.Shape, nil); err != nil {
				return err
			}
		}
	}
	for _, list := range [][]Shaped{n.Zeros, n.Public} {
		for i := range list {
			if err := checkShape(list[i].Shape); err != nil {
				return err
			}
			if err := n.checkExpression(&list[i].Expression, list[i].Shape, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkExpression fits an expression to a shape, and its contractions, which have these shapes: none without.
func (n *Network) checkExpression(e *Expression, shape []int, contractions [][]int) error {
	if e.Shift > maxShift || len(e.Linear) > maxParts || len(e.Contractions) > maxParts {
		return fmt.Errorf("%w: expression of %d and %d terms with shift %d", ErrNetwork, len(e.Linear), len(e.Contractions), e.Shift)
	}
	for i := range e.Linear {
		s, err := n.ShapeOf(&e.Linear[i].View)
		if err != nil {
			return err
		}
		if !slices.Equal(s, shape) {
			return fmt.Errorf("%w: %v in an expression of %v", ErrNetwork, s, shape)
		}
	}
	for _, c := range e.Contractions {
		if c.Contraction < 0 || c.Contraction >= len(contractions) {
			return fmt.Errorf("%w: contraction %d, expected one of %d", ErrNetwork, c.Contraction, len(contractions))
		}
		if s := contractions[c.Contraction]; !slices.Equal(s, shape) {
			return fmt.Errorf("%w: contraction of %v in an expression of %v", ErrNetwork, s, shape)
		}
	}
	return nil
}

// Places lays the lookups out among the leaves of the tree of queries: a placed tensor for each, from 0 on without
// holes, and the number of leaves.
func (n *Network) Places() (places []*Tensor, leaves int) {
	for i := range n.Lookups {
		places = append(places, NewTensor(n.Lookups[i].Shape...))
	}
	return places, Place(0, places...)
}

// TablePlaces lays the tables' rows out among the leaves of the tree of rows.
func (n *Network) TablePlaces() (places []*Tensor, leaves int) {
	for i := range n.Tables {
		places = append(places, NewTensor(n.Tables[i].Rows()))
	}
	return places, Place(0, places...)
}

// ProductPlaces lays the multiplications out.
func (n *Network) ProductPlaces() (places []*Tensor, elements int) {
	for i := range n.Multiplications {
		places = append(places, NewTensor(n.Multiplications[i].Shape...))
	}
	return places, Place(0, places...)
}

// NetworkProver computes what a prover of a network sends.
type NetworkProver interface {
	// Trees are the tree of queries, whose leaves are 1/(α − key), and that of rows, whose leaves are the
	// multiplicity/(α − key) of a row, laid out by Places and TablePlaces. Leaves beyond are 0/1.
	Trees(alpha, beta fr.Element) (queries, rows TreeProver)
	// Term is a sum of products: see Term.
	Term(t *Term) ProductProver
	// Multiplications proves Σ_i eq(point, i)·A_i·B_i over ProductPlaces.
	Multiplications(point []fr.Element) PairProver
}

// PairProver computes the messages of a sum of products under eq.
type PairProver interface {
	// Round is h(1) − h(0) and the leading coefficient of h, the round's polynomial without its eq factor.
	Round() (difference, leading fr.Element)
	// Bind fixes the round's variable, the lowest bit of those left.
	Bind(r fr.Element)
	// Values are A and B where all variables are bound.
	Values() (a, b fr.Element)
}

// Prove runs the protocol for values of public tensors (flat, row-major). All checks together say that Z holds an
// execution of the network with the parameters that are in Z. prover is nil for a verifier.
func (n *Network) Prove(r *Run, public [][]int64, prover NetworkProver) error {
	if len(public) != len(n.Public) {
		return fmt.Errorf("values of %d public tensors, expected %d", len(public), len(n.Public))
	}
	alpha, beta := r.Draw("alpha"), r.Draw("beta")
	if len(n.Lookups) > 0 {
		var queries, rows TreeProver
		if prover != nil {
			queries, rows = prover.Trees(alpha, beta)
		}
		places, asked := n.Places()
		looked := n.lookup(r, asked, alpha, beta, queries, rows)
		n.contract(r, n.keyClaim(looked, places, asked, alpha, beta), prover)
	}
	n.multiply(r, prover)
	n.zeros(r)
	for i := range n.Public {
		if err := n.bind(r, i, public[i]); err != nil {
			return err
		}
	}
	return nil
}

// lookup compares the trees' roots: with keys v of queries and t of rows, and multiplicities m,
//
//	Σ_i 1/(α − v_i) = Σ_j m_j/(α − t_j).
//
// It requires what the rows' leaves are claimed to be and returns the claim on the queries'.
//
// A root's denominator of 0 would let any sum pass. It is the product of the leaves, which are α less something
// that was fixed before α (cells, public keys), or 1: 0 with probability leaves/2^254. So trees must reach their
// leaves, and all cells be committed before α is drawn.
func (n *Network) lookup(r *Run, asked int, alpha, beta fr.Element, queries, rows TreeProver) Leaf {
	tables, offered := n.TablePlaces()
	trees := []Tree{
		{Name: "queries", Height: AxisBits(asked), Numerators: func(point []fr.Element) fr.Element { return prefix(point, asked) }},
		{Name: "rows", Height: AxisBits(offered)},
	}
	var provers []TreeProver
	if queries != nil {
		provers = []TreeProver{queries, rows}
	}
	roots, leaves := r.Fractions(trees, provers)
	r.Require(Check{Products: []Product{{roots[0][0], roots[1][1], fr.One()}, {roots[1][0], roots[0][1], minusOne()}}})
	n.requireRows(r, tables, offered, leaves[1], alpha, beta)
	return leaves[0]
}

// requireRows requires that the rows' leaves have the tables' keys and the multiplicities in Z.
func (n *Network) requireRows(r *Run, places []*Tensor, leaves int, leaf Leaf, alpha, beta fr.Element) {
	uses := Check{Form: leaf.P}
	denominator := liveAlpha(leaf.Point, leaves, alpha)
	point := newCoordinates(leaf.Point)
	for t, place := range places {
		blocks := blockWeights(place, point)
		for i := range blocks {
			v := n.keysAt(t, place.Blocks[i].Parts[0].Start, point, place.Blocks[i].Bits(), beta)
			denominator.Sub(&denominator, v.Mul(&v, &blocks[i].Coefficient))
		}
		n.into(&uses.Form).addView(&View{Tensor: n.Tables[t].Multiplicities}, minusOne(), blocks)
	}
	r.Require(uses)
	keys := Check{Form: leaf.Q}
	keys.Form.Add(minusOne(), Public(denominator))
	r.Require(keys)
}

// liveAlpha is the extension of α on the first leaves and 1 on the others.
func liveAlpha(point []fr.Element, leaves int, alpha fr.Element) fr.Element {
	live := prefix(point, leaves)
	one := fr.One()
	alpha.Sub(&alpha, &one).Mul(&alpha, &live)
	return *alpha.Add(&alpha, &one)
}

func minusOne() fr.Element {
	v := fr.One()
	return *v.Neg(&v)
}

// keyed is what remains of the queries: Form is the sum of all terms.
type keyed struct {
	Form
	terms []*Term
}

// keyClaim writes the claim on the queries' denominators as one on contractions. With D the claimed denominator at
// the point r,
//
//	α·live + 1 − live − D = Σ_lookups Σ_blocks eq(r_high, block)·key(r_low).
func (n *Network) keyClaim(leaf Leaf, places []*Tensor, asked int, alpha, beta fr.Element) *keyed {
	k := &keyed{Form: Public(liveAlpha(leaf.Point, asked, alpha))}
	k.Form.Add(minusOne(), leaf.Q)
	point, sum := newCoordinates(leaf.Point), n.into(&k.Form)
	for i := range n.Lookups {
		l := &n.Lookups[i]
		coefficients, number := keyCoefficients(beta, l.Table)
		blocks := blockWeights(places[i], point)
		c := collector{network: n, byPart: map[termKey]*Term{}, block: map[int]*Weights{}}
		var live, v fr.Element
		for j := range blocks {
			live.Add(&live, &blocks[j].Coefficient)
			c.add(l.Columns, coefficients[:], &blocks[j])
		}
		k.Constant.Sub(&k.Constant, v.Mul(&live, &number))
		for column := range l.Columns {
			sum.addExpression(&l.Columns[column], *v.Neg(&coefficients[column]), blocks)
		}
		k.terms = append(k.terms, c.terms...)
	}
	return k
}

// shiftInverse is 2^−shift.
func shiftInverse(shift uint) fr.Element { return shiftInverses()[shift] }

// shiftInverses are the inverses of the powers of two up to 2^maxShift.
var shiftInverses = sync.OnceValue(func() (out [maxShift + 1]fr.Element) {
	var half fr.Element
	half.SetUint64(2).Inverse(&half)
	out[0].SetOne()
	for i := range maxShift {
		out[i+1].Mul(&out[i], &half)
	}
	return out
})

// contract runs one sum of products for all contractions.
func (n *Network) contract(r *Run, k *keyed, prover NetworkProver) {
	if len(k.terms) == 0 {
		r.Require(Check{Form: k.Form})
		return
	}
	products := Products{}
	var provers []ProductProver
	for _, t := range k.terms {
		products.Bits = append(products.Bits, t.Bits())
		if prover != nil {
			provers = append(provers, prover.Term(t))
		}
	}
	point, reduced, factors := products.Reduce(r, k.Form, Linear, provers)
	ends := products.Split(r, reduced, factors, provers)
	shared := newCoordinates(point)
	for i, t := range k.terms {
		t.claim(r, ends[i], shared)
	}
}

// multiply shows that Σ_i eq(ε, i)·(A_i·B_i − C_i) = 0 at a random ε.
func (n *Network) multiply(r *Run, prover NetworkProver) {
	if len(n.Multiplications) == 0 {
		return
	}
	places, elements := n.ProductPlaces()
	point := make([]fr.Element, AxisBits(elements))
	for i := range point {
		point[i] = r.Draw(fmt.Sprintf("product %d", i))
	}
	var pair PairProver
	if prover != nil {
		pair = prover.Multiplications(point)
	}
	claim := n.productClaim(places, point, func(m *Multiplication) *Expression { return &m.C })
	bound := make([]fr.Element, len(point))
	for j := len(point) - 1; j >= 0; j-- {
		m := r.Send(Linear, 2, func() []fr.Element { d, h := pair.Round(); return []fr.Element{d, h} })
		rho := r.Draw("round")
		claim.addRound(m, point[j], rho)
		bound[j] = rho
		if pair != nil {
			pair.Bind(rho)
		}
	}
	m := r.sendFrom(2, Multiplied, 2, func() []fr.Element { a, b := pair.Values(); return []fr.Element{a, b} })
	check := Check{Products: []Product{{m[0], m[1], fr.One()}}}
	check.Form.Add(minusOne(), claim)
	r.Require(check)
	for i, side := range []func(m *Multiplication) *Expression{
		func(m *Multiplication) *Expression { return &m.A },
		func(m *Multiplication) *Expression { return &m.B },
	} {
		end := Check{Form: n.productClaim(places, bound, side)}
		end.Form.Add(minusOne(), Of(m[i]))
		r.Require(end)
	}
}

// addRound goes from a claim e = (1−r)·h(0) + r·h(1) to h(ρ), for messages h(1) − h(0) and the leading coefficient.
func (f *Form) addRound(m []Message, r, rho fr.Element) {
	var a, b fr.Element
	f.addMessage(*a.Sub(&rho, &r), m[0])
	f.addMessage(*b.Square(&rho).Sub(&b, &rho), m[1])
}

// productClaim is the extension of one side of all multiplications at a point.
func (n *Network) productClaim(places []*Tensor, point []fr.Element, side func(*Multiplication) *Expression) (f Form) {
	at, sum := newCoordinates(point), n.into(&f)
	for i := range n.Multiplications {
		sum.addExpression(side(&n.Multiplications[i]), fr.One(), blockWeights(places[i], at))
	}
	return f
}

// zeros requires that expressions vanish at random points.
func (n *Network) zeros(r *Run) {
	for i := range n.Zeros {
		z := &n.Zeros[i]
		var check Check
		w := randomWeights(r, fmt.Sprintf("zero %d", i), z.Shape)
		n.into(&check.Form).addExpression(&z.Expression, fr.One(), []Weights{w})
		r.Require(check)
	}
}

// randomWeights is the extension at a random point of a tensor continued by zeros.
func randomWeights(r *Run, label string, shape []int) Weights {
	vectors := make([]vector, len(shape))
	for a, d := range shape {
		point := make([]fr.Element, AxisBits(d))
		for k := range point {
			point[k] = r.Draw(fmt.Sprintf("%s %d %d", label, a, k))
		}
		vectors[a] = paddedVector(newCoordinates(point), 0, d)
	}
	return weightsOf(shape, vectors)
}

// bind requires that a tensor's extension at a random point is that of its public values.
func (n *Network) bind(r *Run, i int, values []int64) error {
	p := &n.Public[i]
	if len(values) != volume(p.Shape) {
		return fmt.Errorf("public tensor %d has %d values, expected %d", i, len(values), volume(p.Shape))
	}
	w := randomWeights(r, fmt.Sprintf("public %d", i), p.Shape)
	check := Check{Form: Public(w.of(values))}
	n.into(&check.Form).addExpression(&p.Expression, minusOne(), []Weights{w})
	r.Require(check)
	return nil
}

// jointWeights is how many weights of the last axes are multiplied out for the sum over public values.
const jointWeights = 1 << 10

// of is the functional of public values: rows of the last axes first, which takes few products of elements.
func (w *Weights) of(values []int64) fr.Element {
	row, axis := []fr.Element{fr.One()}, len(w.Shape)
	for axis > 0 && len(row)*w.Shape[axis-1] <= max(jointWeights, w.Shape[axis-1]) {
		axis--
		row = outer(w.axis(axis).dense(w.Shape[axis]), Factor{Dense: row})
	}
	excess := Excess(row)
	v := make([]fr.Element, len(values)/len(row))
	for i := range v {
		var sum Accumulator
		sum.Add(row, values[i*len(row):])
		v[i] = sum.Value(&excess)
	}
	for axis--; axis >= 0; axis-- {
		v = contracted(v, w.axis(axis).dense(w.Shape[axis]))
	}
	return *v[0].Mul(&v[0], &w.Coefficient)
}

// contracted sums an array along its last axis.
func contracted(v, weights []fr.Element) []fr.Element {
	out := v[:len(v)/len(weights)]
	for i := range out {
		var sum, x fr.Element
		for k := range weights {
			sum.Add(&sum, x.Mul(&v[i*len(weights)+k], &weights[k]))
		}
		out[i] = sum
	}
	return out
}
