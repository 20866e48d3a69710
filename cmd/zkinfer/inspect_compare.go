package main

import (
	"context"
	"fmt"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/backends"
	"github.com/zkinfer/zkinfer/verifier"
)

// reference is the model whose architecture a file is expected to be for; nil where none is named.
type reference struct {
	path  string
	graph *model.Graph
}

// comparison says that it is, and what was compared.
type comparison struct {
	Model string `json:"model"`
	By    string `json:"by"`
}

// What of an architecture is compared: all of it, as a model commitment describes it or as the circuit in a key folder is made from it, or
// the digest that a verifying key claims.
const (
	byDescription = "description"
	byCircuit     = "circuit"
	byDigest      = "digest"
)

// String is the comparison for people.
func (c *comparison) String() string {
	switch c.By {
	case byDescription:
		return fmt.Sprintf("that of %s: it describes what that model gives", c.Model)
	case byCircuit:
		return fmt.Sprintf("that of %s: %s holds the circuit that it gives", c.Model, prover.CircuitFile)
	}
	return fmt.Sprintf("that of %s, says the key", c.Model)
}

func (f *inspectFlags) reference() (*reference, error) {
	if f.model == "" {
		return nil, nil
	}
	g, err := readModel(f.model)
	return &reference{f.model, g}, err
}

// unasked errs if there is a reference, for files that are for no architecture.
func (r *reference) unasked() error {
	if r == nil {
		return nil
	}
	return usagef("--model is for a model commitment, a key folder or a verifying key")
}

// commitment compares a model commitment's.
func (r *reference) commitment(c verifier.Commitment) (*comparison, error) {
	if r == nil {
		return nil, nil
	}
	b, err := backends.Find(c.Backend())
	if err != nil {
		return nil, err
	}
	d, ok := b.(prover.Describing)
	if !ok {
		return nil, usagef("a model commitment of backend %s does not say its architecture, its key does: inspect the key folder, or the verifying key, with --model", c.Backend())
	}
	if err := d.CompareArchitecture(r.graph, c); err != nil {
		return nil, r.differs(err)
	}
	return &comparison{r.path, byDescription}, nil
}

// key compares what a verifying key claims.
func (r *reference) key(vk verifier.Key) (*comparison, error) {
	if r == nil {
		return nil, nil
	}
	about := vk.Fixed()
	if about == nil {
		return nil, usagef("keys of a size class are for every architecture, a model commitment is for one: inspect model.zkc with --model")
	}
	if mine := r.graph.ArchitectureDigest(); about.Architecture != mine {
		return nil, r.differs(fmt.Errorf("%w: digest %x, expected %x", prover.ErrArchitecture, about.Architecture, mine))
	}
	return &comparison{r.path, byDigest}, nil
}

// keys compares a key folder's circuit, or the model commitment in it.
func (r *reference) keys(ctx context.Context, k prover.Keys, c verifier.Commitment) (*comparison, error) {
	if r == nil {
		return nil, nil
	}
	vk := k.VerifyingKey()
	if vk.Fixed() == nil && c != nil {
		return r.commitment(c)
	}
	same, err := r.key(vk)
	if err != nil {
		return nil, err
	}
	if circuit, ok := k.(prover.CircuitKeys); ok {
		if err := circuit.CompareCircuit(ctx, r.graph); err != nil {
			return nil, r.differs(err)
		}
		same.By = byCircuit
	}
	return same, nil
}

func (r *reference) differs(err error) error {
	return fmt.Errorf("compared with %s: %w; accept no proofs under it for that model", r.path, err)
}
