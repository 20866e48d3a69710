package candid

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrMalformed is wrapped by every error of Decode.
var ErrMalformed = errors.New("malformed Candid message")

// Limits of a message.
const (
	maxTypes     = 256
	maxFields    = 1024 // of all types together
	maxArguments = 16
	maxDepth     = 24
	maxPrincipal = 29
)

// wireType is a type as the sender declares it; refs are codes (negative) or places in the table.
type wireType struct {
	kind   Kind
	elem   int64
	fields []wireField
}

type wireField struct {
	id  uint32
	ref int64
}

// decoder reads one message; the first failure sticks.
type decoder struct {
	b     []byte
	err   error
	table []wireType
	steps int // values that may still be read one by one
}

// Decode reads the values of the expected types from a message. Further arguments are skipped, missing
// ones are null where that is a value of the type.
func Decode(message []byte, expected ...*Type) ([]any, error) {
	d := &decoder{b: message, steps: 1024 + len(message)}
	d.header()
	refs := d.arguments()
	out := make([]any, len(expected))
	for i, t := range expected {
		switch {
		case d.err != nil:
		case i < len(refs):
			out[i] = d.value(refs[i], t, 0)
		case t.Kind != KindOpt && t.Kind != KindNull && t.Kind != KindReserved:
			d.fail("%d arguments, expected %d", len(refs), len(expected))
		}
	}
	for i := len(expected); i < len(refs) && d.err == nil; i++ {
		d.skip(refs[i], 0)
	}
	if d.err == nil && len(d.b) > 0 {
		d.fail("%d bytes too many", len(d.b))
	}
	if d.err != nil {
		return nil, d.err
	}
	return out, nil
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	d.b = nil
}

func (d *decoder) header() {
	if string(d.take(len(magic))) != string(magic) {
		d.fail("it does not begin with DIDL")
		return
	}
	n := d.count(maxTypes, 2)
	d.table = make([]wireType, 0, n)
	fields := 0
	for range n {
		t := d.wireType(n)
		if fields += len(t.fields); fields > maxFields {
			d.fail("types of more than %d fields", maxFields)
		}
		if d.err != nil {
			return
		}
		d.table = append(d.table, t)
	}
}

func (d *decoder) wireType(types int) wireType {
	t := wireType{kind: Kind(-d.int())}
	switch t.kind {
	case KindOpt, KindVec:
		t.elem = d.ref(types)
	case KindRecord, KindVariant:
		last := int64(-1)
		for range d.count(maxFields, 2) {
			id := d.uint()
			if int64(id) <= last || id > 0xffffffff {
				d.fail("fields out of order")
			}
			last = int64(id)
			t.fields = append(t.fields, wireField{uint32(id), d.ref(types)})
			if d.err != nil {
				break
			}
		}
	default:
		d.fail("type %d is not understood here", -t.kind)
	}
	return t
}

// ref reads a code or a place in a table of so many types.
func (d *decoder) ref(types int) int64 {
	r := d.int()
	switch {
	case r >= int64(types):
		d.fail("type %d of %d", r, types)
	case r < 0 && (r < -int64(KindEmpty) && r != -int64(KindPrincipal)):
		d.fail("type %d is not understood here", r)
	}
	return r
}

func (d *decoder) arguments() []int64 {
	refs := make([]int64, d.count(maxArguments, 1))
	for i := range refs {
		refs[i] = d.ref(len(d.table))
	}
	return refs
}

// wire is the type that a ref stands for.
func (d *decoder) wire(ref int64) wireType {
	if ref < 0 || d.err != nil {
		return wireType{kind: Kind(-ref)}
	}
	return d.table[ref]
}

// enter counts a value and its depth.
func (d *decoder) enter(depth int) bool {
	if d.steps--; d.steps < 0 {
		d.fail("more values than a message of its size should have")
	}
	if depth > maxDepth {
		d.fail("nested more than %d deep", maxDepth)
	}
	return d.err == nil
}

// value reads a value of the type that ref stands for as one of the expected type.
func (d *decoder) value(ref int64, t *Type, depth int) any {
	if !d.enter(depth) {
		return nil
	}
	w := d.wire(ref)
	switch {
	case t.Kind == KindReserved:
		d.skip(ref, depth+1)
		return nil
	case t.Kind == KindOpt:
		return d.opt(ref, w, t, depth)
	case w.kind != t.Kind:
		d.fail("a value of type %d, expected %d", -w.kind, -t.Kind)
		return nil
	}
	switch t.Kind {
	case KindVec:
		return d.vec(w, t, depth)
	case KindRecord:
		return d.record(w, t, depth)
	case KindVariant:
		return d.variant(w, t, depth)
	}
	return d.primitive(t.Kind)
}

// opt follows Candid's rule: what does not fit the element is null.
func (d *decoder) opt(ref int64, w wireType, t *Type, depth int) any {
	switch w.kind {
	case KindNull:
		return nil
	case KindReserved:
		return nil
	case KindOpt:
		if !d.bool() {
			return nil
		}
		ref = w.elem
	}
	if !d.fits(ref, t.Elem, depth+1) {
		d.skip(ref, depth+1)
		return nil
	}
	return d.value(ref, t.Elem, depth+1)
}

// fits compares the outermost kinds; a difference further inside is an error, not null.
func (d *decoder) fits(ref int64, t *Type, depth int) bool {
	k := d.wire(ref).kind
	return k == t.Kind || t.Kind == KindOpt || t.Kind == KindReserved
}

func (d *decoder) vec(w wireType, t *Type, depth int) any {
	switch elem := d.wire(w.elem).kind; {
	case t.Elem.Kind != KindNat8 && t.Elem.Kind != KindInt32:
	case elem != t.Elem.Kind:
		d.fail("a list of type %d, expected %d", -elem, -t.Elem.Kind)
		return nil
	case elem == KindNat8:
		return append([]byte{}, d.take(d.count(len(d.b), 1))...)
	default:
		out := make([]int32, d.count(len(d.b), 4))
		for i := range out {
			out[i] = int32(d.fixed(4))
		}
		return out
	}
	// Elements may take no bytes: their number is bounded by steps, and the list grows as they come.
	var out []any
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		out = append(out, d.value(w.elem, t.Elem, depth+1))
	}
	return out
}

func (d *decoder) record(w wireType, t *Type, depth int) any {
	out := make([]any, len(t.Fields))
	found := make([]bool, len(t.Fields))
	for _, f := range w.fields {
		k := t.field(f.id)
		if k < 0 {
			d.skip(f.ref, depth+1)
			continue
		}
		out[k], found[k] = d.value(f.ref, t.Fields[k].Type, depth+1), true
	}
	for k, f := range t.Fields {
		if !found[k] && f.Type.Kind != KindOpt && f.Type.Kind != KindNull && f.Type.Kind != KindReserved {
			d.fail("field %q is missing", f.Name)
		}
	}
	return out
}

func (d *decoder) variant(w wireType, t *Type, depth int) any {
	place := d.uint()
	if place >= uint64(len(w.fields)) {
		d.fail("case %d of a variant of %d", place, len(w.fields))
		return Case{}
	}
	f := w.fields[place]
	k := t.field(f.id)
	if k < 0 {
		d.fail("an unknown case of a variant")
		return Case{}
	}
	return Case{t.Fields[k].Name, d.value(f.ref, t.Fields[k].Type, depth+1)}
}

func (d *decoder) primitive(k Kind) any {
	switch k {
	case KindNull:
		return nil
	case KindBool:
		return d.bool()
	case KindNat8:
		return uint8(d.fixed(1))
	case KindNat32:
		return uint32(d.fixed(4))
	case KindNat64:
		return d.fixed(8)
	case KindInt32:
		return int32(d.fixed(4))
	case KindInt64:
		return int64(d.fixed(8))
	case KindText:
		return d.text()
	case KindPrincipal:
		return d.principal()
	}
	d.fail("a value of type %d", -k)
	return nil
}

// sizes of values whose length does not depend on them.
var sizes = map[Kind]int{KindNull: 0, KindReserved: 0, KindNat8: 1, KindInt8: 1, KindNat16: 2, KindInt16: 2, KindNat32: 4,
	KindInt32: 4, KindFloat32: 4, KindNat64: 8, KindInt64: 8, KindFloat64: 8}

// skip reads over a value.
func (d *decoder) skip(ref int64, depth int) {
	if !d.enter(depth) {
		return
	}
	w := d.wire(ref)
	if size, fixed := sizes[w.kind]; fixed {
		d.take(size)
		return
	}
	switch w.kind {
	case KindBool:
		d.bool()
	case KindNat, KindInt:
		d.number()
	case KindText:
		d.text()
	case KindPrincipal:
		d.principal()
	case KindOpt:
		if d.bool() {
			d.skip(w.elem, depth+1)
		}
	case KindVec:
		d.skipVec(w, depth)
	case KindRecord:
		for _, f := range w.fields {
			d.skip(f.ref, depth+1)
		}
	case KindVariant:
		place := d.uint()
		if place >= uint64(len(w.fields)) {
			d.fail("case %d of a variant of %d", place, len(w.fields))
			return
		}
		d.skip(w.fields[place].ref, depth+1)
	default:
		d.fail("a value of type %d", -w.kind)
	}
}

func (d *decoder) skipVec(w wireType, depth int) {
	if size := sizes[d.wire(w.elem).kind]; size > 0 {
		d.take(size * d.count(len(d.b), size))
		return
	}
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		d.skip(w.elem, depth+1)
	}
}

func (d *decoder) take(n int) []byte {
	if d.err != nil || n > len(d.b) {
		d.fail("truncated")
		return nil
	}
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out
}

// count is a number of items of at least size bytes each that are still to come.
func (d *decoder) count(limit, size int) int {
	n := d.uint()
	if n > uint64(limit) || n*uint64(size) > uint64(len(d.b)) {
		d.fail("%d items, at most %d, and %d bytes are left", n, limit, len(d.b))
		return 0
	}
	return int(n)
}

// fixed is a number of n bytes, little-endian.
func (d *decoder) fixed(n int) (out uint64) {
	for i, x := range d.take(n) {
		out |= uint64(x) << (8 * i)
	}
	return out
}

// uint is an unsigned LEB128 of at most 64 bits.
func (d *decoder) uint() (out uint64) {
	for shift := 0; shift < 64; shift += 7 {
		b := d.fixed(1)
		if shift == 63 && b > 1 {
			break
		}
		out |= (b & 0x7f) << shift
		if b < 0x80 {
			return out
		}
	}
	d.fail("number of more than 64 bits")
	return 0
}

// int is a signed LEB128 of at most 35 bits: all that types need.
func (d *decoder) int() int64 {
	var out int64
	for shift := 0; shift < 35; shift += 7 {
		b := d.fixed(1)
		out |= int64(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 {
				out -= 1 << (shift + 7)
			}
			return out
		}
	}
	d.fail("number of more than 5 bytes")
	return 0
}

// number skips a number of any size.
func (d *decoder) number() {
	for d.fixed(1) >= 0x80 && d.err == nil {
	}
}

func (d *decoder) bool() bool {
	b := d.fixed(1)
	if b > 1 {
		d.fail("%d, expected 0 or 1", b)
	}
	return b == 1
}

func (d *decoder) text() string {
	b := d.take(d.count(len(d.b), 1))
	if !utf8.Valid(b) {
		d.fail("text is not UTF-8")
	}
	return string(b)
}

func (d *decoder) principal() []byte {
	if d.fixed(1) != 1 {
		d.fail("a hidden reference")
	}
	return append([]byte{}, d.take(d.count(maxPrincipal, 1))...)
}
