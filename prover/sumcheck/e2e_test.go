package sumcheck

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

func randomInputs(r *rand.Rand, g *model.Graph) [][]int64 {
	var out [][]int64
	for _, id := range g.Inputs {
		t := g.Tensors[id]
		v := make([]int64, t.Len())
		for i := range v {
			v[i] = t.Min + r.Int64N(t.Max-t.Min+1)
		}
		out = append(out, v)
	}
	return out
}

// setup makes keys of a class.
func setup(t testing.TB, n int, o prover.Options) *Keys {
	t.Helper()
	c, err := NumberedClass(n, o)
	if err != nil {
		t.Fatal(err)
	}
	k, err := c.UnsafeDevSetup(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return k.(*Keys)
}

// TestEveryCase: one key of one class proves every case of the suite that all backends share; the files' encodings come
// back; another model's commitment is refused.
func TestEveryCase(t *testing.T) {
	keys := setup(t, 9, prover.Options{})
	var other verifier.Commitment
	for _, c := range modeltest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			g := c.Build(r)
			k := *keys
			k.Options = prover.Options{PrivateInput: c.Private, PrivateOutput: c.Private}
			opening, err := k.CommitModel(context.Background(), g, prover.Private)
			if err != nil {
				t.Fatal(err)
			}
			p, err := k.Prove(context.Background(), g, opening, randomInputs(r, g), []byte("a context"))
			if err != nil {
				t.Fatal(err)
			}
			commitment := reread(t, opening.Commitment)
			if err := verifier.VerifyBundle(rereadKey(t, k.VerifyingKey()), commitment, p.Bundle); err != nil {
				t.Fatal(err)
			}
			subject, err := k.VerifyingKey().Subject(commitment)
			if err != nil || len(p.Bundle.Proof) != subject.ProofSize {
				t.Errorf("proof of %d bytes, expected %d (%v)", len(p.Bundle.Proof), subject.ProofSize, err)
			}
			if other != nil {
				if err := k.VerifyingKey().Verify(other, &p.Bundle.Statement, p.Bundle.Proof); err == nil {
					t.Error("the proof verifies for another model")
				}
			}
			other = commitment
		})
	}
}

func reread(t *testing.T, c verifier.Commitment) verifier.Commitment {
	t.Helper()
	b, err := c.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := wrapped.UnmarshalCommitment(b)
	if err != nil {
		t.Fatal(err)
	}
	if out.Digest() != c.Digest() {
		t.Error("the commitment's digest changed")
	}
	return out
}

func rereadKey(t *testing.T, k verifier.Key) verifier.Key {
	t.Helper()
	b, err := k.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := wrapped.UnmarshalKey(b)
	if err != nil || out.Digest() != k.Digest() {
		t.Fatalf("the key's digest changed (%v)", err)
	}
	return out
}

// TestClassTooSmall: a model that needs more than a class has is refused with what to do.
func TestClassTooSmall(t *testing.T) {
	keys := setup(t, 8, prover.Options{})
	keys.wrap.Verifying.Class.Groups = 3
	g := modeltest.Cases()[0].Build(rand.New(rand.NewPCG(1, 2)))
	if _, err := keys.CommitModel(context.Background(), g, prover.Private); !errors.Is(err, prover.ErrKeyMismatch) {
		t.Errorf("%v, expected ErrKeyMismatch", err)
	}
}
