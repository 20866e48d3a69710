// Package testvectors holds models, inputs and expected results that tests, the demonstration and
// documents share. Each folder says where its files come from and under which licence they are.
package testvectors

import "embed"

// Digits are handwritten digits with labels; see digits/README.md.
//
//go:embed digits
var Digits embed.FS

// MNIST is a small float network for handwritten digits, as ONNX; see mnist-8/README.md.
//
//go:embed mnist-8/model.onnx
var MNIST []byte

// TFLite are int8 models by name of their folder; see tflite/README.md.
//
//go:embed tflite/hello-world/model.tflite tflite/ad01/model.tflite tflite/kws/model.tflite
//go:embed tflite/resnet8/model.tflite tflite/vww/model.tflite
var TFLite embed.FS
