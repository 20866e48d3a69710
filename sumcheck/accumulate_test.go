package sumcheck

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// extremes are factors and elements where words overflow.
func extremes(rng *rand.Rand, n int) (w []fr.Element, k []int64) {
	least := fr.Element{}
	least.SetOne().Neg(&least)
	for range n {
		v := random(1)[0]
		if rng.IntN(3) == 0 {
			v = least
		}
		w = append(w, v)
		k = append(k, []int64{math.MinInt64, math.MaxInt64, 0, -1, rng.Int64() - rng.Int64()}[rng.IntN(5)])
	}
	return w, k
}

// TestCombine: by the definition, for all shapes of tiles, with factors of any size.
func TestCombine(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		rows, width := rng.IntN(3*tileRows), 1+rng.IntN(3*tileColumns)
		if rng.IntN(4) == 0 {
			rows = rng.IntN(4)
		}
		weights, _ := extremes(rng, rows)
		_, values := extremes(rng, rows*width+7)
		offsets := make([]int, rows)
		for i := range offsets {
			offsets[i] = rng.IntN(len(values) - width + 1)
		}
		got := combine(weights, offsets, values, width)
		for k := range width {
			var want, v fr.Element
			for i, at := range offsets {
				v.SetInt64(values[at+k])
				want.Add(&want, v.Mul(&v, &weights[i]))
			}
			if !got[k].Equal(&want) {
				t.Fatalf("%d rows of %d: column %d is wrong", rows, width, k)
			}
		}
	}
}

// perProduct reports nanoseconds for each of n products.
func perProduct(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/product")
}

func BenchmarkAccumulate(b *testing.B) {
	weights, k := extremes(rand.New(rand.NewPCG(1, 2)), 64)
	var a claims.Accumulator
	for b.Loop() {
		a.Add(weights, k)
	}
	perProduct(b, len(k))
}
