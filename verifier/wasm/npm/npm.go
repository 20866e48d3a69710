// Package npm holds the npm package zkinfer-verifier: the WebAssembly module with its JavaScript loader,
// for programs that hand them out. ../build.sh builds the module; a test compares it with its sources.
package npm

import "embed"

// Files are the package as it is published.
//
//go:embed package.json index.js index.d.ts README.md verifier.wasm.gz
var Files embed.FS

// Names of the files that are used by themselves.
const (
	Loader = "index.js"
	Module = "verifier.wasm.gz"
)
