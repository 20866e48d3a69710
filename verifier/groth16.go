package verifier

import "fmt"

// BackendGroth16 names the proof system of VerifyingKey, ModelCommitment and Proof.
const BackendGroth16 = "groth16"

// Groth16 is its entry in the list of proof systems.
func Groth16() Backend {
	return Backend{
		Name: BackendGroth16, KeyTag: keyTag,
		DecodeKey: func(b []byte) (Key, error) {
			vk, err := UnmarshalVerifyingKey(b)
			if err != nil {
				return nil, err // and no interface that holds a nil pointer
			}
			return vk, nil
		},
		DecodeCommitment: func(b []byte) (Commitment, error) {
			m, err := UnmarshalModelCommitment(b)
			if err != nil {
				return nil, err
			}
			return m, nil
		},
	}
}

// Backend implements Key.
func (vk *VerifyingKey) Backend() string { return BackendGroth16 }

// Describe implements Key.
func (vk *VerifyingKey) Describe() Description { return vk.Description }

// Fixed implements Key.
func (vk *VerifyingKey) Fixed() *Subject {
	return &Subject{Name: vk.Description.Name, Rounding: vk.Description.Rounding, Architecture: vk.Architecture,
		Inputs: vk.Inputs, Outputs: vk.Outputs, ProofSize: ProofSize(vk)}
}

// Subject implements Key: it is fixed, and so is how many points a model commitment has.
func (vk *VerifyingKey) Subject(m Commitment) (*Subject, error) {
	if _, err := vk.points(m); err != nil {
		return nil, err
	}
	return vk.Fixed(), nil
}

// points is m as a commitment for this key.
func (vk *VerifyingKey) points(m Commitment) (*ModelCommitment, error) {
	c, ok := m.(*ModelCommitment)
	if !ok {
		return nil, fmt.Errorf("%w: model commitment of backend %q, the key is for %q", ErrKeyMismatch, m.Backend(), BackendGroth16)
	}
	if len(c.Rows) != vk.FoldRows {
		return nil, fmt.Errorf("%w: model commitment of %d points, the key takes %d", ErrKeyMismatch, len(c.Rows), vk.FoldRows)
	}
	return c, nil
}

// Backend implements Commitment.
func (m *ModelCommitment) Backend() string { return BackendGroth16 }

// Points implements Commitment.
func (m *ModelCommitment) Points() int { return len(m.Rows) }
