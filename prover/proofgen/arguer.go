package proofgen

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zkinfer/zkinfer/internal/msm"
)

// arguer makes the three points of a proof, in the notation of Groth (ePrint 2016/260):
//
//	A = α + Σ w_i·A_i + r·δ,  B = β + Σ w_i·B_i + s·δ,  C = Σ w_i·K_i + Σ h_i·Z_i + s·A + r·B − r·s·δ.
type arguer struct {
	pk      *groth16.ProvingKey
	wires   fr.Vector
	r, s    fr.Element
	krs     bn254.G1Jac
	scratch []fr.Element // the wires of one sum
}

// check errs where the key has another number of points than there are wires.
func (a *arguer) check(public int, absent []bool) error {
	k := 0
	for _, not := range absent[public:] {
		if !not {
			k++
		}
	}
	for _, x := range []struct {
		what      string
		got, want int
	}{
		{"flags of A", len(a.pk.InfinityA), len(a.wires)},
		{"flags of B", len(a.pk.InfinityB), len(a.wires)},
		{"points of A", len(a.pk.G1.A), count(a.pk.InfinityA, false)},
		{"points of B", len(a.pk.G1.B), count(a.pk.InfinityB, false)},
		{"points of B in G2", len(a.pk.G2.B), count(a.pk.InfinityB, false)},
		{"points of K", len(a.pk.G1.K), k},
		{"powers", len(a.pk.G1.Z), int(a.pk.Domain.Cardinality) - 1},
	} {
		if x.got != x.want {
			return fmt.Errorf("%w: %d %s, expected %d", errKey, x.got, x.what, x.want)
		}
	}
	return nil
}

func count(flags []bool, value bool) (n int) {
	for _, f := range flags {
		if f == value {
			n++
		}
	}
	return n
}

func (a *arguer) drawMasks() error {
	if _, err := a.r.SetRandom(); err != nil {
		return err
	}
	_, err := a.s.SetRandom()
	return err
}

func (a *arguer) sumQuotient(h []fr.Element) {
	a.krs = msm.MultiExp(a.pk.G1.Z, h[:len(a.pk.G1.Z)])
}

// present are the wires that are not left out, until the next call.
func (a *arguer) present(absent []bool) []fr.Element {
	a.scratch = slices.Grow(a.scratch[:0], len(a.wires))
	for i, not := range absent {
		if !not {
			a.scratch = append(a.scratch, a.wires[i])
		}
	}
	return a.scratch
}

// sumG1 is A and C.
func (a *arguer) sumG1(public int, absent []bool) (ar, krs bn254.G1Affine) {
	var rs fr.Element
	rs.Mul(&a.r, &a.s).Neg(&rs)
	masks := bn254.BatchScalarMultiplicationG1(&a.pk.G1.Delta, []fr.Element{a.r, a.s, rs})

	sum := msm.MultiExp(a.pk.G1.A, a.present(a.pk.InfinityA))
	sum.AddMixed(&a.pk.G1.Alpha).AddMixed(&masks[0])
	ar.FromJacobian(&sum)
	a.addToC(&sum, &a.s)

	sum = msm.MultiExp(a.pk.G1.B, a.present(a.pk.InfinityB))
	sum.AddMixed(&a.pk.G1.Beta).AddMixed(&masks[1])
	a.addToC(&sum, &a.r)

	for i := range public {
		absent[i] = true // public wires stand in the verifying key
	}
	sum = msm.MultiExp(a.pk.G1.K, a.present(absent))
	a.krs.AddAssign(&sum).AddMixed(&masks[2])
	krs.FromJacobian(&a.krs)
	return ar, krs
}

func (a *arguer) addToC(p *bn254.G1Jac, times *fr.Element) {
	var product bn254.G1Jac
	var scalar big.Int
	product.ScalarMultiplication(p, times.BigInt(&scalar))
	a.krs.AddAssign(&product)
}

// sumG2 is B.
func (a *arguer) sumG2() (out bn254.G2Affine, err error) {
	var sum, mask bn254.G2Jac
	if _, err := sum.MultiExp(a.pk.G2.B, a.present(a.pk.InfinityB), ecc.MultiExpConfig{}); err != nil {
		return out, err
	}
	var s big.Int
	mask.FromAffine(&a.pk.G2.Delta)
	mask.ScalarMultiplication(&mask, a.s.BigInt(&s))
	sum.AddAssign(&mask).AddMixed(&a.pk.G2.Beta)
	out.FromJacobian(&sum)
	return out, nil
}

// quotient is h with h·z = a·b − c for the vanishing polynomial z of the domain, by values on a coset, where z is constant. It
// takes the values of a, b, c on the domain, missing ones 0, and overwrites them.
func quotient(a, b, c fr.Vector, domain *fft.Domain) fr.Vector {
	for _, v := range []*fr.Vector{&a, &b, &c} {
		*v = append(*v, make(fr.Vector, int(domain.Cardinality)-len(*v))...)
		domain.FFTInverse(*v, fft.DIF)
		domain.FFT(*v, fft.DIT, fft.OnCoset())
	}
	var z, one fr.Element
	one.SetOne()
	z.Exp(domain.FrMultiplicativeGen, new(big.Int).SetUint64(domain.Cardinality))
	z.Sub(&z, &one).Inverse(&z)
	a.Mul(a, b)
	a.Sub(a, c)
	a.ScalarMul(a, &z)
	domain.FFTInverse(a, fft.DIF, fft.OnCoset())
	return a
}
