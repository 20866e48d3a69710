// Package backends lists the proof systems whose proofs this module verifies, and decodes what is named
// or tagged by one of them.
//
// A new proof system is a line in All. Everything that reads keys, model commitments or proofs without
// knowing whose they are goes through this list: files, the WebAssembly module, the service, the canister.
//
// Pitfall: each entry is linked into every embedding; look at their size when adding one.
package backends

import (
	"fmt"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/plonk"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// All lists the proof systems.
func All() []verifier.Backend {
	return []verifier.Backend{
		verifier.Groth16(),
		plonk.Entry(),
		wrapped.System(),
	}
}

// DecodeKey decodes a verifying key; the tag that it begins with says of which proof system. Errors wrap
// verifier.ErrMalformed.
func DecodeKey(b []byte) (verifier.Key, error) {
	for _, s := range All() {
		if s.HoldsKey(b) {
			return s.DecodeKey(b)
		}
	}
	return nil, fmt.Errorf("%w: no verifying key of a version and a proof system that this program knows (%v)", verifier.ErrMalformed, names())
}

// DecodeCommitment decodes a model commitment of the named proof system. Errors wrap verifier.ErrMalformed.
func DecodeCommitment(name string, b []byte) (verifier.Commitment, error) {
	for _, s := range All() {
		if s.Name == name {
			return s.DecodeCommitment(b)
		}
	}
	return nil, fmt.Errorf("%w: model commitment of backend %q, this program knows %v", verifier.ErrMalformed, name, names())
}

func names() (out []string) {
	for _, s := range All() {
		out = append(out, s.Name)
	}
	return out
}
