// Package test runs the canister's module on a host that behaves like the Internet Computer, as far as
// a canister without calls of its own can tell: the system interface with the permissions of each entry
// point, messages that are undone when they trap, queries that leave no trace, upgrades that keep stable
// memory alone, and instructions counted with the replica's weights.
//
// It is a module of its own, so that the engine and the independent decoders stay out of the
// project's dependencies.
//
// Source: Internet Computer interface specification, "System API"; weights: dfinity/ic,
// rs/embedders/src/wasm_utils/instrumentation.rs and wasmtime_embedder/system_api_complexity.rs as of 2025.
// Pitfalls: no consensus, no signatures, no cycles; certificates are bytes that only this host knows.
package test
