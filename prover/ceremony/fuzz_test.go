package ceremony

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/ptau"
)

// Whatever a file holds: no panic, memory in proportion to its size, and what is taken encodes as it was.
func FuzzEntry(f *testing.F) {
	for _, c := range []*Ceremony{finished(f), newClass(f, compileClass(f, prover.MinSizeClass))} {
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
			if class := []byte("\x6asize_class\x08"); bytes.Contains(payload, class) { // no class, and a model's fold height
				f.Add(bytes.Replace(payload, class, []byte("\x6asize_class\x00"), 1))
				f.Add(bytes.Replace(payload, []byte("\x69fold_rows\x00"), []byte("\x69fold_rows\x01"), 1))
			}
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		defer allocation.Bound(t)()
		b := envelope.Encode(KindTranscript, transcriptVersion, payload) // a fuzzer does not find digests
		var h *header
		var body []byte
		var err error
		if n := allocation.Of(func() { h, body, err = decodeEntry(b) }); n > 1<<20+64*uint64(len(b)) {
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

// The same for the points of each step, which gnark decodes: good ones with a patch, cut or extended.
func FuzzBody(f *testing.F) {
	c := finished(f)
	var bodies [][]byte
	for i := range c.Entries {
		if body, err := c.body(&c.Entries[i]); err == nil && len(body) > 0 {
			bodies = append(bodies, body)
		}
	}
	n := c.Shape.phase2(0).bytes()
	bodies = append(bodies, bodies[entryCircuit-1][:n], bodies[entryCircuit-1][n:])
	infinity, uncompressed := []byte{0x40}, make([]byte, 33)
	for _, at := range []uint16{0, 2, 34, 38, 288, 400} {
		f.Add(uint8(at), at, infinity, int8(0))
		f.Add(uint8(at>>1), at, uncompressed, int8(0))
		f.Add(uint8(at>>2), at, []byte{0xff, 0xff, 0xff, 0xff}, int8(-1))
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, patch []byte, longer int8) {
		defer allocation.Bound(t)()
		body := bytes.Clone(bodies[int(which)%len(bodies)])
		copy(body[int(at)%len(body):], patch)
		if n := len(body) + int(longer); longer < 0 {
			body = body[:n]
		} else {
			body = append(body, make([]byte, longer)...)
		}
		for _, read := range readers(&c.Shape) {
			var v gnarkValue
			var err error
			if n := allocation.Of(func() { v, err = read(body) }); n > 1<<20+64*uint64(len(body)) {
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

// readers decode the points of each step.
func readers(s *Shape) []func([]byte) (gnarkValue, error) {
	return []func([]byte) (gnarkValue, error){
		func(b []byte) (gnarkValue, error) { return s.decodePhase1(b) },
		func(b []byte) (gnarkValue, error) { return s.decodePhase2(b, 0) },
		func(b []byte) (gnarkValue, error) { e := new(evaluations); return e, decode(e, s.evaluations(), b) },
		func(b []byte) (gnarkValue, error) { return s.decodePhase2(b, challengeSize) },
		func(b []byte) (gnarkValue, error) { return s.decodePowers(b) },
	}
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
		defer allocation.Bound(t)()
		n := allocation.Of(func() {
			if p, err := ptau.New(bytes.NewReader(b), int64(len(b))); err == nil {
				ptauPowers(p, 1<<minPower)
			}
		})
		if n > 1<<20+64*uint64(len(b)) {
			t.Errorf("%d bytes allocated for %d", n, len(b))
		}
	})
}
