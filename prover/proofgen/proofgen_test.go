package proofgen

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/solidity"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/logger"

	"github.com/zkinfer/zkinfer/prover/internal/gnarktest"
	"github.com/zkinfer/zkinfer/prover/keygen"
)

func TestMain(m *testing.M) {
	logger.Disable()
	m.Run()
}

// noMask fixes the masks that gnark's hint draws: whether it draws them in the same order depends on its solver's threads.
func noMask(t testing.TB) solver.Option {
	t.Helper()
	for _, h := range solver.GetRegisteredHints() {
		if strings.HasSuffix(solver.GetHintName(h), "hints.Randomize") {
			return solver.OverrideHint(solver.GetHintID(h), func(_ *big.Int, _, out []*big.Int) error {
				out[0].SetInt64(7)
				return nil
			})
		}
	}
	t.Fatal("gnark's mask hint is not registered")
	return nil
}

// setup is a circuit of n multiplications with keys and a witness.
func setup(t testing.TB, n int) (*cs.R1CS, *groth16.ProvingKey, *groth16.VerifyingKey, witness.Witness) {
	t.Helper()
	system := gnarktest.Compile(t, n)
	pk, vk, err := keygen.Setup(context.Background(), system)
	if err != nil {
		t.Fatal(err)
	}
	return system, pk, vk, gnarktest.Witness(t, 5, [6]int64{1, -1, 0, 1 << 40, 200, 3})
}

func keccak() backend.ProverOption {
	return solidity.WithProverTargetSolidityVerifier(backend.GROTH16)
}

// TestEqualsGnark: from the same randomness come the same proofs as gnark makes, and its verifier takes them.
func TestEqualsGnark(t *testing.T) {
	for seed, n := range []int{1, 2, 61, 500, 3000} {
		system, pk, vk, w := setup(t, n)
		var theirs, ours *groth16.Proof
		var err error
		gnarktest.WithRandomness(byte(seed), func() {
			theirs, err = groth16.Prove(system, pk, w, keccak(), backend.WithSolverOptions(noMask(t)))
		})
		if err != nil {
			t.Fatal(err)
		}
		gnarktest.WithRandomness(byte(seed), func() { ours, err = Prove(system, pk, w, Options{Solver: []solver.Option{noMask(t)}}) })
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(ours, theirs) {
			t.Errorf("%d multiplications: another proof", n)
		}
		public, err := w.Public()
		if err != nil {
			t.Fatal(err)
		}
		if err := groth16.Verify(ours, vk, public.Vector().(fr.Vector), solidity.WithVerifierTargetSolidityVerifier(backend.GROTH16)); err != nil {
			t.Errorf("%d multiplications: %v", n, err)
		}
	}
}

// TestKnownCommitments: a commitment that the caller brings is taken as it is, so a wrong one gives another proof.
func TestKnownCommitments(t *testing.T) {
	system, pk, _, w := setup(t, 20)
	o := Options{Solver: []solver.Option{noMask(t)}}
	prove := func(known map[int]bn254.G1Affine) (p *groth16.Proof) {
		o.Commitments = known
		gnarktest.WithRandomness(1, func() {
			var err error
			if p, err = Prove(system, pk, w, o); err != nil {
				t.Fatal(err)
			}
		})
		return p
	}
	want := prove(nil)
	if got := prove(map[int]bn254.G1Affine{1: want.Commitments[1]}); !reflect.DeepEqual(got, want) {
		t.Error("the right commitment: another proof")
	}
	if got := prove(map[int]bn254.G1Affine{1: want.Commitments[0]}); got.Commitments[1] != want.Commitments[0] || got.CommitmentPok == want.CommitmentPok {
		t.Error("a wrong commitment: was not taken")
	}
}

// TestForeignKeys: keys of other circuits, and keys that lack something, are refused.
func TestForeignKeys(t *testing.T) {
	system, pk, _, w := setup(t, 20)
	_, larger, _, _ := setup(t, 21)
	damaged := func(f func(*groth16.ProvingKey)) *groth16.ProvingKey {
		k := *pk
		k.CommitmentKeys = slices.Clone(pk.CommitmentKeys)
		f(&k)
		return &k
	}
	for name, k := range map[string]*groth16.ProvingKey{
		"larger":         larger,
		"no commitments": damaged(func(k *groth16.ProvingKey) { k.CommitmentKeys = nil }),
		"few bases":      damaged(func(k *groth16.ProvingKey) { k.CommitmentKeys[0].Basis = k.CommitmentKeys[0].Basis[1:] }),
		"few exponents":  damaged(func(k *groth16.ProvingKey) { k.CommitmentKeys[1].BasisExpSigma = nil }),
		"few flags":      damaged(func(k *groth16.ProvingKey) { k.InfinityA = k.InfinityA[1:] }),
		"few A":          damaged(func(k *groth16.ProvingKey) { k.G1.A = k.G1.A[1:] }),
		"few B":          damaged(func(k *groth16.ProvingKey) { k.G1.B = k.G1.B[1:] }),
		"few B in G2":    damaged(func(k *groth16.ProvingKey) { k.G2.B = k.G2.B[1:] }),
		"few K":          damaged(func(k *groth16.ProvingKey) { k.G1.K = k.G1.K[1:] }),
		"few powers":     damaged(func(k *groth16.ProvingKey) { k.G1.Z = k.G1.Z[1:] }),
	} {
		if _, err := Prove(system, k, w, Options{}); !errors.Is(err, errKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkProve is a proof beside gnark's.
func BenchmarkProve(b *testing.B) {
	for _, log := range []int{12, 15, 17} {
		system, pk, _, w := setup(b, 1<<log-20)
		for name, f := range map[string]func() error{
			"ours":  func() error { _, err := Prove(system, pk, w, Options{}); return err },
			"gnark": func() error { _, err := groth16.Prove(system, pk, w, keccak()); return err },
		} {
			b.Run(fmt.Sprintf("2^%d/%s", log, name), func(b *testing.B) {
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
