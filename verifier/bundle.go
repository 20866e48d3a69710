package verifier

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/internal/wire"
)

// Bundle is a proof with its statement: what a .zkp file holds. The digests say which key and which
// model it is for, so that a mix-up is told apart from a false claim; they prove nothing.
type Bundle struct {
	Backend   string
	VKDigest  [32]byte
	Model     [32]byte // M
	Statement Statement
	Proof     []byte
}

// maxProofBytes bounds a proof of any backend.
const maxProofBytes = 1 << 20

// MarshalBinary encodes the bundle. Values are 32-bit. It refuses what UnmarshalBundle would refuse:
// a value beyond 32 bits (ErrStatement), anything longer than the format admits (ErrMalformed).
func (b *Bundle) MarshalBinary() ([]byte, error) {
	for what, size := range map[string][2]int{
		"backend": {len(b.Backend), maxStringBytes},
		"context": {len(b.Statement.Context), maxContextBytes},
		"proof":   {len(b.Proof), maxProofBytes},
	} {
		if size[0] > size[1] {
			return nil, fmt.Errorf("%w: %s of %d bytes, at most %d", ErrMalformed, what, size[0], size[1])
		}
	}
	out := wire.AppendString(nil, b.Backend)
	out = append(out, b.VKDigest[:]...)
	out = append(out, b.Model[:]...)
	for _, values := range [][]TensorValue{b.Statement.Inputs, b.Statement.Outputs} {
		if len(values) > maxTensors {
			return nil, fmt.Errorf("%w: %d tensors, at most %d", ErrMalformed, len(values), maxTensors)
		}
		out = binary.BigEndian.AppendUint32(out, uint32(len(values)))
		for i := range values {
			var err error
			if out, err = values[i].append(out); err != nil {
				return nil, fmt.Errorf("tensor %d: %w", i, err)
			}
		}
	}
	out = binary.BigEndian.AppendUint32(out, uint32(len(b.Statement.Context)))
	out = append(out, b.Statement.Context...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(b.Proof)))
	return append(out, b.Proof...), nil
}

func (v *TensorValue) append(b []byte) ([]byte, error) {
	if v.Commitment != nil {
		if v.Values != nil {
			return nil, fmt.Errorf("%w: both values and a commitment, expected one of them", ErrStatement)
		}
		return v.appendCommitment(b)
	}
	if len(v.Values) > maxElements {
		return nil, fmt.Errorf("%w: %d elements, at most %d", ErrMalformed, len(v.Values), maxElements)
	}
	b = binary.BigEndian.AppendUint32(append(b, tensorValues), uint32(len(v.Values)))
	for k, x := range v.Values {
		// A silent cut to 32 bits would store a statement that nobody made.
		if x < math.MinInt32 || x > math.MaxInt32 {
			return nil, fmt.Errorf("%w: element %d is %d, expected 32 bits", ErrStatement, k, x)
		}
		b = binary.BigEndian.AppendUint32(b, uint32(int32(x)))
	}
	return b, nil
}

// The first byte of a tensor in a bundle. A commitment of one point has an encoding of its own, which is
// the older.
const (
	tensorValues = iota
	tensorPoint
	tensorPoints
)

func (v *TensorValue) appendCommitment(b []byte) ([]byte, error) {
	switch n := len(v.Commitment); {
	case n == 0 || n > maxTensorPoints:
		return nil, fmt.Errorf("%w: commitment of %d points, expected 1 to %d", ErrMalformed, n, maxTensorPoints)
	case n == 1:
		b = append(b, tensorPoint)
	default:
		b = binary.BigEndian.AppendUint32(append(b, tensorPoints), uint32(n))
	}
	return append(b, v.CommitmentBytes()...), nil
}

// UnmarshalBundle decodes a bundle strictly. Errors wrap ErrMalformed.
func UnmarshalBundle(b []byte) (*Bundle, error) {
	r := wire.NewReader(b)
	out := &Bundle{Backend: r.Text(), VKDigest: r.Digest(), Model: r.Digest()}
	out.Statement.Inputs, out.Statement.Outputs = readValues(r), readValues(r)
	out.Statement.Context = append([]byte{}, r.Take(r.Count(maxContextBytes, 1))...)
	out.Proof = append([]byte{}, r.Take(r.Count(maxProofBytes, 1))...)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("proof file: %w", err)
	}
	return out, nil
}

func readValues(r *wire.Reader) []TensorValue {
	values := make([]TensorValue, r.Count(maxTensors, 5))
	for i := range values {
		switch r.Byte() {
		case tensorValues:
			values[i].Values = make([]int64, r.Count(maxElements, 4))
			for k := range values[i].Values {
				values[i].Values[k] = int64(int32(r.Uint32()))
			}
		case tensorPoint:
			values[i].Commitment = r.Points(1)
		case tensorPoints:
			n := r.Count(maxTensorPoints, wire.G1Size)
			if n < 2 {
				r.Fail("list of %d points, expected several", n)
			}
			values[i].Commitment = r.Points(n)
		default:
			r.Fail("tensor is neither public nor private")
		}
	}
	return values
}
