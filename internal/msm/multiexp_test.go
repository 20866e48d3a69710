package msm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// library is the sum by gnark-crypto.
func library(t testing.TB, points []bn254.G1Affine, scalars []fr.Element) (out bn254.G1Jac) {
	t.Helper()
	if _, err := out.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	return out
}

// edges are scalars at the ends of ranges and of digits of every width, and their negatives.
func edges() (out []fr.Element) {
	var half fr.Element // (r−1)/2, the largest positive one
	half.SetInt64(-1)
	half.Halve()
	one := fr.One()
	out = append(out, fr.Element{}, one, half, *new(fr.Element).Add(&half, &one), *new(fr.Element).Sub(&half, &one))
	power := one
	for range fr.Bits {
		out = append(out, power, *new(fr.Element).Sub(&power, &one), *new(fr.Element).Add(&power, &one))
		power.Double(&power)
	}
	for i := range out {
		out = append(out, *new(fr.Element).Neg(&out[i]))
	}
	return out
}

// TestMultiExp: lengths around chunks, scalars of every width, equal and opposite points and points at infinity.
func TestMultiExp(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	long := points(2*chunk + 1)
	for _, n := range []int{0, 1, 2, 3, 7, 64, 1000, chunk - 1, chunk, chunk + 1, 2*chunk + 1} {
		for name, draw := range map[string]func() fr.Element{
			"zeros":  func() fr.Element { return fr.Element{} },
			"full":   func() fr.Element { return *new(fr.Element).MustSetRandom() },
			"bytes":  func() fr.Element { return fr.NewElement(rng.Uint64N(256)) },
			"signed": func() fr.Element { return *new(fr.Element).SetInt64(rng.Int64N(1<<20) - 1<<19) },
		} {
			scalars := make([]fr.Element, n)
			for i := range scalars {
				scalars[i] = draw()
			}
			got, want := MultiExp(long[:n], scalars), library(t, long[:n], scalars)
			if !got.Equal(&want) {
				t.Errorf("%d %s: another sum", n, name)
			}
		}
	}
}

// TestMultiExpEdges: each scalar at the edge of something alone, and with every window that a plan can choose.
func TestMultiExpEdges(t *testing.T) {
	scalars := edges()
	list := points(len(scalars))
	for i := range scalars {
		got, want := MultiExp(list[:1], scalars[i:i+1]), library(t, list[:1], scalars[i:i+1])
		if !got.Equal(&want) {
			t.Errorf("scalar %s: another product", scalars[i].Text(16))
		}
	}
	want := library(t, list, scalars)
	for window := 2; window <= maxWindow; window++ {
		s := span{plan: windows{window, (fr.Bits + 1 + window) / window}}
		s.last = s.plan.digits
		if got := horner(s.compute(list, scalars), window); !got.Equal(&want) {
			t.Errorf("window %d: another sum", window)
		}
	}
}

// TestMultiExpLengths: as many points as scalars.
func TestMultiExpLengths(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("three points for two scalars: no panic")
		}
	}()
	MultiExp(points(3), random(2))
}

// TestMultiExpSamePoint: all buckets hold one point, so that every addition is a doubling.
func TestMultiExpSamePoint(t *testing.T) {
	list, scalars := slices.Repeat(points(1), 500), random(500)
	got, want := MultiExp(list, scalars), library(t, list, scalars)
	if !got.Equal(&want) {
		t.Error("another sum")
	}
}

// BenchmarkMultiExp is MultiExp beside the library's.
func BenchmarkMultiExp(b *testing.B) {
	_, _, g, _ := bn254.Generators()
	for _, log := range []int{10, 11, 12, 13, 15, 17} {
		scalars := random(1 << log)
		list := bn254.BatchScalarMultiplicationG1(&g, scalars)
		for name, f := range map[string]func(){
			"ours":    func() { MultiExp(list, scalars) },
			"library": func() { library(b, list, scalars) },
		} {
			b.Run(fmt.Sprintf("2^%d/%s", log, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(scalars)), "ns/point")
			})
		}
	}
}
