// Package rewrite makes canisters of the Internet Computer from Go programs.
//
// The promise: the same sources give the same bytes on every machine, as paths, version control and the environment's settings are
// left out and the compiler is the version that the program's go.mod names; and the module imports the system's
// interface and nothing else. How Go comes to WASI and WASI to the system's interface is docs/canister.md's "How it is built".
package rewrite

import (
	"fmt"
	"strings"

	"github.com/zkinfer/zkinfer/verifier/canister/internal/wasm"
)

const wasi = "wasi_snapshot_preview1"

// Module makes a canister of a module that Go compiled for WASI: the imports of WASI become functions
// of the module, exported methods get names with a space, which Go refuses, the runtime starts by
// itself, and the interface stands in a section of its own.
func Module(compiled []byte, did string) ([]byte, error) {
	m, err := wasm.Parse(compiled)
	if err != nil {
		return nil, err
	}
	if err := replaceImports(m); err != nil {
		return nil, err
	}
	renameExports(m)
	// Names and producers are for debuggers.
	m.Custom = []wasm.Custom{{Name: "icp:public candid:service", Data: []byte(did)}}
	if m.Start == nil {
		return nil, fmt.Errorf("the module exports no _initialize: it was not built as a library")
	}
	return m.Encode(), nil
}

// replaceImports moves the imports of WASI behind all functions and calls to wherever a function went.
func replaceImports(m *wasm.Module) error {
	w := &stubs{module: m, print: -1}
	var kept []wasm.Import
	moved := make([]uint32, len(m.Imports)+len(m.Functions))
	for i, imported := range m.Imports {
		switch imported.Module {
		case "ic0":
			if imported.Name == "debug_print" {
				w.print = len(kept)
			}
			moved[i] = uint32(len(kept))
			kept = append(kept, imported)
		case wasi:
		default:
			return fmt.Errorf("the module imports %s.%s", imported.Module, imported.Name)
		}
	}
	for i := range m.Functions {
		moved[len(m.Imports)+i] = uint32(len(kept) + i)
	}
	var added []wasm.Function
	for i, imported := range m.Imports {
		if imported.Module == wasi {
			moved[i] = uint32(len(kept) + len(m.Functions) + len(added))
			code, err := w.code(imported.Name)
			if err != nil {
				return err
			}
			added = append(added, wasm.Function{Type: imported.Type, Locals: []byte{0}, Code: code})
		}
	}
	m.Imports = kept
	if err := renumber(m, moved); err != nil {
		return err
	}
	m.Functions = append(m.Functions, added...)
	return nil
}

// renumber replaces the index of every function wherever one stands.
func renumber(m *wasm.Module, moved []uint32) error {
	for i := range m.Functions {
		f := &m.Functions[i]
		code := make([]byte, 0, len(f.Code)+16)
		err := wasm.Walk(f.Code, func(i wasm.Instruction) {
			if i.Code == wasm.OpCall || i.Code == wasm.OpRefFunc {
				code = wasm.AppendUint(append(code, byte(i.Code)), uint64(moved[i.Index]))
			} else {
				code = append(code, i.Bytes...)
			}
		})
		if err != nil {
			return err
		}
		f.Code = code
	}
	for i := range m.Elements {
		for k, f := range m.Elements[i].Functions {
			m.Elements[i].Functions[k] = moved[f]
		}
	}
	for i, e := range m.Exports {
		if e.Kind == wasm.KindFunction {
			m.Exports[i].Index = moved[e.Index]
		}
	}
	return nil
}

// renameExports gives entry points their names and drops the rest: whatever a canister exports can be
// called.
func renameExports(m *wasm.Module) {
	var kept []wasm.Export
	for _, e := range m.Exports {
		switch {
		case e.Name == "_initialize":
			m.Start = &e.Index
		case strings.HasPrefix(e.Name, "canister_"):
			e.Name = strings.Replace(e.Name, ":", " ", 1)
			kept = append(kept, e)
		case e.Kind == wasm.KindMemory:
			kept = append(kept, e)
		}
	}
	m.Exports = kept
}
