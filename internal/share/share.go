// Package share spreads work over processors.
package share

import (
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
)

// Out has the numbers below n taken one after another by as many goroutines as there are processors: each calls work once, with those that
// it takes.
func Out(n int, work func(items iter.Seq[int])) {
	var taken atomic.Int64
	items := func(yield func(int) bool) {
		for {
			if i := int(taken.Add(1)) - 1; i >= n || !yield(i) {
				return
			}
		}
	}
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wait.Go(func() { work(items) })
	}
	wait.Wait()
}
