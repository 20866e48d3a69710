// Package wasm rewrites WebAssembly modules: it parses what a rewriter has to change (types, imports,
// functions, exports, code) and keeps everything else as bytes.
//
// The promise: Encode of a parsed module is a module of the same behaviour, and every instruction is
// known with its immediates, or Walk reports an error; nothing is guessed.
//
// Source: WebAssembly Core Specification 2.0, section 5 (binary format). Pitfalls: only what Go's
// compiler emits is understood (no vectors, no references but functions in tables, element segments of
// kind 0 only); function indices count imports first, so removing an import moves every call.
package wasm
