// Package onnxtest reads the cases of the ONNX backend test suite: a directory with model.onnx and
// test_data_set_0/input_*.pb and output_*.pb. It is for tests only.
package onnxtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/onnx/internal/onnxpb"
)

// Case is one model with an input and the output that ONNX expects for it.
type Case struct {
	Op      string // of the last node
	Graph   *float.Graph
	Inputs  [][]float32 // of Graph.Inputs
	Outputs [][]float32
}

// parameters are the operands of an operator that a trained model has as constants. The suite passes
// them as inputs of its models.
func parameters(op string) []int {
	switch op {
	case "Conv", "Gemm", "Clip":
		return []int{1, 2}
	case "BatchNormalization", "Slice":
		return []int{1, 2, 3, 4}
	case "Pad":
		return []int{1, 2, 3}
	case "MatMul", "PRelu", "Reshape", "Expand", "Split", "Squeeze", "Unsqueeze", "Gather", "ReduceMean", "ReduceSum":
		return []int{1}
	}
	return nil
}

// LoadCase imports the model in dir, with the parameters of its nodes bound as constants if it has no
// initializers, and reads its first input and output. Errors are onnx.Import's where the model is not supported.
func LoadCase(dir string) (Case, error) {
	data, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return Case{}, err
	}
	model := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(data, model); err != nil {
		return Case{}, err
	}
	var c Case
	var bound []string
	for _, n := range model.GetGraph().GetNode() {
		c.Op = n.GetOpType()
		for _, i := range parameters(c.Op) {
			if i < len(n.GetInput()) && len(model.GetGraph().GetInitializer()) == 0 {
				bound = append(bound, n.GetInput()[i])
			}
		}
	}
	opts := onnx.Options{Bind: map[string]onnx.Tensor{}}
	for k, input := range model.GetGraph().GetInput() {
		t, err := ReadTensor(filepath.Join(dir, "test_data_set_0", fmt.Sprintf("input_%d.pb", k)))
		if err != nil {
			return c, err
		}
		if slices.Contains(bound, input.GetName()) {
			opts.Bind[input.GetName()] = t
		} else {
			c.Inputs = append(c.Inputs, t.AsFloats())
		}
	}
	for k := range model.GetGraph().GetOutput() {
		t, err := ReadTensor(filepath.Join(dir, "test_data_set_0", fmt.Sprintf("output_%d.pb", k)))
		if err != nil {
			return c, err
		}
		c.Outputs = append(c.Outputs, t.AsFloats())
	}
	c.Graph, err = onnx.Import(data, opts)
	return c, err
}

// ReadTensor reads a file with a serialized TensorProto.
func ReadTensor(path string) (onnx.Tensor, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return onnx.Tensor{}, err
	}
	_, t, err := onnx.ReadTensor(data)
	if err != nil {
		return t, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}
