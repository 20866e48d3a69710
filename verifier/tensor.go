package verifier

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/internal/wire"
)

// Binding says how a tensor of the statement is bound.
type Binding uint8

const (
	// BindingPacked is a public tensor, packed into public inputs.
	BindingPacked Binding = iota + 1
	// BindingFolded is a public tensor, packed into coefficients of a polynomial that is bound by its value at α.
	BindingFolded
	// BindingCommitted is a private tensor with a commitment of its own.
	BindingCommitted
)

// TensorSpec describes an input or output of the model: elements are integers in [Min, Max],
// row-major. Type is the machine type they have at the model's border, "int8" and so on.
type TensorSpec struct {
	Name     string
	Shape    []int
	Type     string
	Min, Max int64
	Binding  Binding
	// Points is the number of points of the commitment to a private tensor where there are several; Groth16
	// has one. See CommitmentPoints.
	Points int
}

// Len is the number of elements.
func (t *TensorSpec) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Width is the number of bytes of an element, v − Min, in the statement.
func (t *TensorSpec) Width() int {
	w := 1
	for (t.Max-t.Min)>>(8*w) > 0 {
		w++
	}
	return w
}

// CommitmentPoints is the number of points of a commitment to the tensor.
func (t *TensorSpec) CommitmentPoints() int { return max(t.Points, 1) }

// pieces is the number of field elements that a public tensor is packed into: as many of its elements in each
// as fit into 31 bytes.
func (t *TensorSpec) pieces() int {
	per := 31 / t.Width()
	return (t.Len() + per - 1) / per
}

// packed is the number of public inputs that the tensor takes.
func (t *TensorSpec) packed() int {
	if t.Binding != BindingPacked {
		return 0
	}
	return t.pieces()
}

// AppendSpecs encodes tensors as keys and model commitments hold them. Points is not part of it: it follows
// from what else the key says.
func AppendSpecs(b []byte, specs []TensorSpec) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(specs)))
	for i := range specs {
		t := &specs[i]
		b = wire.AppendString(b, t.Name)
		b = binary.BigEndian.AppendUint32(b, uint32(len(t.Shape)))
		for _, d := range t.Shape {
			b = binary.BigEndian.AppendUint32(b, uint32(d))
		}
		b = wire.AppendString(b, t.Type)
		b = binary.BigEndian.AppendUint64(b, uint64(t.Min))
		b = binary.BigEndian.AppendUint64(b, uint64(t.Max))
		b = append(b, byte(t.Binding))
	}
	return b
}

// ReadSpecs reads what AppendSpecs wrote; CheckSpecs is left to do.
func ReadSpecs(r *wire.Reader) []TensorSpec {
	specs := make([]TensorSpec, r.Count(maxTensors, 29))
	for i := range specs {
		t := &specs[i]
		t.Name = r.Text()
		t.Shape = make([]int, r.Count(maxRank, 4))
		for a := range t.Shape {
			t.Shape[a] = int(r.Uint32())
		}
		t.Type = r.Text()
		t.Min, t.Max = int64(r.Uint64()), int64(r.Uint64())
		t.Binding = Binding(r.Byte())
	}
	return specs
}

// CheckSpecs errs (ErrMalformed) on tensors that no model has.
func CheckSpecs(specs []TensorSpec) error {
	if len(specs) == 0 || len(specs) > maxTensors {
		return fmt.Errorf("%w: verifying key for %d tensors", ErrMalformed, len(specs))
	}
	for i := range specs {
		if err := specs[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// CountPublicInputs is the number of public inputs, S among them, where these tensors are bound as they
// say. It errs (ErrMalformed) on tensors that no model has.
func CountPublicInputs(inputs, outputs []TensorSpec) (int, error) {
	public := 1
	for _, specs := range [][]TensorSpec{inputs, outputs} {
		if err := CheckSpecs(specs); err != nil {
			return 0, err
		}
		for i := range specs {
			// Bounded inside the loop: a sum over all tensors could overflow a 32-bit int.
			if public += specs[i].packed(); public > maxPublicInputs {
				return 0, fmt.Errorf("%w: verifying key with more than %d public inputs", ErrMalformed, maxPublicInputs)
			}
		}
	}
	return public, nil
}

func (t *TensorSpec) check() error {
	n := 1
	for _, d := range t.Shape {
		if d < 1 || d > maxElements || n > maxElements/d {
			return fmt.Errorf("%w: tensor %q of shape %v", ErrMalformed, t.Name, t.Shape)
		}
		n *= d
	}
	if t.Min > t.Max || t.Min < math.MinInt32 || t.Max > math.MaxInt32 {
		return fmt.Errorf("%w: tensor %q with range [%d, %d]", ErrMalformed, t.Name, t.Min, t.Max)
	}
	if lo, hi, known := typeRange(t.Type); !known || t.Min < lo || t.Max > hi {
		return fmt.Errorf("%w: tensor %q of type %q with range [%d, %d]", ErrMalformed, t.Name, t.Type, t.Min, t.Max)
	}
	if len(t.Shape) > maxRank || len(t.Name) > maxStringBytes || t.Binding < BindingPacked || t.Binding > BindingCommitted {
		return fmt.Errorf("%w: tensor %q", ErrMalformed, t.Name)
	}
	return nil
}

// typeRange is what an element type holds.
func typeRange(name string) (lo, hi int64, known bool) {
	switch name {
	case "int8":
		return math.MinInt8, math.MaxInt8, true
	case "uint8":
		return 0, math.MaxUint8, true
	case "int16":
		return math.MinInt16, math.MaxInt16, true
	case "uint16":
		return 0, math.MaxUint16, true
	case "int32":
		return math.MinInt32, math.MaxInt32, true
	}
	return 0, 0, false
}
