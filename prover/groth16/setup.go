package groth16

import (
	"context"
	"fmt"

	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/keygen"
	"github.com/zkinfer/zkinfer/verifier"
)

// Keys are everything a prover needs for one architecture.
type Keys struct {
	Verifying *verifier.VerifyingKey
	Options   prover.Options

	proving *groth16bn254.ProvingKey
	system  *cs.R1CS
}

// UnsafeDevSetup makes keys by a single-party setup: whoever runs it could keep the secrets and
// forge proofs. For development, and for a prover who is the only verifier.
func (c *Circuit) UnsafeDevSetup(ctx context.Context) (*Keys, error) {
	pk, vk, err := keygen.Setup(ctx, c.system)
	if err != nil {
		return nil, fmt.Errorf("setup: %w", err)
	}
	if err := prover.RefuseInfinity(pk); err != nil {
		return nil, err
	}
	return &Keys{
		Verifying: c.verifyingKey(pk, vk, prover.UnsafeDev),
		Options:   c.options,
		proving:   pk,
		system:    c.system,
	}, nil
}

// System implements prover.CeremonyCircuit.
func (c *Circuit) System() *cs.R1CS { return c.system }

// Subject implements prover.CeremonyCircuit.
func (c *Circuit) Subject() prover.Subject {
	digest := c.graph.ArchitectureDigest()
	return prover.Subject{Model: c.graph.Name, Architecture: digest[:], Inputs: c.names(c.graph.Inputs), Outputs: c.names(c.graph.Outputs),
		PrivateInput: c.options.PrivateInput, PrivateOutput: c.options.PrivateOutput, FoldRows: c.options.FoldRows}
}

func (c *Circuit) names(ids []model.TensorID) (names []string) {
	for _, id := range ids {
		names = append(names, c.graph.Tensors[id].Name)
	}
	return names
}

// CeremonyKeys are keys of what a ceremony for this circuit ended with, as prover.CeremonyCircuit has it.
func (c *Circuit) CeremonyKeys(pk *groth16bn254.ProvingKey, vk *groth16bn254.VerifyingKey, digest [32]byte) (*Keys, error) {
	if err := prover.RefuseInfinity(pk); err != nil {
		return nil, err
	}
	return &Keys{
		Verifying: c.verifyingKey(pk, vk, prover.CeremonySetup(digest)),
		Options:   c.options,
		proving:   pk,
		system:    c.system,
	}, nil
}

// verifyingKey gathers what a verifier needs: gnark's key, and of the commitment bases those that
// the outer checks use.
func (c *Circuit) verifyingKey(pk *groth16bn254.ProvingKey, vk *groth16bn254.VerifyingKey, setup string) *verifier.VerifyingKey {
	out := &verifier.VerifyingKey{
		Alpha: vk.G1.Alpha, Beta: vk.G2.Beta, Gamma: vk.G2.Gamma, Delta: vk.G2.Delta, K: vk.G1.K,
		FoldRows:     c.Plan.FoldRows,
		Inputs:       prover.Specs(c.graph, c.graph.Inputs, c.Plan.Inputs()),
		Outputs:      prover.Specs(c.graph, c.graph.Outputs, c.Plan.Outputs()),
		Architecture: c.graph.ArchitectureDigest(),
		Description: verifier.Description{
			Name: c.graph.Name, Rounding: c.graph.Source.Rounding, TrustedSetup: setup,
			LibraryVersion: prover.Version, Constraints: uint64(c.Constraints()),
		},
	}
	info := c.system.CommitmentInfo.(constraint.Groth16Commitments)
	public := info.GetPublicAndCommitmentCommitted(info.CommitmentIndexes(), c.system.GetNbPublicVariables())
	for k, object := range c.Plan.Objects() {
		basis := pk.CommitmentKeys[k].Basis
		ck := verifier.CommitmentKey{
			Role: roles[object.Kind], Tensor: object.Tensor, IsOutput: object.Output,
			G: vk.CommitmentKeys[k].G, GSigmaNeg: vk.CommitmentKeys[k].GSigmaNeg, PublicCommitted: public[k],
		}
		if object.Kind != circuits.TraceObject {
			ck.H = basis[len(basis)-1]
		}
		if object.Kind == circuits.ParameterObject && c.Plan.FoldsTensors() {
			ck.Base = basis[len(basis)-2]
		}
		out.Commitments = append(out.Commitments, ck)
	}
	return out
}

var roles = map[circuits.ObjectKind]verifier.Role{
	circuits.TraceObject:     verifier.RoleTrace,
	circuits.ParameterObject: verifier.RoleParameters,
	circuits.InputObject:     verifier.RoleInput,
	circuits.OutputObject:    verifier.RoleOutput,
}
