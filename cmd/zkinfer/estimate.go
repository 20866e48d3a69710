package main

import (
	"fmt"
	"io"
	"math/bits"
)

// What Groth16 over BN254 costs for each point of the evaluation domain, the next power of two of
// the constraints. Measured on two cores: 2^16 points of mnist-8 and gnark's own circuits up to 2^20;
// good to about a third.
const (
	proveCPUSeconds  = 15e-6
	setupCPUSeconds  = 50e-6
	memoryBytes      = 1900
	provingKeyBytes  = 420
	baseMemoryBytes  = 32 << 20
	estimatedBackend = "groth16"
)

// estimateReport is what a proof will take, roughly.
type estimateReport struct {
	Backend         string  `json:"backend"`
	DomainSize      int     `json:"domain_size"`
	ProveCPUSeconds float64 `json:"prove_cpu_seconds"`
	SetupCPUSeconds float64 `json:"setup_cpu_seconds"`
	MemoryBytes     int64   `json:"memory_bytes"`
	ProvingKeyBytes int64   `json:"proving_key_bytes"`
}

func newEstimate(constraints int) *estimateReport {
	domain := 1 << bits.Len(uint(max(constraints, 1)-1))
	return &estimateReport{
		Backend: estimatedBackend, DomainSize: domain,
		ProveCPUSeconds: proveCPUSeconds * float64(domain), SetupCPUSeconds: setupCPUSeconds * float64(domain),
		MemoryBytes: baseMemoryBytes + memoryBytes*int64(domain), ProvingKeyBytes: provingKeyBytes * int64(domain),
	}
}

func (e *estimateReport) print(w io.Writer) {
	fmt.Fprintf(w, "estimated for %s: proof %s of CPU time and %s of memory, proving key %s, setup %s of CPU time\n",
		e.Backend, seconds(e.ProveCPUSeconds), byteSize(e.MemoryBytes), byteSize(e.ProvingKeyBytes), seconds(e.SetupCPUSeconds))
}
