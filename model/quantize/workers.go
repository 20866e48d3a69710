package quantize

import (
	"context"
	"runtime"
	"sync"
)

// eachSample calls do for 0 to n−1 on all cores until one errs or the context ends, and returns that
// error.
func eachSample(ctx context.Context, n int, do func(sample int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for s := range next {
				if err := do(s); err != nil {
					stop(err)
				}
			}
		})
	}
	for s := 0; s < n && ctx.Err() == nil; s++ {
		select {
		case next <- s:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}
