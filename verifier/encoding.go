package verifier

import "github.com/zkinfer/zkinfer/internal/wire"

// Limits of what is decoded.
const (
	maxStringBytes   = wire.MaxString
	maxRank          = 8
	maxTensors       = 256
	maxFoldRows      = 1024
	maxElements      = 1 << 24
	maxTensorPoints  = 1 << 12 // of the commitment of a private tensor
	maxContextBytes  = 1 << 16
	maxPublicInputs  = 1 << 16
	maxCommitments   = 2 + 2*maxTensors
	maxPublicIndices = maxPublicInputs + maxCommitments
)
