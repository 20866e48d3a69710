package plonk

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"

	plonkbn254 "github.com/consensys/gnark/backend/plonk/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/srs"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/plonk"
)

// Backend is PLONK among the proof systems.
type Backend struct{}

// Name implements prover.Backend.
func (Backend) Name() string { return plonk.BackendName }

// Plan implements prover.Backend. Gates are estimated, and do not belong to layers.
func (Backend) Plan(g *model.Graph, o prover.Options, r *estimate.Rates) (*prover.Plan, error) {
	o, err := gateOptions(o)
	if err != nil {
		return nil, err
	}
	plan, err := circuits.NewPlan(g, o)
	if err != nil {
		return nil, err
	}
	shape := plan.Shape()
	return &prover.Plan{Constraints: estimate.Gates(shape), Proof: estimate.NewPlonkProof(shape, r),
		Verification: estimate.NewPlonkVerification(shape, r)}, nil
}

// Compile implements prover.Backend.
func (Backend) Compile(ctx context.Context, g *model.Graph, o prover.Options) (prover.Circuit, error) {
	c, err := Compile(ctx, g, o)
	if err != nil {
		return nil, err
	}
	return compiled{c}, nil
}

// compiled is a circuit whose keys are those of any backend.
type compiled struct{ *Circuit }

// UnsafeDevSetup implements prover.Circuit.
func (c compiled) UnsafeDevSetup(ctx context.Context) (prover.Keys, error) {
	k, err := c.Circuit.UnsafeDevSetup(ctx)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// UniversalSetup implements prover.UniversalCircuit.
func (c compiled) UniversalSetup(ctx context.Context, file, cache string) (prover.Keys, error) {
	s, err := srs.Import(ctx, file, c.LogSize(), cache)
	if err != nil {
		return nil, err
	}
	k, err := c.Setup(ctx, s)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Open implements prover.Backend.
func (Backend) Open(dir string, m *prover.Manifest) (prover.Keys, error) {
	k, err := OpenKeys(dir, m)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// VerifyingKey implements prover.Keys.
func (k *Keys) VerifyingKey() verifier.Key { return k.Verifying }

// Save implements prover.Keys. The circuit holds the weights and their salts: it must not leave the prover.
func (k *Keys) Save(dir string, force bool) (*prover.Manifest, error) {
	m := prover.NewManifest(k.Verifying)
	m.Architecture = hex.EncodeToString(k.Verifying.Architecture[:])
	m.Constraints, m.PublicInputs, m.PublicParameters = gatesOf(k.system), k.system.GetNbPublicVariables(), k.Options.PublicParameters
	return m, prover.SaveFolder(dir, force, m, k.Verifying, map[string]func(io.Writer) error{
		prover.ProvingKeyFile: func(w io.Writer) error { _, err := k.proving.WriteRawTo(w); return err },
		prover.CircuitFile: func(w io.Writer) error {
			if _, err := w.Write(k.parameters[:]); err != nil {
				return err
			}
			_, err := k.system.WriteTo(w)
			return err
		},
	})
}

// OpenKeys reads the key folder whose manifest is m.
func OpenKeys(dir string, m *prover.Manifest) (*Keys, error) {
	prover.SilenceGnark()
	key, err := m.ReadVerifyingKey(dir)
	if err != nil {
		return nil, err
	}
	vk, ok := key.(*plonk.VerifyingKey)
	if !ok {
		return nil, fmt.Errorf("%w: %s has keys of backend %q, expected %q", prover.ErrMalformedKeys, dir, key.Backend(), plonk.BackendName)
	}
	options, err := gateOptions(prover.Options{PublicParameters: m.PublicParameters})
	if err != nil {
		return nil, err
	}
	k := &Keys{Verifying: vk, Options: options, proving: &plonkbn254.ProvingKey{}, system: &cs.SparseR1CS{}}
	if err := m.ReadFile(dir, prover.ProvingKeyFile, func(r io.Reader) error { _, err := k.proving.UnsafeReadFrom(r); return err }); err != nil {
		return nil, err
	}
	if err := m.ReadFile(dir, prover.CircuitFile, k.readCircuit); err != nil {
		return nil, err
	}
	return k, k.check(dir)
}

func (k *Keys) readCircuit(r io.Reader) error {
	if _, err := io.ReadFull(r, k.parameters[:]); err != nil {
		return err
	}
	_, err := k.system.ReadFrom(r)
	return err
}

// check compares gnark's verifying key, which the prover draws challenges with, with ours.
func (k *Keys) check(dir string) error {
	c := &Circuit{system: k.system}
	gnark := k.proving.Vk
	same := c.LogSize() == k.Verifying.LogSize && len(gnark.Qcp) == plonk.Commitments
	for i := range gnark.S {
		same = same && gnark.S[i].Equal(&k.Verifying.S[i])
	}
	same = same && gnark.Ql.Equal(&k.Verifying.Ql) && gnark.Qr.Equal(&k.Verifying.Qr) && gnark.Qm.Equal(&k.Verifying.Qm) &&
		gnark.Qo.Equal(&k.Verifying.Qo) && gnark.Qk.Equal(&k.Verifying.Qk)
	if !same {
		return fmt.Errorf("%w: the proving key in %s is not that of the verifying key", prover.ErrMalformedKeys, dir)
	}
	return nil
}
