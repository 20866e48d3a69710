// Package estimate foretells what a proof takes, from the plan of its circuit and a probe of the machine.
//
// The promise: nothing is compiled. The plan says how many points and field elements each step of
// Groth16 handles and whether the scalars are small (activations, digits) or of full size (inverses,
// folded weights); the probe measures what such a step takes here, for a few seconds. The rest is
// addition.
//
//	probe.go   multi-exponentiation in G1 and G2, FFT, pairing, execution speed: wall and CPU time
//	groth16.go plan → points → seconds, bytes
//	verify.go  the verifier, natively, in canister instructions, in EVM gas; execution by everybody instead
//
// Pitfalls: a machine that is busy during the probe is taken for a slow one. Memory depends on Go's
// garbage collector, constants of which were fitted once (see memory.go).
package estimate
