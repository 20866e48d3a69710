package wasm

import (
	"bytes"
	"fmt"
)

// Kinds of imports and exports.
const (
	KindFunction byte = iota
	KindTable
	KindMemory
	KindGlobal
)

// Types of values.
const (
	I64 byte = 0x7e
	I32 byte = 0x7f
)

// Identifiers of sections.
const (
	sectionCustom byte = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
)

// order is that of the sections in a file; data count stands before code.
var order = []byte{sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionGlobal, sectionExport,
	sectionStart, sectionElement, sectionDataCount, sectionCode, sectionData}

// FuncType is the type of a function, one byte a value.
type FuncType struct{ Params, Results []byte }

// Import is an imported function; nothing else may be imported.
type Import struct {
	Module, Name string
	Type         uint32
}

// Export is a name for something.
type Export struct {
	Name  string
	Kind  byte
	Index uint32
}

// Global is a variable; Init is its initial value as an expression, with its end.
type Global struct {
	Type    byte
	Mutable bool
	Init    []byte
}

// Function is a function of the module itself; Locals are the declarations as they stand in the file,
// Code the instructions with the last end.
type Function struct {
	Type         uint32
	Locals, Code []byte
}

// Element is a segment of a table of functions.
type Element struct {
	Offset    []byte // expression
	Functions []uint32
}

// Custom is a section of its own.
type Custom struct {
	Name string
	Data []byte
}

// Module is a parsed module.
type Module struct {
	Types     []FuncType
	Imports   []Import
	Functions []Function
	Globals   []Global
	Exports   []Export
	Start     *uint32 // called before anything else
	Elements  []Element
	Custom    []Custom

	raw map[byte][]byte // sections that are kept as they are
}

var magic = []byte("\x00asm\x01\x00\x00\x00")

// Parse decodes a module.
func Parse(b []byte) (*Module, error) {
	if !bytes.HasPrefix(b, magic) {
		return nil, fmt.Errorf("no WebAssembly module of version 1")
	}
	m := &Module{raw: map[byte][]byte{}}
	r := &reader{b: b[len(magic):]}
	var types []uint32
	for r.err == nil && len(r.b) > 0 {
		id := r.byte()
		s := &reader{b: r.bytes()}
		if r.err != nil {
			break
		}
		m.section(id, s, &types)
		if s.err != nil {
			return nil, fmt.Errorf("section %d: %w", id, s.err)
		}
	}
	if r.err == nil && len(types) != len(m.Functions) {
		r.fail("%d functions have a type, %d have code", len(types), len(m.Functions))
	}
	if r.err != nil {
		return nil, r.err
	}
	for i := range m.Functions {
		m.Functions[i].Type = types[i]
	}
	return m, nil
}

func (m *Module) section(id byte, s *reader, types *[]uint32) {
	switch id {
	case sectionCustom:
		name := string(s.bytes())
		m.Custom = append(m.Custom, Custom{name, s.b})
	case sectionType:
		s.each(func() { m.Types = append(m.Types, s.funcType()) })
	case sectionImport:
		s.each(func() { m.Imports = append(m.Imports, s.imported()) })
	case sectionFunction:
		s.each(func() { *types = append(*types, s.uint()) })
	case sectionGlobal:
		s.each(func() { m.Globals = append(m.Globals, Global{s.byte(), s.byte() == 1, s.expression()}) })
	case sectionExport:
		s.each(func() { m.Exports = append(m.Exports, Export{string(s.bytes()), s.byte(), s.uint()}) })
	case sectionStart:
		index := s.uint()
		m.Start = &index
	case sectionElement:
		s.each(func() { m.Elements = append(m.Elements, s.element()) })
	case sectionCode:
		s.each(func() { m.Functions = append(m.Functions, s.function()) })
	default:
		m.raw[id] = s.b
	}
}

// Encode is the module as a file.
func (m *Module) Encode() []byte {
	out := append([]byte{}, magic...)
	for _, id := range order {
		if body := m.encodeSection(id); len(body) > 0 {
			out = appendSection(out, id, body)
		}
	}
	for _, c := range m.Custom {
		out = appendSection(out, sectionCustom, append(appendBytes(nil, []byte(c.Name)), c.Data...))
	}
	return out
}

func (m *Module) encodeSection(id byte) []byte {
	switch id {
	case sectionType:
		return vector(m.Types, func(b []byte, t FuncType) []byte {
			return appendBytes(appendBytes(append(b, 0x60), t.Params), t.Results)
		})
	case sectionImport:
		return vector(m.Imports, func(b []byte, i Import) []byte {
			return AppendUint(append(appendBytes(appendBytes(b, []byte(i.Module)), []byte(i.Name)), KindFunction), uint64(i.Type))
		})
	case sectionFunction:
		return vector(m.Functions, func(b []byte, f Function) []byte { return AppendUint(b, uint64(f.Type)) })
	case sectionGlobal:
		return vector(m.Globals, func(b []byte, g Global) []byte {
			mutable := byte(0)
			if g.Mutable {
				mutable = 1
			}
			return append(append(b, g.Type, mutable), g.Init...)
		})
	case sectionExport:
		return vector(m.Exports, func(b []byte, e Export) []byte {
			return AppendUint(append(appendBytes(b, []byte(e.Name)), e.Kind), uint64(e.Index))
		})
	case sectionStart:
		if m.Start == nil {
			return nil
		}
		return AppendUint(nil, uint64(*m.Start))
	case sectionElement:
		return vector(m.Elements, func(b []byte, e Element) []byte {
			b = AppendUint(append(append(b, 0), e.Offset...), uint64(len(e.Functions)))
			for _, f := range e.Functions {
				b = AppendUint(b, uint64(f))
			}
			return b
		})
	case sectionCode:
		return vector(m.Functions, func(b []byte, f Function) []byte {
			return append(append(AppendUint(b, uint64(len(f.Locals)+len(f.Code))), f.Locals...), f.Code...)
		})
	}
	return m.raw[id]
}

// TypeIndex is the index of a function's type, which is added if it is new.
func (m *Module) TypeIndex(t FuncType) uint32 {
	for i, x := range m.Types {
		if bytes.Equal(x.Params, t.Params) && bytes.Equal(x.Results, t.Results) {
			return uint32(i)
		}
	}
	m.Types = append(m.Types, t)
	return uint32(len(m.Types) - 1)
}
