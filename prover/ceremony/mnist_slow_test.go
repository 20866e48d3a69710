//go:build slow

package ceremony

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/quantize"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/testvectors"
)

// The MNIST network, and digits as its inputs.
func mnist(t *testing.T) (g *model.Graph, digit func(path string) [][]int64) {
	t.Helper()
	fg, err := onnx.Import(testvectors.MNIST, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := fg.Tensors[fg.Inputs[0]]
	read := func(path string) [][][]float32 {
		set, err := samples.Open(filepath.Join("../../testvectors/digits", path), nil, []samples.Input{{Name: in.Name, Shape: in.Shape}}, samples.Options{})
		if err != nil {
			t.Fatal(err)
		}
		out, err := set.Floats(set.Len())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	g, err = quantize.Quantize(context.Background(), fg, quantize.Options{Calibration: read("images.idx.gz"), PixelScale: []float64{1}})
	if err != nil {
		t.Fatal(err)
	}
	return g, func(path string) [][]int64 { return quantize.Inputs(g, read(path)[0]) }
}

// Two contributors to the MNIST circuit and a malicious one in each phase, who is found; without her the
// ceremony ends, a third person verifies it, and the keys prove. It takes about five minutes.
func TestMNISTCeremony(t *testing.T) {
	ctx := context.Background()
	start := time.Now()
	lap := func(what string) {
		t.Logf("%s: %.1f s", what, time.Since(start).Seconds())
		start = time.Now()
	}
	g, digit := mnist(t)
	circuit := compileModel(t, g, prover.Options{PrivateInput: true})
	c, err := Create(ctx, filepath.Join(t.TempDir(), "ceremony"), circuit.System(), toyFor, "")
	if err != nil {
		t.Fatal(err)
	}
	lap("importing and compiling")
	found := func(what string) {
		t.Helper()
		_, err := c.Verify(ctx, circuit.System())
		if !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), `"Eve"`) {
			t.Fatalf("%s: %v, expected ErrRejected and who it was", what, err)
		}
		lap("finding " + what)
	}

	contribute(t, c, "Ada")
	lap("Ada's phase 1")
	_, _, one, _ := bn254.Generators()
	edit1(t, c, func(body []byte) { // a power of τ of her choice
		b := one.Bytes()
		copy(body[3*updateSize+8+g2Size+1000*g1Size:], b[:])
	})
	lap("Eve's phase 1")
	found("Eve's phase 1")
	c = dropLast(t, c)
	contribute(t, c, "Bob")
	lap("Bob's phase 1")
	if err := c.BeginPhase2(ctx, circuit.System(), beacon1); err != nil {
		t.Fatal(err)
	}
	lap("verifying phase 1 and beginning phase 2")

	contribute(t, c, "Ada")
	lap("Ada's phase 2")
	malicious2(t, c, elements(101, 102, 103, 104), func(p *mpcsetup.Phase2) { // one base of the parameters' proof of knowledge
		p.Parameters.G1.SigmaCKK[1][7].Double(&p.Parameters.G1.SigmaCKK[1][7])
	})
	lap("Eve's phase 2")
	found("Eve's phase 2")
	c = dropLast(t, c)
	contribute(t, c, "Bob")
	lap("Bob's phase 2")
	made, err := c.Finish(ctx, circuit.System(), beacon2)
	if err != nil {
		t.Fatal(err)
	}
	lap("verifying and ending")

	third, err := Open(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := third.Verify(ctx, compileModel(t, g, prover.Options{PrivateInput: true}).System())
	if err != nil {
		t.Fatal(err)
	}
	lap("a third person")
	sameKeys(t, made, again)
	for _, e := range third.Entries {
		t.Logf("%s: %d bytes", e.File, e.Bytes)
	}
	keys := keysOf(t, circuit, again)
	opening, err := keys.CommitModel(ctx, g, prover.Private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Prove(ctx, g, opening, digit("7.png"), []byte("task")); err != nil { // verifies, too
		t.Fatal(err)
	}
	lap("proving")
}
