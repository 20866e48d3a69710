package ceremony

import (
	"crypto/sha256"
	"errors"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/hash_to_field"
	curve "github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"
	"github.com/consensys/gnark-crypto/utils"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// The wires of a system of squares, in their order: what follows are y, y², y, y², … and the commitment's challenge.
const (
	wireOne = iota
	wireOut
	wireX // committed
	wireRest
)

// squares says that Out is a square, X·X = Out, for a committed X, and so for n other wires. No row is gnark's, which
// stands in every circuit that gnark compiles; with masked, one like it follows, y·1 = y.
func squares(t *testing.T, n int, masked bool) *cs.R1CS {
	t.Helper()
	s := cs.NewR1CS(1 << minPower)
	s.AddPublicVariable("1")
	s.AddPublicVariable("Out")
	for range 1 + 2*n {
		s.AddSecretVariable("")
	}
	blueprint := s.AddBlueprint(&constraint.BlueprintGenericR1C{})
	row := func(l, r, o uint32) {
		term := func(wire uint32) constraint.LinearExpression {
			return constraint.LinearExpression{{CID: constraint.CoeffIdOne, VID: wire}}
		}
		s.AddR1C(constraint.R1C{L: term(l), R: term(r), O: term(o)}, blueprint)
	}
	row(wireX, wireX, wireOut)
	for i := range uint32(n) {
		row(wireRest+2*i, wireRest+2*i, wireRest+2*i+1)
	}
	if masked {
		row(wireRest, wireOne, wireRest)
	}
	if err := s.AddCommitment(constraint.Groth16Commitment{PrivateCommitted: []int{wireX}, CommitmentIndex: s.AddInternalVariable()}); err != nil {
		t.Fatal(err)
	}
	return s
}

// alone is a ceremony of one honest contributor and a public random value, and what it published of σ: the point
// σ·[1]₁, from Ada's proof that she knew her factor, times the factor of the random value.
func alone(t *testing.T, system *cs.R1CS) (*Outcome, *mpcsetup.Phase2Evaluations, bn254.G1Affine) {
	t.Helper()
	p1 := mpcsetup.NewPhase1(1 << minPower)
	p1.Contribute()
	powers := p1.Seal(beacon1)
	p2 := new(mpcsetup.Phase2)
	e := p2.Initialize(system, &powers)
	p2.Contribute()
	body, err := encode(p2)
	if err != nil {
		t.Fatal(err)
	}
	var sigma bn254.G1Affine
	if _, err := sigma.SetBytes(body[len(body)-1-challengeSize-updateSize:][:g1Size]); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(body)
	factors := curve.BeaconContributions(hash[:], []byte("Groth16 MPC Setup - Phase2"), beacon2, 2)
	sigma = times(sigma, factors[1])
	pk, vk := p2.Seal(&powers, &e, beacon2)
	return &Outcome{ProvingKey: pk.(*groth16.ProvingKey), VerifyingKey: vk.(*groth16.VerifyingKey)}, &e, sigma
}

func times(p bn254.G1Affine, by fr.Element) bn254.G1Affine {
	return *p.ScalarMultiplication(&p, by.BigInt(new(big.Int)))
}

// forgery is a proof that out, which is none, is a square: every constraint holds but for the same constant, and the
// constant is added to the commitment, over the base [1]₁. One row that no constant can be added to makes it fail.
func forgery(t *testing.T, system *cs.R1CS, out fr.Element) (*groth16.Proof, *groth16.VerifyingKey) {
	t.Helper()
	o, e, sigma := alone(t, system)
	pk := o.ProvingKey
	internal, secret, public := system.GetNbVariables()
	w := make([]fr.Element, internal+secret+public)
	w[wireOne].SetOne()
	w[wireOut] = out
	w[wireX].SetUint64(3)
	var offset fr.Element
	offset.Square(&w[wireX]).Sub(&offset, &out)
	rest := w[wireRest : len(w)-1]
	for i := 0; i < len(rest); i += 2 {
		rest[i].SetUint64(uint64(i))
		rest[i+1].Square(&rest[i]).Sub(&rest[i+1], &offset)
	}

	proof := &groth16.Proof{Commitments: make([]bn254.G1Affine, 1)}
	_, _, one, _ := bn254.Generators()
	constant := times(one, offset)
	x := times(pk.CommitmentKeys[0].Basis[0], w[wireX])
	proof.Commitments[0].Add(&x, &constant)
	constant = times(sigma, offset)
	x = times(pk.CommitmentKeys[0].BasisExpSigma[0], w[wireX])
	proof.CommitmentPok.Add(&x, &constant)

	h := hash_to_field.New([]byte(constraint.CommitmentDst))
	h.Write(proof.Commitments[0].Marshal())
	w[len(w)-1].SetBytes(h.Sum(nil))

	left, right := sumOf([]term{{e.G1.A, w}}), bn254.G2Affine{}
	if _, err := right.MultiExp(e.G2.B, w, ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	proof.Ar.Add(&left, &pk.G1.Alpha)
	proof.Bs.Add(&right, &pk.G2.Beta)
	quotient := quotientOf(system, w, offset)
	proof.Krs = sumOf([]term{{pk.G1.K, rest}, {pk.G1.Z, quotient[:len(pk.G1.Z)]}})
	return proof, o.VerifyingKey
}

// quotientOf is (a·b − c − offset)/(X^n − 1), rounded down where it is none, as gnark's Prove has it.
func quotientOf(system *cs.R1CS, w []fr.Element, offset fr.Element) []fr.Element {
	domain := fft.NewDomain(1 << minPower)
	a, b, c := combine(system, w, 1<<minPower)
	c[0].Add(&c[0], &offset)
	for _, v := range [][]fr.Element{a, b, c} {
		utils.BitReverse(v)
		domain.FFT(v, fft.DIT, fft.OnCoset())
	}
	var scale fr.Element
	one := fr.One()
	scale.Exp(domain.FrMultiplicativeGen, big.NewInt(1<<minPower))
	scale.Sub(&scale, &one).Inverse(&scale)
	for i := range a {
		a[i].Mul(&a[i], &b[i]).Sub(&a[i], &c[i]).Mul(&a[i], &scale)
	}
	domain.FFTInverse(a, fft.DIF, fft.OnCoset())
	return a
}

// A ceremony publishes σ·[1]₁ to all but one of its contributors, so that a commitment may hold a multiple of [1]₁: that
// forges proofs, by gnark's own verifier, for a circuit whose constraints all bear a constant. Such a circuit is refused.
func TestOffsetForges(t *testing.T) {
	out := fr.NewElement(5)
	if out.Legendre() != -1 {
		t.Fatal("5 is a square")
	}
	for name, c := range map[string]struct {
		system *cs.R1CS
		forged bool
	}{
		"no row to hinder it": {squares(t, 1<<minPower-1, false), true},
		"a row like gnark's":  {squares(t, 1<<minPower-2, true), false},
		"a free row":          {squares(t, 1<<minPower-2, false), false},
	} {
		proof, vk := forgery(t, c.system, out)
		if err := groth16.Verify(proof, vk, fr.Vector{out}); (err == nil) != c.forged {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := ShapeOf(c.system); errors.Is(err, ErrLimit) != c.forged {
			t.Errorf("%s: a ceremony for it: %v", name, err)
		}
	}
}
