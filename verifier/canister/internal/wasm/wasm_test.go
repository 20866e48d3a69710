package wasm

import (
	"bytes"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
)

// sample is a module with one of everything: a call of an import, a loop, a table, data.
func sample() []byte {
	m := &Module{raw: map[byte][]byte{
		sectionTable:  {1, 0x70, 0, 1},
		sectionMemory: {1, 0, 1},
		sectionData:   {1, 0, OpI32Const, 0, OpEnd, 1, 'x'},
	}}
	plain := m.TypeIndex(FuncType{})
	number := m.TypeIndex(FuncType{Params: []byte{I32}, Results: []byte{I64}})
	m.Imports = []Import{{"env", "f", plain}}
	m.Functions = []Function{
		{plain, []byte{0}, []byte{OpLoop, 0x40, OpCall, 0, OpI32Const, 0, OpBrIf, 0, OpEnd, OpEnd}},
		{number, []byte{1, 2, I32}, []byte{OpI64Const, 0x80, 0x7f, OpGlobalGet, 0, OpI64Add, OpEnd}},
	}
	m.Globals = []Global{{I64, true, []byte{OpI64Const, 5, OpEnd}}}
	m.Exports = []Export{{"memory", KindMemory, 0}, {"f", KindFunction, 1}}
	start := uint32(1)
	m.Start = &start
	m.Elements = []Element{{[]byte{OpI32Const, 0, OpEnd}, []uint32{0, 2}}}
	m.Custom = []Custom{{"name", []byte("x")}}
	return m.Encode()
}

func TestRoundTrip(t *testing.T) {
	b := sample()
	m, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if again := m.Encode(); !bytes.Equal(again, b) {
		t.Errorf("%x became %x", b, again)
	}
	if m.TypeIndex(FuncType{}) != 0 || len(m.Types) != 2 {
		t.Error("a type was added twice")
	}
	var calls, others int
	if err := Walk(m.Functions[0].Code, func(i Instruction) {
		if i.Code == OpCall {
			calls++
		} else {
			others++
		}
	}); err != nil || calls != 1 || others != 5 {
		t.Errorf("%d calls, %d other instructions, %v", calls, others, err)
	}
}

func TestRefused(t *testing.T) {
	b := sample()
	for at := len(magic); at < len(b)-9; at++ { // the custom section at the end may be missing
		if m, err := Parse(b[:at]); err == nil && bytes.Equal(m.Encode(), b) {
			t.Errorf("%d bytes are a whole module", at)
		}
	}
	for what, code := range map[string][]byte{"vector": {0xfd, 0}, "truncated": {OpI32Const}, "endless number": append([]byte{OpI32Const}, bytes.Repeat([]byte{0x80}, 12)...), "unknown": {0xfc, 0x63}} {
		if err := Walk(code, func(Instruction) {}); err == nil {
			t.Errorf("%s was walked", what)
		}
	}
	if _, err := Parse([]byte("\x00asm\x02\x00\x00\x00")); err == nil {
		t.Error("another version was parsed")
	}
}

// FuzzParse: nothing panics, and what is parsed is the same after it was written.
func FuzzParse(f *testing.F) {
	f.Add(sample())
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		m, err := Parse(b)
		if err != nil {
			return
		}
		once := m.Encode()
		again, err := Parse(once)
		if err != nil || !bytes.Equal(again.Encode(), once) {
			t.Fatalf("%x is parsed, %x is not: %v", b, once, err)
		}
		for _, fn := range m.Functions {
			_ = Walk(fn.Code, func(Instruction) {})
		}
	})
}
