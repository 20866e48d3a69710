package artifact

import (
	"os"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/internal/envelope"
)

// FuzzModelCommitment feeds the contents of .zkc files: no panic, and nothing accepted that could not
// be used.
func FuzzModelCommitment(f *testing.F) {
	for _, name := range []string{"public", "private"} {
		b, err := os.ReadFile("../../testvectors/proofs/" + name + "/model.zkc")
		if err != nil {
			f.Fatal(err)
		}
		_, payload, err := envelope.Decode(b, KindModelCommitment)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
		f.Add(payload[:len(payload)/2])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		m, err := decodeModel(b)
		if err != nil {
			return
		}
		if m.Commitment == nil {
			t.Fatal("accepted without a commitment")
		}
		for _, v := range append(m.Inputs, m.Outputs...) {
			if !(v.Scale > 0) {
				t.Fatalf("accepted with scale %v", v.Scale)
			}
		}
	})
}
