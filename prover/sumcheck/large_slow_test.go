//go:build slow

package sumcheck

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/model/tflite"
)

// TestLargeModels proves the models of a folder: NAME.tflite on the first sample of NAME.in, with the answer in
// NAME.tflm_double.out. ZKINFER_MODELS names the folder.
func TestLargeModels(t *testing.T) {
	folder := os.Getenv("ZKINFER_MODELS")
	if folder == "" {
		t.Skip("ZKINFER_MODELS does not name a folder of models")
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*.tflite"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no models in %s (%v)", folder, err)
	}
	for _, path := range paths {
		base := path[:len(path)-len(".tflite")]
		want, err := os.ReadFile(base + ".tflm_double.out")
		if err != nil {
			continue
		}
		t.Run(filepath.Base(base), func(t *testing.T) {
			g := tfliteGraph(t, path, tflite.TFLM)
			raw, err := os.ReadFile(base + ".in")
			if err != nil {
				t.Fatal(err)
			}
			in := g.Tensors[g.Inputs[0]]
			x := make([]int64, in.Len())
			for i := range x {
				if x[i] = int64(int8(raw[i])); in.Min >= 0 {
					x[i] = int64(raw[i])
				}
			}
			for i, v := range prepare(t, g, x).prove(t).Outputs[0] {
				if byte(v) != want[i] {
					t.Fatalf("output %d is %d, the device says %d", i, v, want[i])
				}
			}
		})
	}
}
