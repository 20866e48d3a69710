package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/zkinfer/zkinfer/model/onnx/internal/onnxpb"
)

// ElemType is the type of a tensor's elements; the numbers are those of TensorProto.DataType.
type ElemType int32

// The element types that are read.
const (
	Float32  = ElemType(onnxpb.TensorProto_FLOAT)
	Uint8    = ElemType(onnxpb.TensorProto_UINT8)
	Int8     = ElemType(onnxpb.TensorProto_INT8)
	Uint16   = ElemType(onnxpb.TensorProto_UINT16)
	Int16    = ElemType(onnxpb.TensorProto_INT16)
	Int32    = ElemType(onnxpb.TensorProto_INT32)
	Int64    = ElemType(onnxpb.TensorProto_INT64)
	Bool     = ElemType(onnxpb.TensorProto_BOOL)
	Float16  = ElemType(onnxpb.TensorProto_FLOAT16)
	Float64  = ElemType(onnxpb.TensorProto_DOUBLE)
	Uint32   = ElemType(onnxpb.TensorProto_UINT32)
	Uint64   = ElemType(onnxpb.TensorProto_UINT64)
	BFloat16 = ElemType(onnxpb.TensorProto_BFLOAT16)
)

// String is the schema's name in lower case: "float", "int64", "bfloat16".
func (t ElemType) String() string { return strings.ToLower(onnxpb.TensorProto_DataType(t).String()) }

// size is the number of bytes of an element in raw_data, 0 for types that are not read.
func (t ElemType) size() int {
	switch t {
	case Uint8, Int8, Bool:
		return 1
	case Uint16, Int16, Float16, BFloat16:
		return 2
	case Float32, Int32, Uint32:
		return 4
	case Float64, Int64, Uint64:
		return 8
	}
	return 0
}

// isFloat tells whether elements are kept as float32; those of other types are kept as int64.
func (t ElemType) isFloat() bool {
	return t == Float32 || t == Float64 || t == Float16 || t == BFloat16
}

// wrap reduces v to the range of an integer type, as a two's complement machine does.
func (t ElemType) wrap(v int64) int64 {
	switch t {
	case Uint8:
		return int64(uint8(v))
	case Int8:
		return int64(int8(v))
	case Uint16:
		return int64(uint16(v))
	case Int16:
		return int64(int16(v))
	case Uint32:
		return int64(uint32(v))
	case Int32:
		return int64(int32(v))
	case Bool:
		if v != 0 {
			return 1
		}
	}
	return v
}

// Tensor is a constant: Floats holds the elements, row-major, of a float type (rounded to float32),
// Ints those of an integer type or bool (0 and 1; uint64 as its bits).
type Tensor struct {
	Type   ElemType
	Shape  []int // a dimension may be 0
	Floats []float32
	Ints   []int64
}

// Len is the number of elements.
func (t Tensor) Len() int { return len(t.Floats) + len(t.Ints) }

// AsFloats are the elements as float32, whatever the type.
func (t Tensor) AsFloats() []float32 {
	if t.Type.isFloat() {
		return t.Floats
	}
	out := make([]float32, len(t.Ints))
	for i, v := range t.Ints {
		out[i] = float32(v)
	}
	return out
}

// check reports whether the parts fit each other.
func (t Tensor) check() error {
	if t.Type.size() == 0 {
		return fmt.Errorf("%w: element type %v, expected a float or integer type", ErrUnsupportedModel, t.Type)
	}
	n, err := elementCount(toInt64(t.Shape), math.MaxInt32)
	if err != nil {
		return err
	}
	floats, ints := 0, n
	if t.Type.isFloat() {
		floats, ints = n, 0
	}
	if len(t.Floats) != floats || len(t.Ints) != ints {
		return fmt.Errorf("%w: %d floats and %d integers for a %v tensor of shape %v", ErrMalformed, len(t.Floats), len(t.Ints), t.Type, t.Shape)
	}
	return nil
}

func toInt64(s []int) []int64 {
	out := make([]int64, len(s))
	for i, v := range s {
		out[i] = int64(v)
	}
	return out
}

// elementCount is the product of dims, if none is negative and it is at most limit.
func elementCount(dims []int64, limit int) (int, error) {
	if len(dims) > maxRank {
		return 0, fmt.Errorf("%w: %d dimensions, expected at most %d", ErrLimit, len(dims), maxRank)
	}
	n := int64(1)
	for _, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("%w: dimension %d in shape %v", ErrMalformed, d, dims)
		}
		if d > 0 && n > int64(limit)/d {
			return 0, fmt.Errorf("%w: shape %v has more than %d elements", ErrLimit, dims, limit)
		}
		n *= d
	}
	return int(n), nil
}

// ReadTensor parses a serialized TensorProto, as in the input_*.pb files beside ONNX models.
func ReadTensor(data []byte) (name string, t Tensor, err error) {
	p := &onnxpb.TensorProto{}
	if err := proto.Unmarshal(data, p); err != nil {
		return "", Tensor{}, fmt.Errorf("%w: not a serialized TensorProto: %v", ErrMalformed, err)
	}
	t, err = decodeTensor(p)
	return p.GetName(), t, err
}

// decodeTensor reads a tensor whose elements are in the message. It allocates at most eight bytes for
// each byte of the message.
func decodeTensor(p *onnxpb.TensorProto) (Tensor, error) {
	t, err := decodeElements(p)
	if err != nil {
		return Tensor{}, fmt.Errorf("tensor %q: %w", p.GetName(), err)
	}
	return t, nil
}

func decodeElements(p *onnxpb.TensorProto) (Tensor, error) {
	t := Tensor{Type: ElemType(p.GetDataType())}
	if p.GetDataLocation() == onnxpb.TensorProto_EXTERNAL || len(p.GetExternalData()) > 0 {
		return t, fmt.Errorf("%w: its elements are in another file; save the model in one file (onnx.save with save_as_external_data=False)", ErrUnsupportedModel)
	}
	if t.Type.size() == 0 || p.GetSegment() != nil {
		return t, fmt.Errorf("%w: element type %v or segmented, expected a float or integer type in one piece", ErrUnsupportedModel, t.Type)
	}
	n, err := elementCount(p.GetDims(), math.MaxInt32)
	if err != nil {
		return t, err
	}
	for _, d := range p.GetDims() {
		t.Shape = append(t.Shape, int(d))
	}
	if raw := p.GetRawData(); raw != nil {
		if len(raw) != n*t.Type.size() {
			return t, fmt.Errorf("%w: %d bytes, expected %d for %v %v", ErrMalformed, len(raw), n*t.Type.size(), t.Type, t.Shape)
		}
		t.decodeRaw(raw)
		return t, nil
	}
	t.decodeFields(p)
	if t.Len() != n {
		return t, fmt.Errorf("%w: %d elements of type %v, expected %d for shape %v", ErrMalformed, t.Len(), t.Type, n, t.Shape)
	}
	return t, nil
}

// decodeRaw reads little-endian elements.
func (t *Tensor) decodeRaw(raw []byte) {
	size := t.Type.size()
	n := len(raw) / size
	if t.Type.isFloat() {
		t.Floats = make([]float32, n)
	} else {
		t.Ints = make([]int64, n)
	}
	for i := range n {
		var bits uint64
		switch b := raw[i*size:]; size {
		case 1:
			bits = uint64(b[0])
		case 2:
			bits = uint64(binary.LittleEndian.Uint16(b))
		case 4:
			bits = uint64(binary.LittleEndian.Uint32(b))
		case 8:
			bits = binary.LittleEndian.Uint64(b)
		}
		if t.Type.isFloat() {
			t.Floats[i] = t.Type.float(bits)
		} else {
			t.Ints[i] = t.Type.wrap(int64(bits))
		}
	}
}

// decodeFields reads elements from the field that the schema prescribes for the type.
func (t *Tensor) decodeFields(p *onnxpb.TensorProto) {
	switch t.Type {
	case Float32:
		t.Floats = p.GetFloatData()
	case Float64:
		for _, v := range p.GetDoubleData() {
			t.Floats = append(t.Floats, float32(v))
		}
	case Float16, BFloat16:
		for _, v := range p.GetInt32Data() {
			t.Floats = append(t.Floats, t.Type.float(uint64(uint16(v))))
		}
	case Int64:
		t.Ints = p.GetInt64Data()
	case Uint32, Uint64:
		for _, v := range p.GetUint64Data() {
			t.Ints = append(t.Ints, t.Type.wrap(int64(v)))
		}
	default:
		for _, v := range p.GetInt32Data() {
			t.Ints = append(t.Ints, t.Type.wrap(int64(v)))
		}
	}
}

// float is the number that the bits of a float type stand for, rounded to float32.
func (t ElemType) float(bits uint64) float32 {
	switch t {
	case Float64:
		return float32(math.Float64frombits(bits))
	case Float16:
		return halfToFloat(uint16(bits))
	case BFloat16:
		return math.Float32frombits(uint32(bits) << 16)
	}
	return math.Float32frombits(uint32(bits))
}

// halfToFloat is the value of an IEEE 754 binary16: sign, 5 bits of exponent (bias 15), 10 of fraction.
func halfToFloat(h uint16) float32 {
	exponent, fraction := int(h>>10&31), float64(h&1023)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 31:
		if v = math.Inf(1); fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if h>>15 == 1 {
		v = -v
	}
	return float32(v)
}
