package sumcheck

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/verifier"
)

func shipped(t testing.TB, name string, r tflite.Rounding) *prepared {
	t.Helper()
	g := tfliteGraph(t, tfliteVectors+name+"/model.tflite", r)
	raw, err := os.ReadFile(tfliteVectors + name + "/input.raw")
	if err != nil {
		t.Fatal(err)
	}
	x := make([]int64, g.Tensors[g.Inputs[0]].Len())
	for i := range x {
		x[i] = int64(int8(raw[i]))
	}
	return prepare(t, g, x)
}

// BenchmarkVerify is a verification for the shipped models, and for those of the folder that ZKINFER_MODELS names.
func BenchmarkVerify(b *testing.B) {
	models := map[string]func(t testing.TB) *prepared{}
	for _, name := range []string{"kws", "resnet8", "vww"} {
		models[name] = func(t testing.TB) *prepared { return shipped(t, name, tflite.TFLM) }
	}
	for _, path := range largeModels(b) {
		models[filepath.Base(path)] = func(t testing.TB) *prepared {
			g, x := largeModel(t, path, tflite.TFLM)
			return prepare(t, g, x)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(models)) {
		b.Run(name, func(b *testing.B) {
			p := models[name](b)
			proved := p.prove(b)
			before := cpu()
			for b.Loop() {
				if err := verifier.VerifyBundle(p.keys.VerifyingKey(), p.opening.Commitment, proved.Bundle); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(1e3*(cpu()-before).Seconds()/float64(b.N), "cpu-ms/op")
			b.ReportAllocs()
		})
	}
}

// largeModels are the models of the folder that ZKINFER_MODELS names, without their suffix: NAME.tflite, with samples in NAME.in,
// and answers in NAME.tflm_double.out and NAME.xnn_single.out.
func largeModels(t testing.TB) (paths []string) {
	folder := os.Getenv("ZKINFER_MODELS")
	if folder == "" {
		return nil
	}
	all, err := filepath.Glob(filepath.Join(folder, "*.tflite"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no models in %s (%v)", folder, err)
	}
	for _, path := range all {
		paths = append(paths, strings.TrimSuffix(path, ".tflite"))
	}
	return paths
}

// largeModel is one of them, and its first sample.
func largeModel(t testing.TB, path string, r tflite.Rounding) (*model.Graph, []int64) {
	t.Helper()
	g := tfliteGraph(t, path+".tflite", r)
	raw, err := os.ReadFile(path + ".in")
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
	return g, x
}

// BenchmarkProve is a proof of a shipped model.
func BenchmarkProve(b *testing.B) {
	for _, name := range []string{"ad01", "kws", "resnet8", "vww"} {
		b.Run(name, func(b *testing.B) {
			p := shipped(b, name, tflite.TFLM)
			before := cpu()
			for b.Loop() {
				if _, err := p.keys.Prove(context.Background(), p.graph, p.opening, [][]int64{p.input}, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu()-before).Seconds()/float64(b.N), "cpu-s/op")
		})
	}
}
