package prepared

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Sums are those of gnark-crypto: of few and many points; of equal and opposite points, and points at infinity, which a
// prover may choose; of scalars at the ends of their range.
func TestSum(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 10, 50, 391} {
		points, scalars := make([]bn254.G1Affine, n), make([]fr.Element, n)
		for i := range points {
			var k fr.Element
			if _, err := k.SetRandom(); err != nil {
				t.Fatal(err)
			}
			var b big.Int
			points[i].ScalarMultiplicationBase(k.BigInt(&b))
			if _, err := scalars[i].SetRandom(); err != nil {
				t.Fatal(err)
			}
		}
		sums(t, "random", points, scalars)
		for i := range scalars {
			switch i % 5 {
			case 0:
				scalars[i].SetZero()
			case 1:
				scalars[i].SetInt64(-1)
			case 2:
				scalars[i].SetUint64(uint64(i))
			case 3:
				scalars[i].SetString("4407920970296243842393367215006156084916469457145843978461")
			}
		}
		sums(t, "scalars at the ends", points, scalars)
		for i := range points {
			switch i % 4 {
			case 0:
				points[i] = points[0]
			case 1:
				points[i].Neg(&points[0])
			case 2:
				points[i] = bn254.G1Affine{}
			}
		}
		sums(t, "few points", points, scalars)
		for i := range scalars {
			points[i], scalars[i] = points[0], scalars[n-1]
		}
		sums(t, "one point and one scalar", points, scalars)
	}
}

func sums(t *testing.T, what string, points []bn254.G1Affine, scalars []fr.Element) {
	t.Helper()
	var want bn254.G1Affine
	if len(points) > 0 {
		if _, err := want.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := Sum(points, scalars); !got.Equal(&want) {
		t.Errorf("%d points, %s: another sum", len(points), what)
	}
}

// Halves of scalars are short, and what they stand for.
func TestEndomorphism(t *testing.T) {
	e := newEndomorphism()
	lambda, _ := new(big.Int).SetString("4407920970296243842393367215006156084916469457145843978461", 10)
	_, _, g, _ := bn254.Generators()
	var want bn254.G1Affine
	want.ScalarMultiplication(&g, lambda)
	g.X.Mul(&g.X, &e.beta)
	if !g.Equal(&want) {
		t.Error("λ·(x, y) is not (β·x, y)")
	}
	one := big.NewInt(1)
	edge := new(big.Int).Sub(fr.Modulus(), one)
	for range 2000 {
		halves := ecc.SplitScalar(edge, &e.lattice)
		if halves[0].BitLen() >= halfBits || halves[1].BitLen() >= halfBits {
			t.Fatalf("halves of %d and %d bits", halves[0].BitLen(), halves[1].BitLen())
		}
		sum := new(big.Int).Mul(&halves[1], lambda)
		if sum.Add(sum, &halves[0]).Sub(sum, edge).Mod(sum, fr.Modulus()).Sign() != 0 {
			t.Fatal("the halves are of another scalar")
		}
		var k fr.Element
		if _, err := k.SetRandom(); err != nil {
			t.Fatal(err)
		}
		k.BigInt(edge)
	}
}

func BenchmarkSum(b *testing.B) {
	const n = 391
	points, scalars := make([]bn254.G1Affine, n), make([]fr.Element, n)
	for i := range points {
		scalars[i].SetRandom()
		var k big.Int
		points[i].ScalarMultiplicationBase(scalars[i].BigInt(&k))
	}
	b.Run("here", func(b *testing.B) {
		for b.Loop() {
			Sum(points, scalars)
		}
	})
	b.Run("gnark-crypto", func(b *testing.B) {
		for b.Loop() {
			var p bn254.G1Affine
			p.MultiExp(points, scalars, ecc.MultiExpConfig{NbTasks: 1})
		}
	})
}
