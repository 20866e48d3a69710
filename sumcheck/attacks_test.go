package sumcheck

import (
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/claims/plain"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
)

// The provers of this file lie on purpose: they tell what the rule under attack would leave unchecked. What the circuit
// and the link would show is evaluated in the open.

// story is a proof without a circuit: cells, pads, and messages about them.
type story struct {
	plain.Cells // Z, pads behind the tensors' cells
	public      [][]int64
	wires       []fr.Element // pads that are no cells: Single ones, then Multiplied ones
	firstPad    int
	bits        int
	sent        []fr.Element
}

const storySingles = 64

func newStory(c plain.Cells, public [][]int64) *story {
	s := &story{Cells: c, public: public, firstPad: len(c.Z), wires: random(storySingles + 2048)}
	s.bits = claims.AxisBits(s.firstPad + 4096)
	s.Z = append(slices.Clone(c.Z), random(1<<s.bits-s.firstPad)...)
	return s
}

// tell makes the messages.
func (s *story) tell(t *testing.T, seed [32]byte, prover claims.NetworkProver) {
	t.Helper()
	r := claims.NewProver(seed, func(kind claims.Kind, slot int) fr.Element {
		switch kind {
		case claims.Linear:
			return s.Z[s.firstPad+slot]
		case claims.Single:
			return s.wires[slot]
		}
		return s.wires[storySingles+slot]
	})
	if err := s.Network.Prove(r, s.public, prover); err != nil {
		t.Fatal(err)
	}
	_, err := r.Merge(s.bits, s.padCell, func(blocks []claims.Block) claims.ProductProver {
		e := make([]fr.Element, len(s.Z))
		for i := range blocks {
			blocks[i].AddTo(e)
		}
		return NewProduct(slices.Clone(s.Z), e)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.sent = r.Sent
}

func (s *story) padCell(i int) int { return s.firstPad + i }

// judged is a verifier's view of a story: what the circuit computes from pads, and what the rows make.
type judged struct {
	run     *claims.Run
	opening *claims.Opening
}

func (s *story) judge(t *testing.T, seed [32]byte) *judged {
	t.Helper()
	v := claims.NewVerifier(seed, s.sent)
	if err := s.Network.Prove(v, s.public, nil); err != nil {
		t.Fatal(err)
	}
	o, err := v.Merge(s.bits, s.padCell, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &judged{v, o}
}

// gap is what the cells make less what the form says: 0 where the proof is accepted.
func (j *judged) gap(s *story) fr.Element {
	pads := make([]fr.Element, len(s.sent))
	for m := range pads {
		switch j.run.Kinds[m] {
		case claims.Single:
			pads[m] = s.wires[j.run.Slots[m]]
		case claims.Multiplied:
			pads[m] = s.wires[storySingles+j.run.Slots[m]]
		}
	}
	form := inPads(j.opening, s.sent, pads)
	want := claims.Extension(s.Z, j.opening.Point)
	return *want.Sub(&want, &form)
}

// believed tells whether a prover who says this about the cells is believed.
func believed(t *testing.T, c plain.Cells, public [][]int64, prover claims.NetworkProver) bool {
	t.Helper()
	s := newStory(c, public)
	s.tell(t, [32]byte{1}, prover)
	gap := s.judge(t, [32]byte{1}).gap(s)
	return gap.IsZero()
}

// numerator is a tree whose root has another numerator.
type numerator struct {
	claims.TreeProver
	p fr.Element
}

func (n numerator) Root() (p, q fr.Element) {
	_, q = n.TreeProver.Root()
	return n.p, q
}

// nothingAsked says that the fractions of all queries add up to 0.
type nothingAsked struct{ slowProver }

func (p nothingAsked) Trees(alpha, beta fr.Element) (queries, rows claims.TreeProver) {
	queries, rows = p.slowProver.Trees(alpha, beta)
	return numerator{TreeProver: queries}, rows
}

// TestOneLookup: where one element is looked up, the tree of queries is a root. Its numerator is 1, though no level of the
// tree says so: a prover that says 0, and that no row was used, would have any output accepted.
func TestOneLookup(t *testing.T) {
	square := model.Table{Min: -128}
	for x := int64(-128); x < 128; x++ {
		square.Values = append(square.Values, x*x)
	}
	e := execute(t, rand.New(rand.NewPCG(1, 2)), modeltest.Case{Build: modeltest.OneOp(func(*rand.Rand) model.Op {
		return &model.Activation{Table: square}
	}, modeltest.Signed(1))})
	if cells := e.cells(); !believed(t, cells, e.public, slowProver{cells}) {
		t.Fatal("an execution was rejected")
	}
	n := e.plan.Network
	if n.Tensors[n.Tables[0].Multiplicities].Each(func(_, cell int) { e.z[cell] = 0 }); len(n.Lookups) != 1 {
		t.Fatalf("%d lookups, expected 1", len(n.Lookups))
	}
	output := e.plan.Outputs[0].Index
	n.Tensors[1].Each(func(_, cell int) { e.z[cell] = 12345 })
	e.public[output] = []int64{12345}
	if cells := e.cells(); believed(t, cells, e.public, nothingAsked{slowProver{cells}}) {
		t.Error("an output that is no value of the function was accepted")
	}
}

// committed says which values a transcript begins with.
type committed struct {
	name string
	// cells of which tensors, and pads, are left out
	without func(n *claims.Network, tensor int) bool
	noPads  bool
	noWires bool
}

// seed is a digest of all values but those left out: it stands for commitments to them.
func (c *committed) seed(s *story) (out [32]byte) {
	h := sha256.New()
	write := func(v *fr.Element) {
		b := v.Bytes()
		h.Write(b[:])
	}
	for i := range s.Network.Tensors {
		if c.without != nil && c.without(s.Network, i) {
			continue
		}
		s.Network.Tensors[i].Each(func(_, cell int) { write(&s.Z[cell]) })
	}
	for i := s.firstPad; i < len(s.Z) && !c.noPads; i++ {
		write(&s.Z[i])
	}
	for i := 0; i < len(s.wires) && !c.noWires; i++ {
		write(&s.wires[i])
	}
	h.Sum(out[:0])
	return out
}

// TestSeed: everything that is committed stands in the seed. A value that does not is chosen after the challenges are known,
// so that it balances a lie: the transcript stays what it was, and the one equation that is left has a solution.
func TestSeed(t *testing.T) {
	ownedBy := func(o claims.Owner) func(*claims.Network, int) bool {
		return func(n *claims.Network, i int) bool { return n.Tensors[i].Owner == o }
	}
	multiplicities := func(n *claims.Network, i int) bool {
		return slices.ContainsFunc(n.Tables, func(t claims.Table) bool { return t.Multiplicities == i })
	}
	for _, c := range []committed{
		{name: "trace", without: ownedBy(claims.Trace)},
		{name: "parameters", without: ownedBy(claims.Parameter)},
		{name: "private tensors", without: ownedBy(claims.External)},
		{name: "multiplicities", without: multiplicities},
		{name: "pads that are cells", noPads: true},
		{name: "pads that are wires", noWires: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, private := range []bool{true, false} {
				e := execute(t, rand.New(rand.NewPCG(3, 4)), modeltest.Case{Private: private, Build: modeltest.Network})
				if c.name == "private tensors" && !private {
					continue
				}
				if !c.forge(t, e, c.seed) {
					t.Errorf("private %v: the attack does not work any more: is it still the right one?", private)
				}
				if whole := (&committed{}); c.forge(t, e, whole.seed) {
					t.Errorf("private %v: a value chosen after the challenges was accepted", private)
				}
			}
		})
	}
}

// forge changes an output, tells the story under the seed, and then balances it by a value that the seed leaves out. It tells
// whether that is accepted.
func (c *committed) forge(t *testing.T, e *executed, seed func(*story) [32]byte) bool {
	t.Helper()
	cells := e.cells()
	wrong := cells.Network.Lookups[0].Columns[0].Linear // some cell that is looked up
	one := fr.One()
	cells.Network.Tensors[wrong[0].View.Tensor].Each(func(element, cell int) {
		if element == 0 {
			cells.Z[cell].Add(&cells.Z[cell], &one)
		}
	})
	s := newStory(cells, e.public)
	before := seed(s)
	s.tell(t, before, slowProver{plain.Cells{Network: s.Network, Z: s.Z}})
	j := s.judge(t, before)
	gap := j.gap(s)
	if gap.IsZero() {
		t.Fatal("the lie is none")
	}
	// The gap is linear in every value by itself.
	v := c.free(s)
	v.Add(v, &one)
	slope := j.gap(s)
	slope.Sub(&slope, &gap).Inverse(&slope)
	slope.Mul(&slope, &gap)
	v.Sub(v, &one).Sub(v, &slope)
	after := s.judge(t, seed(s)).gap(s)
	return after.IsZero()
}

// free is a value that is left out.
func (c *committed) free(s *story) (v *fr.Element) {
	switch {
	case c.noPads:
		return &s.Z[s.firstPad]
	case c.noWires:
		return &s.wires[storySingles]
	}
	for i := range s.Network.Tensors {
		if c.without(s.Network, i) {
			s.Network.Tensors[i].Each(func(_, cell int) { v = &s.Z[cell] })
		}
	}
	return v
}
