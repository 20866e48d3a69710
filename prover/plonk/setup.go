package plonk

import (
	"context"
	"encoding/hex"
	"fmt"

	plonkbn254 "github.com/consensys/gnark/backend/plonk/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/srs"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/plonk"
)

// Keys are everything a prover needs for one model.
type Keys struct {
	Verifying *plonk.VerifyingKey
	Options   prover.Options

	parameters [32]byte // digest of the weights that the gates hold
	proving    *plonkbn254.ProvingKey
	system     *cs.SparseR1CS
}

// UnsafeDevSetup makes keys from an SRS that is made for them alone: whoever runs it could keep its secret
// and forge proofs. For development, and for a prover who is the only verifier.
func (c *Circuit) UnsafeDevSetup(ctx context.Context) (*Keys, error) {
	s, err := srs.UnsafeDev(ctx, c.LogSize())
	if err != nil {
		return nil, err
	}
	return c.setup(ctx, s, prover.UnsafeDev)
}

// Setup makes keys from an SRS, without any secret. The verifying key names it.
func (c *Circuit) Setup(ctx context.Context, s *srs.SRS) (*Keys, error) {
	id := s.ID()
	return c.setup(ctx, s, prover.Universal+":"+hex.EncodeToString(id[:]))
}

func (c *Circuit) setup(ctx context.Context, s *srs.SRS, trusted string) (*Keys, error) {
	if s.LogSize != c.LogSize() {
		return nil, fmt.Errorf("%w: it is for 2^%d gates, the circuit needs 2^%d", srs.ErrUnusable, s.LogSize, c.LogSize())
	}
	powers, lagrange := s.KZG()
	pk, err := prover.Interruptible(ctx, func() (*plonkbn254.ProvingKey, error) {
		pk, _, err := plonkbn254.Setup(c.system, powers, lagrange)
		return pk, err
	})
	if err != nil {
		return nil, fmt.Errorf("setup: %w", err)
	}
	vk, err := c.verifyingKey(pk.Vk, trusted)
	if err != nil {
		return nil, err
	}
	return &Keys{Verifying: vk, Options: c.options, parameters: c.graph.ParameterDigest(), proving: pk, system: c.system}, nil
}

// verifyingKey gathers what a verifier needs.
func (c *Circuit) verifyingKey(vk *plonkbn254.VerifyingKey, trusted string) (*plonk.VerifyingKey, error) {
	out := &plonk.VerifyingKey{
		LogSize: c.LogSize(), S: vk.S, Ql: vk.Ql, Qr: vk.Qr, Qm: vk.Qm, Qo: vk.Qo, Qk: vk.Qk,
		TauG2:        vk.Kzg.G2[1],
		Inputs:       prover.Specs(c.graph, c.graph.Inputs, c.Plan.Inputs()),
		Outputs:      prover.Specs(c.graph, c.graph.Outputs, c.Plan.Outputs()),
		Architecture: c.graph.ArchitectureDigest(),
		Description: verifier.Description{
			Name: c.graph.Name, Rounding: c.graph.Source.Rounding, TrustedSetup: trusted,
			LibraryVersion: prover.Version, Constraints: uint64(c.Constraints()),
		},
	}
	if len(vk.Qcp) != plonk.Commitments || len(vk.CommitmentConstraintIndexes) != plonk.Commitments {
		return nil, fmt.Errorf("%w: %d commitments, expected %d", errForeign, len(vk.Qcp), plonk.Commitments)
	}
	for i := range vk.Qcp {
		out.Qcp[i], out.Challenges[i] = vk.Qcp[i], int(vk.CommitmentConstraintIndexes[i])
	}
	_, err := out.MarshalBinary() // checks it
	return out, err
}
