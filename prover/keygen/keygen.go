// Package keygen makes Groth16 keys over BN254 in gnark's own structures, several times faster than
// gnark's setup.
//
// The promise: from the same randomness it makes the same keys, point by point, as gnark's Setup (a
// test compares them). The time of a setup is in multiplications of the two generators by as many
// scalars as there are wires and constraints; here each is a sum of precomputed multiples (fixedbase.go).
// Proving keys follow Groth (ePrint 2016/260), with one set of bases for each commitment (BSB22, ePrint
// 2022/1072).
//
// Pitfall: this is a setup by one party. Its randomness (τ, α, β, γ, δ and a σ for each commitment)
// forges proofs; it is dropped when Setup returns, which is a promise and not a proof.
package keygen

import (
	"context"
	"crypto/rand"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
	"github.com/consensys/gnark-crypto/utils"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// Setup makes keys for a constraint system. It ends early with ctx.
func Setup(ctx context.Context, r *cs.R1CS) (*groth16.ProvingKey, *groth16.VerifyingKey, error) {
	k := &keys{system: r, info: r.CommitmentInfo.(constraint.Groth16Commitments), domain: fft.NewDomain(uint64(r.GetNbConstraints()))}
	var err error
	if k.waste, err = newWaste(len(k.info)); err != nil {
		return nil, nil, err
	}
	k.evaluate()
	k.sortWires()
	if err := k.multiplyG1(ctx); err != nil {
		return nil, nil, err
	}
	if err := k.multiplyG2(ctx); err != nil {
		return nil, nil, err
	}
	k.vk.PublicAndCommitmentCommitted = k.info.GetPublicAndCommitmentCommitted(k.info.CommitmentIndexes(), r.GetNbPublicVariables())
	if err := k.vk.Precompute(); err != nil {
		return nil, nil, err
	}
	k.pk.Domain = *k.domain
	return &k.pk, &k.vk, nil
}

// waste is the randomness of a setup, in the order in which gnark draws it.
type waste struct {
	t, alpha, beta, gamma, delta fr.Element
	knowledge                    bn254.G2Affine // base of the proofs of knowledge
	sigma                        []fr.Element   // one a commitment

	gammaInv, deltaInv fr.Element
}

func newWaste(commitments int) (*waste, error) {
	w := &waste{sigma: make([]fr.Element, commitments)}
	for _, e := range []*fr.Element{&w.t, &w.alpha, &w.beta, &w.gamma, &w.delta} {
		for e.IsZero() {
			if _, err := e.SetRandom(); err != nil {
				return nil, err
			}
		}
	}
	w.gammaInv.Inverse(&w.gamma)
	w.deltaInv.Inverse(&w.delta)
	var err error
	if w.knowledge, err = bn254.RandomOnG2(); err != nil {
		return nil, err
	}
	nonZero := new(big.Int).Sub(fr.Modulus(), big.NewInt(1))
	for i := range w.sigma {
		s, err := rand.Int(rand.Reader, nonZero)
		if err != nil {
			return nil, err
		}
		w.sigma[i].SetBigInt(s.Add(s, big.NewInt(1)))
	}
	return w, nil
}

// keys are the parts of a setup in progress.
type keys struct {
	system *cs.R1CS
	info   constraint.Groth16Commitments
	waste  *waste
	domain *fft.Domain

	a, b, c         []fr.Element   // by wire: its polynomials at τ
	public, private []fr.Element   // (βA + αB + C) over γ of public wires and challenges, over δ of private ones
	committed       [][]fr.Element // the same over γ of each commitment's wires

	pk groth16.ProvingKey
	vk groth16.VerifyingKey
}

// evaluate computes A, B and C of each wire at τ, constraint by constraint: constraint i stands for
// the i-th Lagrange polynomial of the domain.
func (k *keys) evaluate() {
	wires := k.system.NbInternalVariables + k.system.GetNbPublicVariables() + k.system.GetNbSecretVariables()
	k.a, k.b, k.c = make([]fr.Element, wires), make([]fr.Element, wires), make([]fr.Element, wires)
	lagrange := k.lagrange()
	it, i := k.system.GetR1CIterator(), 0
	for r := it.Next(); r != nil; r = it.Next() {
		for _, side := range []struct {
			terms constraint.LinearExpression
			into  []fr.Element
		}{{r.L, k.a}, {r.R, k.b}, {r.O, k.c}} {
			for _, t := range side.terms {
				var v fr.Element
				v.Mul(&k.system.Coefficients[t.CoeffID()], &lagrange[i])
				side.into[t.WireID()].Add(&side.into[t.WireID()], &v)
			}
		}
		i++
	}
}

// lagrange is L_i(τ) = ω^i·(τ^n − 1) / (n·(τ − ω^i)) for each constraint i.
func (k *keys) lagrange() []fr.Element {
	n := k.system.GetNbConstraints()
	out, roots := make([]fr.Element, n), make([]fr.Element, n)
	root := fr.One()
	for i := range out {
		roots[i] = root
		out[i].Sub(&k.waste.t, &root)
		root.Mul(&root, &k.domain.Generator)
	}
	out = fr.BatchInvert(out)
	factor := k.vanishing()
	factor.Mul(&factor, &k.domain.CardinalityInv)
	for i := range out {
		out[i].Mul(&out[i], &roots[i]).Mul(&out[i], &factor)
	}
	return out
}

// vanishing is τ^n − 1.
func (k *keys) vanishing() fr.Element {
	one := fr.One()
	var z fr.Element
	z.Exp(k.waste.t, new(big.Int).SetUint64(k.domain.Cardinality))
	z.Sub(&z, &one)
	return z
}

// sortWires computes βA + αB + C of each wire and gives it to the key that needs it.
func (k *keys) sortWires() {
	owner := make([]int, len(k.a)) // commitment that holds a wire, from 1
	k.committed = make([][]fr.Element, len(k.info))
	challenge := make([]bool, len(k.a))
	for i, c := range k.info {
		challenge[c.CommitmentIndex] = true
		for _, w := range c.PrivateCommitted {
			owner[w] = i + 1
		}
	}
	for w := range k.a {
		var v, t fr.Element
		v.Mul(&k.a[w], &k.waste.beta)
		t.Mul(&k.b[w], &k.waste.alpha)
		v.Add(&v, &t).Add(&v, &k.c[w])
		switch {
		case w < k.system.GetNbPublicVariables() || challenge[w]:
			v.Mul(&v, &k.waste.gammaInv)
			k.public = append(k.public, v)
		case owner[w] > 0:
			v.Mul(&v, &k.waste.gammaInv)
			k.committed[owner[w]-1] = append(k.committed[owner[w]-1], v)
		default:
			v.Mul(&v, &k.waste.deltaInv)
			k.private = append(k.private, v)
		}
	}
}

// quotient is τ^i·(τ^n − 1)/δ in bit-reversed order, less the last.
func (k *keys) quotient() []fr.Element {
	z := make([]fr.Element, k.domain.Cardinality)
	p := k.vanishing()
	p.Mul(&p, &k.waste.deltaInv)
	for i := range z {
		z[i] = p
		p.Mul(&p, &k.waste.t)
	}
	utils.BitReverse(z)
	return z[:len(z)-1]
}

// nonZero drops zeros and reports where they were: these points are at infinity and not stored.
func nonZero(v []fr.Element) (kept []fr.Element, zero []bool) {
	zero = make([]bool, len(v))
	for i := range v {
		if zero[i] = v[i].IsZero(); !zero[i] {
			kept = append(kept, v[i])
		}
	}
	return kept, zero
}

// multiplyG1 computes every point of G1.
func (k *keys) multiplyG1(ctx context.Context) error {
	var a, b []fr.Element
	a, k.pk.InfinityA = nonZero(k.a)
	b, k.pk.InfinityB = nonZero(k.b)
	k.pk.NbInfinityA, k.pk.NbInfinityB = uint64(len(k.a)-len(a)), uint64(len(k.b)-len(b))
	k.a, k.b, k.c = nil, b, nil // G2 needs B without its zeros

	parts := [][]fr.Element{{k.waste.alpha, k.waste.beta, k.waste.delta}, a, b, k.quotient(), k.public, k.private}
	for i, c := range k.committed {
		parts = append(parts, c, scaled(c, k.waste.sigma[i]))
	}
	_, _, g, _ := bn254.Generators()
	points, err := multiply(ctx, g1(g), parts)
	if err != nil {
		return err
	}
	k.pk.G1.Alpha, k.pk.G1.Beta, k.pk.G1.Delta = points[0][0], points[0][1], points[0][2]
	k.pk.G1.A, k.pk.G1.B, k.pk.G1.Z, k.vk.G1.K, k.pk.G1.K = points[1], points[2], points[3], points[4], points[5]
	k.vk.G1.Alpha, k.vk.G1.Beta, k.vk.G1.Delta = k.pk.G1.Alpha, k.pk.G1.Beta, k.pk.G1.Delta
	for i := range k.committed {
		k.pk.CommitmentKeys = append(k.pk.CommitmentKeys, pedersen.ProvingKey{Basis: points[6+2*i], BasisExpSigma: points[7+2*i]})
		k.vk.CommitmentKeys = append(k.vk.CommitmentKeys, k.knowledgeKey(i))
	}
	return nil
}

// knowledgeKey is what a verifier checks a proof of knowledge with: a base and −σ times it.
func (k *keys) knowledgeKey(i int) pedersen.VerifyingKey {
	v := pedersen.VerifyingKey{G: k.waste.knowledge}
	var s big.Int
	k.waste.sigma[i].BigInt(&s)
	v.GSigmaNeg.ScalarMultiplication(&v.G, s.Neg(&s))
	return v
}

func scaled(v []fr.Element, by fr.Element) []fr.Element {
	out := make([]fr.Element, len(v))
	for i := range v {
		out[i].Mul(&v[i], &by)
	}
	return out
}

// multiplyG2 computes every point of G2.
func (k *keys) multiplyG2(ctx context.Context) error {
	_, _, _, g := bn254.Generators()
	points, err := multiply(ctx, g2(g), [][]fr.Element{k.b, {k.waste.beta, k.waste.delta, k.waste.gamma}})
	if err != nil {
		return err
	}
	k.pk.G2.B = points[0]
	k.pk.G2.Beta, k.pk.G2.Delta = points[1][0], points[1][1]
	k.vk.G2.Beta, k.vk.G2.Delta, k.vk.G2.Gamma = points[1][0], points[1][1], points[1][2]
	return nil
}
