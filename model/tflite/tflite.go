// Package tflite reads TensorFlow Lite models.
//
// An int8 or uint8 model becomes an integer graph that computes, byte for byte, what a device computes:
// not an approximation within a step or two. TensorFlow Lite leaves the last bit of its kernels open, so
// "what a device computes" is one of three roundings, which the caller names (Rounding). Every op's rule
// is tabulated or its thresholds are computed at import, and an integer form with the same thresholds is
// found and checked (steps.go); a form that is not exact is never returned.
//
// A model of real numbers becomes a real-valued graph, to be calibrated and quantized like any other.
//
// It promises that a graph it returns is valid and that a file of any content gives a graph or an error
// within bounded memory and time.
//
// Sources: the TFLite 8-bit quantization specification; the reference kernels of TensorFlow Lite Micro;
// XNNPACK's operators for quantized tensors. docs/tflite.md has the rules and what they were checked
// against.
//
// Pitfall: images are [N, H, W, C] in the file and at the graph's border; inside they are channels first,
// and transposes, which cost nothing in a proof, stand between.
package tflite

import (
	"errors"
	"fmt"
	"slices"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// What can be wrong with a model. Every error of this package wraps one of these or one of package model.
var (
	// ErrMalformed: the file is not a TensorFlow Lite model, or contradicts itself.
	ErrMalformed = errors.New("malformed TensorFlow Lite model")
	// ErrUnsupportedOp: an operator, or the way it is used, is not supported.
	ErrUnsupportedOp = errors.New("unsupported op")
	// ErrUnsupportedModel: something else than an operator is not supported.
	ErrUnsupportedModel = errors.New("unsupported TensorFlow Lite model")
	// ErrLimit: the model is too large.
	ErrLimit = errors.New("limit exceeded")
)

// Rounding names the arithmetic that a quantized model's integers are defined by.
type Rounding string

// The roundings.
const (
	// TFLM is TensorFlow Lite Micro's: the reference kernels, two roundings in a requantization.
	TFLM Rounding = "tflm"
	// LiteRT is what LiteRT's interpreter returns on its default path, XNNPACK: one binary32 product a
	// requantization. A softmax at the end is left out: it is floating point there, and differs
	// between processors.
	LiteRT Rounding = "litert"
	// Single is that of builds of the reference kernels with a single rounding.
	Single Rounding = "single"
)

// ParseRounding is the rounding of that name.
func ParseRounding(name string) (Rounding, error) {
	r := Rounding(name)
	if !slices.Contains([]Rounding{TFLM, LiteRT, Single}, r) {
		return "", fmt.Errorf("rounding %q, expected %s, %s or %s", name, TFLM, LiteRT, Single)
	}
	return r, nil
}

// Model is a parsed file.
type Model struct{ f *file }

// Parse reads a file: its tables, not yet what its operators mean.
func Parse(data []byte) (*Model, error) {
	f, err := parse(data)
	if err != nil {
		return nil, err
	}
	return &Model{f}, nil
}

// Name is the name of the model's graph, mostly empty or "main".
func (m *Model) Name() string { return m.f.name }

// Quantized tells whether the model computes with integers. Such a model may have real numbers at its
// border, and nothing but QUANTIZE and DEQUANTIZE between those and the integers.
func (m *Model) Quantized() bool {
	for _, op := range m.f.operators {
		if op.code == schema.BuiltinOperatorQUANTIZE || op.code == schema.BuiltinOperatorDEQUANTIZE {
			continue
		}
		for _, id := range op.outputs {
			if t := m.f.tensors[id].typ; t == schema.TensorTypeFLOAT32 || t == schema.TensorTypeFLOAT16 {
				return false
			}
		}
	}
	return true
}

// Result is an imported integer graph.
type Result struct {
	Graph *model.Graph
	// Notes say what the graph leaves out of the file's computation.
	Notes []string
}
