package keygen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/logger"

	"github.com/zkinfer/zkinfer/prover/internal/gnarktest"
)

func TestMain(m *testing.M) {
	logger.Disable()
	m.Run()
}

// From the same randomness come the same keys as gnark makes, bit for bit.
func TestEqualsGnark(t *testing.T) {
	for seed, n := range []int{1, 2, 61, 500, 3000} {
		r := gnarktest.Compile(t, n)
		var theirPK groth16.ProvingKey
		var theirVK groth16.VerifyingKey
		gnarktest.WithRandomness(byte(seed), func() {
			if err := groth16.Setup(r, &theirPK, &theirVK); err != nil {
				t.Fatal(err)
			}
		})
		var ourPK *groth16.ProvingKey
		var ourVK *groth16.VerifyingKey
		var err error
		gnarktest.WithRandomness(byte(seed), func() { ourPK, ourVK, err = Setup(context.Background(), r) })
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encoded(t, ourPK), encoded(t, &theirPK)) {
			t.Errorf("%d constraints: the proving keys differ", r.GetNbConstraints())
		}
		if !bytes.Equal(encoded(t, ourVK), encoded(t, &theirVK)) {
			t.Errorf("%d constraints: the verifying keys differ", r.GetNbConstraints())
		}
	}
}

func encoded(t *testing.T, k interface {
	WriteRawTo(io.Writer) (int64, error)
}) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := k.WriteRawTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Fixed-base multiplication equals the library's, at the edges of the field too.
func TestFixedBase(t *testing.T) {
	scalars := make([]fr.Element, 300)
	for i := range scalars {
		if _, err := scalars[i].SetRandom(); err != nil {
			t.Fatal(err)
		}
	}
	scalars[0].SetZero()
	scalars[1].SetOne()
	scalars[2].SetInt64(-1)
	scalars[3].SetUint64(1 << 63)
	scalars[4].SetBigInt(new(big.Int).Lsh(big.NewInt(1), 253))
	_, _, b1, b2 := bn254.Generators()
	for _, width := range []int{1, 300, 1 << 20} { // table widths for so many multiplications
		t1, t2 := newTable(g1(b1), width), newTable(g2(b2), width)
		sums1, sums2 := make([]bn254.G1Jac, len(scalars)), make([]bn254.G2Jac, len(scalars))
		for i := range scalars {
			sums1[i], sums2[i] = t1.multiply(&scalars[i]), t2.multiply(&scalars[i])
		}
		got1, got2 := t1.affine(sums1), t2.affine(sums2)
		for i := range scalars {
			var s big.Int
			var want1 bn254.G1Affine
			var want2 bn254.G2Affine
			want1.ScalarMultiplication(&b1, scalars[i].BigInt(&s))
			want2.ScalarMultiplication(&b2, &s)
			if !got1[i].Equal(&want1) || !got2[i].Equal(&want2) {
				t.Fatalf("width %d: %s times the base is wrong", t1.width, scalars[i].String())
			}
		}
		if width > 300 {
			break
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Setup(ctx, gnarktest.Compile(t, 10)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// BenchmarkSetup compares with gnark's, side by side.
func BenchmarkSetup(b *testing.B) {
	for _, log := range []int{16, 18} {
		r := gnarktest.Compile(b, 1<<log-20)
		b.Run(fmt.Sprintf("keygen/2^%d", log), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := Setup(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("gnark/2^%d", log), func(b *testing.B) {
			for b.Loop() {
				var pk groth16.ProvingKey
				var vk groth16.VerifyingKey
				if err := groth16.Setup(r, &pk, &vk); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
