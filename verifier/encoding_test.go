package verifier

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

func bytesOf(v byte, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// What cannot be decoded again is not encoded.
func TestEncodersRefuse(t *testing.T) {
	_, _, g1, _ := bn254.Generators()
	for what, c := range map[string]struct {
		edit  func(*Bundle)
		class string
	}{
		"value beyond 32 bits":   {func(b *Bundle) { b.Statement.Inputs[0].Values[3] = 1 << 32 }, "bad_statement"},
		"value below 32 bits":    {func(b *Bundle) { b.Statement.Inputs[0].Values[3] = -1<<31 - 1 }, "bad_statement"},
		"values and commitment":  {func(b *Bundle) { b.Statement.Inputs[0].Commitment = []bn254.G1Affine{g1} }, "bad_statement"},
		"long backend":           {func(b *Bundle) { b.Backend = string(bytesOf('x', maxStringBytes+1)) }, "malformed_proof"},
		"long context":           {func(b *Bundle) { b.Statement.Context = make([]byte, maxContextBytes+1) }, "malformed_proof"},
		"long proof":             {func(b *Bundle) { b.Proof = make([]byte, maxProofBytes+1) }, "malformed_proof"},
		"more tensors than keys": {func(b *Bundle) { b.Statement.Outputs = make([]TensorValue, maxTensors+1) }, "malformed_proof"},
	} {
		b := sampleBundle()
		c.edit(b)
		if out, err := b.MarshalBinary(); out != nil || Class(err) != c.class {
			t.Errorf("%s: %v, expected class %s", what, err, c.class)
		}
	}
	m := &ModelCommitment{Rows: make([]bn254.G1Affine, maxFoldRows+1)}
	if out, err := m.MarshalBinary(); out != nil || Class(err) != "malformed_proof" {
		t.Errorf("too many rows: %v", err)
	}
}

// The least and the greatest value of every width survive, and are laid out as the format says.
func TestElementBytes(t *testing.T) {
	for _, c := range []struct {
		spec   TensorSpec
		values []int64
		want   []byte
		public uint64 // the packed element
	}{
		{TensorSpec{Type: "int8", Min: -3, Max: 4}, []int64{-3, 4}, []byte{0, 7}, 7 << 8},
		{TensorSpec{Type: "uint8", Min: 5, Max: 5}, []int64{5, 5}, []byte{0, 0}, 0},
		{TensorSpec{Type: "int16", Min: -1, Max: 255}, []int64{-1, 255}, []byte{0, 0, 0, 1}, 256 << 16},
		{TensorSpec{Type: "int32", Min: 0, Max: 1 << 16}, []int64{1, 1 << 16}, []byte{1, 0, 0, 0, 0, 1}, 1 | 1<<40},
		{TensorSpec{Type: "int32", Min: -1 << 31, Max: 1<<31 - 1}, []int64{-1<<31 + 2, 1<<31 - 1}, []byte{2, 0, 0, 0, 255, 255, 255, 255}, 2 | 0xffffffff<<32},
	} {
		c.spec.Shape, c.spec.Binding = []int{len(c.values)}, BindingPacked
		v := TensorValue{Values: c.values}
		if err := c.spec.check(); err != nil {
			t.Fatal(err)
		}
		if got := v.bytes(&c.spec); string(got) != string(c.want) {
			t.Errorf("[%d, %d]: bytes %v, expected %v", c.spec.Min, c.spec.Max, got, c.want)
		}
		if got := packTensor(&c.spec, &v); len(got) != 1 || got[0].Uint64() != c.public || !got[0].IsUint64() {
			t.Errorf("[%d, %d]: packed as %v, expected %d", c.spec.Min, c.spec.Max, got, c.public)
		}
	}
}
