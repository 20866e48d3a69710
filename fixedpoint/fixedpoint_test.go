package fixedpoint_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zkinfer/zkinfer/fixedpoint"
)

// edges are the integers at which 32-bit arithmetic goes wrong.
var edges = []int32{
	math.MinInt32, math.MinInt32 + 1, -1<<30 - 1, -1 << 30, -1<<30 + 1, -65536, -3, -2, -1,
	0, 1, 2, 3, 65535, 1<<30 - 1, 1 << 30, 1<<30 + 1, math.MaxInt32 - 1, math.MaxInt32,
}

// operands are the edges and random numbers of all sizes.
func operands() []int32 {
	rng := rand.New(rand.NewPCG(1, 2))
	values := slices.Clone(edges)
	for range 200 {
		values = append(values, int32(rng.Uint32())>>rng.IntN(32))
	}
	return values
}

// TestSRDHM compares with gemmlowp's own formulation: a nudge by sign, then division towards zero.
func TestSRDHM(t *testing.T) {
	for _, a := range operands() {
		for _, b := range operands() {
			want := int32(math.MaxInt32)
			if a != math.MinInt32 || b != math.MinInt32 {
				ab := int64(a) * int64(b)
				nudge := int64(1 << 30)
				if ab < 0 {
					nudge = 1 - 1<<30
				}
				want = int32((ab + nudge) / (1 << 31))
			}
			if got := fixedpoint.SRDHM(a, b); got != want {
				t.Fatalf("SRDHM(%d, %d) = %d, want %d", a, b, got, want)
			}
		}
	}
}

// halfAway is n/d rounded half away from zero, exactly.
func halfAway(n, d *big.Int) int64 {
	abs := new(big.Int).Abs(n)
	abs.Mul(abs, big.NewInt(2)).Add(abs, d).Div(abs, new(big.Int).Mul(d, big.NewInt(2)))
	if n.Sign() < 0 {
		abs.Neg(abs)
	}
	return abs.Int64()
}

func TestRDBPOT(t *testing.T) {
	for _, x := range operands() {
		for e := range 32 {
			want := halfAway(big.NewInt(int64(x)), new(big.Int).Lsh(big.NewInt(1), uint(e)))
			if got := fixedpoint.RDBPOT(x, e); int64(got) != want {
				t.Fatalf("RDBPOT(%d, %d) = %d, want %d", x, e, got, want)
			}
		}
	}
}

func TestQuantizeMultiplier(t *testing.T) {
	for _, c := range []struct {
		r     float64
		m     int32
		shift int
	}{
		{0, 0, 0},
		{1, 1 << 30, 1},
		{0.5, 1 << 30, 0},
		{0.25, 1 << 30, -1},
		{-0.75, -3 << 29, 0},
		{0x1p-32, 1 << 30, -31},
		{0x1p-33, 0, 0},                 // shift −32: flushed to zero
		{1 - 0x1p-40, 1 << 30, 1},       // rounds up to 2^31, renormalized
		{0.5 + 0x1p-32, 1<<30 + 1, 0},   // half away from zero
		{0.1, 1717986918, -3},           // 0.8·2^31 = 1717986918.4
		{0x1.fffffffp29, 1<<31 - 4, 30}, // the largest shift
	} {
		m, shift, err := fixedpoint.QuantizeMultiplier(c.r)
		if err != nil || m != c.m || shift != c.shift {
			t.Errorf("QuantizeMultiplier(%v) = %d, %d, %v; want %d, %d", c.r, m, shift, err, c.m, c.shift)
		}
	}
	for _, r := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0x1p30, 1e300} {
		if _, _, err := fixedpoint.QuantizeMultiplier(r); !errors.Is(err, fixedpoint.ErrMultiplier) {
			t.Errorf("QuantizeMultiplier(%v): %v, want ErrMultiplier", r, err)
		}
	}
}

// TestMultiplyIsClose checks both multiplications against the real product over shifts of either sign.
func TestMultiplyIsClose(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		shift := rng.IntN(41) - 31
		m := int32(1<<30 + rng.IntN(1<<30))
		x := int32(rng.Uint32()) >> (1 + max(shift, 0) + rng.IntN(10))
		exact := float64(x) * float64(m) * math.Ldexp(1, shift-31)
		if got := fixedpoint.MBQM(x, m, shift); math.Abs(float64(got)-exact) > 1 {
			t.Fatalf("MBQM(%d, %d, %d) = %d, the product is %v", x, m, shift, got, exact)
		}
		if got := fixedpoint.SingleRoundMBQM(x, m, shift); float64(got) != math.Floor(exact+0.5) {
			t.Fatalf("SingleRoundMBQM(%d, %d, %d) = %d, the product is %v", x, m, shift, got, exact)
		}
	}
}

// TestRoundingsDiffer pins inputs on which one and two roundings part.
func TestRoundingsDiffer(t *testing.T) {
	for _, c := range []struct {
		x, m   int32
		shift  int
		double int32
		single int64
	}{
		{1, 3 << 29, -1, 1, 0},      // 0.375: rounds to 1, then 0.5 to 1
		{-1, 1 << 30, 0, 0, 0},      // −0.5: half up both ways
		{-3, 1 << 30, -1, -1, -1},   // −0.75
		{-2, 1 << 30, -1, -1, 0},    // −0.5: half away after an exact first step, or half up
		{100, 1 << 30, 3, 400, 400}, // left shift
	} {
		if got := fixedpoint.MBQM(c.x, c.m, c.shift); got != c.double {
			t.Errorf("MBQM(%d, %d, %d) = %d, want %d", c.x, c.m, c.shift, got, c.double)
		}
		if got := fixedpoint.SingleRoundMBQM(c.x, c.m, c.shift); got != c.single {
			t.Errorf("SingleRoundMBQM(%d, %d, %d) = %d, want %d", c.x, c.m, c.shift, got, c.single)
		}
	}
}

func TestSingleRoundMBQMExtremes(t *testing.T) {
	for _, x := range edges {
		for _, m := range edges {
			for shift := -31; shift <= 30; shift++ {
				n := new(big.Int).Mul(big.NewInt(int64(x)), big.NewInt(int64(m)))
				n.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(30-shift)))
				n.Rsh(n, uint(31-shift)) // floor, also for negative numbers
				if got := fixedpoint.SingleRoundMBQM(x, m, shift); got != n.Int64() {
					t.Fatalf("SingleRoundMBQM(%d, %d, %d) = %d, want %d", x, m, shift, got, n)
				}
			}
		}
	}
}

func TestQuantize(t *testing.T) {
	for _, c := range []struct {
		x, scale float64
		zero     int64
		want     int64
	}{
		{0.5, 1, 0, 0}, {1.5, 1, 0, 2}, {2.5, 1, 0, 2}, {-0.5, 1, 0, 0}, {-1.5, 1, 0, -2},
		{0.5, 1, 3, 3}, // half to even before the zero point is added
		{1.5, 1, 3, 5},
		{127, 1, 0, 127}, {127.5, 1, 0, 127}, {-128.5, 1, 0, -128}, {-1e300, 1e-10, 0, -128},
		{math.Inf(1), 1, 5, 127}, {math.Inf(-1), 1, 5, -128}, {math.NaN(), 1, 7, 7},
		{0.3, 0.1, 0, 3},
	} {
		if got := fixedpoint.Quantize(c.x, c.scale, c.zero, -128, 127); got != c.want {
			t.Errorf("Quantize(%v, %v, %d) = %d, want %d", c.x, c.scale, c.zero, got, c.want)
		}
	}
}

func TestTableOf(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	table := fixedpoint.TableOf(sigmoid, 1.0/16, -128, 127, 1.0/256, 0, 255)
	if len(table) != 256 {
		t.Fatalf("%d entries, want 256", len(table))
	}
	for i, want := range map[int]int64{0: 0, 128: 128, 128 + 16: 187, 255: 255} {
		if table[i] != want {
			t.Errorf("sigmoid at %d is %d, want %d", i-128, table[i], want)
		}
	}
	reciprocal := fixedpoint.TableOf(func(x float64) float64 { return 1 / x }, 1, -1, 1, 1, -9, 9)
	if !slices.Equal(reciprocal, []int64{-1, 9, 1}) {
		t.Errorf("1/x is %v, want the pole clamped", reciprocal)
	}
}

func ExampleMBQM() {
	m, shift, _ := fixedpoint.QuantizeMultiplier(0.1)
	fmt.Println(fixedpoint.MBQM(1234, m, shift))
	// Output: 123
}
