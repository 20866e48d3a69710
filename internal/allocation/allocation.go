// Package allocation tells tests what code allocates. Tests only.
//
// The promise: every byte that f allocates counts, freed or not, so what stays below a limit can neither
// make one allocation above it nor ever hold more. The pitfall: other goroutines' allocations count too.
package allocation

import (
	"runtime"
	"runtime/metrics"
	"testing"
)

// Limit is what no decoder may allocate for one input that a fuzzer makes.
const Limit = 64 << 20

// Of is the number of bytes that f allocates, exactly; it stops the world twice.
func Of(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Bound starts counting; what it returns fails the test if more than Limit was allocated meanwhile:
//
//	defer allocation.Bound(t)()
//
// It is cheap enough for millions of inputs: small objects are counted by the span, so it may be off by
// the spans in use, a few megabytes at most; large ones are counted as they are made.
func Bound(t testing.TB) func() {
	t.Helper()
	before := spans()
	return func() {
		t.Helper()
		if n := spans() - before; n > Limit {
			t.Errorf("%d bytes allocated, at most %d", n, Limit)
		}
	}
}

func spans() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
