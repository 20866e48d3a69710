package prover

import (
	"context"
	"sync"

	"github.com/consensys/gnark/logger"
)

// SilenceGnark keeps gnark from logging to standard output, which belongs to the caller's data. Its
// logger is a global. Whoever is about to compile or to prove calls it first.
var SilenceGnark = sync.OnceFunc(logger.Disable)

// Interruptible runs f, which cannot be stopped, and returns early when ctx ends; f's result is then
// dropped.
func Interruptible[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}
