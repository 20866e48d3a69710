package ceremony

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/ptau"
)

// KindTranscript is the kind of every file of a transcript.
const KindTranscript = "zkt "

const (
	transcriptVersion = 1
	maxHeaderBytes    = 1 << 16
	maxNameBytes      = 128
	maxTextBytes      = 1 << 10
	maxFoldRows       = 1 << 10
	minBeaconBytes    = 16
	maxBeaconBytes    = 64
	maxEntries        = 9999
	// frameBytes is what an envelope and the length of a header take at most.
	frameBytes = 128
)

// Step is what a file of a transcript is.
type Step string

// The steps, in their order; contributions repeat. Powers take the place of phase 1.
const (
	StepInit    Step = "init"    // what the ceremony is for
	StepPowers  Step = "powers"  // powers of tau from another ceremony
	StepPhase1  Step = "phase1"  // a contribution to the powers of tau
	StepCircuit Step = "circuit" // phase 1 ends with a random value, and phase 2 begins
	StepPhase2  Step = "phase2"  // a contribution to what depends on the circuit
	StepEnd     Step = "end"     // phase 2 ends with a random value
)

// follows says what may come after what.
var follows = map[Step][]Step{
	"":          {StepInit},
	StepInit:    {StepPhase1, StepPowers},
	StepPowers:  {StepCircuit},
	StepPhase1:  {StepPhase1, StepCircuit},
	StepCircuit: {StepPhase2},
	StepPhase2:  {StepPhase2, StepEnd},
}

// Description is what a ceremony is for.
type Description struct {
	Version string `cbor:"version"` // of circuits and keys
	prover.Subject
	Constraints int    `cbor:"constraints"`
	Circuit     []byte `cbor:"circuit"` // CircuitDigest
	Shape       Shape  `cbor:"shape"`
}

func (d *Description) check() error {
	if len(d.Circuit) != 32 {
		return fmt.Errorf("%w: a digest of the circuit of %d bytes, expected 32", ErrMalformed, len(d.Circuit))
	}
	if d.Constraints < 1 || d.Constraints > 1<<maxPower {
		return fmt.Errorf("%w: a ceremony for %d constraints", ErrMalformed, d.Constraints)
	}
	check := checkArchitecture
	if d.SizeClass != 0 {
		check = checkClass
	}
	if err := check(d); err != nil {
		return err
	}
	return d.Shape.check()
}

// checkClass demands that nothing but the number of the class is said: what else stood there would be read by people
// and by nobody else.
func checkClass(d *Description) error {
	if d.SizeClass < prover.MinSizeClass || d.SizeClass > prover.MaxSizeClass {
		return fmt.Errorf("%w: a ceremony for size class %d, expected %d to %d", ErrMalformed, d.SizeClass, prover.MinSizeClass, prover.MaxSizeClass)
	}
	if d.Model != "" || len(d.Inputs) != 0 || len(d.Outputs) != 0 || len(d.Architecture) != 0 || d.PrivateInput || d.PrivateOutput || d.FoldRows != 0 {
		return fmt.Errorf("%w: a ceremony for size class %d that names a model, too", ErrMalformed, d.SizeClass)
	}
	return checkText(d.Version)
}

func checkArchitecture(d *Description) error {
	if len(d.Architecture) != 32 {
		return fmt.Errorf("%w: a digest of the architecture of %d bytes, expected 32", ErrMalformed, len(d.Architecture))
	}
	if d.FoldRows < 1 || d.FoldRows > maxFoldRows {
		return fmt.Errorf("%w: a ceremony for fold height %d, expected 1 to %d", ErrMalformed, d.FoldRows, maxFoldRows)
	}
	return checkText(slices.Concat([]string{d.Version, d.Model}, d.Inputs, d.Outputs)...)
}

func checkText(texts ...string) error {
	for _, text := range texts {
		if !isText(text, maxTextBytes) {
			return fmt.Errorf("%w: %q is no printable text of at most %d bytes", ErrMalformed, text, maxTextBytes)
		}
	}
	return nil
}

// Source says where powers of tau come from.
type Source struct {
	Blake2b []byte `cbor:"blake2b"` // BLAKE2b-512 of the .ptau file: what is published of such files
	Power   int    `cbor:"power"`   // of the file, of which the ceremony takes what it needs
}

// header is a file without its points.
type header struct {
	Step        Step         `cbor:"step"`
	Number      int          `cbor:"number"`
	Previous    []byte       `cbor:"previous"` // digest of the file before
	Name        string       `cbor:"name,omitempty"`
	Beacon      []byte       `cbor:"beacon,omitempty"`
	Description *Description `cbor:"description,omitempty"`
	Source      *Source      `cbor:"source,omitempty"`
}

// encodeEntry is the file of a step: an envelope around the length of the header, the header, and the
// points as gnark encodes them.
func encodeEntry(h *header, body []byte) ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	b, err := envelope.Marshal(h)
	if err != nil {
		return nil, err
	}
	payload := make([]byte, 0, 4+len(b)+len(body))
	payload = binary.BigEndian.AppendUint32(payload, uint32(len(b)))
	payload = append(append(payload, b...), body...)
	return envelope.Encode(KindTranscript, transcriptVersion, payload), nil
}

// decodeEntry opens the file of a step. The body aliases b; its layout is not checked yet.
func decodeEntry(b []byte) (h *header, body []byte, err error) {
	version, payload, err := envelope.Decode(b, KindTranscript)
	if err != nil {
		return nil, nil, err
	}
	if err := envelope.CheckVersion(KindTranscript, version, transcriptVersion); err != nil {
		return nil, nil, err
	}
	if len(payload) < 4 {
		return nil, nil, fmt.Errorf("%w: no header", ErrMalformed)
	}
	n := binary.BigEndian.Uint32(payload)
	if payload = payload[4:]; n > maxHeaderBytes || int(n) > len(payload) {
		return nil, nil, fmt.Errorf("%w: header of %d bytes, at most %d and %d are there", ErrMalformed, n, maxHeaderBytes, len(payload))
	}
	h = &header{}
	if err := envelope.Unmarshal(payload[:n], h); err != nil {
		return nil, nil, err
	}
	if again, err := envelope.Marshal(h); err != nil || !bytes.Equal(again, payload[:n]) {
		return nil, nil, fmt.Errorf("%w: the header is not in canonical encoding", ErrMalformed)
	}
	return h, payload[n:], h.check()
}

// check demands what each step has, and nothing else, so that nothing unread hides in a file.
func (h *header) check() error {
	if h.Number < 0 || h.Number > maxEntries {
		return fmt.Errorf("%w: step number %d, at most %d", ErrMalformed, h.Number, maxEntries)
	}
	if (h.Step == StepInit) != (h.Number == 0) || len(h.Previous) != 32*min(h.Number, 1) {
		return fmt.Errorf("%w: step %d, %q, with a digest of %d bytes of its predecessor", ErrMalformed, h.Number, h.Step, len(h.Previous))
	}
	if (h.Step == StepInit) != (h.Description != nil) || (h.Step == StepPowers) != (h.Source != nil) {
		return fmt.Errorf("%w: a description in the wrong step, %q", ErrMalformed, h.Step)
	}
	if h.Description != nil {
		if err := h.Description.check(); err != nil {
			return err
		}
	}
	if h.Source != nil && (len(h.Source.Blake2b) != 64 || h.Source.Power < minPower || h.Source.Power > ptau.MaxPower) {
		return fmt.Errorf("%w: powers of tau of a file of power %d with a digest of %d bytes", ErrMalformed, h.Source.Power, len(h.Source.Blake2b))
	}
	if err := h.checkName(); err != nil {
		return err
	}
	return h.checkBeacon()
}

func (h *header) checkName() error {
	if !h.contribution() {
		if h.Name != "" {
			return fmt.Errorf("%w: a name in step %q", ErrMalformed, h.Step)
		}
		return nil
	}
	return CheckName(h.Name)
}

func (h *header) contribution() bool { return h.Step == StepPhase1 || h.Step == StepPhase2 }

// CheckName errs unless a contributor may be called so: 1 to 128 bytes of printable text, so that a
// list of names reads as it is.
func CheckName(name string) error {
	if name == "" || !isText(name, maxNameBytes) {
		return fmt.Errorf("%w: a contributor's name has 1 to %d bytes of printable UTF-8, found %q", ErrMalformed, maxNameBytes, name)
	}
	return nil
}

func isText(s string, limit int) bool {
	if len(s) > limit || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// checkBeacon: both phases end with one, but powers from elsewhere ended in their own ceremony, which
// the order of the steps tells and the header does not.
func (h *header) checkBeacon() error {
	switch {
	case len(h.Beacon) == 0 && h.Step != StepEnd:
		return nil
	case h.Step != StepCircuit && h.Step != StepEnd:
		return fmt.Errorf("%w: a random value in step %q", ErrMalformed, h.Step)
	}
	return CheckBeacon(h.Beacon)
}

// CheckBeacon errs unless a random value can be one: 16 to 64 bytes that are not all the same.
func CheckBeacon(b []byte) error {
	if len(b) < minBeaconBytes || len(b) > maxBeaconBytes {
		return fmt.Errorf("%w: it has %d bytes, expected %d to %d", ErrBeacon, len(b), minBeaconBytes, maxBeaconBytes)
	}
	if bytes.Count(b, b[:1]) == len(b) {
		return fmt.Errorf("%w: all its bytes are 0x%02x", ErrBeacon, b[0])
	}
	return nil
}

// binding is what a step's challenge covers beside the points before it: the digest of the file
// before, which covers all files before that, and the contributor's name.
func binding(previous []byte, name string) []byte {
	h := sha256.New()
	h.Write([]byte("zkinfer/ceremony/1"))
	h.Write(previous)
	h.Write([]byte(name))
	return h.Sum(nil)
}
