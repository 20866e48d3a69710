package bench

import (
	"context"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/plonk"
	"github.com/zkinfer/zkinfer/prover/srs"
)

// plonkSystem is PLONK, whose gates hold the weights.
func plonkSystem() system {
	s := committed(plonk.Backend{}, GatesPrivate, GatesPublic)
	s.new = func(g *model.Graph, w Weights) (Backend, error) {
		return &universal{work: newWork(plonk.Backend{}, g, w)}, nil
	}
	return s
}

// universal is PLONK at work, with a structured reference string made apart from the keys: whoever uses PLONK has
// one that others made.
type universal struct {
	*work
	gates *plonk.Circuit
	srs   *srs.SRS
}

func (u *universal) Compile(ctx context.Context) (int, error) {
	var err error
	if u.gates, err = plonk.Compile(ctx, u.graph, prover.Options{PublicParameters: u.privacy == prover.Public}); err != nil {
		return 0, err
	}
	return u.gates.Constraints(), nil
}

func (u *universal) MakeSRS(ctx context.Context) (err error) {
	u.srs, err = srs.UnsafeDev(ctx, u.gates.LogSize())
	return err
}

func (u *universal) Setup(ctx context.Context) (err error) {
	u.keys, err = u.gates.Setup(ctx, u.srs)
	return err
}
