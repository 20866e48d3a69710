package model

import "errors"

// What can be wrong with a graph or an input. Every error of this package wraps one of these or one
// of internal/envelope's.
var (
	// ErrShape: tensors' shapes do not fit an op or each other.
	ErrShape = errors.New("shapes do not fit")
	// ErrAttribute: an op's attribute or the length of a parameter array is invalid.
	ErrAttribute = errors.New("invalid attribute")
	// ErrRange: a value can leave its declared range, or a range is impossible.
	ErrRange = errors.New("value out of declared range")
	// ErrLimit: the graph exceeds a size that this package handles.
	ErrLimit = errors.New("limit exceeded")
	// ErrGraph: tensors and nodes do not form a graph in topological order.
	ErrGraph = errors.New("invalid graph")
	// ErrConstantModel: an output does not depend on any input.
	ErrConstantModel = errors.New("model output is constant")
	// ErrInput: what was given to Execute or Run does not fit the graph's inputs.
	ErrInput = errors.New("invalid input")
)
