package bench

import (
	"math"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b), 1) }

func TestFitPowerLaw(t *testing.T) {
	x := []float64{1, 2, 4, 8, 100}
	exact := make([]float64, len(x))
	for i := range x {
		exact[i] = 3 * math.Pow(x[i], 0.75)
	}
	f, ok := FitPowerLaw(x, exact)
	if !ok || !near(f.Exponent, 0.75) || !near(f.Factor, 3) || !near(f.R2, 1) || f.Points != 5 || !near(f.At(16), 24) {
		t.Errorf("an exact law is fitted as %+v", f)
	}
	// By hand: log2 of (1, 2, 4) and of (1, 4, 4) are (0, 1, 2) and (0, 2, 2); slope 1, R² 3/4.
	f, ok = FitPowerLaw([]float64{1, 2, 4}, []float64{1, 4, 4})
	if !ok || !near(f.Exponent, 1) || !near(f.R2, 0.75) || !near(f.Factor, math.Pow(2, 1.0/3)) {
		t.Errorf("%+v", f)
	}
	if f, ok := FitPowerLaw([]float64{1, 2, 4}, []float64{5, 5, 5}); !ok || !near(f.Exponent, 0) || f.R2 != 1 {
		t.Errorf("a constant is fitted as %+v", f)
	}
	for name, c := range map[string][2][]float64{
		"two points":           {{1, 2}, {1, 2}},
		"one x":                {{3, 3, 3}, {1, 2, 3}},
		"too few are positive": {{1, 2, 0, -1}, {1, 2, 3, 4}},
		"nothing":              {nil, nil},
	} {
		if f, ok := FitPowerLaw(c[0], c[1]); ok {
			t.Errorf("%s: fitted as %+v", name, f)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 100}, 3}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, expected %v", c.values, got, c.want)
		}
	}
}
