// Package float is the real-valued network between a model file and the integer graph: what an
// importer produces, what calibration runs, what accuracy is measured against.
//
// Source formats are lowered to few ops here: an importer resolves constants, shapes, layouts
// (always channels first), opset differences and broadcasting of parameters, so that quantization
// sees one form of everything.
//
// Execute is the reference for accuracy. It rounds every tensor to float32 but sums in float64, so
// its results do not depend on the order of summation to any precision that matters, and differ
// from another runtime's by that runtime's own rounding.
//
// Pitfalls: Reshape, Slice, Mean and ArgMax leave (part of) their output's shape to the tensor they
// write; see InferShape. A Graph assembled by hand must pass Validate. Fold rewrites in place.
package float

// Graph is a network over float32 tensors in topological order.
type Graph struct {
	Name    string
	Inputs  []int // indices into Tensors
	Outputs []int
	Tensors []Tensor
	Nodes   []Node
}

// Tensor is a value of the graph. Const holds its elements where it is a constant, else nil.
type Tensor struct {
	Name  string
	Shape []int
	Const []float32
}

// Len is the number of elements.
func (t Tensor) Len() int { return volume(t.Shape) }

// Node applies Op to tensors; one output.
type Node struct {
	Name string
	Op   Op
	In   []int
	Out  int
}

// Op is one of the types below. Shapes are row-major; images are [N, C, H, W] with N = 1.
type Op interface{ Kind() string }

// Window is the geometry of a convolution or pooling, in (y, x) order.
type Window struct {
	Kernel    [2]int
	Stride    [2]int
	Dilation  [2]int
	PadBefore [2]int
	PadAfter  [2]int
}

type (
	// Conv is a convolution of x [1, C, H, W] with constant weights [O, C/Groups, KH, KW] and an
	// optional constant bias [O]. In: x, weights[, bias].
	Conv struct {
		Window
		Groups int
	}
	// Dense multiplies the last axis of x [..., K] by constant weights [K, N], adds an optional
	// constant bias [N]. In: x, weights[, bias].
	Dense struct{}
	// Affine is x·scale + shift with constants that broadcast to x's shape (batch normalization,
	// arithmetic with a constant). In: x, scale, shift.
	Affine struct{}
	// Binary is "add", "sub", "mul" or "div" of two computed tensors, broadcasting as numpy does.
	Binary struct{ Func string }
	// Unary is an elementwise function by name: relu, clip, leakyrelu, sigmoid, tanh, hardsigmoid,
	// hardswish, silu, gelu, gelu_tanh, elu, softplus, exp, sqrt, reciprocal, erf, abs, neg, log.
	// Alpha and Beta are its parameters: leakyrelu and elu take Alpha as the slope of the negative
	// side, hardsigmoid is clip(Alpha·x + Beta, 0, 1), clip is min(max(x, Alpha), Beta) with bounds
	// that may be infinite.
	Unary struct {
		Func        string
		Alpha, Beta float64
	}
	// MaxPool takes the maximum of each window; padding never wins. In: x [1, C, H, W].
	MaxPool struct{ Window }
	// AvgPool averages each window: over valid taps, or over all taps with CountPad (which counts
	// declared padding, never what a rounded-up output size adds beyond it).
	AvgPool struct {
		Window
		CountPad bool
	}
	// Mean averages over Axes (sorted, not negative); the output's shape says whether they stay.
	Mean struct{ Axes []int }
	// Softmax is along Axis.
	Softmax struct{ Axis int }
	// ArgMax is the index of the greatest element along Axis; ties: lowest index, or the last one.
	ArgMax struct {
		Axis      int
		LastIndex bool
	}
	// Reshape keeps the elements' order.
	Reshape struct{}
	// Transpose: output axis i is input axis Perm[i].
	Transpose struct{ Perm []int }
	// Concat joins its inputs along Axis.
	Concat struct{ Axis int }
	// Slice takes Start + i·Step along each axis (one entry an axis; Step is not 0, may be negative).
	Slice struct{ Start, Step []int }
	// Pad adds elements before and after each axis: Mode "constant" (Value), "reflect", "edge", "wrap".
	// Negative amounts are lowered to Slice by importers.
	Pad struct {
		Before, After []int
		Mode          string
		Value         float64
	}
	// Gather picks constant Indices along Axis (not negative).
	Gather struct {
		Axis    int
		Indices []int
	}
)

// Kind names the op in messages.
func (Conv) Kind() string      { return "conv" }
func (Dense) Kind() string     { return "dense" }
func (Affine) Kind() string    { return "affine" }
func (b Binary) Kind() string  { return b.Func }
func (u Unary) Kind() string   { return u.Func }
func (MaxPool) Kind() string   { return "maxpool" }
func (AvgPool) Kind() string   { return "avgpool" }
func (Mean) Kind() string      { return "mean" }
func (Softmax) Kind() string   { return "softmax" }
func (ArgMax) Kind() string    { return "argmax" }
func (Reshape) Kind() string   { return "reshape" }
func (Transpose) Kind() string { return "transpose" }
func (Concat) Kind() string    { return "concat" }
func (Slice) Kind() string     { return "slice" }
func (Pad) Kind() string       { return "pad" }
func (Gather) Kind() string    { return "gather" }
