package candid

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
)

var point = Record(Field{"x", Int32}, Field{"label", Opt(Text)}, Field{"data", Blob})

// Messages written by hand from the specification.
func TestKnownMessages(t *testing.T) {
	for what, c := range map[string]struct {
		hex  string
		want []any
		as   []*Type
	}{
		"nothing":                  {"4449444c0000", []any{}, nil},
		"nothing for an option":    {"4449444c0000", []any{nil}, []*Type{Opt(Text)}},
		"text":                     {"4449444c0001710548656c6c6f", []any{"Hello"}, []*Type{Text}},
		"bool and nat64":           {"4449444c00027e78010100000000000000", []any{true, uint64(1)}, []*Type{Bool, Nat64}},
		"blob":                     {"4449444c016d7b010002cafe", []any{[]byte{0xca, 0xfe}}, []*Type{Blob}},
		"an argument too many":     {"4449444c00027e710100", []any{true}, []*Type{Bool}},
		"null for an option":       {"4449444c00017f", []any{nil}, []*Type{Opt(Bool)}},
		"value for an option":      {"4449444c00017e01", []any{true}, []*Type{Opt(Bool)}},
		"another type, an option":  {"4449444c000171026869", []any{nil}, []*Type{Opt(Bool)}},
		"list of numbers":          {"4449444c016d75010002ffffffff02000000", []any{[]int32{-1, 2}}, []*Type{Vec(Int32)}},
		"principal":                {"4449444c000168010104", []any{[]byte{4}}, []*Type{Principal}},
		"a natural number skipped": {"4449444c00027d7e80808080808080808080808001" + "01", []any{nil, true}, []*Type{Opt(Text), Bool}},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b, c.as...)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v; expected %v", what, got, err, c.want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	shape := Variant(Field{"none", Null}, Field{"points", Vec(point)})
	want := Case{"points", []any{[]any{int32(-7), "a", []byte{1, 2}}, []any{int32(8), nil, []byte{}}}}
	b := Encode([]*Type{shape}, []any{want})
	got, err := Decode(b, shape)
	if err != nil || !reflect.DeepEqual(got[0], want) {
		t.Fatalf("%v, %v", got, err)
	}
	// A newer sender's fields are skipped, an older one's missing option is null.
	wider := Record(Field{"x", Int32}, Field{"extra", Vec(point)}, Field{"data", Blob}, Field{"more", Nat64})
	b = Encode([]*Type{wider}, []any{[]any{int32(1), []any{[]any{int32(2), nil, []byte{}}}, []byte{9}, uint64(5)}})
	got, err = Decode(b, point)
	if err != nil || !reflect.DeepEqual(got[0], []any{int32(1), nil, []byte{9}}) {
		t.Fatalf("%v, %v", got, err)
	}
}

// Whatever lies about its size is refused, without taking memory.
func TestHostileMessages(t *testing.T) {
	for what, c := range map[string]string{
		"no magic":                    "4449444d0000",
		"truncated":                   "4449444c01",
		"types without end":           "4449444cffffffff0f",
		"reference beyond the table":  "4449444c016e010100",
		"a function":                  "4449444c016a0000000100",
		"fields out of order":         "4449444c016c02017e007e01000101",
		"one field twice":             "4449444c016c02007e007e01000101",
		"list without end":            "4449444c016d7b0100ffffffffffffffff7f",
		"endless list of nothing":     "4449444c016d7f0100ffffffff0f",
		"endless list in an argument": "4449444c016d7f027e0001ffffffff0f",
		"type that contains itself":   "4449444c016c0100000100",
		"bytes too many":              "4449444c00017e0101",
		"a bool of 2":                 "4449444c00017e02",
		"text that is not UTF-8":      "4449444c00017101ff",
		"case out of range":           "4449444c016b01057f010001",
		"number without end":          "4449444c00018080808080808080808001",
	} {
		b, err := hex.DecodeString(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, as := range []*Type{Bool, Blob, Vec(Null), point, Variant(Field{"a", Null}), Opt(Text)} {
			var v []any
			var err error
			n := allocation.Of(func() { v, err = Decode(b, as) })
			if err != nil && !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", what, err)
			}
			if err == nil {
				t.Errorf("%s decoded as %v", what, v)
			}
			if n > 1<<18 {
				t.Errorf("%s: %d bytes allocated", what, n)
			}
		}
	}
}

// A list of another type is refused even if it is empty: its value would have another Go type.
func TestListOfAnotherType(t *testing.T) {
	b := []byte("DIDL\x01\x6d\x7f\x01\x00\x00")
	for _, as := range []*Type{Blob, Vec(Int32)} {
		if v, err := Decode(b, as); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v, %v", v, err)
		}
	}
}

// A case that the receiver does not know is an error where it counts, and skipped where it does not.
func TestUnknownCase(t *testing.T) {
	b := []byte("DIDL\x01\x6b\x01\x05\x7f\x01\x00\x00")
	if v, err := Decode(b, Variant(Field{"a", Null})); !errors.Is(err, ErrMalformed) {
		t.Errorf("%v, %v", v, err)
	}
	if v, err := Decode(b, Opt(Text)); err != nil || v[0] != nil {
		t.Errorf("%v, %v", v, err)
	}
}

// Nesting is bounded: a message of 60 kB that is one list in another, as deep as it is long.
func TestDepth(t *testing.T) {
	b := append([]byte("DIDL\x01\x6d\x00\x01\x00"), bytes.Repeat([]byte{1}, 60_000)...)
	for _, as := range []*Type{Opt(Bool), Blob, Vec(Vec(Vec(Bool)))} {
		if _, err := Decode(b, as); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v", err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	shape := Variant(Field{"none", Null}, Field{"points", Vec(point)}, Field{"who", Principal}, Field{"n", Vec(Int32)})
	f.Add(Encode([]*Type{shape}, []any{Case{"points", []any{[]any{int32(-7), "a", []byte{1, 2}}}}}))
	f.Add(Encode([]*Type{shape, Opt(Blob)}, []any{Case{"n", []int32{1, 2}}, []byte{3}}))
	f.Add([]byte("DIDL\x00\x00"))
	types := []*Type{shape, Opt(Blob)}
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		v, err := Decode(b, types...)
		if err != nil {
			return
		}
		again, err := Decode(Encode(types, v), types...)
		if err != nil || !reflect.DeepEqual(v, again) {
			t.Fatalf("%v became %v, %v", v, again, err)
		}
	})
}
