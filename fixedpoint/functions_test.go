package fixedpoint_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/zkinfer/zkinfer/fixedpoint"
)

// TestFunctionsAreClose compares with real arithmetic over the whole domain.
func TestFunctionsAreClose(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const ulp = 1.0 / (1 << 31)
	for range 200_000 {
		a := int32(rng.Uint32()) >> rng.IntN(31)
		for bits := 0; bits <= 5; bits++ {
			x := math.Ldexp(float64(-max(a, -a)), bits-31)
			if got := float64(fixedpoint.Exp(-max(a, -a), bits)) * ulp; math.Abs(got-math.Exp(x)) > 1e-6 {
				t.Fatalf("exp(%g) = %g, want %g", x, got, math.Exp(x))
			}
		}
		x := math.Ldexp(float64(a), 4-31)
		if got, want := float64(fixedpoint.Logistic(a, 4))*ulp, 1/(1+math.Exp(-x)); math.Abs(got-want) > 1e-6 {
			t.Fatalf("logistic(%g) = %g, want %g", x, got, want)
		}
		if got, want := float64(fixedpoint.Tanh(a, 4))*ulp, math.Tanh(x); math.Abs(got-want) > 1e-6 {
			t.Fatalf("tanh(%g) = %g, want %g", x, got, want)
		}
		u := int32(rng.Uint32() >> 1)
		if got, want := float64(fixedpoint.OneOverOnePlus(u))*ulp, 1/(1+float64(u)*ulp); math.Abs(got-want) > 1e-8 {
			t.Fatalf("1/(1+%g) = %g, want %g", float64(u)*ulp, got, want)
		}
	}
}

func TestFunctionsAtZero(t *testing.T) {
	if e, l, h := fixedpoint.Exp(0, 5), fixedpoint.Logistic(0, 4), fixedpoint.Tanh(0, 4); e != math.MaxInt32 || l != 1<<30 || h != 0 {
		t.Errorf("exp, logistic, tanh of 0: %d, %d, %d", e, l, h)
	}
}
