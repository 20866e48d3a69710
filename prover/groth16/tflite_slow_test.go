//go:build slow

package groth16

import (
	"testing"

	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover/provertest"
)

// The larger models of MLPerf Tiny as pure Groth16: 415k and 739k constraints.
func TestLargeTFLiteProofs(t *testing.T) {
	provertest.ProveGolden(t, Backend{}, "kws", tflite.TFLM, "tflm.out")
	provertest.ProveGolden(t, Backend{}, "resnet8", tflite.TFLM, "tflm.out")
}
