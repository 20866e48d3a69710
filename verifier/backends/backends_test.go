package backends

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
)

// Names and tags tell the proof systems apart.
func TestListIsUnambiguous(t *testing.T) {
	names, tags := map[string]bool{}, map[string]bool{}
	for _, s := range All() {
		if s.Name == "" || s.KeyTag == "" || names[s.Name] || tags[s.KeyTag] {
			t.Errorf("%q with tag %q: empty, or listed twice", s.Name, s.KeyTag)
		}
		names[s.Name], tags[s.KeyTag] = true, true
	}
}

func payload(t *testing.T, name, kind string) []byte {
	t.Helper()
	file, err := os.ReadFile("../../testvectors/proofs/public/" + name)
	if err != nil {
		t.Fatal(err)
	}
	_, b, err := envelope.Decode(file, kind)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A key is decoded by the proof system that its tag names, and by none where no tag fits.
func TestDecodeKey(t *testing.T) {
	b := payload(t, "verifying.key", "zkvk")
	k, err := DecodeKey(b)
	if err != nil || k.Backend() != verifier.BackendGroth16 {
		t.Fatalf("%v, %v", k, err)
	}
	other := append([]byte{}, b...)
	other[4] = 'Z'
	for what, bad := range map[string][]byte{"another tag": other, "nothing": nil, "a tag alone": b[:16], "a tag's length alone": b[:4]} {
		if k, err := DecodeKey(bad); k != nil || !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("%s: %v, %v", what, k, err)
		}
	}
	for _, s := range All() {
		if k, err := s.DecodeKey(nil); k != nil || !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("%s: no bytes became %v, %v", s.Name, k, err)
		}
		if m, err := s.DecodeCommitment([]byte{1}); m != nil || !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("%s: one byte became %v, %v", s.Name, m, err)
		}
	}
}

func TestDecodeCommitmentOfUnknownBackend(t *testing.T) {
	m, err := DecodeCommitment("fish", []byte{0, 0, 0, 0})
	if m != nil || !errors.Is(err, verifier.ErrMalformed) || !strings.Contains(err.Error(), verifier.BackendGroth16) {
		t.Errorf("%v, %v", m, err)
	}
}
