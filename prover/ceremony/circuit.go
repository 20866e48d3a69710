package ceremony

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	curve "github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"
	"github.com/consensys/gnark-crypto/utils"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// evaluations are the parts of keys that phase 2 does not change: the polynomials of each wire at τ, and
// βA + αB + C of public wires and challenges. That of committed wires is where their σ begins.
type evaluations struct {
	A, B   []bn254.G1Affine
	B2     []bn254.G2Affine
	Public []bn254.G1Affine
}

func (e *evaluations) refs() []any { return []any{&e.A, &e.B, &e.B2, &e.Public} }

// WriteTo implements io.WriterTo.
func (e *evaluations) WriteTo(w io.Writer) (int64, error) {
	enc := bn254.NewEncoder(w)
	for _, v := range []any{e.A, e.B, e.B2, e.Public} {
		if err := enc.Encode(v); err != nil {
			return enc.BytesWritten(), err
		}
	}
	return enc.BytesWritten(), nil
}

// ReadFrom implements io.ReaderFrom.
func (e *evaluations) ReadFrom(r io.Reader) (int64, error) {
	dec := bn254.NewDecoder(r)
	for _, v := range e.refs() {
		if err := dec.Decode(v); err != nil {
			return dec.BytesRead(), err
		}
	}
	return dec.BytesRead(), nil
}

// circuit is what phase 2 begins with.
type circuit struct {
	p2          *mpcsetup.Phase2
	evaluations *evaluations
}

// newCircuit computes it from the powers of tau. It takes most of the time of a ceremony.
func newCircuit(system *cs.R1CS, powers *mpcsetup.SrsCommons) *circuit {
	c := &circuit{p2: new(mpcsetup.Phase2)}
	e := c.p2.Initialize(system, powers)
	c.evaluations = &evaluations{A: e.G1.A, B: e.G1.B, B2: e.G2.B, Public: e.G1.VKK}
	return c
}

// ofGnark are the evaluations as gnark has them.
func (c *circuit) ofGnark(system *cs.R1CS) *mpcsetup.Phase2Evaluations {
	info := system.CommitmentInfo.(constraint.Groth16Commitments)
	out := &mpcsetup.Phase2Evaluations{PublicAndCommitmentCommitted: info.GetPublicAndCommitmentCommitted(info.CommitmentIndexes(), system.GetNbPublicVariables())}
	out.G1.A, out.G1.B, out.G2.B, out.G1.VKK = c.evaluations.A, c.evaluations.B, c.evaluations.B2, c.evaluations.Public
	for _, bases := range c.p2.Parameters.G1.SigmaCKK {
		out.G1.CKK = append(out.G1.CKK, slices.Clone(bases))
	}
	return out
}

func (c *circuit) encode() ([]byte, error) {
	p2, err := encode(c.p2)
	if err != nil {
		return nil, err
	}
	e, err := encode(c.evaluations)
	return append(p2, e...), err
}

func (s *Shape) decodeCircuit(body []byte) (*circuit, error) {
	n := s.phase2(0).bytes()
	if int64(len(body)) < n {
		return nil, fmt.Errorf("%w: %d bytes of points", ErrMalformed, len(body))
	}
	p2, err := s.decodePhase2(body[:n], 0)
	if err != nil {
		return nil, err
	}
	c := &circuit{p2, new(evaluations)}
	return c, decode(c.evaluations, s.evaluations(), body[n:])
}

// check errs unless c is what newCircuit computes. That brings the powers into Lagrange form, N·log N
// multiplications of points four times over; here a random combination of all wires' points is compared
// with that of the powers, whose coefficients are computed in the field: a wrong point passes with
// probability (number of wires)/2^254, over this verifier's own coins.
func (c *circuit) check(system *cs.R1CS, powers *mpcsetup.SrsCommons) error {
	if err := c.checkStart(); err != nil {
		return err
	}
	if !slices.Equal(c.p2.Parameters.G1.Z, quotient(powers)) {
		return fmt.Errorf("%w: the quotient's points are not those of phase 1", ErrRejected)
	}
	weights := make([]fr.Element, len(c.evaluations.A))
	var w fr.Element
	if _, err := w.SetRandom(); err != nil {
		return err
	}
	weights[0].SetOne()
	for i := 1; i < len(weights); i++ {
		weights[i].Mul(&weights[i-1], &w)
	}
	a, b, cc := combine(system, weights, len(powers.G1.AlphaTau))
	tau := powers.G1.Tau[:len(a)]
	for name, e := range map[string]struct {
		points []bn254.G1Affine
		want   []term
	}{
		"A":           {c.evaluations.A, []term{{tau, a}}},
		"B":           {c.evaluations.B, []term{{tau, b}}},
		"βA + αB + C": {c.wires(system), []term{{powers.G1.BetaTau, a}, {powers.G1.AlphaTau, b}, {tau, cc}}},
	} {
		if got, want := sumOf([]term{{e.points, weights}}), sumOf(e.want); !got.Equal(&want) {
			return fmt.Errorf("%w: %s of some wire is not what phase 1 and the circuit give", ErrRejected, name)
		}
	}
	return c.checkB2(weights, powers.G2.Tau, b)
}

func (c *circuit) checkB2(weights []fr.Element, tau []bn254.G2Affine, b []fr.Element) error {
	var got, want bn254.G2Affine
	if _, err := got.MultiExp(c.evaluations.B2, weights, ecc.MultiExpConfig{}); err != nil {
		return err
	}
	if _, err := want.MultiExp(tau, b, ecc.MultiExpConfig{}); err != nil {
		return err
	}
	if !got.Equal(&want) {
		return fmt.Errorf("%w: B of some wire in G2 is not what phase 1 and the circuit give", ErrRejected)
	}
	return nil
}

// checkStart demands that nobody contributed yet: δ and every σ are 1, and there are no proofs.
func (c *circuit) checkStart() error {
	_, _, g1, g2 := bn254.Generators()
	n := len(c.p2.Sigmas)
	want := mpcsetup.Phase2{Parameters: c.p2.Parameters, Sigmas: make([]curve.UpdateProof, n)}
	want.Parameters.G1.Delta, want.Parameters.G2.Delta = g1, g2
	want.Parameters.G2.Sigma = slices.Repeat([]bn254.G2Affine{g2}, n)
	a, err := encode(&want)
	if err != nil {
		return err
	}
	b, err := encode(c.p2)
	if err != nil {
		return err
	}
	if !bytes.Equal(a, b) {
		return fmt.Errorf("%w: phase 2 does not begin with δ = 1 and σ = 1", ErrRejected)
	}
	return nil
}

// quotient are τ^i·(τ^n − 1), in the bit-reversed order of gnark's proving keys, less the last.
func quotient(powers *mpcsetup.SrsCommons) []bn254.G1Affine {
	n := len(powers.G1.AlphaTau)
	out := make([]bn254.G1Affine, n)
	for i := range n - 1 {
		out[i].Sub(&powers.G1.Tau[i+n], &powers.G1.Tau[i])
	}
	utils.BitReverse(out)
	return out[:n-1]
}

// combine adds up the columns of the circuit's three matrices with a weight for each wire, and gives the
// sums as coefficients: polynomials whose value at the i-th point of the domain is that of constraint i.
func combine(system *cs.R1CS, weights []fr.Element, n int) (a, b, c []fr.Element) {
	a, b, c = make([]fr.Element, n), make([]fr.Element, n), make([]fr.Element, n)
	it, i := system.GetR1CIterator(), 0
	for r := it.Next(); r != nil; r = it.Next() {
		for _, side := range []struct {
			terms constraint.LinearExpression
			into  *fr.Element
		}{{r.L, &a[i]}, {r.R, &b[i]}, {r.O, &c[i]}} {
			for _, t := range side.terms {
				var v fr.Element
				v.Mul(&system.Coefficients[t.CoeffID()], &weights[t.WireID()])
				side.into.Add(side.into, &v)
			}
		}
		i++
	}
	domain := fft.NewDomain(uint64(n))
	for _, v := range [][]fr.Element{a, b, c} {
		domain.FFTInverse(v, fft.DIF)
		utils.BitReverse(v)
	}
	return a, b, c
}

// wires are the points βA + αB + C of all wires in their order, from the three places where they are.
func (c *circuit) wires(system *cs.R1CS) []bn254.G1Affine {
	commitments := system.CommitmentInfo.(constraint.Groth16Commitments)
	owner := make([]int, len(c.evaluations.A)) // from 1; len(commitments)+1 for what is public
	for i, k := range commitments {
		for _, w := range k.PrivateCommitted {
			owner[w] = i + 1
		}
		owner[k.CommitmentIndex] = len(commitments) + 1
	}
	for w := range system.GetNbPublicVariables() {
		owner[w] = len(commitments) + 1
	}
	places := append([][]bn254.G1Affine{c.p2.Parameters.G1.PKK}, c.p2.Parameters.G1.SigmaCKK...)
	places = append(places, c.evaluations.Public)
	out := make([]bn254.G1Affine, len(owner))
	for w, o := range owner {
		out[w], places[o] = places[o][0], places[o][1:]
	}
	return out
}

// term is Σ scalars·points.
type term struct {
	points  []bn254.G1Affine
	scalars []fr.Element
}

// sumOf panics where a term has not as many points as scalars, which shapes rule out.
func sumOf(terms []term) (sum bn254.G1Affine) {
	for _, t := range terms {
		var v bn254.G1Affine
		if _, err := v.MultiExp(t.points, t.scalars, ecc.MultiExpConfig{}); err != nil {
			panic(err)
		}
		sum.Add(&sum, &v)
	}
	return sum
}
