package claims

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// TestTableKeys: the extension of a table's keys on any aligned block is that of the keys one by one; values come back
// from their progressions; rows are found by their arguments.
func TestTableKeys(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		table := Table{Arguments: []Argument{{Min: rng.Int64N(9) - 4, Len: 1 + rng.IntN(5)}, {Min: rng.Int64N(9) - 4, Len: 1 + rng.IntN(40)}}[rng.IntN(2):]}
		for range rng.IntN(3) {
			v := make([]int64, table.Rows())
			for i := range v {
				v[i] = min(max(int64(i)-5, 0), 7)
				if rng.IntN(20) == 0 {
					v[i] = rng.Int64N(100)
				}
			}
			column := Progressions(v)
			if !slices.Equal(column.Expand(), v) {
				t.Fatalf("%v became %v", v, column.Expand())
			}
			table.Values = append(table.Values, column)
		}
		n := &Network{Tables: []Table{{}, table}}
		if err := table.check(); err != nil {
			t.Fatal(err)
		}
		alpha, beta := random(1)[0], random(1)[0]
		keys := n.Keys(1, alpha, beta)
		checkKeys(t, n, &table, keys, alpha, beta)
		for row := range keys {
			var arguments []int64
			for k := range table.Arguments {
				arguments = append(arguments, table.columns()[k].Expand()[row])
			}
			if got, ok := table.Row(arguments); !ok || got != row {
				t.Fatalf("arguments %v are of row %d, found %d, %v", arguments, row, got, ok)
			}
		}
	}
}

func checkKeys(t *testing.T, n *Network, table *Table, keys []fr.Element, alpha, beta fr.Element) {
	t.Helper()
	for _, p := range parts(table.Rows()) {
		point := random(p.Bits)
		want := Extension(keys[p.Start:p.Start+1<<p.Bits], point)
		got := n.keysAt(1, p.Start, newCoordinates(append(random(3), point...)), p.Bits, beta)
		got.Sub(&alpha, &got)
		if !got.Equal(&want) {
			t.Fatalf("%+v: rows from %d: %s, want %s", table, p.Start, got.String(), want.String())
		}
	}
}

// TestStairs: sums over the numbers below any other, in any order.
func TestStairs(t *testing.T) {
	for bits := range 5 {
		point := random(bits)
		eq, stairs := EqTable(point), newStairs(point)
		ones, numbers := make([]fr.Element, len(eq)+1), make([]fr.Element, len(eq)+1)
		for n := range eq {
			var v fr.Element
			ones[n+1].Add(&ones[n], &eq[n])
			numbers[n+1].Add(&numbers[n], v.SetUint64(uint64(n)).Mul(&v, &eq[n]))
		}
		for range 200 {
			n := rand.IntN(len(ones))
			gotOnes, gotNumbers := stairs.sums(n)
			if !gotOnes.Equal(&ones[n]) || !gotNumbers.Equal(&numbers[n]) {
				t.Fatalf("the first %d of %d", n, len(eq))
			}
		}
	}
}
