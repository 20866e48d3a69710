package sumcheck

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// TestPairs: all messages by the definition, for prefixes of any length, with small and large factors.
func TestPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for n := 1; n < 70; n++ {
		comparePairs(t, rng, n, claims.AxisBits(n)+rng.IntN(3), maxFactor)
		comparePairs(t, rng, n, claims.AxisBits(n), 1<<62)
	}
	comparePairs(t, rng, 5000, 13, maxFactor)
	comparePairs(t, rng, 9000, 14, 1<<40)
}

func comparePairs(t *testing.T, rng *rand.Rand, n, bits int, most int64) {
	t.Helper()
	sides := [2][]int64{make([]int64, n), make([]int64, n)}
	slow := &slowPair{point: random(bits)}
	slow.eq = claims.EqTable(slow.point)
	for k, side := range []*[]fr.Element{&slow.a, &slow.b} {
		*side = make([]fr.Element, 1<<bits)
		for i := range sides[k] {
			sides[k][i] = []int64{most, -most, rng.Int64N(most)}[rng.IntN(3)]
			(*side)[i].SetInt64(sides[k][i])
		}
	}
	p := newPairs(sides[0], sides[1], slow.point)
	for j := range bits {
		gotD, gotL := p.Round()
		wantD, wantL := slow.Round()
		if !gotD.Equal(&wantD) || !gotL.Equal(&wantL) {
			t.Fatalf("%d of 2^%d, up to %d: round %d is wrong", n, bits, most, j)
		}
		rho := random(1)[0]
		p.Bind(rho)
		slow.Bind(rho)
	}
	gotA, gotB := p.Values()
	wantA, wantB := slow.Values()
	if !gotA.Equal(&wantA) || !gotB.Equal(&wantB) {
		t.Fatalf("%d of 2^%d, up to %d: the values are wrong", n, bits, most)
	}
}

func BenchmarkPairs(b *testing.B) {
	const bits = 18
	rng := rand.New(rand.NewPCG(1, 2))
	sides := [2][]int64{make([]int64, 1<<bits), make([]int64, 1<<bits)}
	for k := range sides {
		for i := range sides[k] {
			sides[k][i] = rng.Int64N(511) - 255
		}
	}
	point, rho := random(bits), random(1)[0]
	for b.Loop() {
		p := newPairs(sides[0], sides[1], point)
		for range bits {
			p.Round()
			p.Bind(rho)
		}
	}
	perProduct(b, 1<<bits)
}
