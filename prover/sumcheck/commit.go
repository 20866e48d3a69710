package sumcheck

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/msm"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	engine "github.com/zkinfer/zkinfer/sumcheck"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// CommitModel implements prover.Keys: a point for each row of parameters. New weights of the same architecture need a new
// commitment and no new keys; so does another architecture.
func (k *Keys) CommitModel(ctx context.Context, g *model.Graph, privacy prover.Privacy) (*prover.ModelOpening, error) {
	return prover.Interruptible(ctx, func() (*prover.ModelOpening, error) { return k.commitModel(g, privacy) })
}

func (k *Keys) commitModel(g *model.Graph, privacy prover.Privacy) (*prover.ModelOpening, error) {
	m, err := k.lower(g, k.Options)
	if err != nil {
		return nil, err
	}
	if err := m.admissible(); err != nil {
		return nil, err
	}
	cells, err := engine.NewCells(m.plan.Parameters(), m.architecture.Layout(), nil)
	if err != nil {
		return nil, err
	}
	region := m.architecture.Layout().Parameters
	salts := make([]fr.Element, region.Rows)
	if privacy == prover.Private {
		if salts, err = random(region.Rows); err != nil {
			return nil, err
		}
	}
	rows, err := k.commit(cells, region, salts)
	if err != nil {
		return nil, err
	}
	commitment, err := wrapped.NewCommitment(m.architecture, rows)
	if err != nil {
		return nil, err
	}
	return &prover.ModelOpening{Commitment: commitment, Salts: salts, Key: k.wrap.Verifying.Digest(), Parameters: g.ParameterDigest()}, nil
}

// WithOptions implements prover.ClassKeys.
func (k *Keys) WithOptions(o prover.Options) prover.Keys { return &Keys{Options: o, wrap: k.wrap} }

// lower is a model in the class of these keys.
func (k *Keys) lower(g *model.Graph, o prover.Options) (*lowered, error) {
	plan, err := newPlan(g, o)
	if err != nil {
		return nil, err
	}
	m, err := lower(g, plan, k.wrap.Verifying.Class.RowBits)
	if err != nil {
		return nil, err
	}
	if err := m.architecture.Fits(k.wrap.Verifying.Class); err != nil {
		return nil, tooSmall(g, o, err)
	}
	return m, nil
}

// tooSmall says which size class a model needs that does not fit another.
func tooSmall(g *model.Graph, o prover.Options, cause error) error {
	m, err := newModel(g, o)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %w; make larger ones with: zkinfer setup --size-class %[3]d --unsafe-dev-setup -o KEYS, or by several parties with: zkinfer ceremony init --size-class %[3]d -o DIR", prover.ErrKeyMismatch, cause, m.class.RowBits)
}

// commit is a point for each row of a region of cells that are no pads.
func (k *Keys) commit(c *engine.Cells, r claims.Region, salts []fr.Element) ([]bn254.G1Affine, error) {
	return msm.CommitRows(k.wrap.RowBases(), &k.wrap.Verifying.H, c.Region(r), salts)
}

// random are n elements that nobody knows.
func random(n int) ([]fr.Element, error) {
	out := make([]fr.Element, n)
	for i := range out {
		if _, err := out[i].SetRandom(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
