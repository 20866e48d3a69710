package sumcheck

import (
	"fmt"
	"math/rand/v2"
	"runtime"
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

// slowLeaves are both trees' leaves.
func slowLeaves(k []fr.Element, rows []uint32, uses []uint32, heights [2]int) [2]live {
	q, r := newLive(len(rows)), newLive(len(k))
	for i, row := range rows {
		q.p[i].SetOne()
		q.q[i] = k[row]
	}
	for i := range k {
		r.p[i].SetUint64(uint64(uses[i]))
		r.q[i] = k[i]
	}
	out := [2]live{q, r}
	for i := range out {
		for l := &out[i]; len(l.p) < 1<<heights[i]; {
			l.p, l.q = append(l.p, fr.Element{}), append(l.q, fr.One())
		}
	}
	return out
}

// slowTrees are the same trees by the definition.
func slowTrees(k []fr.Element, rows []uint32, uses []uint32, heights [2]int) (out []claims.TreeProver) {
	for _, l := range slowLeaves(k, rows, uses, heights) {
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

// treeSizes are numbers of leaves, all small ones and those around whole rows among them.
func treeSizes(rng *rand.Rand) (out []int) {
	for n := range 71 {
		out = append(out, n)
	}
	for n := 71; n < 3000; n += 1 + n/40*(1+rng.IntN(5)) {
		out = append(out, n)
	}
	for _, rows := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 31, 40} {
		for _, more := range []int{-1, 0, 1, rng.IntN(1 << claims.LaneBits)} {
			out = append(out, rows<<claims.LaneBits+more)
		}
	}
	return out
}

// TestTrees: the trees of prefixes send what those of all leaves send, also where they are higher than need be.
func TestTrees(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range treeSizes(rng) {
		k, rows, uses := newExample(rng, n, 1+rng.IntN(2*n+1))
		heights := [2]int{claims.AxisBits(max(n, 1)) + rng.IntN(3), claims.AxisBits(len(k)) + rng.IntN(3)}
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

// TestTreesOfFewLeaves: a prefix of any length in a tree of many rows.
func TestTreesOfFewLeaves(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 2, 511, 512, 513, 1025, 2049} {
		for height := max(claims.LaneBits-1, claims.AxisBits(n|1)); height <= claims.LaneBits+4; height++ {
			k, rows, uses := newExample(rng, n, 3)
			heights := [2]int{height, height}
			want := treeMessages(heights, slowTrees(k, rows, uses, heights))
			got := treeMessages(heights, []claims.TreeProver{newQueries(height, k, rows), newRows(height, uses, k)})
			if !slices.Equal(got, want) {
				t.Errorf("%d queries in a tree of height %d: other messages", n, height)
			}
		}
	}
}

// TestTreeMemory: a tree of many queries keeps a node of 64 bytes for four leaves, and as much for all levels above; rounds
// need little more.
func TestTreeMemory(t *testing.T) {
	const bits = 18
	k, rows, uses := newExample(rand.New(rand.NewPCG(1, 2)), 1<<bits, 1<<8)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	treeMessages([2]int{bits, 8}, []claims.TreeProver{newQueries(bits, k, rows), newRows(8, uses, k)})
	runtime.ReadMemStats(&after)
	forWork := uint64(runtime.GOMAXPROCS(0)) << 21
	if used := after.TotalAlloc - before.TotalAlloc; used > 34<<bits+forWork {
		t.Errorf("%d bytes for %d leaves, expected at most 34 a leaf and %d", used, 1<<bits, forWork)
	}
}

// TestTreeRows: trees of more than a row of lanes satisfy every check, those on their leaves among them, and break one where a
// message is changed.
func TestTreeRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const height = claims.LaneBits + 3
	k, rows, uses := newExample(rng, 5<<claims.LaneBits+7, 2<<claims.LaneBits)
	f := &forest{trees: []claims.Tree{{Height: height}, {Height: claims.LaneBits + 1}}}
	f.trees[0].Numerators = func(point []fr.Element) fr.Element { return claims.Extension(f.p[0], point) }
	for _, l := range slowLeaves(k, rows, uses, [2]int{height, claims.LaneBits + 1}) {
		f.p, f.q = append(f.p, l.p), append(f.q, l.q)
	}
	r, secret, leaves := f.prove([32]byte{5}, []claims.TreeProver{newQueries(height, k, rows), newRows(claims.LaneBits+1, uses, k)})
	if !f.holds(r, secret, leaves) {
		t.Fatal("honest messages break a check")
	}
	f.checkRoots(t, secret)
	for i := range secret {
		lie := slices.Clone(secret)
		one := fr.One()
		lie[i].Add(&lie[i], &one)
		if f.holds(r, lie, leaves) {
			t.Errorf("message %d changed: no check notices", i)
		}
	}
}

// BenchmarkTrees is both trees, of 2^20 queries most of the time of a proof.
func BenchmarkTrees(b *testing.B) {
	for _, bits := range []int{12, 16, 20} {
		b.Run(fmt.Sprint(bits), func(b *testing.B) { benchmarkTrees(b, bits) })
	}
}

func benchmarkTrees(b *testing.B, bits int) {
	rng := rand.New(rand.NewPCG(1, 2))
	k, rows, uses := newExample(rng, 1<<bits, 1<<10)
	heights := [2]int{bits, 10}
	before := processorTime()
	for b.Loop() {
		treeMessages(heights, []claims.TreeProver{newQueries(heights[0], k, rows), newRows(heights[1], uses, k)})
	}
	leaves := float64(b.N) * float64(int(1)<<bits)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/leaves, "ns/leaf")
	b.ReportMetric(float64(processorTime()-before)/leaves, "cpu-ns/leaf")
}

// live are the leaves of a tree, 0/1 beyond the live ones.
type live struct{ p, q []fr.Element }

func newLive(n int) live {
	leaves := 1 << claims.AxisBits(max(n, 1))
	l := live{make([]fr.Element, leaves), make([]fr.Element, leaves)}
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
