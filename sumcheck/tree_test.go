package sumcheck

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// newExample has n queries of some keys, and as many rows as there are keys with uses.
func newExample(rng *rand.Rand, n, keys int) (k []fr.Element, rows []uint32, uses []uint32) {
	k, uses = random(keys), make([]uint32, keys)
	for range n {
		row := rng.IntN(keys)
		rows = append(rows, uint32(row))
		uses[row]++
	}
	return k, rows, uses
}

// slowTrees are the same trees by the definition.
func slowTrees(k []fr.Element, rows []uint32, uses []uint32, heights [2]int) []claims.TreeProver {
	q, r := newLive(len(rows)), newLive(len(k))
	var out []claims.TreeProver
	for i, row := range rows {
		q.p[i].SetOne()
		q.q[i] = k[row]
	}
	for i := range k {
		r.p[i].SetUint64(uint64(uses[i]))
		r.q[i] = k[i]
	}
	for i, l := range []live{q, r} {
		for len(l.p) < 1<<heights[i] {
			l.p, l.q = append(l.p, fr.Element{}), append(l.q, fr.One())
		}
		out = append(out, NewFractions(l.p, l.q))
	}
	return out
}

// treeMessages are those of a run.
func treeMessages(heights [2]int, provers []claims.TreeProver) []fr.Element {
	r := claims.NewProver([32]byte{1}, func(claims.Kind, int) fr.Element { return fr.Element{} })
	one := func([]fr.Element) fr.Element { return fr.One() } // nobody looks at the claim
	r.Fractions([]claims.Tree{{Height: heights[0], Numerators: one}, {Height: heights[1]}}, provers)
	return r.Sent
}

// TestTrees: the trees of prefixes send what those of all leaves send.
func TestTrees(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 5000; n += 1 + n/40*(1+rng.IntN(5)) {
		k, rows, uses := newExample(rng, n, 1+rng.IntN(2*n))
		heights := [2]int{claims.AxisBits(n) + rng.IntN(2), claims.AxisBits(len(k)) + rng.IntN(2)}
		want := treeMessages(heights, slowTrees(k, rows, uses, heights))
		got := treeMessages(heights, []claims.TreeProver{newQueries(heights[0], k, rows), newRows(heights[1], uses, k)})
		if !slices.Equal(got, want) {
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("%d queries, %d rows, heights %v: message %d of %d", n, len(k), heights, i, len(want))
				}
			}
		}
	}
}

// BenchmarkTrees is both trees of 2^20 queries, most of the time of a proof.
func BenchmarkTrees(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	const bits = 20
	k, rows, uses := newExample(rng, 1<<bits, 1<<10)
	heights := [2]int{bits, 10}
	before := processorTime()
	for b.Loop() {
		treeMessages(heights, []claims.TreeProver{newQueries(heights[0], k, rows), newRows(heights[1], uses, k)})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(1<<bits), "ns/leaf")
	b.ReportMetric(float64(processorTime()-before)/float64(b.N)/(1<<bits), "cpu-ns/leaf")
}

// live are the leaves of a tree, 0/1 beyond the live ones.
type live struct{ p, q []fr.Element }

func newLive(n int) live {
	l := live{make([]fr.Element, 1<<claims.AxisBits(n)), make([]fr.Element, 1<<claims.AxisBits(n))}
	for i := n; i < len(l.q); i++ {
		l.q[i].SetOne()
	}
	return l
}

// processorTime is that of this process, in nanoseconds: the clock says little on a busy machine.
func processorTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
