package candid

import "encoding/binary"

var magic = []byte("DIDL")

// encoder collects the table of types; a type has one entry, found by its address.
type encoder struct {
	index map[*Type]int
	table [][]byte
}

// Encode is a message of the values, each of the type beside it. Values must have the Go types that
// types.go names; anything else is a mistake of the program and panics.
func Encode(types []*Type, values []any) []byte {
	e := &encoder{index: map[*Type]int{}}
	refs := appendUint(nil, uint64(len(types)))
	for _, t := range types {
		refs = appendInt(refs, e.ref(t))
	}
	out := appendUint(append([]byte{}, magic...), uint64(len(e.table)))
	for _, entry := range e.table {
		out = append(out, entry...)
	}
	out = append(out, refs...)
	for i, t := range types {
		out = appendValue(out, t, values[i])
	}
	return out
}

// ref is what stands for a type: its code, or its place in the table.
func (e *encoder) ref(t *Type) int64 {
	if t.Kind < KindOpt || t.Kind == KindPrincipal {
		return -int64(t.Kind)
	}
	if i, known := e.index[t]; known {
		return int64(i)
	}
	i := len(e.table)
	e.index[t] = i
	e.table = append(e.table, nil)
	entry := appendInt(nil, -int64(t.Kind))
	if t.Elem != nil {
		entry = appendInt(entry, e.ref(t.Elem))
	} else {
		entry = appendUint(entry, uint64(len(t.Fields)))
		for _, k := range t.sorted() {
			entry = appendUint(entry, uint64(Hash(t.Fields[k].Name)))
			entry = appendInt(entry, e.ref(t.Fields[k].Type))
		}
	}
	e.table[i] = entry
	return int64(i)
}

func appendValue(b []byte, t *Type, v any) []byte {
	switch t.Kind {
	case KindNull:
		return b
	case KindBool:
		if v.(bool) {
			return append(b, 1)
		}
		return append(b, 0)
	case KindNat8:
		return append(b, v.(uint8))
	case KindNat32:
		return binary.LittleEndian.AppendUint32(b, v.(uint32))
	case KindNat64:
		return binary.LittleEndian.AppendUint64(b, v.(uint64))
	case KindInt32:
		return binary.LittleEndian.AppendUint32(b, uint32(v.(int32)))
	case KindInt64:
		return binary.LittleEndian.AppendUint64(b, uint64(v.(int64)))
	case KindText:
		return append(appendUint(b, uint64(len(v.(string)))), v.(string)...)
	case KindPrincipal:
		return append(appendUint(append(b, 1), uint64(len(v.([]byte)))), v.([]byte)...)
	case KindOpt:
		if v == nil {
			return append(b, 0)
		}
		return appendValue(append(b, 1), t.Elem, v)
	case KindVec:
		return appendVec(b, t, v)
	case KindRecord:
		for _, k := range t.sorted() {
			b = appendValue(b, t.Fields[k].Type, v.([]any)[k])
		}
		return b
	case KindVariant:
		return appendCase(b, t, v.(Case))
	}
	panic("candid: a type that is not written")
}

func appendVec(b []byte, t *Type, v any) []byte {
	switch items := v.(type) {
	case []byte:
		return append(appendUint(b, uint64(len(items))), items...)
	case []int32:
		b = appendUint(b, uint64(len(items)))
		for _, x := range items {
			b = binary.LittleEndian.AppendUint32(b, uint32(x))
		}
		return b
	}
	items := v.([]any)
	b = appendUint(b, uint64(len(items)))
	for _, x := range items {
		b = appendValue(b, t.Elem, x)
	}
	return b
}

func appendCase(b []byte, t *Type, c Case) []byte {
	for place, k := range t.sorted() {
		if t.Fields[k].Name == c.Name {
			return appendValue(appendUint(b, uint64(place)), t.Fields[k].Type, c.Value)
		}
	}
	panic("candid: a case that the variant does not have: " + c.Name)
}

func appendUint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

func appendInt(b []byte, n int64) []byte {
	for n < -64 || n > 63 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n)&0x7f)
}
