// Package model is the integer graph: the exact function that a proof is about.
//
// A Graph is a list of tensors (shape, range, scale) and of nodes in topological order; what it
// means is what Execute computes, integer for integer. Every op infers the worst case of its
// accumulators from its parameters and its operands' ranges when the graph is built or read, so
// that a valid graph can be executed, and proved, on every input within its declared range.
//
// Two digests identify a graph: ArchitectureDigest covers what a circuit is made of (shapes,
// ranges, shifts, tables), ParameterDigest what training changes (weights, biases, multipliers).
//
// The integer semantics follow the usual affine quantization, real = scale·(q − zero) (Jacob et
// al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
// Inference", 2018), with one rounding a layer: q = ⌊(acc + 2^(T−1)) / 2^T⌋.
//
// Pitfalls: a Graph assembled by hand rather than with Builder or Read must pass Validate before
// anything else is done with it; so must one whose parameters were changed. Ops are pointers, and
// Params aliases them.
package model

import (
	"fmt"

	"github.com/zkinfer/zkinfer/fixedpoint"
)

// DType is the machine type in which a tensor's integers are held at the border of a model.
type DType uint8

// The border types. Inside the graph every value is an int64 within its tensor's range.
const (
	Int8 DType = iota + 1
	Uint8
	Int16
	Uint16
	Int32
)

var dtypes = map[DType]struct {
	name     string
	bytes    int
	min, max int64
}{
	Int8:   {"int8", 1, -1 << 7, 1<<7 - 1},
	Uint8:  {"uint8", 1, 0, 1<<8 - 1},
	Int16:  {"int16", 2, -1 << 15, 1<<15 - 1},
	Uint16: {"uint16", 2, 0, 1<<16 - 1},
	Int32:  {"int32", 4, -1 << 31, 1<<31 - 1},
}

// String is the type's name as in numpy: "int8", "uint16".
func (t DType) String() string {
	if d, ok := dtypes[t]; ok {
		return d.name
	}
	return fmt.Sprintf("dtype(%d)", uint8(t))
}

// Size is the number of bytes of one value, 0 for an unknown type.
func (t DType) Size() int { return dtypes[t].bytes }

// Range is the inclusive range of values the type can hold.
func (t DType) Range() (min, max int64) { d := dtypes[t]; return d.min, d.max }

// SmallestDType is the narrowest type that holds [min, max]; unsigned where min is not negative.
func SmallestDType(min, max int64) (DType, error) {
	for _, t := range []DType{Uint8, Int8, Uint16, Int16, Int32} {
		lo, hi := t.Range()
		if min >= lo && max <= hi {
			return t, nil
		}
	}
	return 0, fmt.Errorf("%w: range [%d, %d] needs more than 32 bits", ErrRange, min, max)
}

// TensorID indexes Graph.Tensors.
type TensorID int

// Tensor describes a value of the graph, not its contents.
//
// Min and Max bound every integer the executor can put there, whatever the input; they and Shape
// belong to the architecture. Scale and Zero say what the integers mean: real = Scale·(v − Zero).
// They do not influence any integer, hence no proof.
type Tensor struct {
	Name     string
	Shape    []int // row-major; the batch dimension, where the model has one, is 1
	Min, Max int64 // inclusive
	Type     DType
	Scale    float64
	Zero     int64
}

// Len is the number of elements.
func (t Tensor) Len() int { return volume(t.Shape) }

// Real is the real number that the integer v stands for.
func (t Tensor) Real(v int64) float64 { return t.Scale * float64(v-t.Zero) }

// Quantize is the integer for the real number x: round half to even, then clamp to [Min, Max].
// It is part of preparing an input, not of what is proved.
func (t Tensor) Quantize(x float64) int64 {
	return fixedpoint.Quantize(x, t.Scale, t.Zero, t.Min, t.Max)
}

// Node applies an operation to tensors that earlier nodes (or the inputs) made.
type Node struct {
	Name string
	Op   Op
	In   []TensorID
	Out  TensorID // every op has exactly one output
}

// Graph is an integer network: the exact function that a proof is about. Its meaning is what
// Execute computes. Nodes are in topological order; the order is part of the architecture.
type Graph struct {
	Name    string
	Inputs  []TensorID
	Outputs []TensorID
	Tensors []Tensor
	Nodes   []Node
	Source  Source
}

// Source records where a graph came from and how pixels become real values. Informative, except
// that Rounding names the variant whose integers the graph computes.
type Source struct {
	Format     string    // "onnx", "tflite"
	Rounding   string    // "own", "tflm", "litert", "single"
	PixelScale []float64 // real = pixel·PixelScale − PixelMean, one number or one a channel
	PixelMean  []float64
}

// Op is one integer operation. Its exported fields are of two kinds: attributes (shapes, shifts,
// tables, ranges), which are the architecture and end up in the circuit, and parameters (weights,
// biases, multipliers), which training changes and which end up in the model commitment only.
type Op interface {
	// Kind is the op's name in files, tables and messages, such as "conv".
	Kind() string
	// Infer checks attributes, parameters and inputs against each other and returns the output's
	// Shape, Min and Max. It errs (ErrRange) where a declared range does not hold the worst case.
	Infer(in []Tensor) (Tensor, error)
	// Eval computes the output. acc is the accumulators before rescaling, one an output element,
	// for a Rescaled op; nil otherwise.
	Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64)
	// Params are the parameters in a fixed order; nil for an op without. They alias the op's.
	Params() []Param
	// MACs is the number of multiplications of an activation by a parameter or an activation.
	MACs(in []Tensor, out Tensor) int64
}

// Param is one parameter array of an op. Values points at the op's own field, so that a reader of
// files can fill it. How large the values are is nothing a circuit relies on.
type Param struct {
	Name   string // "weights", "bias", …
	Shape  []int
	Values *[]int64
}

// Rescaled is an op of the form a = f(⌊(acc + 2^(T−1)) / 2^T⌋), acc linear in the parameters.
type Rescaled interface {
	Op
	Requantization() *Rescale
}

// Rescale turns an accumulator into an activation:
//
//	q = ⌊(acc + 2^(Shift−1)) / 2^Shift⌋ (just acc for Shift 0),   a = f(q)
//
// QMin and QMax bound q. They are declared, never derived from parameters by the circuit: Infer
// checks that the worst case of the parameters at hand stays within. The table may cover less: a
// quotient beyond one of its ends counts as that end. (A clamp of rare, huge quotients needs no
// table of their size.)
//
// Roundings, one an output channel (see Channels), say where a channel departs from that formula; nil
// is HalfUp for all. QMin and QMax bound q of the formula, whatever the rounding.
type Rescale struct {
	Shift      uint
	QMin, QMax int64
	Table      Table
	Roundings  []Rounding `cbor:",omitempty"`
}

// Table is a function of one bounded integer: Values[i] = f(Min + i). Clamps are tables too; an
// implementation may recognise them by IsClamp. Len(Values) is at most 2^16.
type Table struct {
	Name   string `cbor:"-"` // for people: "clamp", "relu", "sigmoid"; no meaning
	Min    int64
	Values []int64
}

// Max is the largest argument the table covers.
func (t *Table) Max() int64 { return t.Min + int64(len(t.Values)) - 1 }

// At is f(q); q must be in [Min, Max].
func (t *Table) At(q int64) int64 { return t.Values[q-t.Min] }

// Range is the least and the greatest value of the table.
func (t *Table) Range() (min, max int64) {
	min, max = t.Values[0], t.Values[0]
	for _, v := range t.Values {
		if v < min {
			min = v
		}
		if v > max {
			max = v
		}
	}
	return min, max
}

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
