package prepared

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// class is a frozen proof of the sumcheck backend.
type class struct {
	vk         *wrapped.Key
	key        Key
	commitment verifier.Commitment
	model      Model
	bundle     *verifier.Bundle
}

func readClass(t *testing.T, name string) *class {
	t.Helper()
	dir := "../../../../testvectors/proofs/" + name + "/"
	vk, err := artifact.ReadVerifyingKey(dir + "verifying.key")
	if err != nil {
		t.Fatal(err)
	}
	m, err := artifact.ReadModelCommitment(dir + "model.zkc")
	if err != nil {
		t.Fatal(err)
	}
	c := &class{vk: vk.(*wrapped.Key), commitment: m.Commitment}
	if c.bundle, err = artifact.ReadProof(dir + "proof.zkp"); err != nil {
		t.Fatal(err)
	}
	if c.key, err = NewKey(vk); err != nil {
		t.Fatal(err)
	}
	model, err := NewModel(m.Commitment)
	if err != nil {
		t.Fatal(err)
	}
	if c.model, err = ParseModel(model.AppendBinary(nil)); err != nil {
		t.Fatal(err)
	}
	return c
}

// Honest, with bytes altered all over, and with points that other proofs might have: as package verifier says.
func TestClassVerdicts(t *testing.T) {
	for _, name := range []string{"sumcheck", "sumcheck-private"} {
		c := readClass(t, name)
		if _, ok := c.key.(*classKey); !ok {
			t.Fatalf("%T, and no prepared key", c.key)
		}
		seen := map[string]bool{}
		same := func(proof []byte) {
			want := verifier.Class(verifier.Verify(c.vk, c.commitment, &c.bundle.Statement, proof))
			_, err := c.key.Check(c.model, &c.bundle.Statement, proof)
			if got := verifier.Class(err); got != want {
				t.Errorf("%s: %q (%v), package verifier says %q", name, got, err, want)
			}
			seen[want] = true
		}
		honest := c.bundle.Proof
		same(honest)
		for at := 0; at < len(honest); at += 29 {
			altered := append([]byte{}, honest...)
			altered[at] ^= 1 << (at % 8)
			same(altered)
		}
		_, _, g1, g2 := bn254.Generators()
		a := c.commitment.(*wrapped.Commitment).Architecture
		for _, edit := range []func(p *wrapped.Proof){
			func(p *wrapped.Proof) { p.Ar.Neg(&p.Ar); p.Bs.Neg(&p.Bs) },
			func(p *wrapped.Proof) { p.Ar = g1 },
			func(p *wrapped.Proof) { p.Bs = g2 },
			func(p *wrapped.Proof) { p.Krs.Neg(&p.Krs) },
			func(p *wrapped.Proof) { p.PoK.Double(&p.PoK) },
			func(p *wrapped.Proof) { p.Delta.Double(&p.Delta) },
			func(p *wrapped.Proof) { p.Commitments[2] = g1 },
			func(p *wrapped.Proof) { p.Sent[len(p.Sent)-1].Double(&p.Sent[len(p.Sent)-1]) },
			func(p *wrapped.Proof) { p.Rows[0] = p.Rows[len(p.Rows)-1] },
		} {
			p, err := wrapped.DecodeProof(a, honest)
			if err != nil {
				t.Fatal(err)
			}
			edit(p)
			same(p.Encode())
		}
		if !seen[""] || !seen["rejected"] || !seen["malformed_proof"] {
			t.Errorf("%s: verdicts %v", name, seen)
		}
	}
}

// A key whose commitments have different bases is verified as it is: one equation would not do.
func TestClassWithoutCommonBase(t *testing.T) {
	c := readClass(t, "sumcheck")
	other := *c.vk
	other.Knowledge[1].G.Neg(&other.Knowledge[1].G)
	key, err := NewKey(&other)
	if _, plain := key.(plainKey); !plain || err != nil {
		t.Errorf("%T, %v", key, err)
	}
}
