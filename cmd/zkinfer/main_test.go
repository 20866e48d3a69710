package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zkinfer/zkinfer/model"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"zkinfer": func() { os.Exit(mainCode()) }})
}

// TestScripts runs testdata/*.txt. Each finds the models of testModels and the digits of
// testvectors in its folder.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               prepare,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"json":     checkJSON,
			"exit":     checkExit,
			"leftover": checkLeftover,
			"hex":      writeHex,
			"cut":      cutFile,
			"flip":     flipBit,
			"zeros":    writeZeros,
			"subst":    substitute,
			"srs":      writeSRS,
		},
	})
}

func prepare(e *testscript.Env) error {
	for name, build := range map[string]func() (*model.Graph, error){"tiny.zkm": tinyModel, "retrained.zkm": retrained, "two.zkm": twoInputs, "pixels.zkm": pixelModel, "vast.zkm": vastModel, "shifted.zkm": shifted} {
		g, err := build()
		if err != nil {
			return err
		}
		b, err := g.Encode()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(e.WorkDir, name), b, 0o600); err != nil {
			return err
		}
	}
	vectors, err := filepath.Abs("../../testvectors")
	if err != nil {
		return err
	}
	e.Setenv("VECTORS", vectors)
	e.Setenv("DIGITS", filepath.Join(vectors, "digits"))
	return nil
}

// identity is q = clamp(⌊(acc + 8)/16⌋) on 8 bits.
func identity() model.Rescale {
	values := make([]int64, 1024)
	for i := range values {
		values[i] = min(max(int64(i)-512, -128), 127)
	}
	return model.Rescale{Shift: 4, QMin: -512, QMax: 511, Table: model.Table{Name: "clamp", Min: -512, Values: values}}
}

// tinyModel is a dense layer of 3 inputs at scale 0.5 and 2 outputs at scale 0.25: y = (x0, (x1 + x2)/2).
func tinyModel() (*model.Graph, error) { return tinyWith(identity(), 32, 0, 0, 0, 16, 16) }

// retrained has the architecture of tinyModel and half its weights.
func retrained() (*model.Graph, error) { return tinyWith(identity(), 16, 0, 0, 0, 8, 8) }

// shifted is tinyModel with a bit more to each weight and to the shift: another architecture.
func shifted() (*model.Graph, error) {
	r := identity()
	r.Shift++
	return tinyWith(r, 64, 0, 0, 0, 32, 32)
}

func tinyWith(rescale model.Rescale, weights ...int64) (*model.Graph, error) {
	b := model.NewBuilder("tiny")
	b.Source(model.Source{Format: "onnx", Rounding: "own"})
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{1, 3}, Min: -20, Max: 20, Scale: 0.5})
	if err != nil {
		return nil, err
	}
	dense := &model.Dense{OutN: 2, Weights: weights, Bias: []int64{0, 0}, Rescale: rescale}
	y, err := b.Add("dense", dense, 0.25, 0, x)
	if err != nil {
		return nil, err
	}
	b.Output(y)
	return b.Graph()
}

// vastModel has a larger input and output than a verifier of sumcheck proofs takes.
func vastModel() (*model.Graph, error) {
	b := model.NewBuilder("vast")
	b.Source(model.Source{Format: "onnx", Rounding: "own"})
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{1 << 12, 1 << 12}, Min: 0, Max: 1, Scale: 1})
	if err != nil {
		return nil, err
	}
	y, err := b.Add("not", &model.Activation{Table: model.Table{Values: []int64{1, 0}}}, 1, 0, x)
	if err != nil {
		return nil, err
	}
	b.Output(y)
	return b.Graph()
}

// twoInputs adds its inputs.
func twoInputs() (*model.Graph, error) {
	b := model.NewBuilder("two")
	b.Source(model.Source{Format: "onnx", Rounding: "own"})
	ids := make([]model.TensorID, 2)
	for i, name := range []string{"left", "right"} {
		var err error
		if ids[i], err = b.Input(model.Tensor{Name: name, Shape: []int{2}, Min: -10, Max: 10, Scale: 1}); err != nil {
			return nil, err
		}
	}
	y, err := b.Add("sum", &model.Add{Zeros: []int64{0, 0}, Multipliers: []int64{16, 16}, Bias: []int64{0}, Rescale: identity()}, 1, 0, ids...)
	if err != nil {
		return nil, err
	}
	b.Output(y)
	return b.Graph()
}

// pixelModel takes a grey image of 2×3 pixels, scaled to [0, 1], and says which pixel is brightest.
func pixelModel() (*model.Graph, error) {
	b := model.NewBuilder("pixels")
	b.Source(model.Source{Format: "onnx", Rounding: "own", PixelScale: []float64{1.0 / 255}, PixelMean: []float64{0}})
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{1, 1, 2, 3}, Min: 0, Max: 255, Scale: 1.0 / 255})
	if err != nil {
		return nil, err
	}
	flat, err := b.Add("flat", &model.Reshape{Shape: []int{1, 6}}, 1.0/255, 0, x)
	if err != nil {
		return nil, err
	}
	y, err := b.Add("brightest", &model.ArgMax{Axis: 1}, 1, 0, flat)
	if err != nil {
		return nil, err
	}
	b.Output(y)
	return b.Graph()
}
