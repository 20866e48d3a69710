// Command wasm is the verifier as a WebAssembly module; see docs/embedding.md, and npm/index.js, which
// loads it in Node and in browsers. build.sh builds it.
//
// The host calls _initialize once, then any of the exports (main_wasip1.go), one at a time: it asks for
// a buffer, writes the request into it, makes the call, and reads the response, which is JSON and stays
// until the next call. What the exports do is in machine.go, which is compiled, tested and fuzzed like
// everything else.
package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/zkinfer/zkinfer/verifier/session"
)

// Limits that keep the module's memory below 64 MB whatever it is given; a test in Node measures it.
const (
	// maxRequest bounds the files of one call together: proofs with some 250,000 public values.
	maxRequest = 1 << 20
	// maxLoaded bounds all keys and commitments that are loaded at a time.
	maxLoaded = 8 << 20
)

// classTooLarge is the class of errors of these limits, classUsage of calls that make no sense.
const (
	classTooLarge = "too_large"
	classUsage    = "usage"
)

// machine is what the exports work on: a buffer that the host writes into, a buffer that it reads
// from, and the loaded keys by their handles. It trusts no number that the host passes.
type machine struct {
	request  []byte
	response []byte
	loaded   map[uint32]loaded
	size     int // of all that is loaded
	last     uint32
}

type loaded struct {
	*session.Session
	size int
}

// buffer is room for a request of so many bytes; nil where that is too large.
func (m *machine) buffer(size uint32) []byte {
	if size > maxRequest {
		m.request = nil
		return nil
	}
	// Never of length 0, so that it has an address.
	m.request = make([]byte, size, size+1)
	return m.request
}

// load opens the key of keySize bytes at the beginning of the request with the commitment that is the
// rest. It returns a handle, or 0; the response is the Info or a refusal.
func (m *machine) load(keySize uint32) (handle uint32) {
	m.answer(func() (any, error) {
		if uint64(keySize) > uint64(len(m.request)) {
			return nil, usage("key of %d bytes in a request of %d", keySize, len(m.request))
		}
		size := len(m.request)
		if m.size+size > maxLoaded {
			return nil, session.WithClass(classTooLarge, fmt.Errorf("keys of %d bytes are loaded and %d more are too many; free some", m.size, size))
		}
		s, err := session.Open(m.request[:keySize], m.request[keySize:])
		if err != nil {
			return nil, err
		}
		m.last++
		m.loaded[m.last] = loaded{s, size}
		m.size += size
		handle = m.last
		return s.Info(), nil
	})
	return handle
}

// unload forgets a key. Its handle is never given again.
func (m *machine) unload(handle uint32) {
	m.size -= m.loaded[handle].size
	delete(m.loaded, handle)
	m.response = []byte("{}")
}

// check verifies the proof of proofSize bytes at the beginning of the request; with a context, the
// rest of the request is the context that is demanded. It returns 1 for a valid proof and 0 for
// everything else; the response is the Report.
func (m *machine) check(handle, proofSize, withContext uint32) (valid uint32) {
	m.answer(func() (any, error) {
		s, known := m.loaded[handle]
		if !known {
			return nil, usage("no key has the handle %d", handle)
		}
		if uint64(proofSize) > uint64(len(m.request)) || withContext > 1 || withContext == 0 && int(proofSize) != len(m.request) {
			return nil, usage("proof of %d bytes in a request of %d", proofSize, len(m.request))
		}
		var e session.Expect
		if withContext == 1 {
			e.Context = append([]byte{}, m.request[proofSize:]...)
		}
		r, err := s.Check(m.request[:proofSize], e)
		if err != nil {
			return nil, err
		}
		valid = 1
		return r, nil
	})
	return valid
}

func usage(format string, args ...any) error {
	return session.WithClass(classUsage, fmt.Errorf(format, args...))
}

// answer runs a call on the request, which it drops, and makes its result the response. A panic, which
// no input should cause, is a refusal too: a trap would end the module.
func (m *machine) answer(call func() (any, error)) {
	defer func() { m.request = nil }()
	result, err := protected(call)
	if err != nil {
		result = session.Refusal(err)
	}
	if m.response, err = json.Marshal(result); err != nil {
		m.response = []byte(`{"valid":false,"error":{"class":"failure","message":"the answer cannot be encoded"}}`)
	}
}

func protected(call func() (any, error)) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			result, err = nil, errors.New("internal error: "+fmt.Sprint(p))
		}
	}()
	return call()
}
