package test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/zkinfer/zkinfer/verifier/canister/internal/wasm"
)

// probe is a module whose every entry point makes one system call with zeros.
func probe(t *testing.T, s systemCall, entries ...string) *Engine {
	t.Helper()
	m, err := wasm.Parse([]byte("\x00asm\x01\x00\x00\x00\x05\x03\x01\x00\x01")) // one page of memory
	if err != nil {
		t.Fatal(err)
	}
	m.Imports = []wasm.Import{{Module: "ic0", Name: s.name, Type: m.TypeIndex(wasm.FuncType{Params: s.params, Results: s.results})},
		{Module: "ic0", Name: "msg_reply", Type: m.TypeIndex(wasm.FuncType{})}}
	var code []byte
	for _, p := range s.params {
		code = append(code, map[api.ValueType]byte{i32: wasm.OpI32Const, i64: wasm.OpI64Const}[p], 0)
	}
	code = append(code, wasm.OpCall, 0)
	for range s.results {
		code = append(code, 0x1a) // drop
	}
	plain := m.TypeIndex(wasm.FuncType{})
	m.Functions = []wasm.Function{{Type: plain, Locals: []byte{0}, Code: append(code, wasm.OpEnd)}, {Type: plain, Locals: []byte{0}, Code: []byte{wasm.OpEnd}}}
	m.Exports = []wasm.Export{{Name: "memory", Kind: wasm.KindMemory}}
	for _, name := range []string{"canister_init", "canister_query q", "canister_update u"} {
		index := uint32(3)
		for _, e := range entries {
			if e == name {
				index = 2
			}
		}
		m.Exports = append(m.Exports, wasm.Export{Name: name, Kind: wasm.KindFunction, Index: index})
	}
	start := uint32(3)
	for _, e := range entries {
		if e == "start" {
			start = 2
		}
	}
	m.Start = &start
	e, err := NewEngine(context.Background(), m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Each system call is refused in each entry point where the interface specification refuses it.
func TestSystemCallPermissions(t *testing.T) {
	ctx := context.Background()
	for _, s := range systemCalls {
		if s.name == "trap" {
			continue // it traps wherever it is allowed
		}
		for name, bit := range map[string]entry{"start": entryStart, "canister_init": entryInit, "canister_query q": entryQuery, "canister_update u": entryUpdate} {
			e := probe(t, s, name)
			c, err := e.Install(ctx, controller, nil)
			switch {
			case err != nil || bit == entryStart || bit == entryInit:
			case bit == entryQuery:
				_, err = c.Query(ctx, somebody, "q", nil)
			default:
				_, err = c.Update(ctx, somebody, "u", nil)
			}
			refused := err != nil && strings.Contains(err.Error(), "cannot be executed")
			if refused != (s.where&bit == 0) {
				t.Errorf("%s in %s: %v", s.name, name, err)
			}
			if err := e.runtime.Close(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The weights that most of a verification consists of, one instruction at a time; and that a block that
// is not entered is not paid for.
func TestMetering(t *testing.T) {
	for name, c := range map[string]struct {
		code []byte
		cost int64
	}{
		"empty function":      {[]byte{wasm.OpEnd}, 1},
		"constants, addition": {[]byte{wasm.OpI32Const, 1, wasm.OpI32Const, 2, 0x6a, 0x1a, wasm.OpEnd}, 1 + 4},
		"division":            {[]byte{wasm.OpI32Const, 4, wasm.OpI32Const, 2, 0x6d, 0x1a, wasm.OpEnd}, 1 + 13},
		"load":                {[]byte{wasm.OpI32Const, 0, wasm.OpI32Load, 2, 0, 0x1a, wasm.OpEnd}, 1 + 3},
		"if, not taken":       {[]byte{wasm.OpI32Const, 0, wasm.OpIf, 0x40, 0x01, 0x01, 0x01, wasm.OpEnd, wasm.OpEnd}, 1 + 3},
		"if, taken":           {[]byte{wasm.OpI32Const, 1, wasm.OpIf, 0x40, 0x01, 0x01, 0x01, wasm.OpEnd, wasm.OpEnd}, 1 + 6},
		"fill 100 bytes":      {[]byte{wasm.OpI32Const, 0, wasm.OpI32Const, 0, wasm.OpI32Const, 0xe4, 0, 0xfc, 0x0b, 0, wasm.OpEnd}, 1 + 3 + 100 + 100},
		"memory.size":         {[]byte{wasm.OpMemorySize, 0, 0x1a, wasm.OpEnd}, 1 + 21},
		"call":                {[]byte{wasm.OpCall, 0, wasm.OpEnd}, 1 + 5 + 500},
	} {
		m, err := wasm.Parse([]byte("\x00asm\x01\x00\x00\x00\x05\x03\x01\x00\x01"))
		if err != nil {
			t.Fatal(err)
		}
		plain := m.TypeIndex(wasm.FuncType{})
		m.Imports = []wasm.Import{{Module: "ic0", Name: "msg_reply", Type: plain}}
		m.Functions = []wasm.Function{{Type: plain, Locals: []byte{0}, Code: c.code}, {Type: plain, Locals: []byte{0}, Code: []byte{wasm.OpEnd}}}
		m.Exports = []wasm.Export{{Name: "memory", Kind: wasm.KindMemory}, {Name: "canister_init", Index: 2}, {Name: "canister_update u", Index: 1}}
		start := uint32(2)
		m.Start = &start
		e, err := NewEngine(context.Background(), m.Encode())
		if err != nil {
			t.Fatal(err)
		}
		canister, err := e.Install(context.Background(), controller, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := canister.Update(context.Background(), somebody, "u", nil); err != nil && name == "call" {
			t.Fatal(err)
		}
		if got := canister.Instructions - int64(canister.DirtyPages)*dirtyPageCost; got != c.cost {
			t.Errorf("%s: %d instructions, expected %d", name, got, c.cost)
		}
	}
}

// What the host undoes: a canister that traps, runs out of instructions, or does not reply.
func TestHostErrors(t *testing.T) {
	ctx := context.Background()
	for _, s := range systemCalls {
		if s.name != "trap" {
			continue
		}
		c, err := probe(t, s, "canister_update u").Install(ctx, controller, nil)
		if err != nil {
			t.Fatal(err)
		}
		var trap *Trap
		if _, err := c.Update(ctx, somebody, "u", nil); !errors.As(err, &trap) {
			t.Error(err)
		}
		if _, err := c.Query(ctx, somebody, "q", nil); err == nil || !strings.Contains(err.Error(), "did not reply") {
			t.Error(err)
		}
		if _, err := c.Query(ctx, somebody, "none", nil); err == nil {
			t.Error("a method that is not there was called")
		}
		if err := c.Upgrade(ctx, somebody, nil); err == nil {
			t.Error("somebody upgraded a canister")
		}
	}
	if fmt.Sprint(&Trap{"x"}) != "trapped: x" {
		t.Error("a trap does not say so")
	}
}
