// Package schema is generated from tflite.fbs: accessors and builders for the FlatBuffers tables of a
// TensorFlow Lite file. Accessors panic on offsets that leave the buffer; package tflite recovers.
package schema

//go:generate flatc --go --gen-onefile --go-namespace schema tflite.fbs
