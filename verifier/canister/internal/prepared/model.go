package prepared

import "github.com/zkinfer/zkinfer/verifier"

// Model is a model commitment with the table of its points.
type Model struct {
	*verifier.ModelCommitment
	table *Table
}

// NewModel prepares a model commitment.
func NewModel(m *verifier.ModelCommitment) *Model { return &Model{m, NewTable(m.Rows)} }

// AppendBinary appends the model for a memory that nobody else writes.
func (m *Model) AppendBinary(b []byte) []byte { return m.table.AppendBinary(b) }

// ParseModel reads what AppendBinary wrote.
func ParseModel(b []byte) (*Model, error) {
	t, err := ParseTable(b)
	if err != nil {
		return nil, err
	}
	m := &Model{&verifier.ModelCommitment{}, t}
	for i := range t.Len() {
		m.Rows = append(m.Rows, t.Point(i))
	}
	return m, nil
}
