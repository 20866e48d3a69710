package samples

import (
	"encoding/binary"
	"fmt"

	"github.com/zkinfer/zkinfer/model"
)

// readRaw reads samples one after another, each one the values of all inputs in order, little-endian
// in the inputs' types. guessed says that nothing else fitted.
func (s *Set) readRaw(b []byte, guessed bool) error {
	size := 0
	for _, in := range s.inputs {
		size += in.len() * in.rawSize()
	}
	if size == 0 || len(b) == 0 || len(b)%size != 0 {
		err := fmt.Errorf("%w: %d bytes, expected a multiple of %d for raw values of %s", ErrShape, len(b), size, describe(s.inputs))
		if guessed {
			err = fmt.Errorf("%w: it looks like none of %v; as raw values: %w", ErrFormat, formats, err)
		}
		return err
	}
	s.n = len(b) / size
	offset := 0
	for _, in := range s.inputs {
		e := rawElement(in.Type)
		n, start := in.len(), offset
		s.columns = append(s.columns, column{array: array{
			shape: in.Shape, integers: e.integers,
			at: func(i int) float64 { return e.decode(b[i/n*size+start+i%n*e.size:]) },
		}})
		offset += n * e.size
	}
	return nil
}

func rawElement(t model.DType) element {
	kind := byte('f')
	if t != 0 {
		kind = 'u'
		if lo, _ := t.Range(); lo < 0 {
			kind = 'i'
		}
	}
	e, _ := elementOf(kind, Input{Type: t}.rawSize(), binary.LittleEndian)
	return e
}

func describe(inputs []Input) string {
	text := ""
	for i, in := range inputs {
		if i > 0 {
			text += ", "
		}
		name := "float32"
		if in.Type != 0 {
			name = in.Type.String()
		}
		text += fmt.Sprintf("%q %s%v", in.Name, name, in.Shape)
	}
	return text
}
