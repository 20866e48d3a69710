//go:build slow

package plonk

import (
	"testing"

	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/provertest"
)

// A real model of 264k weights, and three bundled digits.
func TestLargeProofs(t *testing.T) {
	provertest.ProveGolden(t, Backend{}, "ad01", tflite.TFLM, "tflm.out")
	provertest.ProveDigits(t, Backend{}, prover.Options{}, 3, 608)
}
