package wrapped

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/internal/wire"
	"github.com/zkinfer/zkinfer/verifier"
)

// Commitment stands for a model: its architecture, and the rows of its parameters under the bases of a size class,
// C_i = Σ_j P[i][j]·G_j + s_i·H.
type Commitment struct {
	Rows         []bn254.G1Affine
	Architecture *Architecture

	encoded []byte // the architecture
}

// NewCommitment is the commitment of rows that were made for the architecture.
func NewCommitment(a *Architecture, rows []bn254.G1Affine) (*Commitment, error) {
	b, err := a.Encode()
	if err != nil {
		return nil, err
	}
	if len(rows) != a.layout.Parameters.Rows {
		return nil, fmt.Errorf("%w: %d rows, the architecture has %d", verifier.ErrMalformed, len(rows), a.layout.Parameters.Rows)
	}
	return &Commitment{rows, a, b}, nil
}

// Backend implements verifier.Commitment.
func (c *Commitment) Backend() string { return Backend }

// Points implements verifier.Commitment.
func (c *Commitment) Points() int { return len(c.Rows) }

// Digest is M. It covers the architecture, which the key does not.
func (c *Commitment) Digest() [32]byte {
	rows := make([][64]byte, len(c.Rows))
	for i := range c.Rows {
		rows[i] = c.Rows[i].RawBytes()
	}
	parameters, architecture := statement.Model(rows), statement.Keccak(c.encoded)
	return statement.Keccak([]byte("zkinfer/v1/sumcheck-model"), architecture[:], parameters[:])
}

// MarshalBinary encodes the architecture and the points, compressed.
func (c *Commitment) MarshalBinary() ([]byte, error) {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(c.encoded)))
	b = append(b, c.encoded...)
	for i := range c.Rows {
		b = wire.AppendG1(b, &c.Rows[i])
	}
	return b, nil
}

// UnmarshalCommitment decodes a commitment strictly. Errors wrap verifier.ErrMalformed.
func UnmarshalCommitment(b []byte) (*Commitment, error) {
	r := wire.NewReader(b)
	c := &Commitment{encoded: append([]byte(nil), r.Take(r.Count(maxArchitecture, 1))...)}
	if len(c.encoded) == 0 {
		return nil, fmt.Errorf("%w: model commitment without an architecture", verifier.ErrMalformed)
	}
	var err error
	if c.Architecture, err = DecodeArchitecture(c.encoded); err != nil {
		return nil, err
	}
	c.Rows = r.Points(c.Architecture.layout.Parameters.Rows)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("model commitment: %w", err)
	}
	return c, nil
}

// Subject is what proofs for the model are about.
func (c *Commitment) Subject() *verifier.Subject {
	a := c.Architecture
	return &verifier.Subject{Name: a.Name, Rounding: a.Rounding, Architecture: a.Graph,
		Inputs: a.specs(a.Inputs), Outputs: a.specs(a.Outputs), ProofSize: a.ProofSize()}
}

// Encoded is the encoding of the architecture.
func (c *Commitment) Encoded() []byte { return c.encoded }
