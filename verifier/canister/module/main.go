//go:build wasip1

// Command module is the canister's program. It is not run as it is: verifier/canister/build compiles
// it and makes a canister of it.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/zkinfer/zkinfer/verifier/canister/internal/service"
)

// canister is what is decoded from stable memory; it is rolled back with everything else.
var canister *service.Service

func main() {}

// heapTarget is what may be allocated before an update ends with a garbage collection. Go's own pace
// is made for a clock and for time between calls: in a canister it falls behind. A query's garbage
// needs no collection, it is undone with the query.
const heapTarget = 6 << 20

func init() { debug.SetGCPercent(-1) }

func collect() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > heapTarget {
		runtime.GC()
	}
}

// guard turns a panic into a trap with a message. Without it, Go's runtime would print stacks.
func guard() {
	if p := recover(); p != nil {
		trap(fmt.Sprint("panic: ", p))
	}
}

func begin(how func(service.System, []byte) (*service.Service, error)) {
	defer guard()
	s, err := how(system{}, argument())
	if err != nil {
		trap(err.Error())
	}
	canister = s
	runtime.GC()
}

func answer(method service.Method) {
	defer guard()
	out, err := method(canister, argument())
	if err != nil {
		trap(err.Error())
	}
	reply(out)
}

// change is answer for updates.
func change(method service.Method) {
	answer(method)
	collect()
}

//go:wasmexport canister_init
func onInit() { begin(service.Install) }

//go:wasmexport canister_post_upgrade
func onUpgrade() { begin(service.Resume) }
