package verifier

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/internal/wire"
)

// TensorValue is what a statement says of one tensor: its values, or the points of its commitment where
// it is private.
type TensorValue struct {
	Values     []int64
	Commitment []bn254.G1Affine
}

// CommitmentBytes are the points of the commitment, compressed, one after another.
func (v *TensorValue) CommitmentBytes() []byte {
	b := make([]byte, 0, wire.G1Size*len(v.Commitment))
	for i := range v.Commitment {
		b = wire.AppendG1(b, &v.Commitment[i])
	}
	return b
}

// PrivateTensor is the tensor with these CommitmentBytes. Errors wrap ErrMalformed.
func PrivateTensor(b []byte) (TensorValue, error) {
	n := len(b) / wire.G1Size
	if n == 0 || n > maxTensorPoints {
		return TensorValue{}, fmt.Errorf("%w: commitment of %d bytes, expected %d for each of up to %d points", ErrMalformed, len(b), wire.G1Size, maxTensorPoints)
	}
	r := wire.NewReader(b)
	v := TensorValue{Commitment: r.Points(n)}
	return v, r.Done()
}

// RawCommitment are the points of the commitment, uncompressed, as the statement binds them.
func (v *TensorValue) RawCommitment() []byte {
	b := make([]byte, 0, wire.G1RawSize*len(v.Commitment))
	for i := range v.Commitment {
		b = wire.AppendG1Raw(b, &v.Commitment[i])
	}
	return b
}

// Statement is what a proof claims, beside key and model: these inputs give these outputs, for
// whoever chose the context.
type Statement struct {
	Inputs, Outputs []TensorValue
	Context         []byte
}

// check fits a statement to what a proof can be about.
func (st *Statement) check(about *Subject) error {
	if len(st.Context) > maxContextBytes {
		return fmt.Errorf("%w: context of %d bytes, at most %d", ErrStatement, len(st.Context), maxContextBytes)
	}
	for _, side := range []struct {
		what   string
		specs  []TensorSpec
		values []TensorValue
	}{{"input", about.Inputs, st.Inputs}, {"output", about.Outputs, st.Outputs}} {
		if len(side.specs) != len(side.values) {
			return fmt.Errorf("%w: %d %ss, expected %d", ErrStatement, len(side.values), side.what, len(side.specs))
		}
		for i := range side.specs {
			if err := side.values[i].check(&side.specs[i]); err != nil {
				return fmt.Errorf("%s %q: %w", side.what, side.specs[i].Name, err)
			}
		}
	}
	return nil
}

func (v *TensorValue) check(t *TensorSpec) error {
	if t.Binding == BindingCommitted {
		if len(v.Commitment) != t.CommitmentPoints() || v.Values != nil {
			return fmt.Errorf("%w: it is private, expected a commitment of %d points, found %d", ErrStatement, t.CommitmentPoints(), len(v.Commitment))
		}
		for i := range v.Commitment {
			if !v.Commitment[i].IsOnCurve() {
				return fmt.Errorf("%w: the commitment is no point of the curve", ErrStatement)
			}
		}
		return nil
	}
	if v.Commitment != nil || len(v.Values) != t.Len() {
		return fmt.Errorf("%w: %d values, expected %d of shape %v", ErrStatement, len(v.Values), t.Len(), t.Shape)
	}
	for k, x := range v.Values {
		if x < t.Min || x > t.Max {
			return fmt.Errorf("%w: element %d is %d, expected [%d, %d]", ErrStatement, k, x, t.Min, t.Max)
		}
	}
	return nil
}

// bind is the tensor's part of the digest.
func (v *TensorValue) bind(t *TensorSpec) [32]byte {
	switch t.Binding {
	case BindingCommitted:
		return statement.Tensor(statement.Committed, v.RawCommitment())
	case BindingFolded:
		return statement.Tensor(statement.Fold, v.bytes(t))
	}
	return statement.Tensor(statement.Public, v.bytes(t))
}

// bytes are the elements, v − Min, in Width bytes each, little-endian.
func (v *TensorValue) bytes(t *TensorSpec) []byte {
	w := t.Width()
	b := make([]byte, 0, w*len(v.Values))
	for _, x := range v.Values {
		var e [8]byte
		binary.LittleEndian.PutUint64(e[:], uint64(x-t.Min))
		b = append(b, e[:w]...)
	}
	return b
}

// StatementDigest is S, by the same rule for every proof system. Errors wrap ErrStatement or
// ErrKeyMismatch.
func StatementDigest(k Key, m Commitment, st *Statement) (fr.Element, error) {
	var s fr.Element
	about, err := k.Subject(m)
	if err != nil {
		return s, err
	}
	if err := st.check(about); err != nil {
		return s, err
	}
	d := statement.Digest(k.Digest(), m.Digest(), statement.Inputs(binds(about.Inputs, st.Inputs)),
		statement.Outputs(binds(about.Outputs, st.Outputs)), st.Context)
	s.SetBytes(d[:])
	return s, nil
}

func binds(specs []TensorSpec, values []TensorValue) [][32]byte {
	out := make([][32]byte, len(specs))
	for i := range specs {
		out[i] = values[i].bind(&specs[i])
	}
	return out
}

// packTensor is a public tensor as field elements.
func packTensor(t *TensorSpec, v *TensorValue) []fr.Element {
	bytes, step := v.bytes(t), 31/t.Width()*t.Width()
	out := make([]fr.Element, t.pieces())
	for i := range out {
		chunk := bytes[i*step : min((i+1)*step, len(bytes))]
		var big [32]byte
		for j, b := range chunk {
			big[31-j] = b
		}
		out[i].SetBytes(big[:])
	}
	return out
}

// PublicInputs are S and the packed tensors, in the circuit's order.
func PublicInputs(about *Subject, st *Statement, s fr.Element) []fr.Element {
	return append([]fr.Element{s}, pack(about, st, BindingPacked)...)
}

// pack are the field elements of the tensors that are bound in one way, inputs before outputs.
func pack(about *Subject, st *Statement, how Binding) (out []fr.Element) {
	for _, side := range []struct {
		specs  []TensorSpec
		values []TensorValue
	}{{about.Inputs, st.Inputs}, {about.Outputs, st.Outputs}} {
		for i := range side.specs {
			if t := &side.specs[i]; t.Binding == how {
				out = append(out, packTensor(t, &side.values[i])...)
			}
		}
	}
	return out
}

// Challenge is the element that gnark draws from a commitment and what is hashed with it.
func Challenge(commitment bn254.G1Affine, covered fr.Element) fr.Element {
	p := commitment.RawBytes()
	c := covered.Bytes()
	h := statement.Keccak(p[:], c[:])
	var e fr.Element
	e.SetBytes(h[:])
	return e
}

// FoldRows is Σ αⁱ·C_i.
func FoldRows(rows []bn254.G1Affine, alpha fr.Element) (bn254.G1Affine, error) {
	powers := make([]fr.Element, len(rows))
	p := fr.One()
	for i := range powers {
		powers[i] = p
		p.Mul(&p, &alpha)
	}
	var sum bn254.G1Affine
	_, err := sum.MultiExp(rows, powers, ecc.MultiExpConfig{})
	return sum, err
}

// FoldTensors is Σ e_j·α^(rows+j), where e_j are the field elements that the folded tensors are packed into.
// The powers below are those of the model commitment's rows.
func FoldTensors(about *Subject, st *Statement, alpha fr.Element, rows int) fr.Element {
	e := pack(about, st, BindingFolded)
	var v fr.Element
	for j := len(e) - 1; j >= 0; j-- {
		v.Mul(&v, &alpha)
		v.Add(&v, &e[j])
	}
	for range rows {
		v.Mul(&v, &alpha)
	}
	return v
}
