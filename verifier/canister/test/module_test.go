package test

import (
	"slices"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/verifier/canister"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/wasm"
)

// maxModuleBytes bounds the compressed module.
const maxModuleBytes = 1_500_000

// The module imports the system's interface alone, and exports the methods of its interface.
func TestModule(t *testing.T) {
	b, err := unpacked()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d compressed", len(b), len(canister.Module))
	if len(canister.Module) > maxModuleBytes {
		t.Errorf("%d bytes compressed, at most %d", len(canister.Module), maxModuleBytes)
	}
	m, err := wasm.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range m.Imports {
		if i.Module != "ic0" {
			t.Errorf("it imports %s.%s", i.Module, i.Name)
		}
	}
	if len(m.Custom) != 1 || m.Custom[0].Name != "icp:public candid:service" || string(m.Custom[0].Data) != canister.Interface {
		t.Errorf("%d custom sections, expected the interface alone", len(m.Custom))
	}
	withinLimits(t, m)
	sameMethods(t, m)
}

// withinLimits checks what a replica demands of a module before it installs it.
func withinLimits(t *testing.T, m *wasm.Module) {
	code := 0
	for i, f := range m.Functions {
		code += len(f.Code) + len(f.Locals)
		if len(f.Code) > 1_000_000 {
			t.Errorf("function %d has %d bytes, at most 1,000,000", i, len(f.Code))
		}
	}
	if code > 10<<20 || len(m.Functions) > 50_000 || len(m.Globals) > 1000 {
		t.Errorf("%d bytes of code in %d functions, %d globals; at most 10 MiB, 50,000 and 1,000", code, len(m.Functions), len(m.Globals))
	}
	for _, e := range m.Exports {
		if e.Kind != wasm.KindFunction {
			continue
		}
		f := m.Functions[int(e.Index)-len(m.Imports)]
		if typ := m.Types[f.Type]; len(typ.Params)+len(typ.Results) != 0 {
			t.Errorf("%s takes or gives values", e.Name)
		}
	}
}

// sameMethods compares exports with the methods of the interface.
func sameMethods(t *testing.T, m *wasm.Module) {
	var got, want []string
	for _, e := range m.Exports {
		if strings.Contains(e.Name, " ") {
			got = append(got, e.Name)
		}
	}
	_, service, _ := strings.Cut(canister.Interface, "service : ")
	for _, line := range strings.Split(service, "\n")[1:] {
		name, types, found := strings.Cut(strings.TrimSpace(line), " : ")
		if !found {
			continue
		}
		if strings.HasSuffix(types, "query;") {
			want = append(want, "canister_query "+name)
		} else {
			want = append(want, "canister_update "+name)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("exports %v, the interface has %v", got, want)
	}
}
