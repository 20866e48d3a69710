package artifact

import (
	"fmt"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/backends"
)

// DecodeVerifyingKey is ReadVerifyingKey for the bytes of a file.
func DecodeVerifyingKey(file []byte) (verifier.Key, error) {
	payload, err := open(file, KindVerifyingKey)
	if err != nil {
		return nil, err
	}
	return backends.DecodeKey(payload)
}

// DecodeModelCommitment is ReadModelCommitment for the bytes of a file.
func DecodeModelCommitment(file []byte) (*ModelCommitment, error) {
	payload, err := open(file, KindModelCommitment)
	if err != nil {
		return nil, err
	}
	return decodeModel(payload)
}

// DecodeProof is ReadProof for the bytes of a file.
func DecodeProof(file []byte) (*verifier.Bundle, error) {
	payload, err := open(file, KindProof)
	if err != nil {
		return nil, err
	}
	return verifier.UnmarshalBundle(payload)
}

func open(file []byte, kind string) ([]byte, error) {
	v, payload, err := envelope.Decode(file, kind)
	if err != nil {
		return nil, err
	}
	if len(payload) > maxBytes {
		return nil, fmt.Errorf("%w: payload of %d bytes, expected at most %d", ErrMalformed, len(payload), maxBytes)
	}
	return payload, envelope.CheckVersion(kind, v, version)
}
