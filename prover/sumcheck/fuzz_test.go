package sumcheck

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// FuzzArchitecture feeds what a model commitment says of a network: a verifier lays it out before it checks
// anything, so a few bytes must not stand for much work.
func FuzzArchitecture(f *testing.F) {
	for _, c := range modeltest.Cases() {
		m, err := newModel(c.Build(rand.New(rand.NewPCG(1, 2))), prover.Options{PrivateInput: c.Private})
		if err != nil {
			f.Fatal(err)
		}
		b, err := m.architecture.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		a, err := wrapped.DecodeArchitecture(b)
		if err != nil {
			if !errors.Is(err, verifier.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if _, err := a.Encode(); err != nil {
			t.Fatal(err)
		}
	})
}
