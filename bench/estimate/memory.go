package estimate

// The peak of a proving process in bytes, fitted to models from hello-world to MobileNetV1 (docs/bench.md):
// the program; the key, which stays; what a point of the domain and a constraint take while a proof is
// made, garbage of Go's collector included; and of a weight, whose integers are read and arranged.
const (
	memoryBase       = 24 << 20
	memoryKey        = 1.0
	memoryPoint      = 600
	memoryConstraint = 600
	memoryWeight     = 40
)

func memory(p *Proof, weights int) int64 {
	return memoryBase + int64(memoryKey*float64(p.ProvingKeyBytes)) + memoryPoint*int64(p.DomainSize) +
		memoryConstraint*int64(p.Constraints) + memoryWeight*int64(weights)
}
