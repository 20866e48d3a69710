package sumcheck

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

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
	bases := points(70)
	h := points(1)[0]
	var rows [][]int64
	for _, most := range []int64{0, 1, 127, 128, 255, 1 << 15, 1 << 16, MaxValue} {
		for _, n := range []int{0, 1, 33, 70} {
			row := make([]int64, n)
			for i := range row {
				row[i] = rng.Int64N(2*most+1) - most
			}
			rows = append(rows, row)
		}
	}
	same := make([]int64, 70)
	for i := range same {
		same[i] = -128
	}
	rows = append(rows, same, []int64{1, -1, 1, 1}, []int64{1, 1, 2, -2, 0, 5})
	salts := random(len(rows))
	salts[0] = fr.Element{}
	got, err := CommitRows(bases, &h, rows, salts)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if want := naive(t, bases, &h, rows[i], salts[i]); !got[i].Equal(&want) {
			t.Errorf("row %d: %v", i, rows[i])
		}
	}
	for name, bad := range map[string][][]int64{"too long": {make([]int64, 71)}, "too large": {{MaxValue + 1}}, "too small": {{-MaxValue - 1}}} {
		if _, err := CommitRows(bases, &h, bad, random(1)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := CommitRows(bases, &h, rows, nil); err == nil {
		t.Error("without salts: accepted")
	}
}

func TestDigits(t *testing.T) {
	for _, v := range []int64{0, 1, 127, 128, -128, -129, 255, 256, 32767, 32768, MaxValue, -MaxValue} {
		sum, weight, n, rest := int64(0), int64(1), 0, v
		for rest != 0 {
			var d int64
			d, rest = digit(rest)
			sum += d * weight
			weight <<= digitBits
			n++
		}
		if sum != v || n != digitsOf(v) || n > maxDigits {
			t.Errorf("%d: digits give %d, %d of them", v, sum, n)
		}
	}
}

// BenchmarkCommitRows commits 128 rows of 2^11 values, of 8 bits and of 16.
func BenchmarkCommitRows(b *testing.B) {
	const rows, columns = 128, 1 << 11
	bases, h := points(columns), points(1)[0]
	rng := rand.New(rand.NewPCG(3, 4))
	for name, most := range map[string]int64{"8bit": 255, "16bit": 1 << 15} {
		values := make([][]int64, rows)
		for i := range values {
			for range columns {
				values[i] = append(values[i], rng.Int64N(most))
			}
		}
		salts := random(rows)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := CommitRows(bases, &h, values, salts); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows*columns), "ns/value")
		})
	}
	values := make([][]int64, 1)
	for range columns {
		values[0] = append(values[0], rng.Int64N(255))
	}
	b.Run("library", func(b *testing.B) {
		for b.Loop() {
			naive(b, bases, &h, values[0], fr.One())
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/columns, "ns/value")
	})
}
