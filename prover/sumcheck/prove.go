package sumcheck

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/msm"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/wrap"
	engine "github.com/zkinfer/zkinfer/sumcheck"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// Prove implements prover.Keys.
func (k *Keys) Prove(ctx context.Context, g *model.Graph, opening *prover.ModelOpening, inputs [][]int64, context []byte) (*prover.Proved, error) {
	if err := opening.CheckFor(k.wrap.Verifying, g); err != nil {
		return nil, err
	}
	a, err := k.attempt(g, opening)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	trace, err := g.Execute(ctx, inputs)
	if err != nil {
		return nil, err
	}
	executed := time.Now()
	if err := a.fill(trace); err != nil {
		return nil, err
	}
	assigned := time.Now()
	if err := a.commit(g, trace, context); err != nil {
		return nil, err
	}
	proof, err := prover.Interruptible(ctx, a.prove)
	if err != nil {
		return nil, err
	}
	proved := time.Now()
	out, err := a.finish(g, trace, proof)
	if err != nil {
		return nil, err
	}
	out.Stats = prover.Stats{Execute: executed.Sub(start), Assign: assigned.Sub(executed), Prove: proved.Sub(assigned),
		Verify: time.Since(proved), Constraints: k.wrap.Constraints()}
	return out, nil
}

// attempt is the making of one proof. Its salts, pads and masks are never used again.
type attempt struct {
	*lowered
	keys       *Keys
	commitment *wrapped.Commitment
	secrets    *wrap.Secrets
	salts      []fr.Element // by row of Z
	cells      *engine.Cells
	rows       []bn254.G1Affine // by row of Z
	statement  *verifier.Statement
	s          fr.Element
	pads       bn254.G1Affine
}

// attempt lowers the model, which has to be the one that the commitment describes.
func (k *Keys) attempt(g *model.Graph, opening *prover.ModelOpening) (*attempt, error) {
	c, ok := opening.Commitment.(*wrapped.Commitment)
	if !ok {
		return nil, fmt.Errorf("%w: the model commitment is of backend %q; run commit again", prover.ErrKeyMismatch, opening.Commitment.Backend())
	}
	m, err := k.lower(g, hidden(c.Architecture))
	if err != nil {
		return nil, err
	}
	mine, err := m.architecture.Encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(mine, c.Encoded()) {
		return nil, fmt.Errorf("%w: the model commitment describes another architecture; run commit again", prover.ErrKeyMismatch)
	}
	a := &attempt{lowered: m, keys: k, commitment: c}
	if err := a.drawSalts(opening.Salts); err != nil {
		return nil, err
	}
	a.secrets, err = k.wrap.NewSecrets()
	return a, err
}

// hidden are the options that a model was committed with: they need not be those of the keys.
func hidden(a *wrapped.Architecture) prover.Options {
	private := func(side []wrapped.Border) bool { return len(side) > 0 && side[0].Private }
	return prover.Options{PrivateInput: private(a.Inputs), PrivateOutput: private(a.Outputs)}
}

// drawSalts salts the rows that are made for this proof. Those that are nobody's have none.
func (a *attempt) drawSalts(parameters []fr.Element) error {
	l := a.architecture.Layout()
	a.salts = make([]fr.Element, l.End())
	for _, region := range l.Seeded()[1:] {
		fresh, err := random(region.Rows)
		if err != nil {
			return err
		}
		copy(a.of(region), fresh)
	}
	copy(a.of(l.Parameters), parameters)
	return nil
}

// fill lays the execution out.
func (a *attempt) fill(t *model.Trace) error {
	w, err := a.plan.Assign(t)
	if err != nil {
		return fmt.Errorf("%w: %w", prover.ErrKeyMismatch, err)
	}
	l := a.architecture.Layout()
	pads, err := random(l.Pads.Rows << l.RowBits)
	if err != nil {
		return err
	}
	a.cells, err = engine.NewCells(w, l, pads)
	return err
}

// commit makes all rows, and the statement with those of private tensors.
func (a *attempt) commit(g *model.Graph, t *model.Trace, context []byte) error {
	l := a.architecture.Layout()
	a.rows = make([]bn254.G1Affine, l.End())
	copy(a.rows[l.Parameters.First:], a.commitment.Rows)
	for _, region := range append(append([]claims.Region{}, l.Externals...), l.Trace) {
		rows, err := a.keys.commit(a.cells, region, a.of(region))
		if err != nil {
			return err
		}
		copy(a.rows[region.First:], rows)
	}
	pads, err := msm.CommitElements(a.keys.wrap.RowBases(), &a.keys.wrap.Verifying.H, a.cells.Pads, a.of(l.Pads))
	if err != nil {
		return err
	}
	copy(a.rows[l.Pads.First:], pads)
	a.statement = &verifier.Statement{Context: context, Inputs: a.values(a.architecture.Inputs, g.Inputs, t), Outputs: a.values(a.architecture.Outputs, g.Outputs, t)}
	if a.s, err = verifier.StatementDigest(a.keys.wrap.Verifying, a.commitment, a.statement); err != nil {
		return err
	}
	a.pads = a.keys.wrap.CommitPads(a.secrets)
	return nil
}

// of are the salts of a region.
func (a *attempt) of(r claims.Region) []fr.Element { return a.salts[r.First : r.First+r.Rows] }

// values are a side of the statement.
func (a *attempt) values(borders []wrapped.Border, ids []model.TensorID, t *model.Trace) []verifier.TensorValue {
	out := make([]verifier.TensorValue, len(borders))
	for i, b := range borders {
		if !b.Private {
			out[i].Values = t.Values[ids[i]]
			continue
		}
		r := a.architecture.Layout().Externals[b.Index]
		out[i].Commitment = a.rows[r.First : r.First+r.Rows]
	}
	return out
}

// proofRows are those that the proof brings.
func (a *attempt) proofRows() []bn254.G1Affine {
	l := a.architecture.Layout()
	return append(append([]bn254.G1Affine{}, a.rows[l.Trace.First:l.Trace.First+l.Trace.Rows]...), a.rows[l.Pads.First:l.Pads.First+l.Pads.Rows]...)
}

// prove runs the protocol and has the circuit vouch for it.
func (a *attempt) prove() (*wrapped.Proof, error) {
	p := &wrapped.Proof{Rows: a.proofRows()}
	p.Commitments[wrapped.CommitPads] = a.pads
	class := a.keys.wrap.Verifying.Class
	r := claims.NewProver(wrapped.Seed(a.s, a.pads, a.commitment.Seeded(a.statement, p.Rows)...), func(kind claims.Kind, slot int) fr.Element {
		switch kind {
		case claims.Linear:
			return a.cells.Pads[slot]
		case claims.Single:
			return a.secrets.Pads[slot]
		}
		return a.secrets.Pads[class.Singles+slot]
	})
	opening, err := a.architecture.Run(r, a.architecture.Public(a.statement), a.cells, a.cells.Merge)
	if err != nil {
		return nil, err
	}
	u, err := class.PublicForm(r, opening)
	if err != nil {
		return nil, err
	}
	eq := claims.EqTable(opening.Point[:len(opening.Point)-class.RowBits])
	p.Sent, p.Delta = r.Sent, a.secrets.RowMask
	var v fr.Element
	for i := range a.salts {
		p.Delta.Sub(&p.Delta, v.Mul(&eq[i], &a.salts[i]))
	}
	return p, a.keys.wrap.Prove(a.secrets, a.s, wrapped.Digest(r), u, a.cells.Fold(eq), p)
}

// finish encodes the proof and verifies it.
func (a *attempt) finish(g *model.Graph, t *model.Trace, p *wrapped.Proof) (*prover.Proved, error) {
	out := &prover.Proved{Outputs: t.Outputs(g), InputSalts: a.opened(a.architecture.Inputs), OutputSalts: a.opened(a.architecture.Outputs)}
	vk := a.keys.wrap.Verifying
	out.Bundle = &verifier.Bundle{Backend: wrapped.Backend, VKDigest: vk.Digest(), Model: a.commitment.Digest(), Statement: *a.statement, Proof: p.Encode()}
	if err := verifier.VerifyBundle(vk, a.commitment, out.Bundle); err != nil {
		return nil, fmt.Errorf("the finished proof does not verify and is withheld (are the keys damaged or foreign?): %w", err)
	}
	return out, nil
}

// opened are the salts of private tensors.
func (a *attempt) opened(borders []wrapped.Border) [][]fr.Element {
	out := make([][]fr.Element, len(borders))
	for i, b := range borders {
		if b.Private {
			out[i] = a.of(a.architecture.Layout().Externals[b.Index])
		}
	}
	return out
}
