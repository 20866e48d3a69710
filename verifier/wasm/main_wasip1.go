package main

import (
	"runtime/debug"
	"unsafe"
)

// abi is the version of the exports. The loader refuses another one.
const abi = 1

var verifier = &machine{loaded: map[uint32]loaded{}}

// A WebAssembly memory never shrinks: collect garbage before it grows.
func init() { debug.SetMemoryLimit(24 << 20) }

func main() {}

//go:wasmexport zkinfer_abi
func exportABI() uint32 { return abi }

// exportBuffer returns the address of room for a request, 0 where so much is not taken.
//
//go:wasmexport zkinfer_buffer
func exportBuffer(size uint32) uint32 { return address(verifier.buffer(size)) }

//go:wasmexport zkinfer_load
func exportLoad(keySize uint32) uint32 { return verifier.load(keySize) }

//go:wasmexport zkinfer_unload
func exportUnload(handle uint32) { verifier.unload(handle) }

//go:wasmexport zkinfer_check
func exportCheck(handle, proofSize, withContext uint32) uint32 {
	return verifier.check(handle, proofSize, withContext)
}

//go:wasmexport zkinfer_response
func exportResponse() uint32 { return address(verifier.response) }

//go:wasmexport zkinfer_response_size
func exportResponseSize() uint32 { return uint32(len(verifier.response)) }

// address is where a slice that the machine keeps alive lies: Go's collector moves nothing.
func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }
