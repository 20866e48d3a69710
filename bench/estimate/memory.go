package estimate

// The peak of a proving process in bytes, fitted by least squares to ten models from hello-world to
// ResNet-8, all of which it meets within a tenth (docs/bench.md): the program; what a point of the domain
// and a constraint take, key and garbage of Go's collector included; and a weight, which is read and arranged.
const (
	memoryBase       = 30_500_000
	memoryPoint      = 317
	memoryConstraint = 1822
	memoryWeight     = 23
)

func memory(p *Proof, weights int) int64 {
	return memoryBase + memoryPoint*int64(p.DomainSize) + memoryConstraint*int64(p.Constraints) + memoryWeight*int64(weights)
}
