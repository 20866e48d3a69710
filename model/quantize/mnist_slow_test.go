//go:build slow

package quantize

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestMNISTAccuracy measures on the 10,000 MNIST test images, which are not part of this repository:
// ZKINFER_MNIST names a folder with t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz.
func TestMNISTAccuracy(t *testing.T) {
	dir := os.Getenv("ZKINFER_MNIST")
	if dir == "" {
		t.Log("not measured: ZKINFER_MNIST names no folder with the MNIST test images")
		return
	}
	g, data, labels := mnist8(t, filepath.Join(dir, "t10k-images-idx3-ubyte.gz"), filepath.Join(dir, "t10k-labels-idx1-ubyte.gz"))
	a, err := Measure(context.Background(), g, quantizedMNIST(t, g, data), data, labels)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", a)
	if lost := a.FloatCorrect - a.IntegerCorrect; float64(lost) > 0.002*float64(a.Samples) {
		t.Errorf("float model %d, integer graph %d of %d: more than 0.2 points lost", a.FloatCorrect, a.IntegerCorrect, a.Samples)
	}
}
