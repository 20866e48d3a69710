package evmtest

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkinfer/zkinfer/verifier"
)

// The contract multiplies the two pairing equations, the second raised to ρ. What one lacks must not
// be made up for by the other: B + G spoils the first by e(−A, G), which A/ρ added to the proof of
// knowledge would mend, if ρ were known before everything is fixed.
func TestEquationsCannotMakeUpForEachOther(t *testing.T) {
	for _, name := range []string{"public", "private"} {
		p := frozen(t, name)
		d := deploy(t, optimized, p.key, p.model)
		shifted := p.mended(t, func(*verifier.Proof) fr.Element { return fr.One() })
		shifted.agree(t, d, "ρ taken for one", "rejected")
		p.mended(t, func(proof *verifier.Proof) fr.Element {
			q := p.with(func(b *verifier.Bundle) { b.Proof = proof.Encode() })
			s := q.digest(t)
			var e fr.Element
			e.SetBigInt(new(big.Int).SetBytes(crypto.Keccak256(s[:], q.call(t).Proof)))
			return e
		}).agree(t, d, "ρ taken before the proof of knowledge was fixed", "rejected")
	}
}

// mended spoils the first equation and mends the second for the ρ that the caller guesses.
func (p *proved) mended(t *testing.T, guess func(*verifier.Proof) fr.Element) *proved {
	t.Helper()
	proof, err := verifier.DecodeProof(p.key, p.bundle.Proof)
	if err != nil {
		t.Fatal(err)
	}
	proof.Bs.Add(&proof.Bs, &p.key.Commitments[0].G)
	rho := guess(proof)
	rho.Inverse(&rho)
	var share bn254.G1Affine
	share.ScalarMultiplication(&proof.Ar, toBig(rho))
	proof.PoK.Add(&proof.PoK, &share)
	return p.with(func(b *verifier.Bundle) { b.Proof = proof.Encode() })
}
