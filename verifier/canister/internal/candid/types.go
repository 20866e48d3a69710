package candid

import "slices"

// Kind is the code of a type in a message, negated.
type Kind int

// The kinds.
const (
	KindNull Kind = iota + 1
	KindBool
	KindNat
	KindInt
	KindNat8
	KindNat16
	KindNat32
	KindNat64
	KindInt8
	KindInt16
	KindInt32
	KindInt64
	KindFloat32
	KindFloat64
	KindText
	KindReserved
	KindEmpty
	KindOpt
	KindVec
	KindRecord
	KindVariant
	KindFunc
	KindService
	KindPrincipal Kind = 24
)

// Type is a type that a receiver expects or a sender writes.
type Type struct {
	Kind   Kind
	Elem   *Type   // of opt and vec
	Fields []Field // of record and variant, in the order of their values
}

// Field is a field of a record or a case of a variant.
type Field struct {
	Name string
	Type *Type
}

// Types without parts.
var (
	Null      = &Type{Kind: KindNull}
	Bool      = &Type{Kind: KindBool}
	Nat8      = &Type{Kind: KindNat8}
	Nat32     = &Type{Kind: KindNat32}
	Nat64     = &Type{Kind: KindNat64}
	Int32     = &Type{Kind: KindInt32}
	Int64     = &Type{Kind: KindInt64}
	Text      = &Type{Kind: KindText}
	Principal = &Type{Kind: KindPrincipal}
	Blob      = Vec(Nat8)
)

// Opt is a value or null: its Go value is nil or that of the element.
func Opt(t *Type) *Type { return &Type{Kind: KindOpt, Elem: t} }

// Vec is a list: []byte of Nat8, []int32 of Int32, []any of anything else.
func Vec(t *Type) *Type { return &Type{Kind: KindVec, Elem: t} }

// Record has a []any with a value a field, in the order given here.
func Record(fields ...Field) *Type { return &Type{Kind: KindRecord, Fields: fields} }

// Variant has a Case.
func Variant(fields ...Field) *Type { return &Type{Kind: KindVariant, Fields: fields} }

// Case is a value of a variant.
type Case struct {
	Name  string
	Value any
}

// Hash is the number that stands for a field's name.
func Hash(name string) uint32 {
	var h uint32
	for _, c := range []byte(name) {
		h = h*223 + uint32(c)
	}
	return h
}

// field is the index of the field with this number, −1 if there is none.
func (t *Type) field(id uint32) int {
	return slices.IndexFunc(t.Fields, func(f Field) bool { return Hash(f.Name) == id })
}

// sorted are the indices of the fields in the order of a message.
func (t *Type) sorted() []int {
	out := make([]int, len(t.Fields))
	for i := range out {
		out[i] = i
	}
	slices.SortFunc(out, func(a, b int) int {
		return int(int64(Hash(t.Fields[a].Name)) - int64(Hash(t.Fields[b].Name)))
	})
	return out
}
