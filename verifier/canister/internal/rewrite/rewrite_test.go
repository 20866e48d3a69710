package rewrite

import (
	"bytes"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/verifier/canister/internal/wasm"
)

// compiled is what Go might give: imports of both kinds in turn, a call of each, an entry point.
func compiled(t *testing.T, imports ...wasm.Import) []byte {
	t.Helper()
	m, err := wasm.Parse([]byte("\x00asm\x01\x00\x00\x00\x05\x03\x01\x00\x01"))
	if err != nil {
		t.Fatal(err)
	}
	plain := m.TypeIndex(wasm.FuncType{})
	m.Imports = imports
	own := uint32(len(imports))
	var code []byte
	for i := range imports {
		code = append(code, wasm.OpCall, byte(i))
	}
	m.Functions = []wasm.Function{{Type: plain, Locals: []byte{0}, Code: append(code, wasm.OpCall, byte(own+1), wasm.OpEnd)},
		{Type: plain, Locals: []byte{0}, Code: []byte{wasm.OpEnd}}}
	m.Exports = []wasm.Export{{Name: "_initialize", Index: own + 1}, {Name: "canister_query:q", Index: own},
		{Name: "helper", Index: own}, {Name: "memory", Kind: wasm.KindMemory}}
	return m.Encode()
}

// Calls still reach what they reached, wherever it went.
func TestRewrite(t *testing.T) {
	b, err := Module(compiled(t, wasm.Import{Module: wasi, Name: "sched_yield"}, wasm.Import{Module: "ic0", Name: "debug_print"},
		wasm.Import{Module: wasi, Name: "proc_exit"}, wasm.Import{Module: "ic0", Name: "msg_reply"}), "service : {}")
	if err != nil {
		t.Fatal(err)
	}
	m, err := wasm.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Imports) != 2 || m.Imports[0].Name != "debug_print" || m.Imports[1].Name != "msg_reply" || len(m.Functions) != 4 {
		t.Fatalf("imports %v, %d functions", m.Imports, len(m.Functions))
	}
	// Functions: two imports, the two that were there, then sched_yield and proc_exit.
	if want := []byte{wasm.OpCall, 4, wasm.OpCall, 0, wasm.OpCall, 5, wasm.OpCall, 1, wasm.OpCall, 3, wasm.OpEnd}; !bytes.Equal(m.Functions[0].Code, want) {
		t.Errorf("code %x, expected %x", m.Functions[0].Code, want)
	}
	if !bytes.Equal(m.Functions[3].Code, []byte{wasm.OpUnreachable, wasm.OpEnd}) {
		t.Errorf("proc_exit became %x", m.Functions[3].Code)
	}
	if m.Start == nil || *m.Start != 3 || len(m.Exports) != 2 || m.Exports[0].Name != "canister_query q" {
		t.Errorf("start %v, exports %v", m.Start, m.Exports)
	}
}

// What has no substitute is refused by name, not left to fail on chain.
func TestRewriteRefuses(t *testing.T) {
	for want, i := range map[string]wasm.Import{"sock_accept": {Module: wasi, Name: "sock_accept"}, "env.f": {Module: "env", Name: "f"}} {
		if _, err := Module(compiled(t, i), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
