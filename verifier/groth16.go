package verifier

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/internal/wire"
)

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

// ModelCommitment stands for a set of weights: C_i = Σ_j P[i][j]·G_j + s_i·H.
type ModelCommitment struct{ Rows []bn254.G1Affine }

// Digest is M, by which registries and statements name the model.
func (m *ModelCommitment) Digest() [32]byte {
	rows := make([][64]byte, len(m.Rows))
	for i := range m.Rows {
		rows[i] = m.Rows[i].RawBytes()
	}
	return statement.Model(rows)
}

// MarshalBinary encodes the points, compressed. It refuses more points than any key takes.
func (m *ModelCommitment) MarshalBinary() ([]byte, error) {
	if len(m.Rows) > maxFoldRows {
		return nil, fmt.Errorf("%w: model commitment of %d points, at most %d", ErrMalformed, len(m.Rows), maxFoldRows)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(len(m.Rows)))
	for i := range m.Rows {
		b = wire.AppendG1(b, &m.Rows[i])
	}
	return b, nil
}

// UnmarshalModelCommitment decodes a commitment strictly. Errors wrap ErrMalformed.
func UnmarshalModelCommitment(b []byte) (*ModelCommitment, error) {
	r := wire.NewReader(b)
	m := &ModelCommitment{Rows: r.Points(r.Count(maxFoldRows, wire.G1Size))}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("model commitment: %w", err)
	}
	return m, nil
}

// Backend implements Commitment.
func (m *ModelCommitment) Backend() string { return BackendGroth16 }

// Points implements Commitment.
func (m *ModelCommitment) Points() int { return len(m.Rows) }
