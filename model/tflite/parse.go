package tflite

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// Limits that hold for every file.
const (
	maxBytes     = 1 << 30
	maxTensors   = 1 << 16
	maxOperators = 1 << 16
	maxRank      = 8
	// maxElements bounds each tensor.
	maxElements = 1 << 24
)

// file is what is read of a model: its only subgraph.
type file struct {
	name            string
	tensors         []tensor
	operators       []operator
	inputs, outputs []int
}

// tensor is a tensor as the file has it. The layout of images is [N, H, W, C].
type tensor struct {
	name   string
	shape  []int
	typ    schema.TensorType
	data   []byte    // nil unless constant
	scales []float32 // nil unless quantized; one, or one for each index along axis
	zeros  []int64   // as many
	axis   int
}

// operator applies a builtin operator to tensors, by index; −1 is an input that is left out.
type operator struct {
	code            schema.BuiltinOperator
	inputs, outputs []int
	optionsType     schema.BuiltinOptions
	options         flatbuffers.Table
}

// parse reads the tables of a file. The generated accessors trust offsets and panic where one leaves
// the buffer, which is the error here; lengths are checked before anything is allocated for them.
func parse(data []byte) (f *file, err error) {
	defer func() {
		if recover() != nil {
			f, err = nil, fmt.Errorf("%w: an offset leaves the file, which is damaged or cut short (%d bytes)", ErrMalformed, len(data))
		}
	}()
	if len(data) > maxBytes {
		return nil, fmt.Errorf("%w: file of %d bytes, expected at most %d", ErrLimit, len(data), maxBytes)
	}
	if len(data) < 8 || string(data[4:8]) != "TFL3" {
		return nil, fmt.Errorf("%w: no file identifier TFL3 at byte 4", ErrMalformed)
	}
	data = slices.Clip(data) // accessors slice up to where an offset says, and Go allows that up to the capacity
	r := &reader{data: data, model: schema.GetRootAsModel(data, 0)}
	if v := r.model.Version(); v != 3 {
		return nil, fmt.Errorf("%w: schema version %d, expected 3", ErrUnsupportedModel, v)
	}
	if n := r.model.SubgraphsLength(); n != 1 {
		return nil, fmt.Errorf("%w: %d subgraphs, expected 1 (no control flow)", ErrUnsupportedModel, n)
	}
	var g schema.SubGraph
	r.model.Subgraphs(&g, 0)
	return r.subgraph(&g)
}

type reader struct {
	data  []byte
	model *schema.Model
}

func (r *reader) subgraph(g *schema.SubGraph) (*file, error) {
	f := &file{name: string(g.Name())}
	if n := g.TensorsLength(); n > maxTensors || g.OperatorsLength() > maxOperators {
		return nil, fmt.Errorf("%w: %d tensors and %d operators, expected at most %d and %d",
			ErrLimit, n, g.OperatorsLength(), maxTensors, maxOperators)
	}
	for i := range g.TensorsLength() {
		var t schema.Tensor
		g.Tensors(&t, i)
		parsed, err := r.tensor(&t)
		if err != nil {
			return nil, fmt.Errorf("tensor %d (%q): %w", i, t.Name(), err)
		}
		f.tensors = append(f.tensors, parsed)
	}
	var err error
	if f.inputs, err = r.references(f, g.InputsLength(), g.Inputs, false); err != nil {
		return nil, fmt.Errorf("inputs of the model: %w", err)
	}
	if f.outputs, err = r.references(f, g.OutputsLength(), g.Outputs, false); err != nil {
		return nil, fmt.Errorf("outputs of the model: %w", err)
	}
	for i := range g.OperatorsLength() {
		var o schema.Operator
		g.Operators(&o, i)
		op, err := r.operator(f, &o)
		if err != nil {
			return nil, fmt.Errorf("operator %d (%s): %w", i, op.code, err)
		}
		f.operators = append(f.operators, op)
	}
	return f, nil
}

// references reads a list of tensor numbers.
func (r *reader) references(f *file, n int, at func(int) int32, optional bool) ([]int, error) {
	if err := r.fits(n, 4); err != nil {
		return nil, err
	}
	out := make([]int, n)
	for i := range out {
		id := int(at(i))
		if id >= len(f.tensors) || id < -1 || id == -1 && !optional {
			return nil, fmt.Errorf("%w: tensor number %d, there are %d", ErrMalformed, id, len(f.tensors))
		}
		out[i] = id
	}
	return out, nil
}

// fits checks the length of a vector against the size of the file.
func (r *reader) fits(n, size int) error {
	if n < 0 || n > len(r.data)/size {
		return fmt.Errorf("%w: a vector of %d elements in a file of %d bytes", ErrMalformed, n, len(r.data))
	}
	return nil
}

func (r *reader) tensor(t *schema.Tensor) (tensor, error) {
	out := tensor{name: string(t.Name()), typ: t.Type()}
	if t.Sparsity(nil) != nil {
		return out, fmt.Errorf("%w: sparse weights", ErrUnsupportedModel)
	}
	if n := t.ShapeLength(); n > maxRank {
		return out, fmt.Errorf("%w: %d dimensions, expected at most %d", ErrLimit, n, maxRank)
	}
	signature := t.ShapeSignatureLength() == t.ShapeLength()
	volume := 1
	for i := range t.ShapeLength() {
		d := int(t.Shape(i))
		if signature && t.ShapeSignature(i) < 0 && i > 0 {
			return out, fmt.Errorf("%w: dimension %d has no fixed size", ErrUnsupportedModel, i)
		}
		if d < 1 {
			return out, fmt.Errorf("%w: dimension %d is %d", ErrUnsupportedModel, i, d)
		}
		if d > maxElements/volume {
			return out, fmt.Errorf("%w: more than %d elements", ErrLimit, maxElements)
		}
		volume *= d
		out.shape = append(out.shape, d)
	}
	if err := r.quantization(&out, t.Quantization(nil)); err != nil {
		return out, err
	}
	var err error
	if out.data, err = r.buffer(int(t.Buffer())); err != nil || out.data == nil {
		return out, err
	}
	size, ok := elementSize(out.typ)
	if !ok {
		return out, fmt.Errorf("%w: a constant of type %s", ErrUnsupportedModel, out.typ)
	}
	if len(out.data) != volume*size {
		return out, fmt.Errorf("%w: %d bytes of data for %d elements of type %s", ErrMalformed, len(out.data), volume, out.typ)
	}
	return out, nil
}

func (r *reader) quantization(t *tensor, q *schema.QuantizationParameters) error {
	if q == nil || q.ScaleLength() == 0 {
		return nil
	}
	n := q.ScaleLength()
	if err := r.fits(n, 4); err != nil {
		return err
	}
	t.scales, t.zeros, t.axis = make([]float32, n), make([]int64, n), int(q.QuantizedDimension())
	if z := q.ZeroPointLength(); z != n && z != 0 {
		return fmt.Errorf("%w: %d scales and %d zero points", ErrMalformed, n, z)
	}
	for i := range n {
		s := q.Scale(i)
		if !(s > 0) || math.IsInf(float64(s), 0) {
			return fmt.Errorf("%w: scale %g, expected a positive number", ErrMalformed, s)
		}
		t.scales[i] = s
		if q.ZeroPointLength() > 0 {
			t.zeros[i] = q.ZeroPoint(i)
		}
		if t.zeros[i] < math.MinInt32 || t.zeros[i] > math.MaxInt32 {
			return fmt.Errorf("%w: zero point %d", ErrMalformed, t.zeros[i])
		}
	}
	if n > 1 && (t.axis < 0 || t.axis >= len(t.shape) || t.shape[t.axis] != n) {
		return fmt.Errorf("%w: %d scales along axis %d of shape %v", ErrMalformed, n, t.axis, t.shape)
	}
	return nil
}

// buffer is the data of a buffer, nil for an empty one. Large files keep data outside of the tables.
func (r *reader) buffer(i int) ([]byte, error) {
	if i == 0 {
		return nil, nil
	}
	var b schema.Buffer
	if i >= r.model.BuffersLength() {
		return nil, fmt.Errorf("%w: buffer %d of %d", ErrMalformed, i, r.model.BuffersLength())
	}
	r.model.Buffers(&b, i)
	if b.Offset() > 1 {
		from, size, all := b.Offset(), b.Size(), uint64(len(r.data))
		if from > all || size > all-from {
			return nil, fmt.Errorf("%w: buffer %d at %d has %d bytes, the file ends at %d", ErrMalformed, i, from, size, all)
		}
		return r.data[from : from+size], nil
	}
	if b.DataLength() == 0 {
		return nil, nil
	}
	return b.DataBytes(), nil
}

func (r *reader) operator(f *file, o *schema.Operator) (operator, error) {
	var out operator
	var code schema.OperatorCode
	if i := int(o.OpcodeIndex()); i >= r.model.OperatorCodesLength() {
		return out, fmt.Errorf("%w: operator code %d of %d", ErrMalformed, i, r.model.OperatorCodesLength())
	}
	r.model.OperatorCodes(&code, int(o.OpcodeIndex()))
	// Codes beyond 127 stand in a field of their own; files of before have zero there.
	out.code = max(code.BuiltinCode(), schema.BuiltinOperator(code.DeprecatedBuiltinCode()))
	if out.code == schema.BuiltinOperatorCUSTOM {
		return out, fmt.Errorf("%w: custom operator %q", ErrUnsupportedOp, code.CustomCode())
	}
	var err error
	if out.inputs, err = r.references(f, o.InputsLength(), o.Inputs, true); err != nil {
		return out, err
	}
	if out.outputs, err = r.references(f, o.OutputsLength(), o.Outputs, false); err != nil {
		return out, err
	}
	if len(out.outputs) == 0 {
		return out, fmt.Errorf("%w: no output", ErrMalformed)
	}
	out.optionsType = o.BuiltinOptionsType()
	if !o.BuiltinOptions(&out.options) {
		out.optionsType = schema.BuiltinOptionsNONE
		return out, nil
	}
	return out, r.checkScalars(&out.options)
}

// checkScalars checks that every field of a table of scalars, which is read later, lies in the file.
func (r *reader) checkScalars(t *flatbuffers.Table) error {
	const widest = 4 // bytes of the options' scalars
	size := int64(len(r.data))
	vtable := int64(t.Pos) - int64(t.GetSOffsetT(t.Pos))
	if vtable < 0 || vtable+4 > size {
		return fmt.Errorf("%w: a table of fields at %d of %d bytes", ErrMalformed, vtable, size)
	}
	end := vtable + int64(binary.LittleEndian.Uint16(r.data[vtable:]))
	if end > size || (end-vtable)%2 != 0 {
		return fmt.Errorf("%w: a table of fields from %d to %d of %d bytes", ErrMalformed, vtable, end, size)
	}
	for at := vtable + 4; at < end; at += 2 {
		if field := int64(binary.LittleEndian.Uint16(r.data[at:])); int64(t.Pos)+field+widest > size {
			return fmt.Errorf("%w: a field at %d of %d bytes", ErrMalformed, int64(t.Pos)+field, size)
		}
	}
	return nil
}

func elementSize(t schema.TensorType) (int, bool) {
	switch t {
	case schema.TensorTypeINT8, schema.TensorTypeUINT8, schema.TensorTypeBOOL:
		return 1, true
	case schema.TensorTypeINT16, schema.TensorTypeFLOAT16:
		return 2, true
	case schema.TensorTypeINT32, schema.TensorTypeFLOAT32:
		return 4, true
	case schema.TensorTypeINT64:
		return 8, true
	}
	return 0, false
}

// volume is the number of elements.
func (t *tensor) volume() int { return volume(t.shape) }

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// number is the only element of a constant.
func (t *tensor) number() (float64, error) {
	if t.volume() != 1 {
		return 0, fmt.Errorf("%w: %q has %d elements, expected one", ErrMalformed, t.name, t.volume())
	}
	if t.typ == schema.TensorTypeFLOAT32 {
		v, err := t.floats()
		if err != nil {
			return 0, err
		}
		return float64(v[0]), nil
	}
	v, err := t.integers()
	if err != nil {
		return 0, err
	}
	return float64(v[0]), nil
}

// floats are the elements of a constant as real numbers: float32, float16, or integers with a scale.
func (t *tensor) floats() ([]float32, error) {
	if t.data == nil {
		return nil, fmt.Errorf("%w: %q is computed, expected a constant", ErrUnsupportedModel, t.name)
	}
	out := make([]float32, t.volume())
	switch t.typ {
	case schema.TensorTypeFLOAT32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.data[4*i:]))
		}
	case schema.TensorTypeFLOAT16:
		for i := range out {
			out[i] = float16(binary.LittleEndian.Uint16(t.data[2*i:]))
		}
	default:
		if len(t.scales) == 0 {
			return nil, fmt.Errorf("%w: %q has type %s and no scale", ErrUnsupportedModel, t.name, t.typ)
		}
		v, err := t.integers()
		if err != nil {
			return nil, err
		}
		inner := volume(t.shape[min(t.axis+1, len(t.shape)):])
		for i := range out {
			c := 0
			if len(t.scales) > 1 {
				c = i / inner % len(t.scales)
			}
			out[i] = float32(v[i]-t.zeros[c]) * t.scales[c]
		}
	}
	for _, v := range out {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("%w: %q holds %v", ErrMalformed, t.name, v)
		}
	}
	return out, nil
}

// float16 is the number of an IEEE 754 binary16.
func float16(b uint16) float32 {
	sign, exponent, fraction := float64(1), int(b>>10&31), float64(b&1023)
	if b>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0:
		return float32(sign * math.Ldexp(fraction, -24))
	case 31:
		if fraction == 0 {
			return float32(math.Inf(int(sign)))
		}
		return float32(math.NaN())
	}
	return float32(sign * math.Ldexp(1024+fraction, exponent-25))
}

// integers are the elements of a constant of an integer type.
func (t *tensor) integers() ([]int64, error) {
	if t.data == nil {
		return nil, fmt.Errorf("%w: %q is computed, expected a constant", ErrUnsupportedModel, t.name)
	}
	out := make([]int64, t.volume())
	for i := range out {
		switch t.typ {
		case schema.TensorTypeINT8:
			out[i] = int64(int8(t.data[i]))
		case schema.TensorTypeUINT8:
			out[i] = int64(t.data[i])
		case schema.TensorTypeINT16:
			out[i] = int64(int16(binary.LittleEndian.Uint16(t.data[2*i:])))
		case schema.TensorTypeINT32:
			out[i] = int64(int32(binary.LittleEndian.Uint32(t.data[4*i:])))
		case schema.TensorTypeINT64:
			out[i] = int64(binary.LittleEndian.Uint64(t.data[8*i:]))
		default:
			return nil, fmt.Errorf("%w: %q has type %s, expected integers", ErrUnsupportedModel, t.name, t.typ)
		}
	}
	return out, nil
}

// scale is the scale of index i along the quantized axis, 1 for a tensor without.
func (t *tensor) scale(i int) float32 {
	switch len(t.scales) {
	case 0:
		return 1
	case 1:
		return t.scales[0]
	}
	return t.scales[i]
}

// zero is the zero point of a tensor that is quantized as a whole, 0 without.
func (t *tensor) zero() int64 {
	if len(t.zeros) == 0 {
		return 0
	}
	return t.zeros[0]
}
