package envelope

import (
	"fmt"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// MaxElements bounds every array and map of a payload; a byte string is bounded by the payload.
const MaxElements = 1 << 17

// maxNesting bounds arrays and maps within each other.
const maxNesting = 16

// RawMessage is CBOR that is encoded already, or to be decoded later.
type RawMessage = cbor.RawMessage

// The modes are immutable and safe for concurrent use. They are made at first use, by functions that are linked only
// where something calls them: the verifiers in WebAssembly use neither.
var (
	encOnce, decOnce sync.Once
	encMode          cbor.EncMode
	decMode          cbor.DecMode
)

func encoding() cbor.EncMode {
	encOnce.Do(func() { encMode = mustMode(encOptions().EncMode()) })
	return encMode
}

func decoding() cbor.DecMode {
	decOnce.Do(func() { decMode = mustMode(decOptions().DecMode()) })
	return decMode
}

func encOptions() cbor.EncOptions {
	o := cbor.CoreDetEncOptions()
	o.IndefLength = cbor.IndefLengthForbidden
	o.TagsMd = cbor.TagsForbidden
	// One encoding for nil and for empty: both mean "none" everywhere in our files.
	o.NilContainers = cbor.NilContainerAsEmpty
	return o
}

func decOptions() cbor.DecOptions {
	return cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		UTF8:              cbor.UTF8RejectInvalid,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   maxNesting,
		MaxArrayElements:  MaxElements,
		MaxMapPairs:       MaxElements,
	}
}

// mustMode panics on options that contradict each other, which no input can cause.
func mustMode[M any](mode M, err error) M {
	if err != nil {
		panic(err)
	}
	return mode
}

// Marshal is the core deterministic CBOR encoding of v: equal values give equal bytes.
func Marshal(v any) ([]byte, error) { return encoding().Marshal(v) }

// Unmarshal decodes all of b into v; see the package comment for what it refuses (ErrMalformed).
func Unmarshal(b []byte, v any) error {
	if err := decoding().Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}
