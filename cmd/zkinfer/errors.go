package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/zkinfer/zkinfer/bench"
	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/quantize"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/backends"
	"github.com/zkinfer/zkinfer/prover/plonk"
	"github.com/zkinfer/zkinfer/prover/srs"
	"github.com/zkinfer/zkinfer/sumcheck"
	"github.com/zkinfer/zkinfer/verifier"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitRejected    = 3
	exitInterrupted = 130
)

// Classes of errors that need a name in more than one place.
const (
	classUsage          = "usage"
	classInterrupted    = "interrupted"
	classMalformedModel = "malformed_model"
	classMalformedFile  = "malformed_file"
	classFailure        = "failure"
)

var (
	errUsage       = errors.New("wrong usage")
	errInterrupted = errors.New("interrupted; nothing was written")
)

// errorReport is an error in JSON. Class is one of a fixed set of words, for programs.
type errorReport struct {
	Class   string `json:"class"`
	Message string `json:"message"`
}

type failure struct {
	Error errorReport `json:"error"`
}

// usageError is wrong usage that only a command can find.
type usageError struct{ message string }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func (e *usageError) Error() string        { return e.message }
func (e *usageError) Is(target error) bool { return target == errUsage }

// classified is an error whose class the error alone does not tell.
type classified struct {
	class string
	error
}

func (e *classified) Unwrap() error { return e.error }

// inModel classes err as one of a model file.
func inModel(err error) error { return classedAs(classMalformedModel, err) }

// classedAs gives err a class, unless it says more by itself.
func classedAs(class string, err error) error {
	if err == nil {
		return nil
	}
	if c, _ := classify(err); c == classFailure || c == classMalformedFile {
		return &classified{class, err}
	}
	return err
}

// classes of errors, the first that fits counts.
var classes = []struct {
	is    error
	class string
	code  int
}{
	{errInterrupted, classInterrupted, exitInterrupted},
	{context.Canceled, classInterrupted, exitInterrupted},
	{errUsage, classUsage, exitUsage},
	{prover.ErrKeyMismatch, "key_mismatch", exitFailure},
	{prover.ErrArchitecture, "other_architecture", exitFailure},
	{prover.ErrMalformedKeys, "malformed_key", exitFailure},
	{backends.ErrUnknown, "unsupported_backend", exitFailure},
	{plonk.ErrPrivateTensor, "unsupported_backend", exitFailure},
	{srs.ErrUnusable, "malformed_srs", exitFailure},
	{quantize.ErrCalibration, "calibration", exitFailure},
	{quantize.ErrUnsupportedOp, "unsupported_op", exitFailure},
	{quantize.ErrArchitecture, "other_architecture", exitFailure},
	{envelope.ErrExists, "file_exists", exitFailure},
	{bench.ErrExists, "file_exists", exitFailure},
	{bench.ErrOtherRun, "other_run", exitFailure},
	{fs.ErrExist, "file_exists", exitFailure},
	{fs.ErrNotExist, "file_not_found", exitFailure},
	{fs.ErrPermission, "permission_denied", exitFailure},
	{onnx.ErrMalformed, classMalformedModel, exitFailure},
	{onnx.ErrUnsupportedOp, "unsupported_op", exitFailure},
	{onnx.ErrUnsupportedModel, "unsupported_model", exitFailure},
	{onnx.ErrConstantModel, "constant_model", exitFailure},
	{onnx.ErrLimit, "model_too_large", exitFailure},
	{onnx.ErrOptions, classUsage, exitUsage},
	{tflite.ErrMalformed, classMalformedModel, exitFailure},
	{tflite.ErrUnsupportedOp, "unsupported_op", exitFailure},
	{tflite.ErrUnsupportedModel, "unsupported_model", exitFailure},
	{tflite.ErrLimit, "model_too_large", exitFailure},
	{samples.ErrTooLarge, "input_too_large", exitFailure},
	{samples.ErrMalformed, "malformed_input", exitFailure},
	{samples.ErrFormat, "input_format", exitFailure},
	{samples.ErrShape, "input_shape", exitFailure},
	{samples.ErrValue, "input_value", exitFailure},
	{samples.ErrIndex, "no_such_sample", exitFailure},
	{model.ErrInput, "input_value", exitFailure},
	{model.ErrConstantModel, "constant_model", exitFailure},
	{circuits.ErrUnsupportedOp, "unsupported_op", exitFailure},
	{circuits.ErrTooLarge, "model_too_large", exitFailure},
	{sumcheck.ErrUnsupportedOp, "unsupported_op", exitFailure},
	{sumcheck.ErrTooLarge, "model_too_large", exitFailure},
	{model.ErrLimit, "model_too_large", exitFailure},
	{envelope.ErrKind, "wrong_kind", exitFailure},
	{envelope.ErrUnsupportedVersion, "unsupported_version", exitFailure},
	{envelope.ErrMalformed, classMalformedFile, exitFailure},
	{verifier.ErrMalformed, classMalformedFile, exitFailure},
}

func classify(err error) (class string, code int) {
	var not *rejected
	if errors.As(err, &not) {
		return "rejected", exitRejected
	}
	var c *classified
	if errors.As(err, &c) {
		return c.class, exitFailure
	}
	for _, c := range classes {
		if errors.Is(err, c.is) {
			return c.class, c.code
		}
	}
	return classFailure, exitFailure
}
