package plonk

import (
	"encoding/binary"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
)

// form is Σ coeff·wire + constant. Terms are sorted by wire and not 0.
type form struct {
	terms    []term
	constant fr.Element
}

type term struct {
	wire  int
	coeff fr.Element
}

func single(wire int) form { return form{terms: []term{{wire, fr.One()}}} }

func (f form) isConstant() bool { return len(f.terms) == 0 }

// add adds c·g; merge has to follow.
func (f *form) add(g form, c fr.Element) {
	for _, t := range g.terms {
		t.coeff.Mul(&t.coeff, &c)
		f.terms = append(f.terms, t)
	}
	g.constant.Mul(&g.constant, &c)
	f.constant.Add(&f.constant, &g.constant)
}

// merge sorts the terms and adds those of the same wire.
func (f *form) merge() {
	slices.SortStableFunc(f.terms, func(x, y term) int { return x.wire - y.wire })
	out := f.terms[:0]
	for _, t := range f.terms {
		if n := len(out); n > 0 && out[n-1].wire == t.wire {
			out[n-1].coeff.Add(&out[n-1].coeff, &t.coeff)
			continue
		}
		out = append(out, t)
	}
	f.terms = slices.DeleteFunc(out, func(t term) bool { return t.coeff.IsZero() })
}

func (f form) times(c fr.Element) form {
	var out form
	if !c.IsZero() {
		out.add(f, c)
	}
	return out
}

func (f form) minus(g form) form {
	out := form{terms: slices.Clone(f.terms), constant: f.constant}
	out.add(g, minusOne())
	out.merge()
	return out
}

// solve takes f = value for an equation of the wire x, and gives x in terms of the others and value.
func (f form) solve(x, value int) form {
	out := single(value)
	var c fr.Element
	for _, t := range f.terms {
		if t.wire == x {
			c = t.coeff
		}
	}
	rest := f.minus(single(x).times(c))
	out = out.minus(rest)
	c.Inverse(&c)
	return out.times(c)
}

// key tells forms without a constant apart.
func (f form) key() string {
	b := make([]byte, 0, len(f.terms)*(4+8*len(fr.Element{})))
	for _, t := range f.terms {
		b = binary.LittleEndian.AppendUint32(b, uint32(t.wire))
		for _, w := range t.coeff {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	}
	return string(b)
}

func minusOne() fr.Element {
	var e fr.Element
	e.SetInt64(-1)
	return e
}

func minusInverse(c fr.Element) fr.Element {
	c.Inverse(&c)
	c.Neg(&c)
	return c
}

// gate is l·a + r·b + m·a·b + o·c + k, to which a mark adds a value of a commitment or a challenge.
type gate struct {
	a, b, c       int
	l, r, m, o, k fr.Element
	mark          constraint.CommitmentConstraint
}

func (g *gate) scale(c fr.Element) {
	for _, q := range []*fr.Element{&g.l, &g.r, &g.m, &g.o, &g.k} {
		q.Mul(q, &c)
	}
}

func (g *gate) negate() { g.scale(minusOne()) }

// linearGate is the gate of a form of at most three terms.
func linearGate(f form) gate {
	g := gate{k: f.constant}
	for i, t := range f.terms {
		switch i {
		case 0:
			g.a, g.l = t.wire, t.coeff
		case 1:
			g.b, g.r = t.wire, t.coeff
		case 2:
			g.c, g.o = t.wire, t.coeff
		}
	}
	return g
}
