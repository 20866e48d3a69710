package plonk

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/verifier"
)

// Verify implements verifier.Key.
func (vk *VerifyingKey) Verify(m verifier.Commitment, st *verifier.Statement, proof []byte) error {
	if err := vk.check(); err != nil {
		return err
	}
	s, err := verifier.StatementDigest(vk, m, st)
	if err != nil {
		return err
	}
	p, err := DecodeProof(proof)
	if err != nil {
		return err
	}
	return vk.VerifyProof(p, verifier.PublicInputs(vk.Fixed(), st, s))
}

// VerifyProof checks a proof for public inputs. Errors wrap verifier.ErrInvalidProof.
func (vk *VerifyingKey) VerifyProof(p *Proof, public []fr.Element) error {
	c := &check{vk: vk, proof: p, public: public}
	c.drawChallenges()
	if err := c.evaluate(); err != nil {
		return err
	}
	return c.openings()
}

// Linearized is the value that the linearized polynomial must have for the proof to hold, which other encodings
// of proofs contain; 0 where the proof has none.
func (vk *VerifyingKey) Linearized(p *Proof, public []fr.Element) fr.Element {
	c := &check{vk: vk, proof: p, public: public}
	c.drawChallenges()
	if c.evaluate() != nil {
		return fr.Element{}
	}
	return c.linearized
}

// check is one verification.
type check struct {
	vk     *VerifyingKey
	proof  *Proof
	public []fr.Element

	gamma, beta, alpha, zeta fr.Element

	omega      fr.Element // generator of the domain
	zetaN      fr.Element // ζ^n
	vanishing  fr.Element // ζ^n − 1
	alpha2L0   fr.Element // α²·L_0(ζ)
	linearized fr.Element // what the linearized polynomial must be at ζ
}

// drawChallenges follows gnark's transcript. The commitments are covered by α only: before, they are fixed by
// what the circuit does with their challenges.
func (c *check) drawChallenges() {
	p := c.proof
	var first cover
	first.points(c.vk.points()...)
	for i := range c.public {
		first.scalars(&c.public[i])
	}
	first.points(&p.L, &p.R, &p.O)
	gamma := draw("gamma", nil, first)
	beta := draw("beta", gamma.bytes[:], nil)
	var second, third cover
	for i := range p.Committed {
		second.points(&p.Committed[i])
	}
	second.points(&p.Z)
	alpha := draw("alpha", beta.bytes[:], second)
	third.points(&p.H[0], &p.H[1], &p.H[2])
	zeta := draw("zeta", alpha.bytes[:], third)
	c.gamma, c.beta, c.alpha, c.zeta = gamma.value, beta.value, alpha.value, zeta.value
}

// evaluate computes from the claimed values what the linearized polynomial must be at ζ.
func (c *check) evaluate() error {
	one := fr.One()
	c.omega = c.vk.Generator()
	c.zetaN = c.zeta
	for range c.vk.LogSize {
		c.zetaN.Square(&c.zetaN)
	}
	if c.vanishing.Sub(&c.zetaN, &one); c.vanishing.IsZero() {
		return fmt.Errorf("%w: the point of evaluation lies in the domain", verifier.ErrInvalidProof)
	}
	lagrange := c.lagrange()
	var pi, t fr.Element
	for i := range c.public {
		t.Mul(&lagrange[i], &c.public[i])
		pi.Add(&pi, &t)
	}
	for k := range c.proof.Committed {
		e := committed(&c.proof.Committed[k])
		t.Mul(&lagrange[len(c.public)+k], &e)
		pi.Add(&pi, &t)
	}
	c.alpha2L0.Mul(&lagrange[0], &c.alpha).Mul(&c.alpha2L0, &c.alpha)

	// −(PI(ζ) − α²·L_0(ζ) + α·(l + β·s1 + γ)(r + β·s2 + γ)(o + γ)·z)
	product := c.factors()
	t.Add(&c.proof.AtO, &c.gamma)
	product.Mul(&product, &t).Add(&product, &pi).Sub(&product, &c.alpha2L0)
	c.linearized.Neg(&product)
	return nil
}

// factors is α·(l + β·s1 + γ)(r + β·s2 + γ)·z.
func (c *check) factors() fr.Element {
	p := c.proof
	var x, y fr.Element
	x.Mul(&c.beta, &p.AtS[0]).Add(&x, &p.AtL).Add(&x, &c.gamma)
	y.Mul(&c.beta, &p.AtS[1]).Add(&y, &p.AtR).Add(&y, &c.gamma)
	x.Mul(&x, &y).Mul(&x, &c.alpha).Mul(&x, &p.AtZ)
	return x
}

// lagrange are L_i(ζ) = ω^i·(ζ^n − 1)/(n·(ζ − ω^i)) for the public inputs, and for the gates that receive
// challenges.
func (c *check) lagrange() []fr.Element {
	n := len(c.public)
	powers := make([]fr.Element, n+len(c.vk.Challenges))
	powers[0].SetOne()
	for i := 1; i < n; i++ {
		powers[i].Mul(&powers[i-1], &c.omega)
	}
	for k, gate := range c.vk.Challenges {
		powers[n+k].Exp(c.omega, big.NewInt(int64(n)+int64(gate)))
	}
	// ζ is not in the domain, so that no difference is 0.
	out := make([]fr.Element, len(powers))
	for i := range out {
		out[i].Sub(&c.zeta, &powers[i])
	}
	out = fr.BatchInvert(out)
	var scale fr.Element
	scale.SetUint64(uint64(1) << c.vk.LogSize)
	scale.Inverse(&scale).Mul(&scale, &c.vanishing)
	for i := range out {
		out[i].Mul(&out[i], &powers[i]).Mul(&out[i], &scale)
	}
	return out
}

// linearizedDigest commits to the linearized polynomial:
//
//	Σ qcp_k·[PI2_k] + l·[Ql] + r·[Qr] + l·r·[Qm] + o·[Qo] + [Qk]
//	+ α·(l + β·s1 + γ)(r + β·s2 + γ)·z·β·[S3]
//	+ (α²·L_0(ζ) − α·(l + β·ζ + γ)(r + β·5ζ + γ)(o + β·25ζ + γ))·[Z]
//	− (ζ^n − 1)·([H0] + ζ^(n+2)·[H1] + ζ^(2(n+2))·[H2])
func (c *check) linearizedDigest() (bn254.G1Affine, error) {
	p, vk := c.proof, c.vk
	var lr, s3, z fr.Element
	lr.Mul(&p.AtL, &p.AtR)
	s3 = c.factors()
	s3.Mul(&s3, &c.beta)

	z = c.alpha
	shift := fr.NewElement(CosetShift)
	var t, at fr.Element
	at.Mul(&c.beta, &c.zeta)
	for _, v := range []*fr.Element{&p.AtL, &p.AtR, &p.AtO} {
		t.Add(v, &at).Add(&t, &c.gamma)
		z.Mul(&z, &t)
		at.Mul(&at, &shift)
	}
	z.Sub(&c.alpha2L0, &z)

	var h [3]fr.Element
	h[0].Neg(&c.vanishing)
	var step fr.Element // ζ^(n+2)
	step.Square(&c.zeta).Mul(&step, &c.zetaN)
	h[1].Mul(&h[0], &step)
	h[2].Mul(&h[1], &step)

	points := []bn254.G1Affine{vk.Ql, vk.Qr, vk.Qm, vk.Qo, vk.Qk, vk.S[2], p.Z, p.H[0], p.H[1], p.H[2]}
	scalars := []fr.Element{p.AtL, p.AtR, lr, p.AtO, fr.One(), s3, z, h[0], h[1], h[2]}
	points = append(points, p.Committed[:]...)
	scalars = append(scalars, p.AtQcp[:]...)
	var sum bn254.G1Affine
	_, err := sum.MultiExp(points, scalars, ecc.MultiExpConfig{})
	return sum, err
}

// openings checks both openings with one pairing equation: for the sum F of the digests opened at ζ under
// powers of a challenge v, and E that of the values, and a challenge u that covers both openings,
// e(F − E·G + ζ·W + u·([Z] − z·G + ωζ·W'), G2) = e(W + u·W', [τ]).
func (c *check) openings() error {
	linearized, err := c.linearizedDigest()
	if err != nil {
		return err
	}
	p, vk := c.proof, c.vk
	points := []bn254.G1Affine{linearized, p.L, p.R, p.O, vk.S[0], vk.S[1]}
	points = append(points, vk.Qcp[:]...)
	values := []fr.Element{c.linearized, p.AtL, p.AtR, p.AtO, p.AtS[0], p.AtS[1]}
	values = append(values, p.AtQcp[:]...)

	v, u := c.merging(points, values)
	scalars := make([]fr.Element, len(points), len(points)+4)
	var sum, t fr.Element // of the values
	power := fr.One()
	for i := range points {
		scalars[i] = power
		t.Mul(&values[i], &power)
		sum.Add(&sum, &t)
		power.Mul(&power, &v)
	}
	t.Mul(&u, &p.AtZ)
	sum.Add(&sum, &t).Neg(&sum)
	var shifted fr.Element
	shifted.Mul(&c.zeta, &c.omega).Mul(&shifted, &u)
	_, _, g1, g2 := bn254.Generators()
	points = append(points, g1, p.Opening, p.Z, p.Shifted)
	scalars = append(scalars, sum, c.zeta, u, shifted)
	var left, right bn254.G1Affine
	if _, err := left.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
		return err
	}
	var factor big.Int
	right.ScalarMultiplication(&p.Shifted, u.BigInt(&factor))
	right.Add(&right, &p.Opening).Neg(&right)
	ok, err := bn254.PairingCheck([]bn254.G1Affine{left, right}, []bn254.G2Affine{g2, vk.TauG2})
	if err != nil {
		return fmt.Errorf("%w: %w", verifier.ErrInvalidProof, err)
	}
	if !ok {
		return fmt.Errorf("%w: the pairing equation does not hold", verifier.ErrInvalidProof)
	}
	return nil
}

// merging draws v as gnark's prover does, and u, which is the verifier's alone: it covers all of the proof
// by way of v.
func (c *check) merging(points []bn254.G1Affine, values []fr.Element) (v, u fr.Element) {
	var opened cover
	opened.scalars(&c.zeta)
	for i := range points {
		opened.points(&points[i])
	}
	for i := range values {
		opened.scalars(&values[i])
	}
	opened.scalars(&c.proof.AtZ)
	first := draw("gamma", nil, opened)
	var both cover
	both.points(&c.proof.Opening, &c.proof.Shifted)
	return first.value, draw("u", first.bytes[:], both).value
}
