// Package compact encodes Go values by their types alone, without names: integers as varints, strings and lists after
// their length, structures field by field, pointers after whether there is one.
//
// The promise: one encoding a value, and no other is accepted; nothing is left over; what is decoded never takes
// more than a limit of memory, whatever it says. Empty and nil lists are the same, and decode as nil.
//
// Why not CBOR, which files are framed with: its library is half a megabyte of every embedding, and spends more
// instructions on a network's description than its verification has.
//
// Pitfall: both sides must have the same types; a change of a type needs another tag or version around it.
package compact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
)

// ErrMalformed: bytes that are no encoding of the type.
var ErrMalformed = errors.New("malformed encoding")

// Skip is the tag of fields that are not encoded: `compact:"-"`.
const skip = "-"

// Append appends the encoding of v, a value or a pointer to one: booleans, integers, strings, arrays, slices, structures of
// exported fields, pointers to those. It panics on other types.
func Append(b []byte, v any) []byte {
	value := reflect.ValueOf(v)
	if value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	return appendValue(b, value)
}

func appendValue(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Int, reflect.Int64:
		return binary.AppendVarint(b, v.Int())
	case reflect.Uint, reflect.Uint64, reflect.Uint8:
		return binary.AppendUvarint(b, v.Uint())
	case reflect.String:
		return append(binary.AppendUvarint(b, uint64(v.Len())), v.String()...)
	case reflect.Slice:
		b = binary.AppendUvarint(b, uint64(v.Len()))
		return appendElements(b, v)
	case reflect.Array:
		return appendElements(b, v)
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, 0)
		}
		return appendValue(append(b, 1), v.Elem())
	case reflect.Struct:
		for _, i := range fields(v.Type()) {
			b = appendValue(b, v.Field(i))
		}
		return b
	}
	panic(fmt.Sprintf("compact: %v has no encoding", v.Type()))
}

func appendElements(b []byte, v reflect.Value) []byte {
	for i := range v.Len() {
		b = appendValue(b, v.Index(i))
	}
	return b
}

// fields are the numbers of the fields that are encoded.
func fields(t reflect.Type) (out []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.IsExported() && f.Tag.Get("compact") != skip {
			out = append(out, i)
		}
	}
	return out
}

// Decode decodes all of b into what v points to. limit is how many bytes of memory the lists and pointers in it may
// take. Errors wrap ErrMalformed.
func Decode(b []byte, v any, limit int) error {
	d := &decoder{b: b, left: limit, known: map[reflect.Type][]int{}}
	d.value(reflect.ValueOf(v).Elem())
	if d.err == nil && len(d.b) > 0 {
		d.fail("%d bytes too many", len(d.b))
	}
	return d.err
}

type decoder struct {
	b     []byte
	left  int // of memory
	err   error
	known map[reflect.Type][]int // fields
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
}

// uvarint reads a number that has no shorter encoding.
func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.b)
	if d.err != nil || size <= 0 || size > 1 && d.b[size-1] == 0 {
		d.fail("no number")
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *decoder) value(v reflect.Value) {
	if d.err != nil {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(d.flag())
	case reflect.Int, reflect.Int64:
		n := d.uvarint()
		x := int64(n>>1) ^ -int64(n&1)
		if v.OverflowInt(x) {
			d.fail("%d is beyond its type", x)
			return
		}
		v.SetInt(x)
	case reflect.Uint, reflect.Uint64, reflect.Uint8:
		n := d.uvarint()
		if v.OverflowUint(n) {
			d.fail("%d is beyond its type", n)
			return
		}
		v.SetUint(n)
	case reflect.String:
		n := d.count(1)
		v.SetString(string(d.b[:n]))
		d.b = d.b[n:]
	case reflect.Slice:
		d.slice(v)
	case reflect.Array:
		d.elements(v)
	case reflect.Pointer:
		if d.flag() && d.take(v.Type().Elem().Size()) {
			v.Set(reflect.New(v.Type().Elem()))
			d.value(v.Elem())
		}
	case reflect.Struct:
		for _, i := range d.fields(v.Type()) {
			d.value(v.Field(i))
		}
	default:
		panic(fmt.Sprintf("compact: %v has no encoding", v.Type()))
	}
}

func (d *decoder) fields(t reflect.Type) []int {
	list, ok := d.known[t]
	if !ok {
		list = fields(t)
		d.known[t] = list
	}
	return list
}

func (d *decoder) flag() bool {
	n := d.uvarint()
	if n > 1 {
		d.fail("%d is neither yes nor no", n)
	}
	return n == 1
}

// count reads the length of a list of so many bytes of memory each. An element has a byte at least.
func (d *decoder) count(size uintptr) int {
	n := d.uvarint()
	if n > uint64(len(d.b)) || n > math.MaxInt32 {
		d.fail("a list of %d elements in %d bytes", n, len(d.b))
		return 0
	}
	if !d.take(uintptr(n) * size) {
		return 0
	}
	return int(n)
}

// take takes memory from the limit.
func (d *decoder) take(size uintptr) bool {
	if size > uintptr(max(d.left, 0)) {
		d.fail("it takes too much memory")
		return false
	}
	d.left -= int(size)
	return d.err == nil
}

func (d *decoder) slice(v reflect.Value) {
	n := d.count(v.Type().Elem().Size())
	if n == 0 {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	if ints, ok := v.Addr().Interface().(*[]int); ok { // most lists: without reflection
		for i := range *ints {
			n := d.uvarint()
			(*ints)[i] = int(int64(n>>1) ^ -int64(n&1))
			if int64((*ints)[i]) != int64(n>>1)^-int64(n&1) {
				d.fail("a number is beyond its type")
			}
		}
		return
	}
	d.elements(v)
}

func (d *decoder) elements(v reflect.Value) {
	for i := 0; i < v.Len() && d.err == nil; i++ {
		d.value(v.Index(i))
	}
}
