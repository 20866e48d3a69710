//go:build !wasip1

package main

import (
	"fmt"
	"os"
)

// main is there so that the package can be built, and its calls tested, for anything else.
func main() {
	fmt.Fprintln(os.Stderr, "this is a WebAssembly module: build it with verifier/wasm/build.sh")
	os.Exit(2)
}
