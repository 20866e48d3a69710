package plonk

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"

	"github.com/zkinfer/zkinfer/verifier"
)

// someKey is well-formed and the key of nothing.
func someKey() *VerifyingKey {
	_, _, g1, g2 := bn254.Generators()
	point := func(k int64) (p bn254.G1Affine) { return *p.ScalarMultiplication(&g1, big.NewInt(k)) }
	vk := &VerifyingKey{LogSize: 5, Ql: point(2), Qr: point(3), Qm: point(4), Qk: point(5), Challenges: [Commitments]int{3, 9},
		Inputs:      []verifier.TensorSpec{{Name: "x", Shape: []int{1, 40}, Type: "uint8", Max: 255, Binding: verifier.BindingPacked}},
		Outputs:     []verifier.TensorSpec{{Name: "y", Shape: []int{1, 3}, Type: "int8", Min: -128, Max: 127, Binding: verifier.BindingPacked}},
		Description: verifier.Description{Name: "some", TrustedSetup: "unsafe-dev", Constraints: 31}}
	for i := range vk.S {
		vk.S[i] = point(int64(10 + i))
	}
	for i := range vk.Qcp {
		vk.Qcp[i] = point(int64(20 + i))
	}
	vk.TauG2.ScalarMultiplication(&g2, big.NewInt(77))
	return vk
}

func TestKeyEncoding(t *testing.T) {
	b, err := someKey().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	vk, err := UnmarshalVerifyingKey(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := vk.MarshalBinary()
	if err != nil || !bytes.Equal(b, again) || vk.Digest() != someKey().Digest() {
		t.Errorf("another encoding after decoding (%v)", err)
	}
	for n := range b {
		if _, err := UnmarshalVerifyingKey(b[:n]); !errors.Is(err, verifier.ErrMalformed) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := UnmarshalVerifyingKey(append(b, 0)); !errors.Is(err, verifier.ErrMalformed) {
		t.Errorf("a byte too many: %v", err)
	}
}

// Keys whose parts do not fit together are refused, encoded or not.
func TestMalformedKeys(t *testing.T) {
	_, _, _, g2 := bn254.Generators()
	for name, edit := range map[string]func(*VerifyingKey){
		"no domain":                      func(k *VerifyingKey) { k.LogSize = 0 },
		"domain beyond the roots":        func(k *VerifyingKey) { k.LogSize = 29 },
		"domain below the challenges":    func(k *VerifyingKey) { k.LogSize = 3 },
		"challenges in one gate":         func(k *VerifyingKey) { k.Challenges[1] = k.Challenges[0] },
		"challenge in no gate":           func(k *VerifyingKey) { k.Challenges[1] = 29 },
		"permutation at infinity":        func(k *VerifyingKey) { k.S[1] = bn254.G1Affine{} },
		"places at infinity":             func(k *VerifyingKey) { k.Qcp[0] = bn254.G1Affine{} },
		"τ = 0":                          func(k *VerifyingKey) { k.TauG2 = bn254.G2Affine{} },
		"τ = 1":                          func(k *VerifyingKey) { k.TauG2 = g2 },
		"a folded tensor":                func(k *VerifyingKey) { k.Inputs[0].Binding = verifier.BindingFolded },
		"a private tensor":               func(k *VerifyingKey) { k.Outputs[0].Binding = verifier.BindingCommitted },
		"no output":                      func(k *VerifyingKey) { k.Outputs = nil },
		"a name of two thousand letters": func(k *VerifyingKey) { k.Description.Name = string(make([]byte, 2000)) },
	} {
		k := someKey()
		edit(k)
		if _, err := k.MarshalBinary(); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("%s: encoded, %v", name, err)
		}
		if _, err := UnmarshalVerifyingKey(k.encode()); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("%s: decoded, %v", name, err)
		}
		if err := k.Verify(&ModelCommitment{k.Digest()}, &verifier.Statement{}, nil); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("%s: verified with, %v", name, err)
		}
	}
}

// A proof has one length and one encoding; every scalar is below the order, every point on the curve.
func TestProofEncoding(t *testing.T) {
	p := &Proof{}
	_, _, g1, _ := bn254.Generators()
	for i, x := range p.points() {
		x.ScalarMultiplication(&g1, big.NewInt(int64(i+2)))
	}
	for i, x := range p.scalars() {
		x.SetUint64(uint64(i))
	}
	b := p.Encode()
	got, err := DecodeProof(b)
	if err != nil || *got != *p || len(b) != ProofSize {
		t.Fatalf("%d bytes (%v), expected %d that decode to the same", len(b), err, ProofSize)
	}
	for n := range b {
		if _, err := DecodeProof(b[:n]); !errors.Is(err, verifier.ErrMalformed) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := DecodeProof(append(bytes.Clone(b), 0)); !errors.Is(err, verifier.ErrMalformed) {
		t.Errorf("a byte too many: %v", err)
	}
	scalars := len(p.scalars())
	for i := range scalars {
		edited := bytes.Clone(b)
		at := ProofSize - (scalars-i)*fr.Bytes
		x := new(big.Int).SetBytes(edited[at:][:fr.Bytes])
		x.Add(x, fr.Modulus()).FillBytes(edited[at:][:fr.Bytes])
		if _, err := DecodeProof(edited); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("scalar %d plus the order: %v", i, err)
		}
	}
	for i := range p.points() {
		edited := bytes.Clone(b)
		edited[i*32] &= 0x3f // no flag: not compressed
		if _, err := DecodeProof(edited); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("point %d without its flag: %v", i, err)
		}
	}
}

// The roots of unity are gnark-crypto's, and so is the shift of the cosets.
func TestDomain(t *testing.T) {
	for k := 1; k <= MaxLogSize; k++ {
		want, err := fft.Generator(1 << k)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&VerifyingKey{LogSize: k}).Generator(); !got.Equal(&want) {
			t.Errorf("2^%d: %s, expected %s", k, got.String(), want.String())
		}
	}
	if shift := fft.NewDomain(2).FrMultiplicativeGen; !shift.IsUint64() || shift.Uint64() != CosetShift {
		t.Errorf("shift %s, expected %d", shift.String(), CosetShift)
	}
}

// A model commitment is that of one key.
func TestModelCommitment(t *testing.T) {
	vk := someKey()
	m := &ModelCommitment{vk.Digest()}
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	got, err := UnmarshalModelCommitment(b)
	if err != nil || *got != *m || m.Digest() == vk.Digest() {
		t.Errorf("%v, %v", got, err)
	}
	for _, n := range []int{0, 31} {
		if _, err := UnmarshalModelCommitment(b[:n]); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := UnmarshalModelCommitment(append(bytes.Clone(b), 0)); !errors.Is(err, verifier.ErrMalformed) {
		t.Errorf("33 bytes: %v", err)
	}
	if _, err := vk.Subject(m); err != nil {
		t.Error(err)
	}
	for _, other := range []verifier.Commitment{&ModelCommitment{}, &verifier.ModelCommitment{}} {
		if _, err := vk.Subject(other); !errors.Is(err, verifier.ErrKeyMismatch) {
			t.Errorf("%T: %v", other, err)
		}
	}
}

func FuzzDecodeProof(f *testing.F) {
	f.Add((&Proof{}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := DecodeProof(b); err == nil && !bytes.Equal(p.Encode(), b) {
			t.Error("a proof with two encodings")
		}
	})
}

func FuzzUnmarshalVerifyingKey(f *testing.F) {
	f.Add(someKey().encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, err := UnmarshalVerifyingKey(b); err == nil && !bytes.Equal(k.encode(), b) {
			t.Error("a key with two encodings")
		}
	})
}
