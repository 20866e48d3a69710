//go:build wasip1

// Command executor is a canister that runs a model instead of verifying a proof of it: what replicated execution costs is measured
// with it. It is no product: everybody who runs a node sees the weights that it is installed with.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/debug"
	"unsafe"

	"github.com/zkinfer/zkinfer/model"
)

//go:wasmimport ic0 msg_arg_data_size
func msgArgDataSize() uint32

//go:wasmimport ic0 msg_arg_data_copy
func msgArgDataCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 msg_reply_data_append
func msgReplyDataAppend(src unsafe.Pointer, size uint32)

//go:wasmimport ic0 msg_reply
func msgReply()

//go:wasmimport ic0 trap
func trap(src unsafe.Pointer, size uint32)

// heapTarget is what may be allocated before an update ends with a garbage collection: enough for one
// run, so that what is measured is the model.
const heapTarget = 256 << 20

var graph *model.Graph

func main() {}

func init() { debug.SetGCPercent(-1) }

func argument() []byte {
	b := make([]byte, msgArgDataSize())
	msgArgDataCopy(unsafe.Pointer(unsafe.SliceData(b)), 0, uint32(len(b)))
	return b
}

func fail(message any) {
	b := []byte(fmt.Sprint(message))
	trap(unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b)))
}

// onInit takes a model file.
//
//go:wasmexport canister_init
func onInit() {
	var err error
	if graph, err = model.Decode(argument()); err != nil {
		fail(err)
	}
	runtime.GC()
}

// onRun takes the first input's integers, 4 bytes each, and replies with those of the first output.
//
//go:wasmexport canister_update:run
func onRun() {
	b := argument()
	x := make([]int64, len(b)/4)
	for i := range x {
		x[i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
	}
	out, err := graph.Run(context.Background(), [][]int64{x})
	if err != nil {
		fail(err)
	}
	reply(out[0])
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc > heapTarget {
		runtime.GC()
	}
}

func reply(values []int64) {
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	msgReplyDataAppend(unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b)))
	msgReply()
}
