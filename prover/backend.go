package prover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/verifier"
)

// Errors of provers. Those of the verifier (a proof that does not verify) come from package verifier.
var (
	// ErrKeyMismatch is a model, commitment or input that does not belong to the keys.
	ErrKeyMismatch = errors.New("does not belong to these keys")
	// ErrArchitecture is a key or commitment for another architecture than a model's.
	ErrArchitecture = errors.New("another architecture")
	// ErrMalformedKeys is a key folder that cannot be read.
	ErrMalformedKeys = errors.New("malformed keys")
)

// Version is the format of circuits and keys: gnark's are not stable across its versions.
const Version = "zkinfer/2 gnark/0.16.3"

// Options are the choices that a key is made for.
type Options = circuits.Options

// Backend is a proof system at work. Package backends lists those that there are. What only one of them
// can do (a ceremony, say) is a method of its own types, beside these.
type Backend interface {
	// Name stands in manifests and proofs.
	Name() string
	// Plan foretells what keys and proofs for the architecture of g take on a machine of these rates, without
	// building anything. It errs where the proof system has no proof for g.
	Plan(g *model.Graph, o Options, r *estimate.Rates) (*Plan, error)
	// Compile makes the circuit that keys for the architecture of g need. It depends on no parameter that a
	// model commitment holds.
	Compile(ctx context.Context, g *model.Graph, o Options) (Circuit, error)
	// Open reads a key folder, the manifest of which is m.
	Open(dir string, m *Manifest) (Keys, error)
}

// Plan is what keys and proofs for a model take.
type Plan struct {
	Constraints int         // exact where there are Layers, an estimate otherwise
	Layers      []LayerPlan // of each node of the graph; nil where constraints do not belong to layers
	// What no layer has alone: inputs and outputs, rows of lookup tables, powers of challenges.
	Border, Tables, Fixed int
	Proof                 estimate.Proof
	Verification          estimate.Verification
}

// LayerPlan is what one node of the graph takes.
type LayerPlan struct {
	Constraints int
	Note        string // how the node is packed
}

// Circuit is compiled, for a setup.
type Circuit interface {
	// Constraints is their number in whatever unit the proof system counts.
	Constraints() int
	// UnsafeDevSetup makes keys by one party, who could keep the secrets and forge proofs. It is for
	// development, and for a prover who is the only verifier.
	UnsafeDevSetup(ctx context.Context) (Keys, error)
}

// UniversalCircuit is a Circuit whose keys can be made of a structured reference string, without a secret.
type UniversalCircuit interface {
	Circuit
	// UniversalSetup makes keys of the string in a file of any format that package srs imports; what takes long
	// to compute of it is kept in the folder cache ("" for none).
	UniversalSetup(ctx context.Context, file, cache string) (Keys, error)
}

// CeremonyCircuit is a Circuit whose keys several parties can make together: see package ceremony.
type CeremonyCircuit interface {
	Circuit
	// Subject says what the keys are for: whoever knows it, and a model of the architecture if it has one, can
	// compile the same circuit.
	Subject() Subject
	// System is what the secrets depend on. It must not be changed.
	System() *cs.R1CS
	// CeremonyKeys are keys of what a ceremony for System ended with; digest is that of its transcript. Where
	// the points come from is not checked here: whoever verified the transcript knows.
	CeremonyKeys(pk *groth16bn254.ProvingKey, vk *groth16bn254.VerifyingKey, digest [32]byte) (Keys, error)
}

// Subject is what keys are for: a model's architecture with the choices that were made for it, or a size class, which
// leaves everything else empty. Names are part of verifying keys but not of the architecture's digest: whoever has
// another model of the architecture takes them from here.
type Subject struct {
	Model         string   `cbor:"model"`   // its name
	Inputs        []string `cbor:"inputs"`  // names of tensors
	Outputs       []string `cbor:"outputs"` // likewise
	Architecture  []byte   `cbor:"architecture"`
	PrivateInput  bool     `cbor:"private_input"`
	PrivateOutput bool     `cbor:"private_output"`
	FoldRows      int      `cbor:"fold_rows"`
	SizeClass     int      `cbor:"size_class,omitempty"`
}

// Size classes are numbered: keys of class N are for rows of 2^N cells.
const (
	MinSizeClass = 8
	MaxSizeClass = 16
)

// Name is what people call the subject.
func (s *Subject) Name() string {
	if s.SizeClass != 0 {
		return SizeClassName(s.SizeClass)
	}
	return s.Model
}

// SizeClassName is what keys of class n are called.
func SizeClassName(n int) string { return fmt.Sprintf("size class %d", n) }

// Keys are everything that a prover needs besides the model.
type Keys interface {
	VerifyingKey() verifier.Key
	// CommitModel commits to the parameters of g, once for each set of weights.
	CommitModel(ctx context.Context, g *model.Graph, privacy Privacy) (*ModelOpening, error)
	// Prove runs g on inputs (flat, one slice an input) and proves the result in the given context, a value
	// chosen by whoever asks for the proof. The proof is verified before it is returned.
	Prove(ctx context.Context, g *model.Graph, opening *ModelOpening, inputs [][]int64, context []byte) (*Proved, error)
	// Save writes the key folder, whole or not at all; an existing one is replaced only with force.
	Save(dir string, force bool) (*Manifest, error)
}

// ClassKeys are keys of a size class. What a proof hides is chosen with each model commitment.
type ClassKeys interface {
	Keys
	// WithOptions are the same keys for models that are committed with these options.
	WithOptions(o Options) Keys
}

// Describing is a Backend whose model commitments hold the architecture: whoever expects one has to know that it is that of the
// model, which anybody makes of the model without its weights.
type Describing interface {
	Backend
	// CompareArchitecture errs (ErrArchitecture) where a commitment is for another architecture than that of g, and
	// says what differs first.
	CompareArchitecture(g *model.Graph, c verifier.Commitment) error
}

// CircuitKeys are Keys of a circuit that the architecture alone determines.
type CircuitKeys interface {
	Keys
	// CompareCircuit errs (ErrArchitecture) where their circuit is not that of g, and says what differs first.
	CompareCircuit(ctx context.Context, g *model.Graph) error
}

// Stats is what a proof cost.
type Stats struct {
	Execute, Assign, Prove, Verify time.Duration
	Constraints                    int
}

// Proved is a finished proof with what its maker knows beyond it.
type Proved struct {
	Bundle  *verifier.Bundle
	Outputs [][]int64 // in the graph's order
	// InputSalts and OutputSalts open the commitments of private tensors, one for each point; nil for public
	// ones.
	InputSalts, OutputSalts [][]fr.Element
	Stats                   Stats
}
