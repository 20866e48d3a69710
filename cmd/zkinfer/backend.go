package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/backends"
)

// backendFlag names a proof system. Commands that are given keys, or a proof, learn it from them.
type backendFlag struct{ name string }

func (b *backendFlag) flags(f *pflag.FlagSet) {
	f.StringVar(&b.name, "backend", backends.Auto, fmt.Sprintf("proof system: %s; auto is the one that proves the model in the least processor time",
		strings.Join(backends.Names(), ", ")))
}

func (b *backendFlag) check() error {
	if err := backends.Check(b.name); err != nil {
		return usagef("--backend: %v", err)
	}
	return nil
}

// choose is the proof system for a model.
func (b *backendFlag) choose(g *model.Graph, o prover.Options) (prover.Backend, error) {
	return backends.Choose(b.name, g, o)
}

// offers are what all proof systems take for a model, and the one that is named, or cheapest.
func (b *backendFlag) offers(g *model.Graph, o prover.Options) ([]backends.Offer, *backends.Offer, error) {
	all := backends.Offers(g, o, estimate.Usual())
	if b.name == backends.Auto {
		best, err := backends.Cheapest(all)
		return all, best, err
	}
	for i := range all {
		if all[i].Backend.Name() == b.name {
			return all, &all[i], all[i].Err
		}
	}
	return all, nil, b.check()
}
