package sumcheck

import (
	"context"
	"os"
	"testing"

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

// BenchmarkVerify is a verification of ResNet-8.
func BenchmarkVerify(b *testing.B) {
	p := shipped(b, "resnet8", tflite.TFLM)
	proved := p.prove(b)
	for b.Loop() {
		if err := verifier.VerifyBundle(p.keys.VerifyingKey(), p.opening.Commitment, proved.Bundle); err != nil {
			b.Fatal(err)
		}
	}
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
