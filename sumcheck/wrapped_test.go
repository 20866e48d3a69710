package sumcheck

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/logger"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/prover/wrap"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

func TestMain(m *testing.M) {
	logger.Disable()
	m.Run()
}

// wrappedExample is an example with rows: parameters, trace, pads.
type wrappedExample struct {
	*example
	layout     wrapped.Layout
	keys       *wrap.Keys
	parameters []bn254.G1Affine
	salts      []fr.Element // of all rows
}

const rowBits = 5

func (e *example) wrap(t *testing.T) *wrappedExample {
	t.Helper()
	w := &wrappedExample{example: e}
	var parameters, trace []*claims.Tensor
	owned := map[int]bool{}
	for _, l := range e.network.Layers {
		owned[l.Bias] = true
		for _, x := range l.Terms {
			owned[x.Weight] = true
		}
	}
	for id, x := range e.network.Tensors {
		if owned[id] {
			parameters = append(parameters, x)
		} else {
			trace = append(trace, x)
		}
	}
	up := func(cell int) int { return (cell + 1<<rowBits - 1) >> rowBits << rowBits }
	middle := up(claims.Layout(0, parameters...))
	w.layout.FirstPad = up(claims.Layout(middle, trace...))
	pads, singles, groups := w.count(t)
	end := up(w.layout.FirstPad + pads)
	w.layout.Parameters, w.layout.Trace = middle>>rowBits, (end-middle)>>rowBits
	w.layout.AddressBits = claims.AxisBits(end)
	e.z = make([]int64, w.layout.FirstPad)
	for id, x := range e.network.Tensors {
		x.Each(func(element, cell int) { e.z[cell] = e.values[id][element] })
	}
	var err error
	if w.keys, err = wrap.UnsafeDevSetup(context.Background(), claims.Class{RowBits: rowBits, Singles: singles + 2*w.layout.AddressBits, Groups: groups}); err != nil {
		t.Fatal(err)
	}
	w.salts = random(w.layout.Parameters + w.layout.Trace)
	w.parameters = w.commit(t, w.cells(nil)[:w.layout.Parameters], 0)
	return w
}

// count runs the protocol with any messages, to see how many there are.
func (w *wrappedExample) count(t *testing.T) (linear, singles, groups int) {
	t.Helper()
	r := claims.NewVerifier([32]byte{}, make([]fr.Element, 1<<14))
	if err := w.network.Prove(r, w.public(), nil); err != nil {
		t.Fatal(err)
	}
	return r.Used()
}

// cells are all rows, with the given pads.
func (w *wrappedExample) cells(pads []fr.Element) [][]fr.Element {
	rows := make([][]fr.Element, w.layout.Parameters+w.layout.Trace)
	for i := range rows {
		rows[i] = make([]fr.Element, 1<<rowBits)
	}
	for cell, v := range w.z {
		rows[cell>>rowBits][cell&(1<<rowBits-1)].SetInt64(v)
	}
	for i, v := range pads {
		cell := w.layout.FirstPad + i
		rows[cell>>rowBits][cell&(1<<rowBits-1)] = v
	}
	return rows
}

// commit is by the library's multiplication: pads are full-size.
func (w *wrappedExample) commit(t *testing.T, rows [][]fr.Element, first int) []bn254.G1Affine {
	t.Helper()
	var out []bn254.G1Affine
	bases := append(slices.Clone(w.keys.RowBases()), w.keys.Verifying.H)
	for i, row := range rows {
		var c bn254.G1Affine
		if _, err := c.MultiExp(bases, append(slices.Clone(row), w.salts[first+i]), ecc.MultiExpConfig{}); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// prove makes a proof of the cells as they are.
func (w *wrappedExample) prove(t *testing.T, s fr.Element, public [][]int64) (*wrapped.Proof, error) {
	t.Helper()
	secrets, err := w.keys.NewSecrets()
	if err != nil {
		t.Fatal(err)
	}
	linearPads := random((w.layout.Parameters+w.layout.Trace)<<rowBits - w.layout.FirstPad)
	rows := w.cells(linearPads)
	p := &wrapped.Proof{Rows: w.commit(t, rows[w.layout.Parameters:], w.layout.Parameters)}
	if p.Commitments[wrapped.CommitPads], err = w.keys.CommitPads(secrets); err != nil {
		t.Fatal(err)
	}
	z := make([]fr.Element, 1<<w.layout.AddressBits)
	for i := range rows {
		copy(z[i<<rowBits:], rows[i])
	}
	class := w.keys.Verifying.Class
	r := claims.NewProver(wrapped.Seed(s, p.Commitments[wrapped.CommitPads], w.parameters, p.Rows), func(kind claims.Kind, slot int) fr.Element {
		switch kind {
		case claims.Linear:
			return linearPads[slot]
		case claims.Single:
			return secrets.Pads[slot]
		}
		return secrets.Pads[class.Singles+slot]
	})
	opening, err := wrapped.Run(r, &w.network, w.layout, public, &slowProver{w.example, z}, func(blocks []claims.Block) claims.ProductProver {
		table := make([]fr.Element, len(z))
		for i := range blocks {
			blocks[i].AddTo(table)
		}
		return NewProduct(slices.Clone(z), table)
	})
	if err != nil {
		return nil, err
	}
	u, err := class.PublicForm(r, opening)
	if err != nil {
		return nil, err
	}
	eq := claims.EqTable(opening.Point[:len(opening.Point)-rowBits])
	row := make([]fr.Element, 1<<rowBits)
	p.Delta = secrets.RowMask
	var v fr.Element
	for i := range rows {
		for k := range row {
			row[k].Add(&row[k], v.Mul(&eq[i], &rows[i][k]))
		}
		p.Delta.Sub(&p.Delta, v.Mul(&eq[i], &w.salts[i]))
	}
	p.Sent = r.Sent
	return p, w.keys.Prove(secrets, s, wrapped.Digest(r), u, row, p)
}

func (w *wrappedExample) verify(s fr.Element, public [][]int64, p *wrapped.Proof) error {
	return wrapped.Verify(w.keys.Verifying, &w.network, w.layout, w.parameters, s, public, p)
}

// TestWrapped: a network is proved and verified, from cells to the pairing; another statement, value, message, row, model
// or scalar is rejected, and a prover who lies about a cell has no proof.
func TestWrapped(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	w := networks()["network"](rng).wrap(t)
	s, public := random(1)[0], w.public()
	p, err := w.prove(t, s, public)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.verify(s, public, p); err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v: %d constraints, %d messages, %d + %d rows", w.keys.Verifying.Class, wrap.Constraints(w.keys.Verifying.Class), len(p.Sent), len(w.parameters), len(p.Rows))
	w.reject(t, s, public, p)

	honest := slices.Clone(w.z)
	for range 5 {
		cell := rng.IntN(len(w.z))
		w.z[cell]++
		if w.consistent(public) {
			copy(w.z, honest)
			continue
		}
		if p, err := w.prove(t, s, public); err == nil && w.verify(s, public, p) == nil {
			t.Errorf("cell %d one off was proved", cell)
		}
		copy(w.z, honest)
	}
}

func (w *wrappedExample) reject(t *testing.T, s fr.Element, public [][]int64, p *wrapped.Proof) {
	t.Helper()
	one := fr.One()
	_, _, g, g2 := bn254.Generators()
	for name, change := range map[string]func(q *wrapped.Proof, s *fr.Element, public [][]int64){
		"statement":     func(_ *wrapped.Proof, s *fr.Element, _ [][]int64) { s.Add(s, &one) },
		"input":         func(_ *wrapped.Proof, _ *fr.Element, x [][]int64) { x[0][3]++ },
		"output":        func(_ *wrapped.Proof, _ *fr.Element, x [][]int64) { x[1][0]++ },
		"first message": func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Sent[0].Add(&q.Sent[0], &one) },
		"last message":  func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { m := &q.Sent[len(q.Sent)-1]; m.Add(m, &one) },
		"message less":  func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Sent = q.Sent[1:] },
		"row":           func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Rows[1].Add(&q.Rows[1], &g) },
		"row less":      func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Rows = q.Rows[1:] },
		"rows swapped":  func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Rows[0], q.Rows[1] = q.Rows[1], q.Rows[0] },
		"delta":         func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Delta.Add(&q.Delta, &one) },
		"pads":          func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Commitments[0].Add(&q.Commitments[0], &g) },
		"form":          func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Commitments[1].Add(&q.Commitments[1], &g) },
		"folded row":    func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Commitments[2].Add(&q.Commitments[2], &g) },
		"A":             func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Ar.Add(&q.Ar, &g) },
		"B":             func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Bs.Add(&q.Bs, &g2) },
		"C":             func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.Krs.Add(&q.Krs, &g) },
		"knowledge":     func(q *wrapped.Proof, _ *fr.Element, _ [][]int64) { q.PoK.Add(&q.PoK, &g) },
	} {
		q, other, values := *p, s, w.public()
		q.Sent, q.Rows = slices.Clone(p.Sent), slices.Clone(p.Rows)
		change(&q, &other, values)
		if w.verify(other, values, &q) == nil {
			t.Errorf("another %s was accepted", name)
		}
	}
	parameters := w.parameters
	w.parameters = slices.Clone(parameters)
	w.parameters[0].Add(&w.parameters[0], &g)
	if w.verify(s, public, p) == nil {
		t.Error("another model was accepted")
	}
	w.parameters = parameters
}
