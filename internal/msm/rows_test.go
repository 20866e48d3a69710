package msm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func random(n int) []fr.Element {
	out := make([]fr.Element, n)
	for i := range out {
		out[i].MustSetRandom()
	}
	return out
}

// points are n multiples of the generator; some repeat, one is the opposite of another, one is at infinity.
func points(n int) []bn254.G1Affine {
	_, _, g, _ := bn254.Generators()
	out := bn254.BatchScalarMultiplicationG1(&g, random(n))
	if n > 8 {
		out[1] = out[0]
		out[2].Neg(&out[0])
		out[3] = out[0]
		out[5] = bn254.G1Affine{}
	}
	return out
}

// naive is the definition by the library's multiplication.
func naive(t testing.TB, bases []bn254.G1Affine, h *bn254.G1Affine, row []int64, salt fr.Element) (out bn254.G1Affine) {
	scalars := make([]fr.Element, len(row)+1)
	for i, v := range row {
		scalars[i].SetInt64(v)
	}
	scalars[len(row)] = salt
	all := append(append([]bn254.G1Affine(nil), bases[:len(row)]...), *h)
	if _, err := out.MultiExp(all, scalars, ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCommitRows: rows of every width of value, of several lengths, with equal, opposite and missing bases.
func TestCommitRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, columns := range []int{1, 2, 70, 300} {
		bases, h := points(columns), points(1)[0]
		var values []int64
		for _, most := range []int64{0, 1, 3, 127, 128, 255, 1 << 12, 1 << 15, 1 << 16, 1 << 31, MaxValue} {
			for range columns {
				values = append(values, rng.Int64N(most+1)*(2*rng.Int64N(2)-1))
			}
			for range columns {
				values = append(values, most*(2*rng.Int64N(2)-1))
			}
		}
		for _, same := range []int64{-128, 128, 7, MaxValue, -MaxValue} {
			values = append(values, slices.Repeat([]int64{same}, columns)...)
		}
		for _, zero := range []int64{-128, 100} { // mostly one value
			for range columns {
				values = append(values, zero+max(0, rng.Int64N(20)-10))
			}
		}
		values = append(values, make([]int64, columns)...)
		for range columns/2 + 1 { // a shorter row
			values = append(values, -128)
		}
		salts := random((len(values) + columns - 1) / columns)
		salts[0] = fr.Element{}
		salts[1].SetInt64(-1)
		got, err := CommitRows(bases, &h, values, salts)
		if err != nil {
			t.Fatal(err)
		}
		for i := range salts {
			row := values[i*columns : min((i+1)*columns, len(values))]
			if want := naive(t, bases, &h, row, salts[i]); !got[i].Equal(&want) {
				t.Errorf("%d columns: row %d: %v", columns, i, row)
			}
		}
	}
}

// TestCommitRowsErrors: values that are too large, numbers of salts that are wrong.
func TestCommitRowsErrors(t *testing.T) {
	bases, h := points(4), points(1)[0]
	for name, bad := range map[string]struct {
		bases  []bn254.G1Affine
		values []int64
		salts  int
	}{
		"large value": {bases, []int64{1, MaxValue + 1}, 1},
		"small value": {bases, []int64{1, -MaxValue - 1}, 1},
		"least value": {bases, []int64{1, math.MinInt64}, 1},
		"few salts":   {bases, make([]int64, 5), 1},
		"many salts":  {bases, make([]int64, 4), 2},
		"no bases":    {nil, make([]int64, 4), 4},
	} {
		if _, err := CommitRows(bad.bases, &h, bad.values, random(bad.salts)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := CommitElements(bases, &h, random(5), random(1)); err == nil {
		t.Error("elements, few salts: accepted")
	}
	if got, err := CommitRows(bases, &h, nil, nil); err != nil || len(got) != 0 {
		t.Errorf("no rows: %v, %v", got, err)
	}
}

// TestCommitElements: small values as elements give the same rows.
func TestCommitElements(t *testing.T) {
	bases, h := points(9), points(1)[0]
	values := []int64{0, 1, -1, 5, 5, 5, 1 << 40, -7, 3, 0, 9, 8, 7}
	elements := make([]fr.Element, len(values))
	for i, v := range values {
		elements[i].SetInt64(v)
	}
	salts := random(2)
	want, err := CommitRows(bases, &h, values, salts)
	if err != nil {
		t.Fatal(err)
	}
	got, err := CommitElements(bases, &h, elements, salts)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
}

// TestDigits: digits give back the value, and there are as few as its width promises.
func TestDigits(t *testing.T) {
	for _, v := range []int64{0, 1, 2, 3, 127, 128, 129, 255, 256, 257, 32767, 32768, 32769, MaxValue - 1, MaxValue, MaxValue + 256} {
		for _, v := range []int64{v, -v} {
			for window := 2; window <= maxWindow; window++ {
				sum, weight, n, rest := int64(0), int64(1), 0, v
				for rest != 0 {
					var d int64
					d, rest = digit(rest, window)
					if max(d, -d) > 1<<(window-1) {
						t.Errorf("%d has digit %d of %d bits", v, d, window)
					}
					sum += d * weight
					weight <<= window
					n++
				}
				if sum != v || n > (width(v)+window-1)/window {
					t.Errorf("%d: %d digits of %d bits give %d, width %d", v, n, window, sum, width(v))
				}
			}
		}
	}
}

func sumOf(points []bn254.G1Affine) bn254.G1Affine {
	var sum bn254.G1Jac
	for i := range points {
		sum.AddMixed(&points[i])
	}
	return *new(bn254.G1Affine).FromJacobian(&sum)
}

// TestSums: groups of every size, where equal, opposite points and points at infinity meet.
func TestSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	some := points(12)
	var sizes []int32
	var list []bn254.G1Affine
	for n := range 90 {
		sizes = append(sizes, int32(n))
		for range n {
			list = append(list, some[rng.IntN(len(some))])
		}
	}
	// Opposite points only: every sum of the first pass is at infinity.
	sizes = append(sizes, 8)
	for range 4 {
		list = append(list, some[0], *new(bn254.G1Affine).Neg(&some[0]))
	}
	var want []bn254.G1Affine
	for at, n := 0, 0; n < len(sizes); n++ {
		if sizes[n] > 0 {
			want = append(want, sumOf(list[at:at+int(sizes[n])]))
		}
		at += int(sizes[n])
	}
	a := adder{infinite: true}
	if got := a.sum(slices.Clone(list), slices.Clone(sizes)); !slices.Equal(got, want) {
		t.Error("sums are others")
	}
}

// BenchmarkCommitRows commits rows of 2^11 values: of 8 bits, of 16, of a quantized activation half of which is its zero
// point; and, for comparison, one row by the library.
func BenchmarkCommitRows(b *testing.B) {
	const rows, columns = 256, 1 << 11
	_, _, g, _ := bn254.Generators()
	bases, h := bn254.BatchScalarMultiplicationG1(&g, random(columns)), points(1)[0]
	rng := rand.New(rand.NewPCG(3, 4))
	salts := random(rows)
	for _, c := range []struct {
		name string
		draw func() int64
	}{
		{"8bit", func() int64 { return rng.Int64N(256) - 128 }},
		{"16bit", func() int64 { return rng.Int64N(1<<16) - 1<<15 }},
		{"relu", func() int64 { return max(rng.Int64N(256)-128, 0)*2 - 128 }},
	} {
		values := make([]int64, rows*columns)
		for i := range values {
			values[i] = c.draw()
		}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := CommitRows(bases, &h, values, salts); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows*columns), "ns/value")
		})
	}
	elements := random(columns)
	b.Run("elements", func(b *testing.B) {
		for b.Loop() {
			if _, err := CommitElements(bases, &h, elements, salts[:1]); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/columns, "ns/value")
	})
}
