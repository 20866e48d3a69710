package test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/zkinfer/zkinfer/verifier/canister/internal/wasm"
)

// The kernel is an int8 matrix of so many rows, times a vector.
const (
	kernelRows    = 128
	kernelColumns = 640
	// Where it finds its operands and leaves its sums.
	kernelVector = 0
	kernelMatrix = 1 << 10
	kernelSums   = 1 << 17
	unrolled     = 8
)

// runKernel is how many instructions the products of a dense layer take at the least, without vector instructions: the loop is written
// by hand, in the fewest instructions that WebAssembly has for it. Its sums are checked.
func runKernel(t *testing.T) int64 {
	t.Helper()
	ctx := context.Background()
	e, err := NewEngine(ctx, kernel(t))
	if err != nil {
		t.Fatal(err)
	}
	defer e.runtime.Close(ctx)
	c, err := e.Install(ctx, controller, nil)
	if err != nil {
		t.Fatal(err)
	}
	memory := c.memory()
	for i := range kernelColumns {
		memory[kernelVector+i] = byte(i*37 + 5)
	}
	for i := range kernelRows * kernelColumns {
		memory[kernelMatrix+i] = byte(i*i + 3*i)
	}
	if _, err := c.Update(ctx, somebody, "kernel", nil); err != nil {
		t.Fatal(err)
	}
	memory = c.memory()
	for row := range kernelRows {
		want := int32(0)
		for i := range kernelColumns {
			want += int32(int8(memory[kernelVector+i])) * int32(int8(memory[kernelMatrix+row*kernelColumns+i]))
		}
		if got := int32(binary.LittleEndian.Uint32(memory[kernelSums+4*row:])); got != want {
			t.Fatalf("row %d: %d, expected %d", row, got, want)
		}
	}
	return c.Instructions
}

// Instructions that package wasm has no names for, as it has no need of them.
const (
	opI32Load8S = 0x2c
	opI32LtU    = 0x49
	opI32Add    = 0x6a
	opI32Mul    = 0x6c
	opLocalSet  = 0x21
	opLocalTee  = 0x22
	noResult    = 0x40
)

// kernel is a module of two loops, one in the other.
func kernel(t *testing.T) []byte {
	t.Helper()
	m, err := wasm.Parse([]byte("\x00asm\x01\x00\x00\x00\x05\x03\x01\x00\x04")) // four pages of memory
	if err != nil {
		t.Fatal(err)
	}
	plain := m.TypeIndex(wasm.FuncType{})
	m.Imports = []wasm.Import{{Module: "ic0", Name: "msg_reply", Type: plain}}
	const matrix, vector, sum, out = 0, 1, 2, 3 // locals
	number := func(n int64) []byte { return wasm.AppendInt([]byte{wasm.OpI32Const}, n) }
	var code []byte
	add := func(b ...byte) { code = append(code, b...) }
	set := func(i byte, n int64) { add(number(n)...); add(opLocalSet, i) }
	// forward moves a pointer on and begins the loop again if it is below its end.
	forward := func(pointer byte, by, end int64) {
		add(wasm.OpLocalGet, pointer)
		add(number(by)...)
		add(opI32Add, opLocalTee, pointer)
		add(number(end)...)
		add(opI32LtU, wasm.OpBrIf, 0, wasm.OpEnd)
	}
	set(matrix, kernelMatrix)
	set(out, kernelSums)
	add(wasm.OpLoop, noResult)
	set(vector, kernelVector)
	set(sum, 0)
	add(wasm.OpLoop, noResult, wasm.OpLocalGet, sum)
	for i := range byte(unrolled) {
		add(wasm.OpLocalGet, matrix, opI32Load8S, 0, i, wasm.OpLocalGet, vector, opI32Load8S, 0, i, opI32Mul, opI32Add)
	}
	add(opLocalSet, sum, wasm.OpLocalGet, matrix)
	add(number(unrolled)...)
	add(opI32Add, opLocalSet, matrix)
	forward(vector, unrolled, kernelVector+kernelColumns)
	add(wasm.OpLocalGet, out, wasm.OpLocalGet, sum, wasm.OpI32Store, 2, 0)
	forward(out, 4, kernelSums+4*kernelRows)
	add(wasm.OpCall, 0, wasm.OpEnd)
	m.Functions = []wasm.Function{{Type: plain, Locals: []byte{1, 4, wasm.I32}, Code: code},
		{Type: plain, Locals: []byte{0}, Code: []byte{wasm.OpEnd}}}
	m.Exports = []wasm.Export{{Name: "memory", Kind: wasm.KindMemory}, {Name: "canister_init", Index: 2}, {Name: "canister_update kernel", Index: 1}}
	start := uint32(2)
	m.Start = &start
	return m.Encode()
}
