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
	"github.com/zkinfer/zkinfer/prover/sumcheck"
)

// ErrUnknown is the name of a proof system that there is not.
var ErrUnknown = errors.New("unknown proof system")

// All lists the proof systems, the one with the smallest proofs first.
func All() []prover.Backend {
	return []prover.Backend{
		groth16.Backend{},
		plonk.Backend{},
		sumcheck.Backend{},
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
	best, err := Cheapest(Offers(g, o, estimate.Usual()))
	if err != nil {
		return nil, err
	}
	return best.Backend, nil
}

// Offer is what a proof system takes for a model, or why it has no proof for it.
type Offer struct {
	Backend prover.Backend
	Plan    *prover.Plan
	Err     error
}

// Offers asks every proof system, for a machine of these rates.
func Offers(g *model.Graph, o prover.Options, r *estimate.Rates) []Offer { return ask(All(), g, o, r) }

func ask(list []prover.Backend, g *model.Graph, o prover.Options, r *estimate.Rates) []Offer {
	out := make([]Offer, len(list))
	for i, b := range list {
		plan, err := b.Plan(g, o, r)
		out[i] = Offer{b, plan, err}
	}
	return out
}

// Cheapest is the offer of least processor time. Ask it about offers for a usual machine, so that every machine
// chooses alike. If none has a proof, the first says why.
func Cheapest(offers []Offer) (*Offer, error) {
	var best *Offer
	for i := range offers {
		x := &offers[i]
		if x.Err == nil && (best == nil || x.Plan.Proof.Prove.CPU < best.Plan.Proof.Prove.CPU) {
			best = x
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%s: %w", offers[0].Backend.Name(), offers[0].Err)
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
