package groth16

import (
	"context"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/internal/msm"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
)

// CommitModel commits to the parameters of g: R points C_i = Σ P[i][j]·G_j + s_i·H. New weights of
// the same architecture need a new commitment and no new keys.
func (k *Keys) CommitModel(ctx context.Context, g *model.Graph, privacy prover.Privacy) (*prover.ModelOpening, error) {
	plan, err := k.plan(g)
	if err != nil {
		return nil, err
	}
	p, err := plan.Parameters(g)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", prover.ErrKeyMismatch, err)
	}
	commitment := &verifier.ModelCommitment{}
	out := &prover.ModelOpening{Commitment: commitment, Salts: make([]fr.Element, len(p.Rows)),
		Key: k.Verifying.Digest(), Parameters: g.ParameterDigest()}
	for i, row := range p.Rows {
		if plan.FoldsTensors() {
			row = append(row, fr.Element{}) // at the fold's base, which is no parameter's
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if privacy == prover.Private {
			if _, err := out.Salts[i].SetRandom(); err != nil {
				return nil, err
			}
		}
		c, err := k.commitRow(circuits.ParameterIndex, row, out.Salts[i])
		if err != nil {
			return nil, err
		}
		commitment.Rows = append(commitment.Rows, c)
	}
	return out, nil
}

// commitRow is Σ values_j·G_j + salt·H on the bases of an object.
func (k *Keys) commitRow(object int, values []fr.Element, salt fr.Element) (bn254.G1Affine, error) {
	var c bn254.G1Affine
	basis := k.proving.CommitmentKeys[object].Basis
	if len(values)+1 != len(basis) {
		return c, fmt.Errorf("%w: %d values for %d bases", prover.ErrKeyMismatch, len(values), len(basis)-1)
	}
	scalars := append(append(make([]fr.Element, 0, len(basis)), values...), salt)
	sum := msm.MultiExp(basis, scalars)
	return *c.FromJacobian(&sum), nil
}

// plan is the plan of g's circuit, if g has the architecture that the keys are for.
func (k *Keys) plan(g *model.Graph) (*circuits.Plan, error) {
	if g.ArchitectureDigest() != k.Verifying.Architecture {
		return nil, fmt.Errorf("%w: model %q has another architecture than the one they were made for; run setup for it", prover.ErrKeyMismatch, g.Name)
	}
	return circuits.NewPlan(g, k.Options)
}

func scalarMul(p *bn254.G1Affine, s *fr.Element) bn254.G1Affine {
	var out bn254.G1Affine
	var b big.Int
	out.ScalarMultiplication(p, s.BigInt(&b))
	return out
}
