package claims

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Products is a claim Σ_t Σ_x A_t(x)·B_t(x) over multilinear A_t and B_t of Bits[t] variables each. Rounds bind the
// lowest bit first. Terms with fewer variables than the longest join for the last rounds: before, they stand under
// Π(1−x_j).
type Products struct {
	Bits []int
}

// ProductProver computes the messages of one term.
type ProductProver interface {
	// Sum is Σ_x A(x)·B(x) over the variables that are not bound.
	Sum() fr.Element
	// Round is h(0) and the leading coefficient of the next round's polynomial.
	Round() (zero, leading fr.Element)
	// Bind fixes the round's variable, the lowest bit of those left.
	Bind(r fr.Element)
	// Values are A and B where all variables are bound.
	Values() (a, b fr.Element)
}

func (p Products) rounds() int {
	n := 0
	for _, b := range p.Bits {
		n = max(n, b)
	}
	return n
}

// Reduce runs the sumcheck of a claim. kind says what the messages of rounds are. It returns the point (all
// variables, top bit first: a term's own point is its beginning) and the reduced claim, which the caller has to
// require to be Σ_t factors[t]·A_t·B_t at the point. provers is nil for a verifier.
//
// Rounds of a plain sum send h(0) and the leading coefficient: h(1) = e − h(0), and the next claim is
// h(ρ) = ρ·e + (1−2ρ)·h(0) + (ρ²−ρ)·leading.
func (p Products) Reduce(r *Run, claim Form, kind Kind, provers []ProductProver) (point []fr.Element, reduced Form, factors []fr.Element) {
	factors = make([]fr.Element, len(p.Bits))
	for t := range factors {
		factors[t].SetOne()
	}
	rounds := p.rounds()
	point = make([]fr.Element, rounds)
	sent := make([][]Message, rounds)
	for j := range rounds {
		sent[j] = r.Send(kind, 2, func() []fr.Element { return p.round(j, rounds, provers, factors) })
		rho := r.Draw("round")
		point[rounds-1-j] = rho
		p.bind(j, rounds, rho, provers, factors)
	}
	return point, afterRounds(claim, sent, point), factors
}

// afterRounds is the claim after all rounds. Each multiplies what came before by its challenge; the claim may be long,
// so it is multiplied once.
func afterRounds(claim Form, sent [][]Message, point []fr.Element) (out Form) {
	later, one := fr.One(), fr.One() // product of the challenges of later rounds
	for j := len(sent) - 1; j >= 0; j-- {
		rho := point[len(sent)-1-j]
		var zero, leading fr.Element
		zero.Sub(&one, &rho).Sub(&zero, &rho).Mul(&zero, &later)
		leading.Square(&rho).Sub(&leading, &rho).Mul(&leading, &later)
		out.Add(zero, Of(sent[j][0]))
		out.Add(leading, Of(sent[j][1]))
		later.Mul(&later, &rho)
	}
	out.Add(later, claim)
	return out
}

// round adds up the terms' messages. A term whose variables have not begun is (1−X)·Sum.
func (p Products) round(j, rounds int, provers []ProductProver, factors []fr.Element) []fr.Element {
	out := make([]fr.Element, 2)
	for t, bits := range p.Bits {
		if j < rounds-bits {
			v := provers[t].Sum()
			out[0].Add(&out[0], v.Mul(&v, &factors[t]))
			continue
		}
		zero, leading := provers[t].Round()
		out[0].Add(&out[0], zero.Mul(&zero, &factors[t]))
		out[1].Add(&out[1], leading.Mul(&leading, &factors[t]))
	}
	return out
}

func (p Products) bind(j, rounds int, rho fr.Element, provers []ProductProver, factors []fr.Element) {
	var complement fr.Element
	one := fr.One()
	complement.Sub(&one, &rho)
	for t, bits := range p.Bits {
		if j < rounds-bits {
			factors[t].Mul(&factors[t], &complement)
		} else if provers != nil {
			provers[t].Bind(rho)
		}
	}
}

// Split sends both values of every term at the end of Reduce and requires that they give the reduced claim.
// Of each term it returns the messages of A and B, which the caller has to claim of what they are the
// values of.
func (p Products) Split(r *Run, reduced Form, factors []fr.Element, provers []ProductProver) [][2]Message {
	check := Check{}
	check.Form.Add(minusOne(), reduced)
	var out [][2]Message
	for t := 0; t < len(p.Bits); t += 2 {
		out = append(out, p.splitPair(r, t, provers)...)
	}
	for t := range out {
		check.Products = append(check.Products, Product{out[t][0], out[t][1], factors[t]})
	}
	r.Require(check)
	return out
}

// splitPair sends the values of terms t and t+1 in one group, A A' B' B, or of the last one in its last slots.
func (p Products) splitPair(r *Run, t int, provers []ProductProver) [][2]Message {
	if t+1 == len(p.Bits) {
		m := r.sendFrom(2, Multiplied, 2, func() []fr.Element {
			a, b := provers[t].Values()
			return []fr.Element{a, b}
		})
		return [][2]Message{{m[0], m[1]}}
	}
	m := r.Send(Multiplied, 4, func() []fr.Element {
		a, b := provers[t].Values()
		c, d := provers[t+1].Values()
		return []fr.Element{a, c, d, b}
	})
	return [][2]Message{{m[0], m[3]}, {m[1], m[2]}}
}
