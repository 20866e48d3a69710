// Package srs makes, imports and keeps structured reference strings for KZG commitments over BN254: powers of
// a secret τ in G1, and τ in G2.
//
// The promise: what Import and Read return are powers of one number that is not 0 or 1, complete for circuits
// of 2^LogSize gates, in both bases; a file that is truncated, altered, of another curve or too small is refused
// (ErrUnusable). Whose powers they are is for the caller to know: ID names them by [τ]₂, whatever file they
// come from.
//
// Formats: .ptau files (snarkjs; the Perpetual Powers of Tau among others), gnark's own (both of its encodings),
// and a file of ours that holds the Lagrange basis too, which takes minutes to compute. The transcript of
// Ethereum's KZG ceremony is recognized and refused: its curve is BLS12-381.
//
// Source: Kate, Zaverucha, Goldberg (Asiacrypt 2010). Pitfall: whoever knows τ opens any commitment to any
// value, and forges proofs.
package srs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	"github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"
	"github.com/consensys/gnark-crypto/utils"

	"github.com/zkinfer/zkinfer/prover/keygen"
)

// ErrUnusable: a file that holds no SRS for the circuit at hand.
var ErrUnusable = errors.New("unusable structured reference string")

// MaxLogSize bounds circuits: BN254 has roots of unity of order 2^28.
const MaxLogSize = 28

// spare is how many powers gnark needs beyond the gates, for blinded polynomials.
const spare = 3

// SRS is a structured reference string for 2^LogSize gates.
type SRS struct {
	LogSize  int
	Powers   []bn254.G1Affine // [τ^i]₁ for i < 2^LogSize + 3
	Lagrange []bn254.G1Affine // [L_i(τ)]₁ for i < 2^LogSize
	TauG2    bn254.G2Affine
}

// ID names the SRS: the SHA-256 of [τ]₂.
func (s *SRS) ID() [32]byte {
	b := s.TauG2.RawBytes()
	return sha256.Sum256(b[:])
}

// KZG are the two keys as gnark's setup takes them.
func (s *SRS) KZG() (powers, lagrange kzg.SRS) {
	_, _, g1, g2 := bn254.Generators()
	vk := kzg.VerifyingKey{G1: g1, G2: [2]bn254.G2Affine{g2, s.TauG2}}
	vk.Lines[0], vk.Lines[1] = bn254.PrecomputeLines(g2), bn254.PrecomputeLines(s.TauG2)
	return kzg.SRS{Pk: kzg.ProvingKey{G1: s.Powers}, Vk: vk}, kzg.SRS{Pk: kzg.ProvingKey{G1: s.Lagrange}, Vk: vk}
}

// UnsafeDev draws τ, and drops it: whoever runs this could keep it and forge proofs. It is for development,
// and for a prover who is the only verifier.
func UnsafeDev(ctx context.Context, logSize int) (*SRS, error) {
	if err := checkLogSize(logSize); err != nil {
		return nil, err
	}
	var tau fr.Element
	for tau.IsZero() || tau.IsOne() {
		if _, err := tau.SetRandom(); err != nil {
			return nil, err
		}
	}
	return fromTau(ctx, tau, logSize)
}

func fromTau(ctx context.Context, tau fr.Element, logSize int) (*SRS, error) {
	n := 1 << logSize
	powers := make([]fr.Element, n+spare)
	powers[0].SetOne()
	for i := 1; i < len(powers); i++ {
		powers[i].Mul(&powers[i-1], &tau)
	}
	s := &SRS{LogSize: logSize}
	var err error
	if s.Powers, err = keygen.MultiplesG1(ctx, powers); err != nil {
		return nil, err
	}
	if s.Lagrange, err = keygen.MultiplesG1(ctx, lagrangeAt(tau, n)); err != nil {
		return nil, err
	}
	_, _, _, g2 := bn254.Generators()
	s.TauG2.ScalarMultiplication(&g2, tau.BigInt(new(big.Int)))
	return s, nil
}

// lagrangeAt are the values at x, which is not in the domain, of the Lagrange polynomials of n points:
// ω^i·(x^n − 1)/(n·(x − ω^i)).
func lagrangeAt(x fr.Element, n int) []fr.Element {
	domain := fft.NewDomain(uint64(n), fft.WithoutPrecompute())
	roots, out := make([]fr.Element, n), make([]fr.Element, n)
	roots[0].SetOne()
	for i := 1; i < n; i++ {
		roots[i].Mul(&roots[i-1], &domain.Generator)
	}
	for i := range out {
		out[i].Sub(&x, &roots[i])
	}
	out = fr.BatchInvert(out)
	var scale, one fr.Element
	one.SetOne()
	scale.Exp(x, big.NewInt(int64(n))).Sub(&scale, &one).Mul(&scale, &domain.CardinalityInv)
	for i := range out {
		out[i].Mul(&out[i], &roots[i]).Mul(&out[i], &scale)
	}
	return out
}

func checkLogSize(logSize int) error {
	if logSize < 1 || logSize > MaxLogSize {
		return fmt.Errorf("%w: 2^%d gates, expected 2^1 to 2^%d", ErrUnusable, logSize, MaxLogSize)
	}
	return nil
}

// complete makes the Lagrange basis of powers, after they were checked.
func complete(ctx context.Context, logSize int, powers []bn254.G1Affine, tauG2 bn254.G2Affine) (*SRS, error) {
	if err := checkPowers(powers, tauG2); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lagrange, err := kzg.ToLagrangeG1(powers[:1<<logSize])
	if err != nil {
		return nil, err
	}
	return &SRS{LogSize: logSize, Powers: powers, Lagrange: lagrange, TauG2: tauG2}, nil
}

// checkPowers makes sure that powers are those of the number in tauG2, which is not 0 or 1. Points are in
// their groups.
func checkPowers(powers []bn254.G1Affine, tauG2 bn254.G2Affine) error {
	_, _, one, one2 := bn254.Generators()
	if !powers[0].Equal(&one) {
		return fmt.Errorf("%w: the first power is not the generator of the group", ErrUnusable)
	}
	if tauG2.IsInfinity() || tauG2.Equal(&one2) {
		return fmt.Errorf("%w: τ is 0 or 1: nobody contributed to it", ErrUnusable)
	}
	if err := mpcsetup.SameRatioMany(powers, []bn254.G2Affine{one2, tauG2}); err != nil {
		return fmt.Errorf("%w: they are not the powers of one number: %w", ErrUnusable, err)
	}
	return nil
}

// checkLagrange makes sure that both bases commit to the same polynomials: to a random one, at least.
func checkLagrange(powers, lagrange []bn254.G1Affine) error {
	values := make([]fr.Element, len(lagrange))
	for i := range values {
		if _, err := values[i].SetRandom(); err != nil {
			return err
		}
	}
	var x, y bn254.G1Affine
	if _, err := x.MultiExp(lagrange, values, ecc.MultiExpConfig{}); err != nil {
		return err
	}
	domain := fft.NewDomain(uint64(len(values)))
	domain.FFTInverse(values, fft.DIF)
	utils.BitReverse(values)
	if _, err := y.MultiExp(powers[:len(values)], values, ecc.MultiExpConfig{}); err != nil {
		return err
	}
	if !x.Equal(&y) {
		return fmt.Errorf("%w: the Lagrange basis is not that of the powers", ErrUnusable)
	}
	return nil
}
