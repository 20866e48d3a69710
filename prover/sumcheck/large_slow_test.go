//go:build slow

package sumcheck

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/model/tflite"
)

// TestLargeModels proves the models of a folder on their first samples, and compares with the answers.
func TestLargeModels(t *testing.T) {
	paths := largeModels(t)
	if len(paths) == 0 {
		t.Skip("ZKINFER_MODELS does not name a folder of models")
	}
	for _, path := range paths {
		for _, variant := range []struct {
			rounding tflite.Rounding
			answers  string
		}{{tflite.TFLM, ".tflm_double.out"}, {tflite.LiteRT, ".xnn_single.out"}} {
			want, err := os.ReadFile(path + variant.answers)
			if err != nil {
				continue
			}
			t.Run(filepath.Base(path)+", "+string(variant.rounding), func(t *testing.T) {
				g, x := largeModel(t, path, variant.rounding)
				got := prepare(t, g, x).prove(t).Outputs[0]
				if variant.rounding == tflite.LiteRT {
					got = probabilities(got, g.Tensors[g.Outputs[0]].Scale)
				}
				for i, v := range got {
					if byte(v) != want[i] {
						t.Fatalf("output %d is %d, the device says %d", i, v, want[i])
					}
				}
			})
		}
	}
}

// TestGrowth fits the exponent of a proof's processor time between a thousand and ten million activations: 3×3 convolutions of
// 8 channels with one 16-bit shift. It reports; what is asked for is at most 1.1.
func TestGrowth(t *testing.T) {
	var points [][2]float64
	for _, c := range []struct{ side, depth int }{{8, 2}, {16, 5}, {56, 4}, {158, 5}, {395, 8}} {
		g := convolutions(t, c.side, c.depth)
		activations := 8 * c.side * c.side * c.depth
		r := rand.New(rand.NewPCG(1, 2))
		p := prepare(t, g, randomInputs(r, g)[0])
		runs := max(1, 20_000_000/activations/20)
		before := cpu()
		for range min(runs, 20) {
			if _, err := p.keys.Prove(context.Background(), g, p.opening, [][]int64{p.input}, nil); err != nil {
				t.Fatal(err)
			}
		}
		took := (cpu() - before).Seconds() / float64(min(runs, 20))
		t.Logf("%d activations: %.3f CPU seconds, %.2f µs each", activations, took, 1e6*took/float64(activations))
		points = append(points, [2]float64{math.Log(float64(activations)), math.Log(took)})
	}
	t.Logf("exponent %.2f; from 10^5 on %.2f", slope(points), slope(points[2:]))
}

// slope is that of the least-squares line.
func slope(points [][2]float64) float64 {
	var x, y, xx, xy, n float64
	for _, p := range points {
		x, y, xx, xy, n = x+p[0], y+p[1], xx+p[0]*p[0], xy+p[0]*p[1], n+1
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

func convolutions(t *testing.T, side, depth int) *model.Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	b := model.NewBuilder("convolutions")
	id, err := b.Input(modeltest.Bytes(1, 1, side, side))
	for k := range depth {
		if err != nil {
			t.Fatal(err)
		}
		in := 8
		if k == 0 {
			in = 1
		}
		op := &model.Conv{Window: modeltest.Window(3, 1, 1, 1), Groups: 1, OutC: 8, Weights: modeltest.Noise(r, 8*in*9, 4000), Bias: modeltest.Noise(r, 8, 1<<20),
			Rescale: model.Rescale{Shift: 16, QMin: -1200, QMax: 1200, Table: model.ClampTable(-1200, 1200, 0, 255)}}
		id, err = b.Add("conv", op, 1, 0, id)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.Output(id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}
