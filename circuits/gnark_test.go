package circuits

import (
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
)

// maskHint is gnark's hint that draws the mask of a commitment.
func maskHint(t *testing.T) solver.HintID {
	t.Helper()
	for _, h := range solver.GetRegisteredHints() {
		if strings.HasSuffix(solver.GetHintName(h), "hints.Randomize") {
			return solver.GetHintID(h)
		}
	}
	t.Fatal("gnark's mask hint is not registered")
	return 0
}

// commitmentOf computes the first commitment of an assignment from the solved wires.
func commitmentOf(t *testing.T, system *cs.R1CS, basis []bn254.G1Affine, assignment frontend.Circuit, opts ...solver.Option) bn254.G1Affine {
	t.Helper()
	w, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	solution, err := system.Solve(w, opts...)
	if err != nil {
		t.Fatal(err)
	}
	wires := solution.(*cs.R1CSSolution).W
	info := system.CommitmentInfo.(constraint.Groth16Commitments)[0]
	values := make([]fr.Element, len(info.PrivateCommitted))
	for i, id := range info.PrivateCommitted {
		values[i] = wires[id]
	}
	var c bn254.G1Affine
	if _, err := c.MultiExp(basis, values, ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	return c
}
