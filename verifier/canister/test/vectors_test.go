package test

import (
	"context"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/session/vectortest"
)

// frameBytes is the length of a file's frame; the canister takes keys and commitments without it.
const frameBytes = 54

// holdings are a key and a model commitment of the shared vectors, as the canister is installed with them.
type holdings struct{ key, model []byte }

func describes(m *artifact.ModelCommitment, vk verifier.Key) bool {
	about, err := vk.Subject(m.Commitment)
	if err != nil {
		about = vk.Fixed() // the canister finds that out
	}
	if about == nil {
		return m.Key == vk.Digest()
	}
	return m.Key == vk.Digest() && len(m.Inputs) == len(about.Inputs) && len(m.Outputs) == len(about.Outputs)
}

// holdingsOf is false for files that zkinfer export canister refuses.
func holdingsOf(v *vectortest.Vectors, c *vectortest.Case) (h holdings, ok bool) {
	m, err := artifact.DecodeModelCommitment(v.Files[c.Commitment])
	if err != nil {
		return h, false
	}
	if h.model, err = m.Commitment.MarshalBinary(); err != nil {
		return h, false
	}
	vk, err := artifact.DecodeVerifyingKey(v.Files[c.Key])
	if err != nil && !strings.Contains(err.Error(), "verifying key") {
		return h, false // its frame
	}
	if err == nil && !describes(m, vk) {
		return h, false // what the file of the commitment says besides
	}
	if len(v.Files[c.Key]) < frameBytes {
		return h, false
	}
	h.key = v.Files[c.Key][frameBytes:]
	return h, true
}

// The vectors that every embedding of the verifier runs. What a canister has no part in is left out and
// counted: files that the program refuses to export, and demands on the context, which tasks make here.
func TestSharedVectors(t *testing.T) {
	v := vectortest.Load(t)
	canisters := map[string]*deployed{}
	run, left, installs := 0, 0, 0
	for i := range v.Cases {
		c := &v.Cases[i]
		h, ok := holdingsOf(v, c)
		if !ok || c.Context != nil {
			left++
			continue
		}
		d, known := canisters[c.Key+"\n"+c.Commitment]
		if !known {
			d = tryDeploy(t, h)
			canisters[c.Key+"\n"+c.Commitment] = d
		}
		if d == nil {
			// Refused at install, which is when this canister looks at its key.
			if installs++; c.Class != "malformed_key" && c.Class != "key_mismatch" {
				t.Errorf("%s: refused at install, expected %q", c.Name, c.Class)
			}
			continue
		}
		run++
		if got := class(t, d.query(anonymous, "verify", fileMessage(t, c.Proof))); got != c.Class {
			t.Errorf("%s: %q, expected %q", c.Name, got, c.Class)
		}
	}
	t.Logf("%d cases verified, %d refused at install, %d left out", run, installs, left)
	if run < 250 {
		t.Errorf("only %d cases ran", run)
	}
}

// tryDeploy is nil if the installation traps.
func tryDeploy(t *testing.T, h holdings) *deployed {
	t.Helper()
	e, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Install(context.Background(), controller, encoded(t, setupType, map[string]any{"key": h.key, "model": h.model, "access": nil}))
	if err != nil {
		return nil
	}
	t.Cleanup(func() { c.module.Close(context.Background()) })
	return &deployed{c, t}
}
