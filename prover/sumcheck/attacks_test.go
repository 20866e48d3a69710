package sumcheck

import (
	"context"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/wrap"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// sharedKeys are the smallest class', for all attacks.
var sharedKeys = sync.OnceValues(func() (*Keys, error) {
	c, err := NumberedClass(prover.MinSizeClass, prover.Options{})
	if err != nil {
		return nil, err
	}
	k, err := c.UnsafeDevSetup(context.Background())
	if err != nil {
		return nil, err
	}
	return k.(*Keys), nil
})

// victim is a small network with a commitment, all that a prover has.
type victim struct {
	keys    *Keys
	graph   *model.Graph
	opening *prover.ModelOpening
	inputs  [][]int64
}

func newVictim(t testing.TB, private bool) *victim {
	t.Helper()
	keys, err := sharedKeys()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	v := &victim{graph: modeltest.Network(r)}
	v.keys = keys.WithOptions(prover.Options{PrivateInput: private, PrivateOutput: private}).(*Keys)
	v.inputs = randomInputs(r, v.graph)
	if v.opening, err = v.keys.CommitModel(context.Background(), v.graph, prover.Private); err != nil {
		t.Fatal(err)
	}
	return v
}

// liar is a prover that lies at some step, and that does what it can to have it accepted.
type liar struct {
	before  func(a *attempt)                   // cells are committed
	after   func(a *attempt)                   // and before messages are made
	proof   func(a *attempt, p *wrapped.Proof) // before it is sent
	cover   string                             // what is forged so that the circuit is satisfied: nothing, "row", "form" or "pads"
	refused error                              // of the solver
}

// prove goes through the steps of attempt.prove, and lies.
func (l *liar) prove(t testing.TB, v *victim) (*attempt, *wrapped.Proof) {
	t.Helper()
	a, err := v.keys.attempt(v.graph, v.opening)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := v.graph.Execute(context.Background(), v.inputs)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.fill(trace); err != nil {
		t.Fatal(err)
	}
	call(l.before, a)
	if err := a.commit(v.graph, trace, []byte("context")); err != nil {
		t.Fatal(err)
	}
	call(l.after, a)
	p := &wrapped.Proof{Rows: a.proofRows()}
	p.Commitments[wrapped.CommitPads] = a.pads
	r := claims.NewProver(wrapped.Seed(a.s, a.pads, a.commitment.Seeded(a.statement, p.Rows)...), a.pad)
	opening, err := a.architecture.Run(r, a.architecture.Public(a.statement), a.cells, a.cells.Merge)
	if err != nil {
		t.Fatal(err)
	}
	u, err := a.class.PublicForm(r, opening)
	if err != nil {
		t.Fatal(err)
	}
	eq := claims.EqTable(opening.Point[:len(opening.Point)-a.class.RowBits])
	p.Sent, p.Delta = r.Sent, a.secrets.RowMask
	for i := range a.salts {
		var s fr.Element
		p.Delta.Sub(&p.Delta, s.Mul(&eq[i], &a.salts[i]))
	}
	row := a.cells.Fold(eq)
	l.forge(t, a, p, u, row)
	l.refused = a.keys.wrap.Prove(a.secrets, a.s, wrapped.Digest(r), u, row, p)
	if l.proof != nil {
		l.proof(a, p)
	}
	return a, p
}

func call(f func(*attempt), a *attempt) {
	if f != nil {
		f(a)
	}
}

// pad is that of a message, as attempt.prove has it.
func (a *attempt) pad(kind claims.Kind, slot int) fr.Element {
	switch kind {
	case claims.Linear:
		return a.cells.Pads[slot]
	case claims.Single:
		return a.secrets.Pads[slot]
	}
	return a.secrets.Pads[a.class.Singles+slot]
}

// forge makes the form's value and the row's the same.
func (l *liar) forge(t testing.TB, a *attempt, p *wrapped.Proof, u, row []fr.Element) {
	t.Helper()
	column := u[1 : 1+a.class.RowBits]
	gap := claims.Extension(row, column)
	value := formOf(a.class, u, a.secrets.Pads)
	gap.Sub(&gap, &value)
	switch l.cover {
	case "row":
		weight := claims.EqTable(column)[3]
		weight.Inverse(&weight).Mul(&weight, &gap)
		row[3].Sub(&row[3], &weight)
	case "form":
		u[0].Add(&u[0], &gap)
	case "pads": // chosen now, committed to again
		slope := u[1+a.class.RowBits]
		slope.Inverse(&slope).Mul(&slope, &gap)
		a.secrets.Pads[0].Add(&a.secrets.Pads[0], &slope)
		p.Commitments[wrapped.CommitPads] = a.keys.wrap.CommitPads(a.secrets)
	}
}

// formOf is u + Σ u_i·π_i + Σ w_j·π_a·π_b.
func formOf(c claims.Class, u, pads []fr.Element) fr.Element {
	sum, coefficients := u[0], u[1+c.RowBits:]
	var v fr.Element
	for i := range pads {
		sum.Add(&sum, v.Mul(&coefficients[i], &pads[i]))
	}
	for g := range c.Groups {
		group := pads[c.Singles+claims.GroupSize*g:]
		for k, slots := range claims.Patterns {
			v.Mul(&group[slots[0]], &group[slots[1]]).Mul(&v, &coefficients[c.Pads()+len(claims.Patterns)*g+k])
			sum.Add(&sum, &v)
		}
	}
	return sum
}

// verify is what a verifier says of the proof's bytes.
func (a *attempt) verify(p *wrapped.Proof) error {
	return a.keys.wrap.Verifying.Verify(a.commitment, a.statement, p.Encode())
}

// lies are by what is wrong. Everything else is honest, and the prover knows all secrets.
func lies(a *attempt) map[string]liar {
	out := map[string]liar{}
	add := func(name string, cell int) {
		change := func(a *attempt) { a.cells.Values[cell]++ }
		out[name+" before it is committed"] = liar{before: change}
		out[name+" after it was committed"] = liar{after: change}
	}
	n := &a.architecture.Network
	first := func(o claims.Owner) int {
		return slices.IndexFunc(n.Tensors, func(x claims.Committed) bool { return x.Owner == o })
	}
	for name, i := range map[string]int{"trace cell": first(claims.Trace), "multiplicity": n.Tables[0].Multiplicities,
		"last tensor looked up": n.Lookups[len(n.Lookups)-1].Columns[0].Linear[0].View.Tensor,
		"parameter":             first(claims.Parameter), "private cell": first(claims.External)} {
		if i >= 0 {
			add(name, n.Tensors[i].Blocks[0].Offset)
		}
	}
	// Parameters are committed already.
	for name := range out {
		if strings.HasPrefix(name, "parameter") && strings.HasSuffix(name, "before it is committed") {
			delete(out, name)
		}
	}
	if b := a.architecture.Outputs[0]; !b.Private {
		out["output of the statement"] = liar{after: func(a *attempt) {
			v := &a.statement.Outputs[0]
			v.Values = slices.Clone(v.Values)
			v.Values[0] ^= 1
			a.restate()
		}}
	}
	if b := a.architecture.Inputs[0]; !b.Private {
		out["input of the statement"] = liar{after: func(a *attempt) {
			v := &a.statement.Inputs[0]
			v.Values = slices.Clone(v.Values)
			v.Values[0] ^= 1
			a.restate()
		}}
	}
	return out
}

// restate hashes the statement again.
func (a *attempt) restate() {
	s, err := verifier.StatementDigest(a.keys.wrap.Verifying, a.commitment, a.statement)
	if err != nil {
		panic(err)
	}
	a.s = s
}

// covers are the ways to satisfy the circuit in spite of a lie, and what then fails.
var covers = map[string]string{"row": "made with these rows", "form": "pairing equation", "pads": "pairing equation"}

// TestLyingProvers: a prover that lies finds no assignment. With a row of its own the circuit is satisfied, and the link is
// not; with a form of its own P is another; with pads of its own the transcript is.
func TestLyingProvers(t *testing.T) {
	for _, private := range []bool{false, true} {
		v := newVictim(t, private)
		honest := &liar{}
		a, p := honest.prove(t, v)
		if honest.refused != nil || a.verify(p) != nil {
			t.Fatalf("an honest prover is refused: %v, %v", honest.refused, a.verify(p))
		}
		for name, lie := range lies(a) {
			if private != strings.HasPrefix(name, "private") {
				continue
			}
			t.Run(name, func(t *testing.T) {
				for cover, want := range covers {
					if cover != "row" && lie.before != nil {
						continue // as for a lie after the commitment
					}
					l := lie
					l.cover = cover
					a, p := l.prove(t, v)
					if l.refused != nil {
						t.Errorf("%s forged: the solver refuses (%v): the attack does not work any more", cover, l.refused)
						continue
					}
					if err := a.verify(p); !errors.Is(err, verifier.ErrInvalidProof) || !strings.Contains(err.Error(), want) {
						t.Errorf("%s forged: %v, expected %q", cover, err, want)
					}
				}
				l := lie
				if l.prove(t, v); l.refused == nil {
					t.Error("the solver found an assignment for a lie")
				}
			})
		}
	}
}

// TestPadsArePromised: a pad cell that is another one when messages are made is a lie about the rows alone.
func TestPadsArePromised(t *testing.T) {
	l := &liar{after: func(a *attempt) { a.cells.Pads[5].SetUint64(1) }}
	a, p := l.prove(t, newVictim(t, false))
	if err := a.verify(p); l.refused != nil || err == nil || !strings.Contains(err.Error(), "made with these rows") {
		t.Errorf("%v (%v), expected the link to reject", err, l.refused)
	}
}

// TestForeignBases: a row with a component that is no row's: its folded row is not one the circuit has, even if the link is
// repaired by hand.
func TestForeignBases(t *testing.T) {
	v := newVictim(t, false)
	_, _, g1, _ := bn254.Generators()
	alone := &wrap.Secrets{Pads: make([]fr.Element, v.keys.wrap.Verifying.Class.Pads())}
	alone.Pads[0].SetOne()
	padBase := v.keys.wrap.CommitPads(alone)
	key := v.keys.wrap.Verifying
	for name, base := range map[string]bn254.G1Affine{
		"of a pad": padBase, "of no commitment": g1, "of a public input": key.K[3], "alpha": key.Alpha, "of the masks": key.H,
	} {
		for _, repaired := range []bool{false, true} {
			l := &liar{after: func(a *attempt) {
				at := a.architecture.Layout().Trace.First
				a.rows[at].Add(&a.rows[at], &base)
			}}
			if repaired {
				l.proof = func(a *attempt, p *wrapped.Proof) { a.repair(p, base) }
			}
			a, p := l.prove(t, v)
			if l.refused != nil {
				t.Fatal(l.refused)
			}
			want := "made with these rows"
			if repaired {
				want = "pairing equation"
			}
			if err := a.verify(p); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("base %s, repaired %v: %v, expected %q", name, repaired, err, want)
			}
		}
	}
}

// repair adds to the folded row's commitment what the first trace row has too much.
func (a *attempt) repair(p *wrapped.Proof, base bn254.G1Affine) {
	r := claims.NewVerifier(wrapped.Seed(a.s, a.pads, a.commitment.Seeded(a.statement, p.Rows)...), p.Sent)
	o, err := a.architecture.Run(r, a.architecture.Public(a.statement), nil, nil)
	if err != nil {
		panic(err)
	}
	weight := claims.EqTable(o.Point[:len(o.Point)-a.class.RowBits])[a.architecture.Layout().Trace.First]
	var k big.Int
	base.ScalarMultiplication(&base, weight.BigInt(&k))
	d := &p.Commitments[wrapped.CommitRow]
	d.Add(d, &base)
}

// field is an element of an encoded proof.
type field struct {
	name   string
	scalar *fr.Element
	g1     *bn254.G1Affine
	g2     *bn254.G2Affine
}

func fields(p *wrapped.Proof) (out []field) {
	for i := range p.Rows {
		out = append(out, field{name: "row", g1: &p.Rows[i]})
	}
	for i := range p.Sent {
		out = append(out, field{name: "message", scalar: &p.Sent[i]})
	}
	out = append(out, field{name: "A", g1: &p.Ar}, field{name: "B", g2: &p.Bs}, field{name: "C", g1: &p.Krs},
		field{name: "proof of knowledge", g1: &p.PoK}, field{name: "delta", scalar: &p.Delta})
	for i := range p.Commitments {
		out = append(out, field{name: "commitment", g1: &p.Commitments[i]})
	}
	return out
}

// change makes another element of the same kind.
func (f *field) change() {
	_, _, g1, g2 := bn254.Generators()
	switch {
	case f.scalar != nil:
		one := fr.One()
		f.scalar.Add(f.scalar, &one)
	case f.g1 != nil:
		f.g1.Add(f.g1, &g1)
	default:
		f.g2.Add(f.g2, &g2)
	}
}

// TestForgedFields: no element of a proof can be another one, nor stand in another's place.
func TestForgedFields(t *testing.T) {
	v := newVictim(t, true)
	honest := &liar{}
	a, p := honest.prove(t, v)
	encoded := p.Encode()
	fresh := func() *wrapped.Proof {
		p, err := wrapped.DecodeProof(a.architecture, encoded)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if err := a.verify(fresh()); err != nil {
		t.Fatal(err)
	}
	for i := range fields(p) {
		q := fresh()
		f := fields(q)[i]
		if f.change(); !errors.Is(a.verify(q), verifier.ErrInvalidProof) {
			t.Errorf("%s, field %d: another one was accepted", f.name, i)
		}
	}
	swap := func(name string, x, y *bn254.G1Affine, q *wrapped.Proof) {
		if *x, *y = *y, *x; !errors.Is(a.verify(q), verifier.ErrInvalidProof) {
			t.Errorf("%s: accepted in each other's place", name)
		}
	}
	q := fresh()
	swap("two rows of the trace", &q.Rows[0], &q.Rows[1], q)
	q = fresh()
	swap("rows of trace and pads", &q.Rows[0], &q.Rows[len(q.Rows)-1], q)
	q = fresh()
	swap("commitments of pads and row", &q.Commitments[0], &q.Commitments[2], q)
	q = fresh()
	swap("commitments of pads and form", &q.Commitments[0], &q.Commitments[1], q)
	q = fresh()
	swap("A and C", &q.Ar, &q.Krs, q)
}

// TestForgedBytes: encodings have one length and one form; what is cut, longer, beyond the field or off the curve is malformed,
// and a bit that is flipped anywhere is refused.
func TestForgedBytes(t *testing.T) {
	v := newVictim(t, false)
	honest := &liar{}
	a, p := honest.prove(t, v)
	encoded := p.Encode()
	verify := func(b []byte) error { return a.keys.wrap.Verifying.Verify(a.commitment, a.statement, b) }
	for n := range len(encoded) + 65 {
		if b := append(slices.Clone(encoded), make([]byte, 64)...)[:n]; n != len(encoded) && !errors.Is(verify(b), verifier.ErrMalformed) {
			t.Fatalf("%d bytes of %d: not malformed", n, len(encoded))
		}
	}
	messages, group := 64*len(p.Rows), 64*len(p.Rows)+32*len(p.Sent)
	replaced := func(at int, with []byte) []byte { return slices.Concat(encoded[:at], with, encoded[at+len(with):]) }
	beyond := new(big.Int).Add(fr.Modulus(), p.Sent[0].BigInt(new(big.Int)))
	for name, b := range map[string][]byte{
		"a row at infinity":          replaced(0, slices.Concat([]byte{0x40}, make([]byte, 63))),
		"a row of zeros":             replaced(0, make([]byte, 64)),
		"a row off the curve":        replaced(63, []byte{encoded[63] ^ 1}),
		"a message beyond the field": replaced(messages, beyond.FillBytes(make([]byte, 32))),
		"delta beyond the field":     replaced(len(encoded)-32, slices.Repeat([]byte{255}, 32)),
		"A off the curve":            replaced(group, slices.Repeat([]byte{0x80, 0}, 16)),
	} {
		if err := verify(b); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("%s: %v, expected ErrMalformed", name, err)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		at := r.IntN(len(encoded))
		b := slices.Clone(encoded)
		b[at] ^= 1 << r.IntN(8)
		if err := verify(b); !errors.Is(err, verifier.ErrMalformed) && !errors.Is(err, verifier.ErrInvalidProof) {
			t.Errorf("byte %d flipped: %v", at, err)
		}
	}
}

// TestReplay: a proof is for its context, its values, its model and its key.
func TestReplay(t *testing.T) {
	for _, private := range []bool{false, true} {
		v := newVictim(t, private)
		proved, err := v.keys.Prove(context.Background(), v.graph, v.opening, v.inputs, []byte("a context"))
		if err != nil {
			t.Fatal(err)
		}
		key, about := v.keys.wrap.Verifying, v.opening.Commitment.(*wrapped.Commitment)
		refused := func(what string, k *wrapped.Key, c *wrapped.Commitment, change func(st *verifier.Statement)) {
			t.Helper()
			st := proved.Bundle.Statement
			st.Inputs, st.Outputs = slices.Clone(st.Inputs), slices.Clone(st.Outputs)
			change(&st)
			if err := k.Verify(c, &st, proved.Bundle.Proof); !errors.Is(err, verifier.ErrInvalidProof) {
				t.Errorf("private %v, %s: %v, expected ErrInvalidProof", private, what, err)
			}
		}
		same := func(*verifier.Statement) {}
		refused("another context", key, about, func(st *verifier.Statement) { st.Context = []byte("b context") })
		refused("no context", key, about, func(st *verifier.Statement) { st.Context = nil })
		other := *key
		other.Description.Name += "'"
		refused("a key of another name", &other, about, same)
		rows := slices.Clone(about.Rows)
		rows[0], rows[1] = rows[1], rows[0]
		refused("rows of the model swapped", key, &wrapped.Commitment{Rows: rows, Architecture: about.Architecture}, same)
		renamed := *about.Architecture
		renamed.Graph[0] ^= 1
		c, err := wrapped.NewCommitment(&renamed, about.Rows)
		if err != nil {
			t.Fatal(err)
		}
		refused("another architecture", key, c, same)
		again, err := v.keys.CommitModel(context.Background(), v.graph, prover.Private)
		if err != nil {
			t.Fatal(err)
		}
		refused("another commitment to the same model", key, again.Commitment.(*wrapped.Commitment), same)
		if private {
			refused("rows of another input", key, about, func(st *verifier.Statement) {
				st.Inputs[0].Commitment = slices.Clone(st.Inputs[0].Commitment)
				st.Inputs[0].Commitment[0] = st.Outputs[0].Commitment[0]
			})
			refused("outputs exchanged", key, about, func(st *verifier.Statement) { st.Outputs[0], st.Outputs[1] = st.Outputs[1], st.Outputs[0] })
			continue
		}
		refused("another input", key, about, func(st *verifier.Statement) {
			st.Inputs[0].Values = slices.Clone(st.Inputs[0].Values)
			st.Inputs[0].Values[7] ^= 1
		})
		refused("another output", key, about, func(st *verifier.Statement) {
			st.Outputs[0].Values = slices.Clone(st.Outputs[0].Values)
			st.Outputs[0].Values[0]++
		})
	}
}

// TestTwoModelsOneKey: two architectures under one key; each proof is of its model alone.
func TestTwoModelsOneKey(t *testing.T) {
	a := newVictim(t, false)
	b := *a
	var err error
	r := rand.New(rand.NewPCG(8, 9))
	b.graph = modeltest.Graph(&model.Dense{OutN: 4, Rescale: modeltest.Rescale(10), Weights: modeltest.Noise(r, 64*4, 5), Bias: modeltest.Noise(r, 4, 50)}, modeltest.Bytes(1, 64))
	b.inputs = randomInputs(r, b.graph)
	if b.opening, err = b.keys.CommitModel(context.Background(), b.graph, prover.Private); err != nil {
		t.Fatal(err)
	}
	var bundles []*verifier.Bundle
	victims := []*victim{a, &b}
	for _, v := range victims {
		p, err := v.keys.Prove(context.Background(), v.graph, v.opening, v.inputs, nil)
		if err != nil {
			t.Fatal(err)
		}
		bundles = append(bundles, p.Bundle)
	}
	for i, v := range victims {
		for k, bundle := range bundles {
			err := verifier.VerifyBundle(v.keys.VerifyingKey(), v.opening.Commitment, bundle)
			if (err == nil) != (i == k) {
				t.Errorf("proof of model %d for the commitment of model %d: %v", k, i, err)
			}
			if err := v.keys.wrap.Verifying.Verify(v.opening.Commitment, &bundle.Statement, bundle.Proof); (err == nil) != (i == k) {
				t.Errorf("proof of model %d, said to be of model %d: %v", k, i, err)
			}
		}
	}
}

// TestNothingTwice: of two proofs of one statement no element is the same, and an attempt that was given up has drawn nothing
// that the next one uses.
func TestNothingTwice(t *testing.T) {
	v := newVictim(t, false)
	seen := map[any]string{}
	note := func(what string, x any) {
		if before, ok := seen[x]; ok {
			t.Errorf("%s is what %s was", what, before)
		}
		seen[x] = what
	}
	for range 2 {
		l := &liar{}
		a, p := l.prove(t, v)
		for _, f := range fields(p) {
			switch {
			case f.scalar != nil:
				note(f.name, *f.scalar)
			case f.g1 != nil:
				note(f.name, *f.g1)
			default:
				note(f.name, *f.g2)
			}
		}
		for _, x := range slices.Concat(a.secrets.Pads, a.cells.Pads, []fr.Element{a.secrets.PadMask, a.secrets.RowMask}) {
			note("a pad or mask", x)
		}
		l0 := a.architecture.Layout()
		for _, r := range l0.Seeded()[1:] {
			for _, s := range a.of(r) {
				note("a salt", s)
			}
		}
	}
	if len(seen) < 1500 {
		t.Errorf("only %d elements were compared", len(seen))
	}
}

// TestPadsAreEnough: each message has a pad of its own, of a wire or of a cell, and there are as many as messages.
func TestPadsAreEnough(t *testing.T) {
	v := newVictim(t, false)
	a, err := v.keys.attempt(v.graph, v.opening)
	if err != nil {
		t.Fatal(err)
	}
	r := claims.NewRehearsal()
	public := make([][]int64, len(a.architecture.Network.Public))
	for i := range public {
		public[i] = make([]int64, a.architecture.Network.Public[i].Len())
	}
	if _, err := a.architecture.Run(r, public, nil, nil); err != nil {
		t.Fatal(err)
	}
	type slot struct {
		kind claims.Kind
		at   int
	}
	used := map[slot]bool{}
	for m, kind := range r.Kinds {
		s := slot{kind, r.Slots[m]}
		if used[s] {
			t.Errorf("message %d has the pad of another one", m)
		}
		used[s] = true
		limit := map[claims.Kind]int{claims.Linear: a.architecture.Layout().Pads.Rows << a.class.RowBits,
			claims.Single: a.class.Singles, claims.Multiplied: claims.GroupSize * a.class.Groups}[kind]
		if s.at >= limit {
			t.Errorf("message %d has pad %d of %d", m, s.at, limit)
		}
	}
	if len(r.Sent) != a.architecture.Messages {
		t.Errorf("%d messages, the architecture says %d", len(r.Sent), a.architecture.Messages)
	}
}
