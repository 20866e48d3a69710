package envelope

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// MaxElements bounds every array and map of a payload; a byte string is bounded by the payload.
const MaxElements = 1 << 17

// maxNesting bounds arrays and maps within each other.
const maxNesting = 16

// RawMessage is CBOR that is encoded already, or to be decoded later.
type RawMessage = cbor.RawMessage

// The modes are immutable and safe for concurrent use.
var (
	encMode = mustMode(encOptions().EncMode())
	decMode = mustMode(decOptions().DecMode())
)

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
func Marshal(v any) ([]byte, error) { return encMode.Marshal(v) }

// Unmarshal decodes all of b into v; see the package comment for what it refuses (ErrMalformed).
func Unmarshal(b []byte, v any) error {
	if err := decMode.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}
