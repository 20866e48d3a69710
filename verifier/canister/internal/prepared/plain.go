package prepared

import (
	"bytes"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/backends"
)

// plainKey verifies as package verifier does.
type plainKey struct{ verifier.Key }

// Check implements Key.
func (k plainKey) Check(m Model, st *verifier.Statement, proof []byte) (fr.Element, error) {
	s, err := verifier.StatementDigest(k.Key, m.Commitment(), st)
	if err != nil {
		return s, err
	}
	return s, k.Verify(m.Commitment(), st, proof)
}

// plainModel is a model commitment with its encoding.
type plainModel struct {
	commitment verifier.Commitment
	encoded    []byte
}

func newPlainModel(m verifier.Commitment) (*plainModel, error) {
	b, err := m.MarshalBinary()
	return &plainModel{m, b}, err
}

// Commitment implements Model.
func (m *plainModel) Commitment() verifier.Commitment { return m.commitment }

// plainMark begins a plain model; a table begins with its window, which is not 0.
var plainMark = make([]byte, 4)

// AppendBinary implements Model: the mark, the proof system's name, a zero, and the encoding.
func (m *plainModel) AppendBinary(b []byte) []byte {
	b = append(append(b, plainMark...), m.commitment.Backend()...)
	return append(append(b, 0), m.encoded...)
}

func isPlain(b []byte) bool { return bytes.HasPrefix(b, plainMark) }

func parsePlainModel(b []byte) (*plainModel, error) {
	name, encoded, _ := bytes.Cut(b[len(plainMark):], []byte{0})
	m, err := backends.DecodeCommitment(string(name), encoded)
	return &plainModel{m, encoded}, err
}
