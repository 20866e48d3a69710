package claims

import (
	"errors"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// ErrVanishing: the combined functional is 0 at the final point, so that it says nothing about Z. It happens with
// negligible probability.
var ErrVanishing = errors.New("the combined functional vanishes")

// Opening is what all checks together come to: the extension of Z at Point is
//
//	Constant + Σ coefficients·messages + Σ products,
//
// without messages of kind Linear.
type Opening struct {
	Point    []fr.Element // top bit first
	Constant fr.Element
	Messages []Scaled
	Products []Product
}

// MergeProver makes the prover of Σ_x Z(x)·E(x) for a functional E, given by blocks.
type MergeProver func(e []Block) ProductProver

// Merge combines all checks with powers of a challenge, and runs the sumcheck of Z against the combined
// functional. padCell is the cell of Z that holds the pad of the i-th message of kind Linear; it must have
// been fixed before any message. prover is nil for a verifier.
//
// A linear message is what was sent less its pad: its coefficient goes to the pad's cell. What is left are
// messages whose pads are wires, and Z at one point.
func (r *Run) Merge(addressBits int, padCell func(i int) int, prover MergeProver) (*Opening, error) {
	all := r.combined(padCell)
	terms := Products{Bits: []int{addressBits}}
	var provers []ProductProver
	if prover != nil {
		provers = []ProductProver{prover(all.Functionals())}
	}
	// The sum is minus everything but cells. It is no linear form, so the rounds run on what they add to it.
	point, rounds, _ := terms.Reduce(r, Form{}, Single, provers)
	if err := r.Finish(); err != nil {
		return nil, err
	}
	var e fr.Element
	at := newEvaluation(point)
	for _, s := range all.spans() {
		v := at.sum(s.blocks)
		e.Add(&e, v.Mul(&v, &s.coefficient))
	}
	if e.IsZero() {
		return nil, ErrVanishing
	}
	e.Inverse(&e)
	out := &Opening{Point: point}
	kept := e // of the sum, after all rounds: Π ρ
	for i := range point {
		kept.Mul(&kept, &point[i])
	}
	kept.Neg(&kept)
	out.add(kept, all.Form, all.Products)
	out.add(e, rounds, nil)
	return out, nil
}

// add adds k times a form without cells, and products.
func (o *Opening) add(k fr.Element, f Form, products []Product) {
	var v fr.Element
	o.Constant.Add(&o.Constant, v.Mul(&k, &f.Constant))
	for _, m := range f.Messages {
		m.Coefficient.Mul(&m.Coefficient, &k)
		o.Messages = append(o.Messages, m)
	}
	for _, p := range products {
		p.Coefficient.Mul(&p.Coefficient, &k)
		o.Products = append(o.Products, p)
	}
}

// combined adds up all checks with powers of a challenge; linear messages are replaced by what was sent and
// the cells of their pads.
func (r *Run) combined(padCell func(i int) int) Check {
	gamma := r.Draw("combine")
	weight := fr.One()
	var all Check
	coefficients := make([]fr.Element, len(r.Sent))
	for i := range r.Checks {
		c := &r.Checks[i]
		var v fr.Element
		all.Constant.Add(&all.Constant, v.Mul(&weight, &c.Constant))
		for _, m := range c.Messages {
			coefficients[m.Message].Add(&coefficients[m.Message], v.Mul(&weight, &m.Coefficient))
		}
		for _, p := range c.Products {
			p.Coefficient.Mul(&p.Coefficient, &weight)
			all.Products = append(all.Products, p)
		}
		for _, s := range c.spans() {
			s.coefficient.Mul(&s.coefficient, &weight)
			all.added = append(all.added, s)
		}
		weight.Mul(&weight, &gamma)
	}
	pads := 0
	for m, k := range coefficients {
		if r.Kinds[m] != Linear {
			all.Messages = append(all.Messages, Scaled{Message(m), k})
			continue
		}
		var v fr.Element
		all.Constant.Add(&all.Constant, v.Mul(&k, &r.Sent[m]))
		all.cells = append(all.cells, Block{Offset: padCell(pads), Coefficient: *v.Neg(&k)})
		pads++
	}
	return all
}

// Functionals are those of Z, in one list.
func (f *Form) Functionals() []Block {
	n := 0
	for _, s := range f.spans() {
		n += len(s.blocks)
	}
	out := make([]Block, 0, n)
	for _, s := range f.spans() {
		for _, b := range s.blocks {
			b.Coefficient.Mul(&b.Coefficient, &s.coefficient)
			out = append(out, b)
		}
	}
	return out
}

// InPads writes the opening's value with pads in place of messages: a message is what was sent less its pad.
// Coefficients are by message, products as before.
func (o *Opening) InPads(sent []fr.Element) (constant fr.Element, coefficients []fr.Element, products []Product) {
	constant = o.Constant
	coefficients = make([]fr.Element, len(sent))
	var v fr.Element
	for _, m := range o.Messages {
		constant.Add(&constant, v.Mul(&m.Coefficient, &sent[m.Message]))
		coefficients[m.Message].Sub(&coefficients[m.Message], &m.Coefficient)
	}
	for _, p := range o.Products {
		v.Mul(&sent[p.A], &sent[p.B]).Mul(&v, &p.Coefficient)
		constant.Add(&constant, &v)
		coefficients[p.A].Sub(&coefficients[p.A], v.Mul(&sent[p.B], &p.Coefficient))
		coefficients[p.B].Sub(&coefficients[p.B], v.Mul(&sent[p.A], &p.Coefficient))
	}
	return constant, coefficients, o.Products
}
