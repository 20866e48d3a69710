package sumcheck

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/claims/plain"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// slowProver follows the cells, whatever they are, by the definition of everything: queries and products are what the
// cells say, also where they are in no table.
type slowProver struct{ plain.Cells }

func (p slowProver) Trees(alpha, beta fr.Element) (queries, rows claims.TreeProver) {
	n := p.Network
	places, leaves := n.Places()
	q := newLive(leaves)
	for i, place := range places {
		keys := p.Keys(i, beta)
		place.Each(func(element, at int) {
			q.p[at].SetOne()
			q.q[at].Sub(&alpha, &keys[element])
		})
	}
	places, leaves = n.TablePlaces()
	r := newLive(leaves)
	for t, place := range places {
		keys, uses := n.Keys(t, alpha, beta), p.View(&claims.View{Tensor: n.Tables[t].Multiplicities})
		place.Each(func(element, at int) { r.p[at], r.q[at] = uses[element], keys[element] })
	}
	return NewFractions(q.p, q.q), NewFractions(r.p, r.q)
}

func (p slowProver) Term(t *claims.Term) claims.ProductProver {
	return NewProduct(t.Tables(func(cell int) fr.Element { return p.Z[cell] }))
}

func (p slowProver) Multiplications(point []fr.Element) claims.PairProver {
	places, _ := p.Network.ProductPlaces()
	n := 1 << len(point)
	s := &slowPair{a: make([]fr.Element, n), b: make([]fr.Element, n), eq: claims.EqTable(point), point: point}
	for i, place := range places {
		m := &p.Network.Multiplications[i]
		a, b := p.Expression(&m.A, m.Shape), p.Expression(&m.B, m.Shape)
		place.Each(func(element, at int) { s.a[at], s.b[at] = a[element], b[element] })
	}
	return s
}

// slowPair is Σ eq·a·b, with eq of the coordinates that are not bound.
type slowPair struct{ a, b, eq, point []fr.Element }

func (s *slowPair) Round() (difference, leading fr.Element) {
	s.sumEq()
	for i := range len(s.a) / 2 {
		var low, high, top, v fr.Element
		low.Mul(&s.a[2*i], &s.b[2*i])
		high.Mul(&s.a[2*i+1], &s.b[2*i+1])
		top.Sub(&s.a[2*i+1], &s.a[2*i])
		v.Sub(&s.b[2*i+1], &s.b[2*i])
		top.Mul(&top, &v)
		high.Sub(&high, &low)
		difference.Add(&difference, v.Mul(&high, &s.eq[i]))
		leading.Add(&leading, v.Mul(&top, &s.eq[i]))
	}
	return difference, leading
}

// sumEq takes the round's coordinate out of eq.
func (s *slowPair) sumEq() {
	for i := range len(s.eq) / 2 {
		s.eq[i].Add(&s.eq[2*i], &s.eq[2*i+1])
	}
	s.eq = s.eq[:len(s.eq)/2]
}

func (s *slowPair) Bind(r fr.Element) {
	claims.Fold(s.a, &r)
	claims.Fold(s.b, &r)
	s.a, s.b = s.a[:len(s.a)/2], s.b[:len(s.b)/2]
}

func (s *slowPair) Values() (a, b fr.Element) { return s.a[0], s.b[0] }

// accepted runs prover and verifier on the cells as they are, and compares what all checks come to with Z.
func (e *executed) accepted(t *testing.T) bool {
	t.Helper()
	cells := e.cells()
	return believed(t, cells, e.public, slowProver{cells})
}

// inPads is what a circuit computes: the opening's form in pads.
func inPads(o *claims.Opening, sent, pads []fr.Element) fr.Element {
	value, coefficients, products := o.InPads(sent)
	var v fr.Element
	for i := range coefficients {
		value.Add(&value, v.Mul(&coefficients[i], &pads[i]))
	}
	for _, p := range products {
		v.Mul(&pads[p.A], &pads[p.B]).Mul(&v, &p.Coefficient)
		value.Add(&value, &v)
	}
	return value
}

// TestProtocol: the protocol accepts exactly the cells that satisfy the network by its definition. An execution does;
// then one cell of every block of every tensor is changed, and the prover follows its cells; and the public values.
func TestProtocol(t *testing.T) {
	lies := 0
	for _, c := range modeltest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			e := execute(t, rng, c)
			if !e.accepted(t) {
				t.Fatal("an execution was rejected")
			}
			if size := len(e.z); size > 1<<13 && testing.Short() {
				t.Skipf("%d cells", size)
			}
			lies += e.lie(t, rng)
		})
	}
	t.Logf("%d lies", lies)
	if lies < 400 {
		t.Error("too few lies: the test means little")
	}
}

// lie changes a cell at a time, of as many blocks as there are, up to a limit, and returns how many lies were told.
func (e *executed) lie(t *testing.T, rng *rand.Rand) (told int) {
	t.Helper()
	var cells []int
	for _, x := range e.plan.Network.Tensors {
		for i := range x.Blocks {
			cells = append(cells, x.Blocks[i].Offset+rng.IntN(1<<x.Blocks[i].Bits()))
		}
	}
	rng.Shuffle(len(cells), func(i, j int) { cells[i], cells[j] = cells[j], cells[i] })
	limit := 25
	if len(e.z) > 1<<15 {
		limit = 8 // tables of 2^16 rows are slow
	}
	for _, cell := range cells[:min(len(cells), limit)] {
		honest := e.z[cell]
		e.z[cell] += 1 + rng.Int64N(3)
		right := e.cells().Check(e.public) == nil
		if e.accepted(t) != right {
			t.Errorf("cell %d changed; accepted is %v, right is %v", cell, !right, right)
		}
		if !right {
			told++
		}
		e.z[cell] = honest
	}
	for k := range e.public {
		honest := e.public[k]
		e.public[k] = slices.Clone(honest)
		e.public[k][rng.IntN(len(honest))]++
		if e.accepted(t) {
			t.Errorf("public tensor %d: another value was accepted", k)
		}
		e.public[k] = honest
	}
	return told
}
