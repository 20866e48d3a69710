package groth16

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"
)

// maskRecorder draws the masks that gnark appends to every commitment, and remembers them: the outer
// checks need the difference between a proof's mask and the salt of what it is compared with.
type maskRecorder struct {
	mu    sync.Mutex
	drawn []fr.Element
}

// solverOption replaces gnark's hint. The solver may call it concurrently.
func (r *maskRecorder) solverOption() solver.Option {
	return solver.OverrideHint(randomizeHint(), func(field *big.Int, _, out []*big.Int) error {
		v, err := rand.Int(rand.Reader, field)
		if err != nil {
			return fmt.Errorf("drawing a mask: %w", err)
		}
		out[0].Set(v)
		var e fr.Element
		e.SetBigInt(v)
		r.mu.Lock()
		r.drawn = append(r.drawn, e)
		r.mu.Unlock()
		return nil
	})
}

// randomizeHint is the number of gnark's internal mask hint, which has no exported name.
func randomizeHint() solver.HintID {
	for _, h := range solver.GetRegisteredHints() {
		if strings.HasSuffix(solver.GetHintName(h), "hints.Randomize") {
			return solver.GetHintID(h)
		}
	}
	panic("gnark's mask hint is not registered: this gnark version is not supported")
}
