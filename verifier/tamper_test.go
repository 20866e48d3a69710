package verifier_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// frozen is a proof from testvectors with the key and the model commitment it belongs to.
type frozen struct {
	key    *verifier.VerifyingKey
	model  *verifier.ModelCommitment
	bundle *verifier.Bundle
}

func readFrozen(t *testing.T, name string) *frozen {
	t.Helper()
	dir := "../testvectors/proofs/" + name + "/"
	vk, err := artifact.ReadVerifyingKey(dir + "verifying.key")
	if err != nil {
		t.Fatal(err)
	}
	m, err := artifact.ReadModelCommitment(dir + "model.zkc")
	if err != nil {
		t.Fatal(err)
	}
	b, err := artifact.ReadProof(dir + "proof.zkp")
	if err != nil {
		t.Fatal(err)
	}
	return &frozen{vk.(*verifier.VerifyingKey), m.Commitment.(*verifier.ModelCommitment), b}
}

// The digests of the frozen proofs, computed from the bytes of their files by another implementation.
func TestFrozenDigests(t *testing.T) {
	for name, want := range map[string]string{
		"public":  "064a3213a70b83478523c9e96c13853aedc97f42a0c629be657afdfdb6d08ec9",
		"private": "181d1c25fd657ac764e8fad7a1ea4c72cb86d6049c1926764295e764736221f1",
	} {
		f := readFrozen(t, name)
		s, err := verifier.StatementDigest(f.key, f.model, &f.bundle.Statement)
		if err != nil {
			t.Fatal(err)
		}
		if b := s.Bytes(); hex.EncodeToString(b[:]) != want {
			t.Errorf("%s: S is %x, expected %s", name, b, want)
		}
	}
}

// Every byte of a proof file has a declared outcome when it is altered, by the field it stands in.
func TestEveryBundleByte(t *testing.T) {
	for _, name := range []string{"public", "private"} {
		f := readFrozen(t, name)
		b, err := f.bundle.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		for at := range b {
			field, outcomes := declared(f.bundle, at, len(b))
			altered := bytes.Clone(b)
			altered[at] ^= 1 << (at % 8)
			if class := f.verdict(altered); !outcomes[class] {
				t.Errorf("%s: byte %d (%s) altered: %q, expected one of %v", name, at, field, class, outcomes)
			}
		}
	}
}

func (f *frozen) verdict(b []byte) string {
	bundle, err := verifier.UnmarshalBundle(b)
	if err == nil {
		err = verifier.VerifyBundle(f.key, f.model, bundle)
	}
	return verifier.Class(err)
}

// declared names the field of a bundle that a byte stands in and what may come of altering it.
func declared(b *verifier.Bundle, at, size int) (field string, outcomes map[string]bool) {
	set := func(classes ...string) map[string]bool {
		out := map[string]bool{}
		for _, c := range classes {
			out[c] = true
		}
		return out
	}
	digests := 4 + len(b.Backend)
	proof := size - len(b.Proof)
	context := proof - 4 - len(b.Statement.Context)
	switch {
	case at < 4:
		return "length of the backend's name", set("malformed_proof", "key_mismatch")
	case at < digests:
		return "backend", set("key_mismatch")
	case at < digests+64:
		return "digests of key and model", set("key_mismatch")
	case at < context-4:
		return "values and commitments", set("malformed_proof", "bad_statement", "rejected")
	case at < context:
		return "length of the context", set("malformed_proof")
	case at < proof-4:
		return "context", set("rejected")
	case at < proof:
		return "length of the proof", set("malformed_proof")
	}
	return "proof", set("malformed_proof", "rejected")
}
