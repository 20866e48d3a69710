package sumcheck

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/wrap"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

const tfliteVectors = "../../testvectors/tflite/"

func tfliteGraph(t testing.TB, path string, r tflite.Rounding) *model.Graph {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := tflite.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	res, err := m.Integer(r, filepath.Base(filepath.Dir(path)))
	if err != nil {
		t.Fatal(err)
	}
	return res.Graph
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// prepared is a model with keys of the class that it needs.
type prepared struct {
	graph   *model.Graph
	keys    *Keys
	opening *prover.ModelOpening
	input   []int64
}

func prepare(t testing.TB, g *model.Graph, input []int64) *prepared {
	t.Helper()
	ctx := context.Background()
	c, err := Backend{}.Compile(ctx, g, prover.Options{})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	k, err := c.UnsafeDevSetup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("setup of class %+v in %v", c.(Class).Class, time.Since(start))
	p := &prepared{graph: g, keys: k.(*Keys), input: input}
	start = time.Now()
	if p.opening, err = k.CommitModel(ctx, g, prover.Private); err != nil {
		t.Fatal(err)
	}
	t.Logf("commitment in %v", time.Since(start))
	return p
}

func (p *prepared) prove(t testing.TB) *prover.Proved {
	t.Helper()
	before, start := cpu(), time.Now()
	proved, err := p.keys.Prove(context.Background(), p.graph, p.opening, [][]int64{p.input}, nil)
	if err != nil {
		t.Fatal(err)
	}
	took, wall := cpu()-before, time.Since(start)
	c := p.opening.Commitment.(*wrapped.Commitment)
	a := c.Architecture
	before = cpu()
	for range 10 {
		if err := verifier.VerifyBundle(p.keys.VerifyingKey(), c, proved.Bundle); err != nil {
			t.Fatal(err)
		}
	}
	l := a.Layout()
	t.Logf("proved in %v CPU, %v wall, verified in %v CPU; %d bytes (%d messages, %d+%d rows of 2^%d), 2^%d cells, %d constraints, architecture %d bytes",
		took, wall, (cpu()-before)/10, len(proved.Bundle.Proof), a.Messages, l.Trace.Rows, l.Pads.Rows, l.RowBits, l.AddressBits, wrap.Constraints(p.keys.wrap.Verifying.Class), len(c.Encoded()))
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("memory %d MB", m.Sys>>20)
	return proved
}

// TestTFLiteModels: what is proved of a shipped model is, byte for byte, what the device answered.
func TestTFLiteModels(t *testing.T) {
	for _, c := range []struct {
		name   string
		r      tflite.Rounding
		golden string
	}{
		{"hello-world", tflite.TFLM, "tflm.out"}, {"ad01", tflite.TFLM, "tflm.out"}, {"kws", tflite.TFLM, "tflm.out"}, {"resnet8", tflite.TFLM, "tflm.out"}, {"vww", tflite.TFLM, "tflm.out"},
		{"ad01", tflite.LiteRT, "litert.out"}, {"kws", tflite.LiteRT, "litert.out"}, {"vww", tflite.LiteRT, "litert.out"},
	} {
		t.Run(c.name+", "+string(c.r), func(t *testing.T) {
			g := tfliteGraph(t, tfliteVectors+c.name+"/model.tflite", c.r)
			raw, err := os.ReadFile(tfliteVectors + c.name + "/input.raw")
			if err != nil {
				t.Fatal(err)
			}
			x := make([]int64, g.Tensors[g.Inputs[0]].Len())
			for i := range x {
				x[i] = int64(int8(raw[i]))
			}
			proved := prepare(t, g, x).prove(t)
			want, err := os.ReadFile(tfliteVectors + c.name + "/" + c.golden)
			if err != nil {
				t.Fatal(err)
			}
			got := proved.Outputs[0]
			if c.r == tflite.LiteRT && c.name != "ad01" {
				got = probabilities(got, g.Tensors[g.Outputs[0]].Scale)
			}
			for i, v := range got {
				if int8(v) != int8(want[i]) {
					t.Fatalf("output %d is %d, the device says %d", i, v, int8(want[i]))
				}
			}
		})
	}
}

// probabilities are LiteRT's softmax of the logits at which a model that ends in one is cut off.
func probabilities(logits []int64, scale float64) []int64 {
	most, sum := slices.Max(logits), 0.0
	e := make([]float64, len(logits))
	for i, v := range logits {
		e[i] = math.Exp(scale * float64(v-most))
		sum += e[i]
	}
	out := make([]int64, len(logits))
	for i := range out {
		out[i] = min(int64(math.Round(256*e[i]/sum))-128, 127)
	}
	return out
}
