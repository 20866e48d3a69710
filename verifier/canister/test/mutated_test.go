package test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// Arguments with some bytes changed, cut or repeated, at the module itself: it answers, or refuses with a message of its own. Go's panics,
// traps of WebAssembly and too many instructions are failures. (Many more run natively: FuzzMethods, FuzzDecode.)
func TestMutatedArguments(t *testing.T) {
	a := readArtifacts(t, vectors+"private")
	d := deploy(t, a.vk, a.model, "anyone")
	r := rand.New(rand.NewPCG(3, 4))
	calls := []struct {
		method   string
		argument []byte
	}{
		{"verify", fileMessage(t, a.file)}, {"verify", claimMessage(t, a.bundle, nil)}, {"model", blobMessage(t, a.bundle.Model[:])},
		{"open_task", openMessage(t, a.bundle)}, {"settle", claimMessage(t, a.bundle, a.bundle.Model[:])}, {"task_of_statement", blobMessage(t, make([]byte, 32))},
	}
	refused := 0
	for i := range 1200 {
		c := calls[i%len(calls)]
		argument := mutated(r, c.argument)
		var err error
		if c.method == "open_task" || c.method == "settle" {
			_, err = d.Update(context.Background(), somebody, c.method, argument)
		} else {
			_, err = d.Query(context.Background(), somebody, c.method, argument)
		}
		var trap *Trap
		switch {
		case err == nil:
		case !errors.As(err, &trap) || strings.Contains(trap.Message, "panic") || strings.Contains(trap.Message, "wasm error"):
			t.Fatalf("%s, %x: %v", c.method, argument, err)
		default:
			refused++
		}
	}
	if refused < 100 || d.HeapBytes() > maxHeapBytes {
		t.Errorf("%d refused, %d bytes of heap", refused, d.HeapBytes())
	}
}

func mutated(r *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + r.IntN(3) {
		i := r.IntN(len(b))
		switch r.IntN(5) {
		case 0:
			b[i] ^= 1 << r.IntN(8)
		case 1:
			b[i] = byte(r.Uint32())
		case 2:
			b[i] = 0xff
		case 3:
			b = b[:max(i, 1)]
		default:
			j := i + r.IntN(len(b)-i)
			b = append(b[:j:j], b[i:]...)
		}
	}
	return b
}
