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
		s := p.digest(t)
		pok := 256 + 64*len(p.groth16().Commitments)
		for what, part := range map[string]func(proof []byte) []byte{
			"S":                                    func([]byte) []byte { return nil },
			"S and A, B, C":                        func(b []byte) []byte { return b[:256] },
			"what precedes the proof of knowledge": func(b []byte) []byte { return b[:pok] },
			"the proof before it was mended":       func(b []byte) []byte { return b },
		} {
			p.mended(t, func(q *proved) fr.Element {
				return element(crypto.Keccak256(s[:], part(q.call(t).Proof)))
			}).agree(t, d, "ρ guessed as the hash of "+what, "rejected")
		}
		p.mended(t, func(*proved) fr.Element { return fr.One() }).agree(t, d, "ρ guessed as one", "rejected")
		p.mended(t, func(*proved) fr.Element { return element(s[:]) }).agree(t, d, "ρ guessed as S", "rejected")
	}
}

func element(b []byte) (e fr.Element) {
	e.SetBigInt(new(big.Int).SetBytes(b))
	return e
}

// mended spoils the first equation and mends the second for the ρ that the caller guesses.
func (p *proved) mended(t *testing.T, guess func(*proved) fr.Element) *proved {
	t.Helper()
	proof, err := verifier.DecodeProof(p.groth16(), p.bundle.Proof)
	if err != nil {
		t.Fatal(err)
	}
	proof.Bs.Add(&proof.Bs, &p.groth16().Commitments[0].G)
	rho := guess(p.with(func(b *verifier.Bundle) { b.Proof = proof.Encode() }))
	rho.Inverse(&rho)
	var share bn254.G1Affine
	share.ScalarMultiplication(&proof.Ar, toBig(rho))
	proof.PoK.Add(&proof.PoK, &share)
	return p.with(func(b *verifier.Bundle) { b.Proof = proof.Encode() })
}
