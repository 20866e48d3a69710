package groth16

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
	"github.com/consensys/gnark/backend"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/solidity"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
)

// gnarkKey is our verifying key as gnark's.
func gnarkKey(t *testing.T, vk *verifier.VerifyingKey) *groth16bn254.VerifyingKey {
	t.Helper()
	var out groth16bn254.VerifyingKey
	out.G1.Alpha, out.G1.K = vk.Alpha, vk.K
	out.G2.Beta, out.G2.Gamma, out.G2.Delta = vk.Beta, vk.Gamma, vk.Delta
	for _, c := range vk.Commitments {
		out.CommitmentKeys = append(out.CommitmentKeys, pedersen.VerifyingKey{G: c.G, GSigmaNeg: c.GSigmaNeg})
		out.PublicAndCommitmentCommitted = append(out.PublicAndCommitmentCommitted, c.PublicCommitted)
	}
	if err := out.Precompute(); err != nil {
		t.Fatal(err)
	}
	return &out
}

// Our verifier agrees with gnark's on Groth16 itself: honest proofs, and every point replaced by
// another point of the group. Where gnark accepts, only an outer check may reject.
func TestAgreesWithGnark(t *testing.T) {
	for _, o := range []prover.Options{publicKeys, privateKeys} {
		f := fixtureFor(t, o)
		vk := f.keys.Verifying
		key := gnarkKey(t, vk)
		st := &f.proved.Bundle.Statement
		for name, edit := range pointEdits(len(vk.Commitments)) {
			p, err := verifier.DecodeProof(vk, f.proved.Bundle.Proof)
			if err != nil {
				t.Fatal(err)
			}
			edit(p)
			ours := f.verify(st, p.Encode())
			theirs := groth16bn254.Verify(&groth16bn254.Proof{Ar: p.Ar, Bs: p.Bs, Krs: p.Krs, Commitments: p.Commitments, CommitmentPok: p.PoK},
				key, publicWitness(t, f), solidity.WithVerifierTargetSolidityVerifier(backend.GROTH16))
			if theirs != nil && ours == nil {
				t.Errorf("%+v, %s: we accept what gnark rejects (%v)", o, name, theirs)
			}
			if theirs == nil && ours != nil && name != "δ" {
				t.Errorf("%+v, %s: gnark accepts what we reject (%v)", o, name, ours)
			}
			if (name == "honest") != (ours == nil) {
				t.Errorf("%+v, %s: %v", o, name, ours)
			}
		}
	}
}

func publicWitness(t *testing.T, f *fixture) fr.Vector {
	t.Helper()
	s, err := verifier.StatementDigest(f.keys.Verifying, f.opening.Commitment, &f.proved.Bundle.Statement)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.PublicInputs(f.keys.Verifying.Fixed(), &f.proved.Bundle.Statement, s)
}

func pointEdits(commitments int) map[string]func(*verifier.Proof) {
	_, _, g1, g2 := bn254.Generators()
	edits := map[string]func(*verifier.Proof){
		"honest":          func(*verifier.Proof) {},
		"A":               func(p *verifier.Proof) { p.Ar.Add(&p.Ar, &g1) },
		"A at infinity":   func(p *verifier.Proof) { p.Ar = bn254.G1Affine{} },
		"B":               func(p *verifier.Proof) { p.Bs.Add(&p.Bs, &g2) },
		"B at infinity":   func(p *verifier.Proof) { p.Bs = bn254.G2Affine{} },
		"C":               func(p *verifier.Proof) { p.Krs.Add(&p.Krs, &g1) },
		"C negated":       func(p *verifier.Proof) { p.Krs.Neg(&p.Krs) },
		"A and C swapped": func(p *verifier.Proof) { p.Ar, p.Krs = p.Krs, p.Ar },
		"knowledge":       func(p *verifier.Proof) { p.PoK.Add(&p.PoK, &g1) },
		"no knowledge":    func(p *verifier.Proof) { p.PoK = bn254.G1Affine{} },
		"δ":               func(p *verifier.Proof) { p.Deltas[0].SetUint64(5) },
	}
	for k := range commitments {
		edits[string(rune('0'+k))+". commitment"] = func(p *verifier.Proof) { p.Commitments[k].Add(&p.Commitments[k], &g1) }
		edits[string(rune('0'+k))+". commitment at infinity"] = func(p *verifier.Proof) { p.Commitments[k] = bn254.G1Affine{} }
		edits[string(rune('0'+k))+". commitment swapped"] = func(p *verifier.Proof) {
			o := (k + 1) % commitments
			p.Commitments[k], p.Commitments[o] = p.Commitments[o], p.Commitments[k]
		}
	}
	return edits
}
