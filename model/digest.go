package model

import (
	"fmt"

	"golang.org/x/crypto/sha3"

	"github.com/zkinfer/zkinfer/internal/envelope"
)

// The labels that separate the digests from each other and from any other use of keccak-256.
const (
	architectureLabel = "zkinfer/architecture/v1"
	parameterLabel    = "zkinfer/parameters/v1"
)

// architecture is what a circuit is made from, and nothing else: no parameters, no names, no scales.
type architecture struct {
	Rounding string
	Inputs   []TensorID
	Outputs  []TensorID
	Tensors  []archTensor
	Nodes    []archNode
}

type archTensor struct {
	Shape    []int
	Min, Max int64
	Type     DType
}

type archNode struct {
	Kind       string
	Attributes envelope.RawMessage
	In         []TensorID
	Out        TensorID
}

// ArchitectureDigest identifies the architecture: keccak-256 over a canonical encoding of shapes,
// ranges, types, attributes (tables, shifts, zero points among them), edges, and Source.Rounding.
// Parameters, names, scales and everything else do not enter it: retrained weights in the same
// architecture have the same digest.
func (g *Graph) ArchitectureDigest() [32]byte {
	a := architecture{Rounding: g.Source.Rounding, Inputs: g.Inputs, Outputs: g.Outputs}
	for _, t := range g.Tensors {
		a.Tensors = append(a.Tensors, archTensor{Shape: t.Shape, Min: t.Min, Max: t.Max, Type: t.Type})
	}
	for _, n := range g.Nodes {
		// Parameters and table names are not part of an op's encoding.
		a.Nodes = append(a.Nodes, archNode{n.Op.Kind(), mustMarshal(n.Op), n.In, n.Out})
	}
	return keccak(architectureLabel, mustMarshal(a))
}

// ParameterDigest identifies the parameters: keccak-256 over all parameter arrays in the order of
// nodes and Params. It hides nothing: low-entropy weights can be guessed from it.
func (g *Graph) ParameterDigest() [32]byte {
	parameters := [][][]byte{}
	for _, n := range g.Nodes {
		arrays := [][]byte{}
		for _, p := range n.Op.Params() {
			arrays = append(arrays, packIntegers(*p.Values))
		}
		parameters = append(parameters, arrays)
	}
	return keccak(parameterLabel, mustMarshal(parameters))
}

// mustMarshal encodes our own structs of integers and strings, which cannot fail.
func mustMarshal(v any) []byte {
	b, err := envelope.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("model: encoding %T: %v", v, err))
	}
	return b
}

func keccak(label string, b []byte) [32]byte {
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte(label))
	h.Write(b)
	return [32]byte(h.Sum(nil))
}
