package verifier

import (
	"bytes"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// sampleKey has the shape of a real key; its points satisfy no equation.
func sampleKey() *VerifyingKey {
	_, _, g1, g2 := bn254.Generators()
	vk := &VerifyingKey{Alpha: g1, Beta: g2, Gamma: g2, Delta: g2, FoldRows: 2,
		Inputs:      []TensorSpec{{Name: "x", Shape: []int{2, 20}, Type: "uint8", Max: 255, Binding: BindingPacked}},
		Outputs:     []TensorSpec{{Name: "y", Shape: []int{10}, Type: "int16", Min: -512, Max: 511, Binding: BindingCommitted}},
		Description: Description{Name: "sample", TrustedSetup: "unsafe-dev"},
	}
	for range 1 + 3 + 3 {
		vk.K = append(vk.K, g1)
	}
	for k, role := range []Role{RoleTrace, RoleParameters, RoleOutput} {
		covers := 1
		if k > 0 {
			covers = 3 + k
		}
		vk.Commitments = append(vk.Commitments, CommitmentKey{Role: role, IsOutput: role == RoleOutput, G: g2, GSigmaNeg: g2,
			PublicCommitted: []int{covers}, H: g1})
	}
	return vk
}

func sampleProof() *Proof {
	_, _, g1, g2 := bn254.Generators()
	return &Proof{Ar: g1, Bs: g2, Krs: g1, Commitments: []bn254.G1Affine{g1, g1, g1}, PoK: g1, Deltas: make([]fr.Element, 2)}
}

func sampleBundle() *Bundle {
	_, _, g1, _ := bn254.Generators()
	return &Bundle{Backend: BackendGroth16, Proof: sampleProof().Encode(), Statement: Statement{
		Inputs:  []TensorValue{{Values: make([]int64, 40)}},
		Outputs: []TensorValue{{Commitment: &g1}}, Context: []byte("task")}}
}

// marshaler is what survives decoding: encoding it gives the same bytes.
type marshaler interface{ MarshalBinary() ([]byte, error) }

// fuzzDecoder feeds a decoder: it must not panic, and whatever it accepts has one encoding.
func fuzzDecoder(f *testing.F, sample marshaler, decode func([]byte) (marshaler, error)) {
	b, err := sample.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decode(b)
		if err != nil {
			return
		}
		again, err := v.MarshalBinary()
		if err != nil {
			t.Fatalf("accepted, but cannot be encoded: %v", err)
		}
		if !bytes.Equal(b, again) {
			t.Fatal("two encodings of one value")
		}
	})
}

func FuzzVerifyingKey(f *testing.F) {
	fuzzDecoder(f, sampleKey(), func(b []byte) (marshaler, error) { return UnmarshalVerifyingKey(b) })
}

func FuzzModelCommitment(f *testing.F) {
	_, _, g1, _ := bn254.Generators()
	fuzzDecoder(f, &ModelCommitment{Rows: []bn254.G1Affine{g1, g1}}, func(b []byte) (marshaler, error) { return UnmarshalModelCommitment(b) })
}

func FuzzBundle(f *testing.F) {
	fuzzDecoder(f, sampleBundle(), func(b []byte) (marshaler, error) { return UnmarshalBundle(b) })
}

// FuzzVerify feeds whole proofs: nothing but the honest encoding decodes to itself, and nothing verifies.
func FuzzVerify(f *testing.F) {
	vk, m := sampleKey(), &ModelCommitment{Rows: make([]bn254.G1Affine, 2)}
	f.Add(sampleProof().Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := DecodeProof(vk, b)
		if err == nil && !bytes.Equal(p.Encode(), b) {
			t.Fatal("two encodings of one proof")
		}
		if err := Verify(vk, m, &sampleBundle().Statement, b); err == nil {
			t.Fatal("accepted under a key that no proof satisfies")
		}
	})
}

// Lengths that promise more than there is are refused before anything is allocated.
func TestLengthPrefixes(t *testing.T) {
	b, err := sampleBundle().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for at := range b {
		for _, v := range []byte{0x00, 0x7f, 0xff} {
			altered := bytes.Clone(b)
			altered[at] = v
			allocated := testing.AllocsPerRun(1, func() { UnmarshalBundle(altered) })
			if allocated > 100 {
				t.Fatalf("byte %d = %#x: %v allocations", at, v, allocated)
			}
		}
	}
	for at := range b {
		if _, err := UnmarshalBundle(b[:at]); Class(err) != "malformed_proof" {
			t.Fatalf("truncated to %d bytes: %v", at, err)
		}
	}
}

// Every byte of a key is checked or part of its digest.
func TestEveryKeyByte(t *testing.T) {
	vk := sampleKey()
	b, err := vk.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for at := range b {
		altered := bytes.Clone(b)
		altered[at] ^= 1
		other, err := UnmarshalVerifyingKey(altered)
		if err == nil && other.Digest() == vk.Digest() {
			t.Fatalf("byte %d altered: the key has the same digest", at)
		}
		if err != nil && Class(err) != "malformed_proof" {
			t.Fatalf("byte %d altered: %v", at, err)
		}
	}
}

// Keys that would let a forger through are refused.
func TestKeyCheck(t *testing.T) {
	for what, edit := range map[string]func(*VerifyingKey){
		"H at infinity":             func(k *VerifyingKey) { k.Commitments[1].H = bn254.G1Affine{} },
		"δ at infinity":             func(k *VerifyingKey) { k.Delta = bn254.G2Affine{} },
		"σ at infinity":             func(k *VerifyingKey) { k.Commitments[2].GSigmaNeg = bn254.G2Affine{} },
		"trace does not cover S":    func(k *VerifyingKey) { k.Commitments[0].PublicCommitted = nil },
		"challenge not in sequence": func(k *VerifyingKey) { k.Commitments[2].PublicCommitted = []int{1} },
		"role missing":              func(k *VerifyingKey) { k.Commitments = k.Commitments[:2] },
		"roles swapped": func(k *VerifyingKey) {
			k.Commitments[1].Role, k.Commitments[2].Role = k.Commitments[2].Role, k.Commitments[1].Role
		},
		"too few public points": func(k *VerifyingKey) { k.K = k.K[1:] },
		"no rows":               func(k *VerifyingKey) { k.FoldRows = 0 },
		"empty range":           func(k *VerifyingKey) { k.Inputs[0].Min = 256 },
		"huge shape":            func(k *VerifyingKey) { k.Inputs[0].Shape = []int{1 << 20, 1 << 20, 1 << 20, 1 << 20} },
	} {
		vk := sampleKey()
		if err := vk.check(); err != nil {
			t.Fatal(err)
		}
		edit(vk)
		if err := vk.check(); Class(err) != "malformed_proof" {
			t.Errorf("%s: %v", what, err)
		}
	}
}
