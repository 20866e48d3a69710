package float

import "errors"

// What can be wrong with a graph or an input. Every error of this package wraps one of these.
var (
	// ErrShape: tensors' shapes do not fit an op or each other.
	ErrShape = errors.New("shapes do not fit")
	// ErrAttribute: an op's attribute is invalid.
	ErrAttribute = errors.New("invalid attribute")
	// ErrLimit: a tensor exceeds MaxRank or MaxElements.
	ErrLimit = errors.New("limit exceeded")
	// ErrGraph: tensors and nodes do not form a graph in topological order.
	ErrGraph = errors.New("invalid graph")
	// ErrInput: what was given to Execute does not fit the graph's inputs.
	ErrInput = errors.New("invalid input")
)
