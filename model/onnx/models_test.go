package onnx_test

import (
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/model/onnx/onnxtest"
)

// kindsOf are the ops that a model must become, where folding or recognising a pattern is the point.
var kindsOf = map[string]string{
	"conv1d":                   "reshape conv reshape relu",
	"conv1d_batchnorm":         "reshape conv reshape",
	"conv_depthwise_batchnorm": "conv clip",
	"conv_add_mul":             "conv",
	"conv_add_position":        "conv affine",
	"batchnorm_shared":         "conv affine add",
	"gemm_relu_gemm":           "dense relu dense",
	"gemm_constant_left":       "dense transpose",
	"matmul_constant_left":     "transpose dense transpose",
	"mnist_like":               "conv relu maxpool reshape dense",
	"gelu_pattern":             "gelu",
	"gelu_pattern_half_first":  "gelu",
	"prelu_channels":           "relu affine relu affine add",
	"double_precision":         "affine",
	"half_parameters":          "affine",
	"uint8_image":              "affine",
	"flatten_by_shape":         "reshape dense",
	"shape_arithmetic":         "slice slice slice",
	"concat_constants":         "pad pad concat affine",
	"argmax_squeezed":          "argmax reshape",
	"identity":                 "reshape",
	"transpose_reshape_dense":  "transpose dense transpose",
}

// TestModels compares small models of several nodes with ONNX Runtime.
func TestModels(t *testing.T) {
	files, err := filepath.Glob("../../testvectors/onnx/models/*/model.onnx")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d models found (%v)", len(files), err)
	}
	seen := 0
	for _, file := range files {
		dir := filepath.Dir(file)
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			c, err := onnxtest.LoadCase(dir)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, c, 1e-4)
			if want := kindsOf[name]; want != "" {
				seen++
				if got := kinds(c.Graph); got != want {
					t.Errorf("ops are %q, expected %q", got, want)
				}
			}
		})
	}
	if seen != len(kindsOf) {
		t.Errorf("%d models of %d with expected ops found", seen, len(kindsOf))
	}
}
