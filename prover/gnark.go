package prover

import (
	"context"
	"fmt"
	"sync"

	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
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

// RefuseInfinity rejects keys in which a committed wire has no base: it would silently not be
// committed. The same for the bases that hide.
func RefuseInfinity(pk *groth16bn254.ProvingKey) error {
	if pk.G1.Delta.IsInfinity() || pk.G2.Delta.IsInfinity() {
		return fmt.Errorf("%w: [δ] is the point at infinity", ErrMalformedKeys)
	}
	for k := range pk.CommitmentKeys {
		for i, base := range pk.CommitmentKeys[k].Basis {
			if base.IsInfinity() {
				return fmt.Errorf("%w: base %d of commitment %d is the point at infinity", ErrMalformedKeys, i, k)
			}
		}
	}
	return nil
}
