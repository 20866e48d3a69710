package sumcheck

import (
	"context"
	"errors"
	"fmt"

	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/wrap"
	engine "github.com/zkinfer/zkinfer/sumcheck"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// Backend is the sumcheck backend among the proof systems.
type Backend struct{}

// Name implements prover.Backend.
func (Backend) Name() string { return wrapped.Backend }

// Compile implements prover.Backend: the circuit of the size class that g needs.
func (Backend) Compile(_ context.Context, g *model.Graph, o prover.Options) (prover.Circuit, error) {
	m, err := newModel(g, o)
	if err != nil {
		return nil, err
	}
	return Class{Class: m.class, Options: o}, nil
}

// Class is a size class, for a setup.
type Class struct {
	claims.Class
	Options prover.Options
}

// NumberedClass is the size class with rows of 2^n cells.
func NumberedClass(n int, o prover.Options) (*Class, error) {
	if n < prover.MinSizeClass || n > prover.MaxSizeClass {
		return nil, fmt.Errorf("size class %d, expected %d to %d", n, prover.MinSizeClass, prover.MaxSizeClass)
	}
	return &Class{classOf(n), o}, nil
}

// Constraints implements prover.Circuit.
func (c Class) Constraints() int { return wrap.Constraints(c.Class) }

// UnsafeDevSetup implements prover.Circuit.
func (c Class) UnsafeDevSetup(ctx context.Context) (prover.Keys, error) {
	compiled, err := c.Compile(ctx)
	if err != nil {
		return nil, err
	}
	k, err := compiled.circuit.UnsafeDevSetup(ctx)
	if err != nil {
		return nil, fmt.Errorf("setup: %w", err)
	}
	return &Keys{wrap: k, Options: c.Options}, nil
}

// Compile makes the circuit, which a ceremony needs before there are keys.
func (c Class) Compile(ctx context.Context) (*CompiledClass, error) {
	prover.SilenceGnark()
	circuit, err := wrap.Compile(ctx, c.Class)
	if err != nil {
		return nil, fmt.Errorf("compiling the circuit: %w", err)
	}
	return &CompiledClass{c, circuit}, nil
}

// CompiledClass is a size class with its circuit.
type CompiledClass struct {
	Class
	circuit *wrap.Circuit
}

// Subject implements prover.CeremonyCircuit. What a proof hides is chosen with each model commitment.
func (c *CompiledClass) Subject() prover.Subject { return prover.Subject{SizeClass: c.RowBits} }

// System implements prover.CeremonyCircuit.
func (c *CompiledClass) System() *cs.R1CS { return c.circuit.System() }

// CeremonyKeys implements prover.CeremonyCircuit.
func (c *CompiledClass) CeremonyKeys(pk *groth16bn254.ProvingKey, vk *groth16bn254.VerifyingKey, digest [32]byte) (prover.Keys, error) {
	k, err := c.circuit.CeremonyKeys(pk, vk, digest)
	if err != nil {
		return nil, err
	}
	return &Keys{wrap: k, Options: c.Options}, nil
}

// singles is the number of messages in a class whose pads are wires that are not multiplied.
const singles = 64

// classOf is a numbered class: rows of 2^n cells, pads for as many groups as models with some thousand rows of 2^n cells
// need.
func classOf(rowBits int) claims.Class {
	groups := 64
	switch {
	case rowBits >= 14:
		groups = 256
	case rowBits >= 12:
		groups = 128
	}
	return claims.Class{RowBits: rowBits, Singles: singles, Groups: groups}
}

// lowered is a model as claims, in a size class.
type lowered struct {
	plan         *engine.Plan
	architecture *wrapped.Architecture
	class        claims.Class
}

// newModel chooses the size class: the shortest rows of which there are not too many, since each is 64 bytes of a proof and
// a point of the verifier's sum, while a cell of a row is a constraint; and longer ones where the circuit would
// lack groups.
func newModel(g *model.Graph, o prover.Options) (*lowered, error) {
	plan, err := newPlan(g, o)
	if err != nil {
		return nil, err
	}
	n := prover.MinSizeClass
	trace, parameters := plan.Cells()
	for n < prover.MaxSizeClass && (trace>>n > mostRows(n) || (trace+parameters)>>n > mostPoints) {
		n++
	}
	for ; n <= prover.MaxSizeClass; n++ {
		m, err := lower(g, plan, n)
		if err != nil {
			return nil, err
		}
		if err := m.architecture.Fits(m.class); err == nil {
			return m, m.admissible()
		}
	}
	return nil, fmt.Errorf("%w: no size class has pads for all its messages; use fewer layers, or another proof system (--backend)", engine.ErrTooLarge)
}

// mostPoints bounds all rows, those of the model too: a verification adds them up.
const mostPoints = 1000

// mostRows is how many rows of 2^n cells a proof may bring before longer ones are better.
func mostRows(n int) int {
	switch {
	case n < 11:
		return 100
	case n < 14:
		return 256
	}
	return 900
}

func newPlan(g *model.Graph, o prover.Options) (*engine.Plan, error) {
	return engine.NewPlan(g, engine.Options{PrivateInput: o.PrivateInput, PrivateOutput: o.PrivateOutput})
}

// lower lays a plan out in the class of 2^n cells a row.
func lower(g *model.Graph, plan *engine.Plan, n int) (*lowered, error) {
	a, err := wrapped.NewArchitecture(wrapped.Architecture{
		Name: g.Name, Rounding: g.Source.Rounding, Graph: g.ArchitectureDigest(),
		Inputs: borders(g, g.Inputs, plan.Inputs), Outputs: borders(g, g.Outputs, plan.Outputs),
		RowBits: n, Network: *plan.Network,
	})
	if errors.Is(err, claims.ErrNetwork) {
		return nil, engine.TooLarge(err)
	}
	if err != nil {
		return nil, err
	}
	return &lowered{plan, a, classOf(n)}, nil
}

// admissible errs where verifiers would refuse the description: better before keys are made than after.
func (m *lowered) admissible() error {
	b, err := m.architecture.Encode()
	if err == nil {
		_, err = wrapped.DecodeArchitecture(b)
	}
	if err != nil {
		return engine.TooLarge(err)
	}
	return nil
}

func borders(g *model.Graph, ids []model.TensorID, how []engine.Border) []wrapped.Border {
	out := make([]wrapped.Border, len(ids))
	for i, id := range ids {
		t := g.Tensors[id]
		out[i] = wrapped.Border{Name: t.Name, Shape: t.Shape, Type: t.Type.String(), Min: t.Min, Max: t.Max, Private: how[i].Private, Index: how[i].Index}
	}
	return out
}

var (
	_ verifier.Key           = (*wrapped.Key)(nil)
	_ prover.CeremonyCircuit = (*CompiledClass)(nil)
)
