package samples

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxRank bounds the nesting of arrays, a batch dimension included.
const maxRank = 9

// inputDataKey holds one array an input, flat or nested.
const inputDataKey = "input_data"

// readJSON reads an array, or an object with one array an input under "input_data"; other keys of
// the object are ignored.
func (s *Set) readJSON(b []byte) error {
	arrays, err := s.decodeJSON(b)
	if err != nil {
		return err
	}
	return s.fill(arrays, false)
}

func (s *Set) decodeJSON(b []byte) ([]array, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	arrays, err := s.jsonArrays(d)
	if err != nil {
		return nil, jsonError(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: something follows the JSON value at byte %d", ErrMalformed, d.InputOffset())
	}
	return arrays, nil
}

func (s *Set) jsonArrays(d *json.Decoder) ([]array, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		if err := s.single(); err != nil {
			return nil, err
		}
		a, err := nestedArray(d)
		return []array{a}, err
	case json.Delim('{'):
		return s.inputData(d)
	}
	return nil, fmt.Errorf("%w: JSON %v, expected an array or {%q: [[…]]}", ErrMalformed, t, inputDataKey)
}

// inputData reads an object from after its opening brace.
func (s *Set) inputData(d *json.Decoder) ([]array, error) {
	var arrays []array
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		if key != inputDataKey {
			var ignored json.RawMessage
			if err := d.Decode(&ignored); err != nil {
				return nil, err
			}
			continue
		}
		if arrays != nil {
			return nil, fmt.Errorf("%w: %q occurs twice", ErrMalformed, inputDataKey)
		}
		if arrays, err = s.arrayList(d); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if arrays == nil {
		return nil, fmt.Errorf("%w: the object has no key %q", ErrMalformed, inputDataKey)
	}
	return arrays, nil
}

// arrayList reads one array an input.
func (s *Set) arrayList(d *json.Decoder) ([]array, error) {
	if err := expect(d, '['); err != nil {
		return nil, err
	}
	arrays := []array{}
	for d.More() {
		if err := expect(d, '['); err != nil {
			return nil, err
		}
		a, err := nestedArray(d)
		if err != nil {
			return nil, err
		}
		arrays = append(arrays, a)
	}
	if len(arrays) != len(s.inputs) {
		return nil, fmt.Errorf("%w: %q has %d arrays, expected %d, one an input", ErrShape, inputDataKey, len(arrays), len(s.inputs))
	}
	return arrays, expect(d, ']')
}

// parseJSON reads one array and nothing else.
func parseJSON(b []byte) (array, error) {
	s := Set{Format: JSON, inputs: make([]Input, 1)}
	arrays, err := s.decodeJSON(b)
	if err != nil {
		return array{}, err
	}
	return arrays[0], nil
}

func expect(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%w: found %v before byte %d, expected %v", ErrMalformed, t, d.InputOffset(), want)
	}
	return nil
}

// nestedArray reads an array of numbers from after its opening bracket.
func nestedArray(d *json.Decoder) (array, error) {
	var r nested
	if err := r.read(d, 0); err != nil {
		return array{}, err
	}
	return array{shape: r.shape, at: func(i int) float64 { return r.values[i] }}, nil
}

// nested is an array in the reading. The first array of each depth says what the others must be.
type nested struct {
	shape  []int
	known  []bool // shape[depth] is final
	leaves int    // depth of the numbers, 0 while unknown
	values []float64
}

func (r *nested) read(d *json.Decoder, depth int) error {
	if depth >= maxRank {
		return fmt.Errorf("%w: arrays nested deeper than %d", ErrMalformed, maxRank)
	}
	if depth == len(r.shape) {
		r.shape, r.known = append(r.shape, 0), append(r.known, false)
	}
	n := 0
	for ; d.More(); n++ {
		t, err := d.Token()
		if err != nil {
			return err
		}
		if err := r.item(d, t, depth); err != nil {
			return err
		}
	}
	if r.known[depth] && n != r.shape[depth] {
		return fmt.Errorf("%w: ragged array: %d items before byte %d, its siblings have %d", ErrMalformed, n, d.InputOffset(), r.shape[depth])
	}
	r.shape[depth], r.known[depth] = n, true
	_, err := d.Token()
	return err
}

func (r *nested) item(d *json.Decoder, t json.Token, depth int) error {
	switch t := t.(type) {
	case json.Number:
		if r.leaves == 0 {
			r.leaves = depth + 1
		}
		if r.leaves != depth+1 || len(r.shape) != depth+1 {
			return fmt.Errorf("%w: ragged array: numbers at depths %d and %d", ErrMalformed, depth+1, len(r.shape))
		}
		v, err := t.Float64()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		r.values = append(r.values, v)
		return nil
	case json.Delim:
		if t == '[' && r.leaves != depth+1 {
			return r.read(d, depth+1)
		}
	}
	return fmt.Errorf("%w: found %v before byte %d, expected a number or an array as its siblings are", ErrMalformed, t, d.InputOffset())
}

// jsonError makes an error of encoding/json one of ours.
func jsonError(err error) error {
	for _, known := range []error{ErrMalformed, ErrShape, ErrFormat} {
		if errors.Is(err, known) {
			return err
		}
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}
