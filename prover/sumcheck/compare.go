package sumcheck

import (
	"fmt"
	"reflect"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// CompareArchitecture implements prover.Describing: it lowers g as the commitment was lowered. Names of models are for people.
func (Backend) CompareArchitecture(g *model.Graph, c verifier.Commitment) error {
	described, ok := c.(*wrapped.Commitment)
	if !ok {
		return fmt.Errorf("%w: a model commitment of backend %q, expected %q", prover.ErrKeyMismatch, c.Backend(), wrapped.Backend)
	}
	theirs := described.Architecture
	plan, err := newPlan(g, hidden(theirs))
	if err != nil {
		return err
	}
	m, err := lower(g, plan, theirs.RowBits)
	if err != nil {
		return err
	}
	return compare(theirs, m.architecture)
}

// compare names the first difference of two architectures, that of a verifier's equations before those of digests and counts that follow
// from it.
func compare(theirs, mine *wrapped.Architecture) error {
	for _, x := range []struct {
		name         string
		theirs, mine any
	}{
		{"Inputs", theirs.Inputs, mine.Inputs},
		{"Outputs", theirs.Outputs, mine.Outputs},
		{"Network", theirs.Network, mine.Network},
		{"RowBits", theirs.RowBits, mine.RowBits},
		{"Messages", theirs.Messages, mine.Messages},
		{"Linear", theirs.Linear, mine.Linear},
		{"Groups", theirs.Groups, mine.Groups},
		{"Rounding", theirs.Rounding, mine.Rounding},
		{"Graph", fmt.Sprintf("%x", theirs.Graph), fmt.Sprintf("%x", mine.Graph)},
	} {
		if d := difference(x.name, reflect.ValueOf(x.theirs), reflect.ValueOf(x.mine)); d != "" {
			return fmt.Errorf("%w: %s", prover.ErrArchitecture, d)
		}
	}
	return nil
}

// difference is the first one of two values of a type, "" for none. Empty lists are as good as none, and what is not encoded
// follows from the rest.
func difference(path string, theirs, mine reflect.Value) string {
	switch theirs.Kind() {
	case reflect.Struct:
		for i := range theirs.NumField() {
			f := theirs.Type().Field(i)
			if !f.IsExported() || f.Tag.Get("compact") == "-" {
				continue
			}
			at := path + "." + f.Name
			if f.Anonymous {
				at = path
			}
			if d := difference(at, theirs.Field(i), mine.Field(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Slice, reflect.Array:
		for i := range min(theirs.Len(), mine.Len()) {
			if d := difference(fmt.Sprintf("%s[%d]", path, i), theirs.Index(i), mine.Index(i)); d != "" {
				return d
			}
		}
		if theirs.Len() != mine.Len() {
			return fmt.Sprintf("%s has %d elements, expected %d", path, theirs.Len(), mine.Len())
		}
		return ""
	case reflect.Pointer:
		if !theirs.IsNil() && !mine.IsNil() {
			return difference(path, theirs.Elem(), mine.Elem())
		}
		if theirs.IsNil() != mine.IsNil() {
			return fmt.Sprintf("%s is there in one only", path)
		}
		return ""
	}
	if theirs.Equal(mine) {
		return ""
	}
	return fmt.Sprintf("%s is %v, expected %v", path, theirs, mine)
}
