package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/sumcheck"
)

// ErrUnknownBackend is a proof system, or a way to hold weights, that there is not.
var ErrUnknownBackend = errors.New("unknown proof system")

// Weights is a way to hold the weights of a model in a proof.
type Weights string

// Ways to hold weights. A proof system need not know all of them.
const (
	FoldedPrivate Weights = "folded-private" // folded; a salted model commitment
	FoldedPublic  Weights = "folded-public"  // folded; a model commitment that everybody recomputes
	WiresPrivate  Weights = "wires-private"  // a secret input each
	WiresPublic   Weights = "wires-public"   // a public input each
	Constants     Weights = "constants"      // public, part of the circuit
	GatesPrivate  Weights = "gates-private"  // coefficients of the gates, which the keys hide by salts
	GatesPublic   Weights = "gates-public"   // the same without salts: everybody can make the keys again
)

// public tells whether everybody sees the weights.
func (w Weights) public() bool {
	return slices.Contains([]Weights{FoldedPublic, WiresPublic, Constants, GatesPublic}, w)
}

// Sizes are those of keys, in bytes.
type Sizes struct {
	ProvingKey   int64 `json:"proving_key_bytes"`
	VerifyingKey int64 `json:"verifying_key_bytes"` // with the model commitment, all that a verifier keeps
	Commitment   int64 `json:"commitment_bytes"`    // of these; 0 where there is none
}

// Backend is a proof system at work on one model. Its methods are the phases of a measurement, never
// called concurrently: Compile, Setup, Commit and Save in one process, then Open, Prove and Verify in
// another. Each but Open and Save may be called several times.
type Backend interface {
	// Compile makes the constraint system and returns its number of constraints.
	Compile(ctx context.Context) (constraints int, err error)
	// Setup makes keys.
	Setup(ctx context.Context) error
	// Commit commits to the weights, where the proof system does that.
	Commit(ctx context.Context) error
	// Save writes to a folder what Open needs.
	Save(dir string) (Sizes, error)
	// Open reads what Save wrote.
	Open(dir string) error
	// Prove runs the model on inputs and proves the result. It returns the proof's size in bytes.
	Prove(ctx context.Context, inputs [][]int64) (bytes int, err error)
	// Verify checks the proof that was made last.
	Verify() error
}

// Universal is a Backend whose keys are made of a structured reference string that serves every circuit of its size.
// In practice the string is there, made once by others; a measurement has to make one.
type Universal interface {
	Backend
	// MakeSRS makes the string that Setup takes, after Compile.
	MakeSRS(ctx context.Context) error
}

// system is a proof system that can be measured. A new one is a line in systems and a Backend.
type system struct {
	name    string
	weights []Weights
	// new makes the backend for a model.
	new func(g *model.Graph, w Weights) (Backend, error)
	// constraints predicts what Compile returns, at most, without building anything.
	constraints func(g *model.Graph, w Weights) (int, error)
	// plan is what zkinfer estimate has, for the ways to hold weights that the command line offers.
	plan    func(g *model.Graph, r *estimate.Rates) (*prover.Plan, error)
	offered []Weights
}

// systems lists the proof systems there are.
var systems = []system{
	groth16System(),
	plonkSystem(),
	committed(sumcheck.Backend{}, FoldedPrivate, FoldedPublic),
}

// Backends lists the names of the proof systems.
func Backends() []string {
	var out []string
	for _, s := range systems {
		out = append(out, s.name)
	}
	return out
}

// AllWeights lists the ways to hold weights that some proof system knows.
func AllWeights() []Weights {
	return []Weights{FoldedPrivate, FoldedPublic, WiresPrivate, WiresPublic, Constants, GatesPrivate, GatesPublic}
}

func findSystem(name string) (*system, error) {
	for i := range systems {
		if systems[i].name == name {
			return &systems[i], nil
		}
	}
	return nil, fmt.Errorf("%w %q: expected one of %v", ErrUnknownBackend, name, Backends())
}
