//go:build slow

package groth16

import (
	"testing"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/provertest"
)

// Every bundled digit is proved and verified, with public and with private tensors, and the proved
// class is the digit.
func TestMNISTProofs(t *testing.T) {
	for _, o := range []prover.Options{{}, {PrivateInput: true, PrivateOutput: true}} {
		provertest.ProveDigits(t, Backend{}, o, 10, 400)
	}
}
