package ceremony

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	curve "github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
)

// checkPowers checks powers of tau that come without the contributions that made them: that they are
// powers of one τ, times one α and one β, none of which is 0 or 1. Points are in their subgroups.
func checkPowers(p *mpcsetup.SrsCommons) error {
	_, _, one, one2 := bn254.Generators()
	if !p.G1.Tau[0].Equal(&one) || !p.G2.Tau[0].Equal(&one2) {
		return fmt.Errorf("%w: the first powers are not the generators of the groups", ErrPowers)
	}
	for name, x := range map[string]*bn254.G1Affine{"τ": &p.G1.Tau[1], "α": &p.G1.AlphaTau[0], "β": &p.G1.BetaTau[0]} {
		if x.IsInfinity() || x.Equal(&one) {
			return fmt.Errorf("%w: %s is 0 or 1: nobody contributed to them", ErrPowers, name)
		}
	}
	if err := curve.SameRatioMany(p.G1.Tau, p.G2.Tau, p.G1.AlphaTau, p.G1.BetaTau); err != nil {
		return fmt.Errorf("%w: they are not the powers of one number: %w", ErrPowers, err)
	}
	// e([β]₁, [1]₂) = e([1]₁, [β]₂)
	var minusOne bn254.G1Affine
	minusOne.Neg(&one)
	same, err := bn254.PairingCheck([]bn254.G1Affine{p.G1.BetaTau[0], minusOne}, []bn254.G2Affine{one2, p.G2.Beta})
	if err != nil {
		return err
	}
	if !same {
		return fmt.Errorf("%w: β differs between the groups", ErrPowers)
	}
	return nil
}
