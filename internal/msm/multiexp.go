package msm

import (
	"fmt"
	"iter"
	"math/bits"
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/share"
)

// chunk is the number of points that are added up at a time: few enough that they and their opposites stay in a processor's cache.
const chunk = 1 << 14

// MultiExp is Σ scalars[i]·points[i]. There are as many of either, or it panics.
func MultiExp(points []bn254.G1Affine, scalars []fr.Element) bn254.G1Jac {
	if len(points) != len(scalars) {
		panic(fmt.Sprintf("msm: %d points for %d scalars", len(points), len(scalars)))
	}
	plan := planWindows(scalars)
	sums := make([]bn254.G1Jac, plan.digits)
	var mu sync.Mutex
	chunks := (len(points) + chunk - 1) / chunk
	spans := plan.spans(chunks, len(points))
	share.Out(chunks*spans, func(items iter.Seq[int]) {
		s := pool.Get().(*span)
		defer pool.Put(s)
		for item := range items {
			from := item / spans * chunk
			to := min(from+chunk, len(points))
			k := item % spans
			s.plan, s.first, s.last = plan, k*plan.digits/spans, (k+1)*plan.digits/spans
			part := s.compute(points[from:to], scalars[from:to])
			mu.Lock()
			for i := range part {
				sums[s.first+i].AddAssign(&part[i])
			}
			mu.Unlock()
		}
	})
	return horner(sums, plan.window)
}

// windows says how scalars are written: digits of window bits.
type windows struct{ window, digits int }

// planWindows chooses the window with the least additions.
func planWindows(scalars []fr.Element) (best windows) {
	var count [fr.Bits + 1]int // scalars by width
	widest := 0
	for i := range scalars {
		words, _ := magnitude(&scalars[i])
		w := bitLength(&words)
		count[w]++
		widest = max(widest, w)
	}
	if widest == 0 {
		return windows{}
	}
	chunks := (len(scalars) + chunk - 1) / chunk
	least := 0
	for c := 2; c <= maxWindow; c++ {
		p := windows{c, (widest + 1 + c) / c}
		cost := chunks * p.digits << c // buckets are added up with their multiplicities in two additions each
		for w, n := range count[1 : widest+1] {
			cost += n * ((w + c) / c)
		}
		if best.window == 0 || cost < least {
			best, least = p, cost
		}
	}
	return best
}

// spans is the number of parts that a chunk's digits are cut into, so that every processor has work: no more than there are
// additions enough for, since parts share no inversions.
func (p windows) spans(chunks, points int) int {
	processors := min(runtime.GOMAXPROCS(0), 1+points*p.digits/enough)
	if processors == 1 || chunks >= 4*processors {
		return min(1, p.digits)
	}
	return min(2*processors, p.digits)
}

// magnitude is |s| for s in (−r/2, r/2], and whether s is negative.
func magnitude(s *fr.Element) (words [4]uint64, negative bool) {
	if negative = s.LexicographicallyLargest(); negative {
		var n fr.Element
		return n.Neg(s).Bits(), true
	}
	return s.Bits(), false
}

func bitLength(words *[4]uint64) int {
	for i := len(words) - 1; i >= 0; i-- {
		if words[i] != 0 {
			return 64*i + bits.Len64(words[i])
		}
	}
	return 0
}

// pool holds what spans have allocated, about 10 MB each: sums follow each other.
var pool = sync.Pool{New: func() any { return new(span) }}

// span computes the digits from first to last of a chunk.
type span struct {
	buckets
	plan        windows
	first, last int
	shifted     [][4]uint64 // scalars plus half a window in every digit but the topmost, which makes digits signed
	negative    []bool
	group       []column
}

// compute is Σ digit·point for every digit from first to last. Its result is valid until the next call.
func (s *span) compute(points []bn254.G1Affine, scalars []fr.Element) (out []bn254.G1Jac) {
	s.table = appendSigned(s.table[:0], points)
	s.shift(scalars)
	for k := s.first; k < s.last; k++ {
		s.add(s.digits(k), s.plan.window)
		if s.full() {
			out = append(out, s.sums()...)
		}
	}
	return append(out, s.sums()...)
}

// shift prepares the scalars. The topmost digit has room for the carry: it is at most 2^(window−2) + 1.
func (s *span) shift(scalars []fr.Element) {
	var half [4]uint64
	for k := range s.plan.digits - 1 {
		at := k*s.plan.window + s.plan.window - 1
		half[at/64] |= 1 << (at % 64)
	}
	s.shifted, s.negative = s.shifted[:0], s.negative[:0]
	for i := range scalars {
		words, negative := magnitude(&scalars[i])
		carry := uint64(0)
		for w := range words {
			words[w], carry = bits.Add64(words[w], half[w], carry)
		}
		s.shifted, s.negative = append(s.shifted, words), append(s.negative, negative)
	}
}

// digits is digit k of every scalar.
func (s *span) digits(k int) []column {
	half := int32(1) << (s.plan.window - 1)
	if k == s.plan.digits-1 {
		half = 0
	}
	s.group = s.group[:0]
	for i := range s.shifted {
		d := int32(bitsAt(&s.shifted[i], k*s.plan.window, s.plan.window)) - half
		if s.negative[i] {
			d = -d
		}
		if d != 0 {
			s.group = append(s.group, column{int32(i), d})
		}
	}
	return s.group
}
