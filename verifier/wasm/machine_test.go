package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/verifier/session"
	"github.com/zkinfer/zkinfer/verifier/session/vectortest"
)

func newMachine() *machine { return &machine{loaded: map[uint32]loaded{}} }

// send fills the request as a host does.
func (m *machine) send(parts ...[]byte) {
	all := slices.Concat(parts...)
	copy(m.buffer(uint32(len(all))), all)
}

// decoded is the response.
func (m *machine) decoded(t testing.TB) (r session.Report) {
	t.Helper()
	if err := json.Unmarshal(m.response, &r); err != nil {
		t.Fatalf("%v: %s", err, m.response)
	}
	return r
}

// Every case of the shared vectors, through the calls that the module exports.
func TestVectors(t *testing.T) {
	v := vectortest.Load(t)
	m := newMachine()
	for i := range v.Cases {
		c := &v.Cases[i]
		r := answerOf(t, m, v, c)
		got := ""
		if r.Error != nil {
			got = r.Error.Class
		}
		if r.Valid != c.Valid || got != c.Class || r.Statement != c.Statement {
			t.Errorf("%s: valid %t, class %q; expected %t, %q", c.Name, r.Valid, got, c.Valid, c.Class)
		}
	}
	if len(m.loaded) != 0 || m.size != 0 {
		t.Errorf("%d keys of %d bytes are left", len(m.loaded), m.size)
	}
}

func answerOf(t *testing.T, m *machine, v *vectortest.Vectors, c *vectortest.Case) session.Report {
	t.Helper()
	key := v.Files[c.Key]
	m.send(key, v.Files[c.Commitment])
	h := m.load(uint32(len(key)))
	if h == 0 {
		return m.decoded(t)
	}
	defer m.unload(h)
	context := c.Expected(t)
	with := uint32(0)
	if context != nil {
		with = 1
	}
	m.send(c.Proof, context)
	valid := m.check(h, uint32(len(c.Proof)), with)
	r := m.decoded(t)
	if (valid == 1) != r.Valid {
		t.Fatalf("%s: the call returned %d, the response says %t", c.Name, valid, r.Valid)
	}
	return r
}

// Calls that make no sense are refused, and leave the machine as it was.
func TestUsage(t *testing.T) {
	v := vectortest.Load(t)
	key, commitment := v.Files["public/verifying.key"], v.Files["public/model.zkc"]
	m := newMachine()
	refused := func(what, class string) {
		t.Helper()
		if r := m.decoded(t); r.Valid || r.Error == nil || r.Error.Class != class {
			t.Errorf("%s: %s", what, m.response)
		}
	}
	m.load(1)
	refused("no request", classUsage)
	m.send(key, commitment)
	h := m.load(uint32(len(key)))
	m.check(h, 0, 0)
	refused("empty proof", "malformed_proof")
	m.send([]byte("abc"))
	m.check(h, 2, 0)
	refused("bytes left over", classUsage)
	m.send([]byte("abc"))
	m.check(h, 4, 1)
	refused("longer than the request", classUsage)
	m.check(h+1, 0, 0)
	refused("unknown handle", classUsage)
	m.unload(h)
	m.unload(h)
	m.check(h, 0, 0)
	refused("handle after unload", classUsage)
	if m.size != 0 || m.buffer(maxRequest+1) != nil || len(m.buffer(maxRequest)) != maxRequest {
		t.Error("limits do not hold")
	}
}

// Keys are loaded up to a limit, and again after some are freed.
func TestLoadedLimit(t *testing.T) {
	v := vectortest.Load(t)
	key, commitment := v.Files["public/verifying.key"], v.Files["public/model.zkc"]
	m := newMachine()
	m.size = maxLoaded - len(key) - len(commitment)
	m.send(key, commitment)
	h := m.load(uint32(len(key)))
	if h == 0 {
		t.Fatalf("%s", m.response)
	}
	m.send(key, commitment)
	if m.load(uint32(len(key))) != 0 || m.decoded(t).Error.Class != classTooLarge {
		t.Errorf("%s", m.response)
	}
	m.unload(h)
	m.send(key, commitment)
	if m.load(uint32(len(key))) == 0 {
		t.Errorf("%s", m.response)
	}
}

// A panic is a refusal.
func TestPanic(t *testing.T) {
	m := newMachine()
	m.answer(func() (any, error) { panic("seven") })
	if !bytes.Contains(m.response, []byte(`"class":"failure","message":"internal error: seven"`)) {
		t.Errorf("%s", m.response)
	}
}

// FuzzCalls makes calls with any numbers and any bytes: no panic, responses are JSON, nothing but the
// honest statement is valid, and memory stays bounded.
func FuzzCalls(f *testing.F) {
	v := vectortest.Load(f)
	key, commitment := v.Files["public/verifying.key"], v.Files["public/model.zkc"]
	var honest *vectortest.Case
	for i := range v.Cases {
		c := &v.Cases[i]
		if honest == nil && c.Valid {
			honest = c
		}
		if i%7 == 0 {
			f.Add(v.Files[c.Key], uint32(len(v.Files[c.Key])), c.Proof, uint32(1), uint32(len(c.Proof)), uint32(0))
		}
	}
	f.Add(append(bytes.Clone(key), commitment...), uint32(len(key)), honest.Proof, uint32(1), uint32(len(honest.Proof)), uint32(0))
	f.Fuzz(func(t *testing.T, load []byte, keySize uint32, proof []byte, handle, proofSize, withContext uint32) {
		defer allocation.Bound(t)()
		m := newMachine()
		m.send(key, commitment)
		m.load(uint32(len(key)))
		m.decoded(t)
		allocated := allocation.Of(func() {
			m.send(load)
			m.load(keySize)
			m.decoded(t)
			m.send(proof)
			m.check(handle, proofSize, withContext)
		})
		if r := m.decoded(t); r.Valid && r.Statement != honest.Statement {
			t.Fatalf("accepted: %s", m.response)
		}
		if limit := uint64(2<<20 + 64*(len(load)+len(proof))); allocated > limit {
			t.Fatalf("%d bytes allocated, at most %d", allocated, limit)
		}
	})
}
