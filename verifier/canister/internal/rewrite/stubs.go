package rewrite

import (
	"fmt"

	"github.com/zkinfer/zkinfer/verifier/canister/internal/wasm"
)

// Error numbers of WASI.
const (
	errnoBadFile            = 8
	errnoNotSupported       = 58
	clockStep         int64 = 1e6 // nanoseconds
)

// stubs write what stands in for WASI where there is none. A canister has no arguments, files,
// clock or randomness, and must not: every replica has to compute the same.
type stubs struct {
	module *wasm.Module
	print  int // index of ic0.debug_print, −1 without
}

// code is the body of a function of WASI.
func (s *stubs) code(name string) ([]byte, error) {
	switch name {
	case "args_get", "environ_get", "sched_yield":
		return result(0), nil
	case "args_sizes_get", "environ_sizes_get":
		zero := []byte{wasm.OpI32Const, 0}
		return append(append(store(0, zero), store(1, zero)...), result(0)...), nil
	case "clock_time_get":
		return s.clock(), nil
	case "random_get":
		return random(), nil
	case "fd_write":
		return s.write(), nil
	case "proc_exit":
		return []byte{wasm.OpUnreachable, wasm.OpEnd}, nil
	case "poll_oneoff", "fd_fdstat_set_flags":
		return result(errnoNotSupported), nil
	case "fd_close", "fd_fdstat_get", "fd_prestat_get", "fd_prestat_dir_name":
		return result(errnoBadFile), nil
	}
	return nil, fmt.Errorf("the module needs %s of WASI, for which there is no substitute", name)
}

// result returns an error number.
func result(errno int64) []byte {
	return append(wasm.AppendInt([]byte{wasm.OpI32Const}, errno), wasm.OpEnd)
}

func local(i byte) []byte { return []byte{wasm.OpLocalGet, i} }

// store writes a value of 32 bits to the address in a local.
func store(address byte, value []byte) []byte {
	return append(append(local(address), value...), wasm.OpI32Store, 2, 0)
}

// clock counts calls. Go's runtime wants time to go on, and times above zero.
func (s *stubs) clock() []byte {
	now := byte(len(s.module.Globals))
	s.module.Globals = append(s.module.Globals, wasm.Global{Type: wasm.I64, Mutable: true,
		Init: append(wasm.AppendInt([]byte{wasm.OpI64Const}, clockStep), wasm.OpEnd)})
	code := append(wasm.AppendInt([]byte{wasm.OpGlobalGet, now, wasm.OpI64Const}, clockStep), wasm.OpI64Add, wasm.OpGlobalSet, now)
	code = append(append(code, local(2)...), wasm.OpGlobalGet, now, wasm.OpI64Store, 3, 0)
	return append(code, result(0)...)
}

// random fills with a constant. Go seeds its maps with it, so nobody may choose the keys of a map; and
// nothing secret is made in a canister.
func random() []byte {
	code := append(local(0), wasm.OpI32Const, 0x25)
	code = append(append(code, local(1)...), 0xfc, wasm.OpMemoryFill&0xff, 0)
	return append(code, result(0)...)
}

// write passes the first buffer on to the log; Go's runtime gives one at a time.
func (s *stubs) write() []byte {
	length := append(local(1), wasm.OpI32Load, 2, 4)
	var code []byte
	if s.print >= 0 {
		code = append(append(local(1), wasm.OpI32Load, 2, 0), length...)
		code = append(code, wasm.OpCall, byte(s.print))
	}
	return append(append(code, store(3, length)...), result(0)...)
}
