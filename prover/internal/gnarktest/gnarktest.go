// Package gnarktest is what tests of replacements for parts of gnark share: a circuit with commitments, and randomness that
// can be drawn again.
package gnarktest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
)

// chain is a circuit of n constraints with three commitments, coefficients of every kind, and wires
// that stand on one side only.
type chain struct {
	Out frontend.Variable `gnark:",public"`
	X   [6]frontend.Variable
	n   int
}

func (c *chain) Define(api frontend.API) error {
	committer := api.(frontend.Committer)
	first, err := committer.Commit(c.Out, c.X[0], c.X[1])
	if err != nil {
		return err
	}
	second, err := committer.Commit(c.X[2], c.X[3], first)
	if err != nil {
		return err
	}
	if _, err := committer.Commit(c.X[4], second); err != nil {
		return err
	}
	v := api.Add(api.Mul(c.X[0], first), api.Mul(c.X[1], -1), api.Mul(c.X[2], 7), c.X[3])
	for range c.n {
		v = api.Mul(api.Add(v, c.X[5], 3), api.Sub(c.X[4], api.Mul(v, 2)))
	}
	api.AssertIsEqual(api.Mul(v, 0), api.Mul(c.Out, 0))
	return nil
}

// Compile compiles the chain of n multiplications.
func Compile(t testing.TB, n int) *cs.R1CS {
	t.Helper()
	r, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &chain{n: n}, frontend.IgnoreUnconstrainedInputs())
	if err != nil {
		t.Fatal(err)
	}
	return r.(*cs.R1CS)
}

// stream is deterministic randomness.
type stream struct {
	seed  byte
	count uint64
	left  []byte
}

func (s *stream) Read(b []byte) (int, error) {
	for i := range b {
		if len(s.left) == 0 {
			h := sha256.Sum256(binary.BigEndian.AppendUint64([]byte{s.seed}, s.count))
			s.left = h[:]
			s.count++
		}
		b[i], s.left = s.left[0], s.left[1:]
	}
	return len(b), nil
}

// WithRandomness runs f while the process's randomness is a stream.
func WithRandomness(seed byte, f func()) {
	real := rand.Reader
	rand.Reader = &stream{seed: seed}
	defer func() { rand.Reader = real }()
	f()
}

// Witness is a witness of the chain: any values are one.
func Witness(t testing.TB, out int64, x [6]int64) witness.Witness {
	t.Helper()
	c := &chain{Out: out}
	for i, v := range x {
		c.X[i] = v
	}
	w, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	return w
}
