package prover

import (
	"context"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/verifier"
)

// Privacy says who may recompute a model commitment.
type Privacy int

const (
	// Private commitments are salted: they reveal nothing about the weights.
	Private Privacy = iota
	// Public commitments have salt zero: whoever has the weights recomputes them.
	Public
)

// ModelOpening is a model commitment with what its owner keeps: the salts. The weights are the
// model's.
type ModelOpening struct {
	Commitment *verifier.ModelCommitment
	Salts      []fr.Element
	Key        [32]byte // digest of the verifying key it was made for
	Parameters [32]byte // digest of the weights
}

// CommitModel commits to the parameters of g: R points C_i = Σ P[i][j]·G_j + s_i·H. New weights of
// the same architecture need a new commitment and no new keys.
func (k *Keys) CommitModel(ctx context.Context, g *model.Graph, privacy Privacy) (*ModelOpening, error) {
	plan, err := k.plan(g)
	if err != nil {
		return nil, err
	}
	p, err := plan.Parameters(g)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyMismatch, err)
	}
	out := &ModelOpening{Commitment: &verifier.ModelCommitment{}, Salts: make([]fr.Element, len(p.Rows)),
		Key: k.Verifying.Digest(), Parameters: g.ParameterDigest()}
	for i, row := range p.Rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if privacy == Private {
			if _, err := out.Salts[i].SetRandom(); err != nil {
				return nil, err
			}
		}
		c, err := k.commitRow(circuits.ParameterIndex, row, out.Salts[i])
		if err != nil {
			return nil, err
		}
		out.Commitment.Rows = append(out.Commitment.Rows, c)
	}
	return out, nil
}

// commitRow is Σ values_j·G_j + salt·H on the bases of an object.
func (k *Keys) commitRow(object int, values []fr.Element, salt fr.Element) (bn254.G1Affine, error) {
	var c bn254.G1Affine
	basis := k.proving.CommitmentKeys[object].Basis
	if len(values)+1 != len(basis) {
		return c, fmt.Errorf("%w: %d values for %d bases", ErrKeyMismatch, len(values), len(basis)-1)
	}
	scalars := append(append(make([]fr.Element, 0, len(basis)), values...), salt)
	_, err := c.MultiExp(basis, scalars, ecc.MultiExpConfig{})
	return c, err
}

// plan is the plan of g's circuit, if g has the architecture that the keys are for.
func (k *Keys) plan(g *model.Graph) (*circuits.Plan, error) {
	if g.ArchitectureDigest() != k.Verifying.Architecture {
		return nil, fmt.Errorf("%w: model %q has another architecture than the one they were made for; run setup for it", ErrKeyMismatch, g.Name)
	}
	return circuits.NewPlan(g, k.Options)
}

func scalarMul(p *bn254.G1Affine, s *fr.Element) bn254.G1Affine {
	var out bn254.G1Affine
	var b big.Int
	out.ScalarMultiplication(p, s.BigInt(&b))
	return out
}
