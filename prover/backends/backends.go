// Package backends lists the proof systems that can prove, finds one by name or by cost, and opens key
// folders of any of them.
//
// A new proof system is a line in All here, and one in verifier/backends.
package backends

import (
	"errors"
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/groth16"
	"github.com/zkinfer/zkinfer/prover/plonk"
)

// ErrUnknown is the name of a proof system that there is not.
var ErrUnknown = errors.New("unknown proof system")

// All lists the proof systems, the one with the smallest proofs first.
func All() []prover.Backend {
	return []prover.Backend{
		groth16.Backend{},
		plonk.Backend{},
	}
}

// Auto stands for the proof system that proves a model for the least processor time.
const Auto = "auto"

// Names lists what Choose takes.
func Names() []string {
	out := []string{Auto}
	for _, b := range All() {
		out = append(out, b.Name())
	}
	return out
}

// Check errs (ErrUnknown) on a name that Choose does not take.
func Check(name string) error {
	if !slices.Contains(Names(), name) {
		return unknown(name)
	}
	return nil
}

func unknown(name string) error {
	return fmt.Errorf("%w %q, expected one of %v", ErrUnknown, name, Names())
}

// Find is the named proof system; ErrUnknown if there is none.
func Find(name string) (prover.Backend, error) {
	for _, b := range All() {
		if b.Name() == name {
			return b, nil
		}
	}
	return nil, unknown(name)
}

// Choose is the named proof system, or for Auto the one that proves g for the least processor time.
func Choose(name string, g *model.Graph, o prover.Options) (prover.Backend, error) {
	if name != Auto {
		return Find(name)
	}
	return cheapest(All(), g, o)
}

// cheapest compares estimates for a usual machine, so that every machine chooses alike. Proof systems
// that have no proof for g are left out; if none has, the first says why.
func cheapest(list []prover.Backend, g *model.Graph, o prover.Options) (prover.Backend, error) {
	if len(list) == 1 {
		return list[0], nil // whatever it takes, it need not be known
	}
	var best prover.Backend
	var least float64
	var first error
	for _, b := range list {
		plan, err := b.Plan(g, o, estimate.Usual())
		switch {
		case err != nil && first == nil:
			first = fmt.Errorf("%s: %w", b.Name(), err)
		case err == nil && (best == nil || plan.Proof.Prove.CPU < least):
			best, least = b, plan.Proof.Prove.CPU
		}
	}
	if best == nil {
		return nil, first
	}
	return best, nil
}

// OpenKeys reads a key folder; its manifest says of which proof system.
func OpenKeys(dir string) (prover.Keys, *prover.Manifest, error) {
	m, err := prover.ReadManifest(dir)
	if err != nil {
		return nil, nil, err
	}
	b, err := Find(m.Backend)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	keys, err := b.Open(dir, m)
	if err != nil {
		return nil, nil, err
	}
	return keys, m, nil
}
