//go:build slow

package groth16

import (
	"testing"

	"github.com/zkinfer/zkinfer/model/tflite"
)

// The larger models of MLPerf Tiny as pure Groth16: 415k and 739k constraints.
func TestLargeTFLiteProofs(t *testing.T) {
	proveGolden(t, "kws", tflite.TFLM, "tflm.out")
	proveGolden(t, "resnet8", tflite.TFLM, "tflm.out")
}
