// Package onnx reads ONNX models, opset 7 to 26, into real-valued graphs.
//
// It promises that a graph it returns is valid (float.Graph.Validate) and computes what the ONNX
// operator specification says for the model's opset, and that a file of any content gives a graph
// or an error within bounded memory and time: element counts are checked against the data and
// against limits before anything is allocated.
//
// What depends on no input is evaluated here, whatever the op list of package float: shape
// arithmetic, parameters made by nodes, constants. The rest is lowered op by op (op_*.go), then
// folded (float.Fold).
//
// Pitfalls: a proof is about one input, so a batch dimension without a number is taken as 1 and
// images in batches are refused. Inputs of integer types are accepted as real numbers that happen to
// be integers, for models that begin with a Cast; integer arithmetic, which wraps, is not.
package onnx

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/onnx/internal/onnxpb"
)

// What can be wrong with a model. Every error of this package wraps one of these.
var (
	// ErrMalformed: the file is not ONNX, or contradicts itself or the operator specification.
	ErrMalformed = errors.New("malformed ONNX model")
	// ErrUnsupportedOp: a node's operator, or the way it is used, is not supported.
	ErrUnsupportedOp = errors.New("unsupported op")
	// ErrUnsupportedModel: something else than a node is not supported: an opset, a type, a shape that
	// is not fixed, weights in another file.
	ErrUnsupportedModel = errors.New("unsupported ONNX model")
	// ErrConstantModel: an output does not depend on any input.
	ErrConstantModel = errors.New("model output is constant")
	// ErrLimit: the model exceeds Options' limits.
	ErrLimit = errors.New("limit exceeded")
	// ErrOptions: Options do not fit the model.
	ErrOptions = errors.New("invalid import option")
)

// The range of supported opsets. The newest is that of onnx.proto's release.
const (
	minOpset = 7
	maxOpset = 26
)

// Limits that Options can change.
const (
	defaultMaxBytes    = 512 << 20
	defaultMaxElements = 1 << 24
)

// Limits that hold for every model.
const (
	maxNodes = 1 << 16
	maxRank  = float.MaxRank
)

// Options change how a model is read; the zero value is fine for most.
type Options struct {
	// Bind makes inputs constants, by name, for models that take their weights as inputs.
	Bind map[string]Tensor
	// Dims gives symbolic dimensions a size, by name. A first dimension that is not listed is 1.
	Dims map[string]int
	// MaxBytes limits the file, 512 MiB if 0.
	MaxBytes int
	// MaxElements limits each tensor that a node computes, 2^24 if 0 and at most; all together may have
	// four times as many and evaluating constants may take 64 times as many steps, in addition to
	// a multiple of the size of the weights.
	MaxElements int
}

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.MaxElements <= 0 || o.MaxElements > defaultMaxElements {
		o.MaxElements = defaultMaxElements
	}
	return o
}

// Import reads the model in data, a serialized ModelProto with its weights inside. The graph's inputs
// are the model's that are neither initializers nor bound, in order; names are the model's.
func Import(data []byte, opts Options) (*float.Graph, error) {
	opts = opts.withDefaults()
	if len(data) > opts.MaxBytes {
		return nil, fmt.Errorf("%w: file of %d bytes, expected at most %d", ErrLimit, len(data), opts.MaxBytes)
	}
	model := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(data, model); err != nil {
		return nil, fmt.Errorf("%w: not a serialized ModelProto: %v", ErrMalformed, err)
	}
	opset, err := opsetOf(model)
	if err != nil {
		return nil, err
	}
	im := newImporter(model.GetGraph(), opset, opts)
	if err := im.run(); err != nil {
		return nil, err
	}
	float.Fold(im.out)
	if err := im.out.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return im.out, nil
}

// opsetOf is the version of the standard operators that the model uses.
func opsetOf(model *onnxpb.ModelProto) (int, error) {
	if model.GetGraph() == nil {
		return 0, fmt.Errorf("%w: no graph; expected a serialized ModelProto", ErrMalformed)
	}
	for _, o := range model.GetOpsetImport() {
		if !standardDomain(o.GetDomain()) {
			continue
		}
		if v := o.GetVersion(); v < minOpset || v > maxOpset {
			return 0, fmt.Errorf("%w: opset %d, expected %d to %d; convert the model with onnx.version_converter",
				ErrUnsupportedModel, v, minOpset, maxOpset)
		}
		return int(o.GetVersion()), nil
	}
	return 0, fmt.Errorf("%w: no opset_import for the standard operators", ErrMalformed)
}

// SupportedOps lists the operators that Import knows, sorted.
func SupportedOps() []string { return slices.Sorted(maps.Keys(lowerings())) }

func standardDomain(domain string) bool { return domain == "" || domain == "ai.onnx" }
