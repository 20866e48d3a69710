// Package artifact reads and writes the files that a verifier gets: the verifying key, the model
// commitment and proofs. Files are framed and checked by their digest; contents are decoded strictly,
// with sizes bounded before anything is allocated. Writing never leaves half a file.
//
// A digest finds damage, not malice: whose key and whose model commitment a file holds is for the
// reader to know.
package artifact

import (
	"fmt"
	"io"
	"math"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/backends"
)

// Kinds of files, as envelope.Sniff reports them.
const (
	KindVerifyingKey    = "zkvk"
	KindModelCommitment = "zkc "
	KindProof           = "zkp "
)

// Errors of reading and writing, from the framing below.
var (
	ErrMalformed          = envelope.ErrMalformed
	ErrKind               = envelope.ErrKind
	ErrUnsupportedVersion = envelope.ErrUnsupportedVersion
	ErrExists             = envelope.ErrExists
)

const (
	version  = 1
	maxBytes = 64 << 20
)

// Meaning says which real number an integer of a tensor stands for: Scale·(v − Zero). It is
// information from the model's owner and no part of what is proved.
type Meaning struct {
	Scale float64
	Zero  int64
}

// ModelCommitment is a .zkc file: the commitment, the key it was made for, and what the integers of
// the model's inputs and outputs mean.
type ModelCommitment struct {
	Commitment verifier.Commitment
	Key        [32]byte // digest of the verifying key
	Public     bool     // salts are zero: whoever has the weights can recompute it
	Inputs     []Meaning
	Outputs    []Meaning
	PixelScale []float64 // of image inputs: real = pixel·PixelScale − PixelMean
	PixelMean  []float64
}

// Subject is what proofs under key are about, for this model. Errors wrap verifier.ErrKeyMismatch, where
// the commitment was made for another key or does not describe the tensors.
func (m *ModelCommitment) Subject(key verifier.Key) (*verifier.Subject, error) {
	if m.Key != key.Digest() {
		return nil, fmt.Errorf("%w: the model commitment was made for another verifying key", verifier.ErrKeyMismatch)
	}
	about, err := key.Subject(m.Commitment)
	if err != nil {
		return nil, err
	}
	if len(m.Inputs) != len(about.Inputs) || len(m.Outputs) != len(about.Outputs) {
		return nil, fmt.Errorf("%w: the model commitment does not describe the tensors of the verifying key", verifier.ErrKeyMismatch)
	}
	return about, nil
}

// unnamed is the proof system of files that name none.
const unnamed = verifier.BackendGroth16

// WriteVerifyingKey writes a verifying key.
func WriteVerifyingKey(path string, force bool, vk verifier.Key) error {
	payload, err := vk.MarshalBinary()
	if err != nil {
		return err
	}
	return write(path, force, KindVerifyingKey, payload)
}

// ReadVerifyingKey reads a verifying key, of whichever proof system.
func ReadVerifyingKey(path string) (verifier.Key, error) {
	payload, err := read(path, KindVerifyingKey)
	if err != nil {
		return nil, err
	}
	vk, err := backends.DecodeKey(payload)
	return vk, inFile(path, err)
}

// WriteModelCommitment writes a model commitment.
func WriteModelCommitment(path string, force bool, m *ModelCommitment) error {
	commitment, err := m.Commitment.MarshalBinary()
	if err != nil {
		return err
	}
	backend := m.Commitment.Backend()
	if backend == unnamed {
		backend = ""
	}
	payload, err := envelope.Marshal(modelFile{
		Backend: backend, Commitment: commitment, Key: m.Key[:], Public: m.Public,
		Inputs: stored(m.Inputs), Outputs: stored(m.Outputs), PixelScale: m.PixelScale, PixelMean: m.PixelMean,
	})
	if err != nil {
		return err
	}
	return write(path, force, KindModelCommitment, payload)
}

// ReadModelCommitment reads a model commitment.
func ReadModelCommitment(path string) (*ModelCommitment, error) {
	payload, err := read(path, KindModelCommitment)
	if err != nil {
		return nil, err
	}
	m, err := decodeModel(payload)
	return m, inFile(path, err)
}

func decodeModel(payload []byte) (*ModelCommitment, error) {
	f, err := decodeFile(payload)
	if err != nil {
		return nil, err
	}
	if len(f.Key) != 32 {
		return nil, fmt.Errorf("%w: key digest of %d bytes, expected 32", ErrMalformed, len(f.Key))
	}
	for _, v := range append(append([]meaning{}, f.Inputs...), f.Outputs...) {
		if !(v.Scale > 0) || math.IsInf(v.Scale, 0) {
			return nil, fmt.Errorf("%w: scale %v, expected a positive finite number", ErrMalformed, v.Scale)
		}
	}
	for _, v := range append(append([]float64{}, f.PixelScale...), f.PixelMean...) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%w: pixel scale or mean %v, expected a finite number", ErrMalformed, v)
		}
	}
	switch f.Backend {
	case "":
		f.Backend = unnamed
	case unnamed: // the same file would have two encodings
		return nil, fmt.Errorf("%w: backend %q is left out of model commitments", ErrMalformed, unnamed)
	}
	c, err := backends.DecodeCommitment(f.Backend, f.Commitment)
	if err != nil {
		return nil, err
	}
	return &ModelCommitment{Commitment: c, Key: [32]byte(f.Key), Public: f.Public, Inputs: loaded(f.Inputs),
		Outputs: loaded(f.Outputs), PixelScale: f.PixelScale, PixelMean: f.PixelMean}, nil
}

// WriteProof writes a proof with its statement.
func WriteProof(path string, force bool, b *verifier.Bundle) error {
	payload, err := b.MarshalBinary()
	if err != nil {
		return err
	}
	return write(path, force, KindProof, payload)
}

// ReadProof reads a proof with its statement.
func ReadProof(path string) (*verifier.Bundle, error) {
	payload, err := read(path, KindProof)
	if err != nil {
		return nil, err
	}
	b, err := verifier.UnmarshalBundle(payload)
	return b, inFile(path, err)
}

func stored(m []Meaning) []meaning {
	out := make([]meaning, len(m))
	for i, v := range m {
		out[i] = meaning(v)
	}
	return out
}

func loaded(m []meaning) []Meaning {
	out := make([]Meaning, len(m))
	for i, v := range m {
		out[i] = Meaning(v)
	}
	return out
}

func write(path string, force bool, kind string, payload []byte) error {
	return envelope.WriteFile(path, force, func(w io.Writer) error {
		_, err := w.Write(envelope.Encode(kind, version, payload))
		return err
	})
}

func read(path, kind string) ([]byte, error) {
	v, payload, err := envelope.ReadFile(path, kind, maxBytes)
	if err != nil {
		return nil, err
	}
	return payload, inFile(path, envelope.CheckVersion(kind, v, version))
}

func inFile(path string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
