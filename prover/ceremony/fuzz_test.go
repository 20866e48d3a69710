package ceremony

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/zkinfer/zkinfer/internal/envelope"
)

// allocated runs f and is how many bytes it allocated.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Whatever a file holds: no panic, memory in proportion to its size, and what is taken encodes as it was.
func FuzzEntry(f *testing.F) {
	c := finished(f)
	for _, e := range c.Entries {
		b, err := os.ReadFile(filepath.Join(c.Dir, e.File))
		if err != nil {
			f.Fatal(err)
		}
		_, payload, err := envelope.Decode(b, KindTranscript)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		b := envelope.Encode(KindTranscript, transcriptVersion, payload) // a fuzzer does not find digests
		var h *header
		var body []byte
		var err error
		if n := allocated(func() { h, body, err = decodeEntry(b) }); n > 1<<20+64*uint64(len(b)) {
			t.Errorf("%d bytes allocated for %d", n, len(b))
		}
		if err != nil {
			return
		}
		if again, err := encodeEntry(h, body); err != nil || !bytes.Equal(again, b) {
			t.Errorf("read %+v, which encodes otherwise, %v", h, err)
		}
	})
}

// The same for the points of each step, which gnark decodes.
func FuzzBody(f *testing.F) {
	c := finished(f)
	shape := c.Shape
	for i := range c.Entries {
		if body, err := c.body(&c.Entries[i]); err == nil && len(body) > 0 {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func() (gnarkValue, error){
			func() (gnarkValue, error) { return shape.decodePhase1(body) },
			func() (gnarkValue, error) { return shape.decodePhase2(body, 0) },
			func() (gnarkValue, error) { return shape.decodePhase2(body, challengeSize) },
			func() (gnarkValue, error) { return shape.decodePowers(body) },
		} {
			var v gnarkValue
			var err error
			if n := allocated(func() { v, err = read() }); n > 1<<20+64*uint64(len(body)) {
				t.Errorf("%d bytes allocated for %d", n, len(body))
			}
			if err != nil {
				continue
			}
			if again, err := encode(v); err != nil || !bytes.Equal(again, body) {
				t.Errorf("read what encodes otherwise, %v", err)
			}
		}
	})
}

// Whatever a .ptau file holds: no panic, and memory in proportion to its size.
func FuzzPtau(f *testing.F) {
	good, err := os.ReadFile(fixture)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:200])
	f.Fuzz(func(t *testing.T, b []byte) {
		n := allocated(func() {
			p := &ptau{file: bytes.NewReader(b), size: int64(len(b))}
			if p.scan() == nil {
				p.powers(1 << minPower)
			}
		})
		if n > 1<<20+64*uint64(len(b)) {
			t.Errorf("%d bytes allocated for %d", n, len(b))
		}
	})
}
