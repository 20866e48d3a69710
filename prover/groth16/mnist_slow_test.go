//go:build slow

package groth16

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/quantize"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/testvectors"
)

// Every bundled digit is proved and verified, with public and with private tensors, and the proved
// class is the digit.
func TestMNISTProofs(t *testing.T) {
	fg, err := onnx.Import(testvectors.MNIST, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := fg.Tensors[fg.Inputs[0]]
	read := func(path string) [][][]float32 {
		set, err := samples.Open(path, nil, []samples.Input{{Name: in.Name, Shape: in.Shape}}, samples.Options{})
		if err != nil {
			t.Fatal(err)
		}
		out, err := set.Floats(set.Len())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	ctx := context.Background()
	g, err := quantize.Quantize(ctx, fg, quantize.Options{Calibration: read("../../testvectors/digits/images.idx.gz"), PixelScale: []float64{1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []prover.Options{{}, {PrivateInput: true, PrivateOutput: true}} {
		c, err := Compile(ctx, g, o)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := c.UnsafeDevSetup(ctx)
		if err != nil {
			t.Fatal(err)
		}
		opening, err := keys.CommitModel(ctx, g, prover.Private)
		if err != nil {
			t.Fatal(err)
		}
		for digit := range 10 {
			path := fmt.Sprintf("../../testvectors/digits/%d.png", digit)
			if _, err := os.Stat(path); err != nil {
				t.Fatal(err)
			}
			p, err := keys.Prove(ctx, g, opening, quantize.Inputs(g, read(path)[0]), nil)
			if err != nil {
				t.Fatal(err)
			}
			best := 0
			for k, v := range p.Outputs[0] {
				if v > p.Outputs[0][best] {
					best = k
				}
			}
			if best != digit || len(p.Bundle.Proof) > 400 {
				t.Errorf("digit %d: proved %d in %d bytes", digit, best, len(p.Bundle.Proof))
			}
		}
	}
}
