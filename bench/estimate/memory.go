package estimate

// The peak of a proving process in bytes, fitted by least squares to 22 models from hello-world to
// MobileNetV1, all of which it meets within a fifth (docs/bench.md): the program; what a point of the domain
// and a constraint take, key and garbage of Go's collector included; and a weight, which is read and arranged.
const (
	memoryBase       = 37_600_000
	memoryPoint      = 197
	memoryConstraint = 1580
	memoryWeight     = 17
)

func memory(p *Proof, weights int) int64 {
	return memoryBase + memoryPoint*int64(p.DomainSize) + memoryConstraint*int64(p.Constraints) + memoryWeight*int64(weights)
}
