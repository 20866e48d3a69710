package allocation

import (
	"fmt"
	"testing"
)

var kept []byte

// recorder is a test that only takes note of failures.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// What is freed counts too.
func TestBound(t *testing.T) {
	allocate := func(pieces int) func() {
		return func() {
			for range pieces {
				kept = make([]byte, 1<<20)
			}
		}
	}
	for pieces, want := range map[int]int{3: 0, 60: 0, 65: 1} {
		if n := Of(allocate(pieces)); n < uint64(pieces)<<20 || n > uint64(pieces+1)<<20 {
			t.Errorf("%d bytes for %d MiB", n, pieces)
		}
		var r recorder
		done := Bound(&r)
		allocate(pieces)()
		if done(); len(r.failures) != want {
			t.Errorf("%d MiB: %q", pieces, r.failures)
		}
	}
}

// Small objects count too.
func TestBoundSmall(t *testing.T) {
	var r recorder
	done := Bound(&r)
	for range 80 << 10 {
		kept = make([]byte, 1<<10)
	}
	if done(); len(r.failures) != 1 {
		t.Errorf("80 MiB: %q", r.failures)
	}
}

func BenchmarkBound(b *testing.B) {
	for b.Loop() {
		Bound(b)()
	}
}
