package verifier

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/allocation"
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
		c := CommitmentKey{Role: role, IsOutput: role == RoleOutput, G: g2, GSigmaNeg: g2, PublicCommitted: []int{covers}}
		if role != RoleTrace {
			c.H = g1
		}
		vk.Commitments = append(vk.Commitments, c)
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
		Outputs: []TensorValue{{Commitment: []bn254.G1Affine{g1}}}, Context: []byte("task")}}
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
		defer allocation.Bound(t)()
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
	several, err := severalPoints().MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(several)
	fuzzDecoder(f, sampleBundle(), func(b []byte) (marshaler, error) { return UnmarshalBundle(b) })
}

// FuzzVerify feeds whole proofs: nothing but the honest encoding decodes to itself, and nothing verifies.
func FuzzVerify(f *testing.F) {
	vk, m := sampleKey(), &ModelCommitment{Rows: make([]bn254.G1Affine, 2)}
	f.Add(sampleProof().Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		p, err := DecodeProof(vk, b)
		if err == nil && !bytes.Equal(p.Encode(), b) {
			t.Fatal("two encodings of one proof")
		}
		if err := Verify(vk, m, &sampleBundle().Statement, b); err == nil {
			t.Fatal("accepted under a key that no proof satisfies")
		}
	})
}

// Lengths that promise more than there is are refused before anything of that size is allocated:
// whatever four bytes are set to, a decoder takes no more memory than a small multiple of its input.
func TestLengthPrefixes(t *testing.T) {
	_, _, g1, _ := bn254.Generators()
	for what, d := range map[string]struct {
		sample marshaler
		decode func([]byte) error
	}{
		"key":        {sampleKey(), func(b []byte) error { _, err := UnmarshalVerifyingKey(b); return err }},
		"commitment": {&ModelCommitment{Rows: []bn254.G1Affine{g1, g1}}, func(b []byte) error { _, err := UnmarshalModelCommitment(b); return err }},
		"bundle":     {sampleBundle(), func(b []byte) error { _, err := UnmarshalBundle(b); return err }},
	} {
		b, err := d.sample.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		limit := uint64(32*len(b) + 16<<10)
		for at := range len(b) - 3 {
			for _, n := range []uint32{1 << 16, 1 << 24, 1 << 31, math.MaxUint32} {
				altered := bytes.Clone(b)
				binary.BigEndian.PutUint32(altered[at:], n)
				if got := allocation.Of(func() { d.decode(altered) }); got > limit {
					t.Fatalf("%s, %#x at byte %d: %d bytes allocated, at most %d", what, n, at, got, limit)
				}
			}
		}
		for at := range b {
			if err := d.decode(b[:at]); Class(err) != "malformed_proof" {
				t.Fatalf("%s truncated to %d bytes: %v", what, at, err)
			}
		}
		if err := d.decode(append(bytes.Clone(b), 0)); Class(err) != "malformed_proof" {
			t.Errorf("%s with a byte too many: %v", what, err)
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
		"α at infinity":             func(k *VerifyingKey) { k.Alpha = bn254.G1Affine{} },
		"foreign G":                 func(k *VerifyingKey) { k.Commitments[2].G.Double(&k.Commitments[2].G) },
		"H for the trace":           func(k *VerifyingKey) { k.Commitments[0].H = k.Alpha },
		"base without a fold":       func(k *VerifyingKey) { k.Commitments[1].Base = k.Alpha },
		"fold without a base":       func(k *VerifyingKey) { k.Inputs[0].Binding, k.K = BindingFolded, k.K[:5] },
		"base of a private tensor":  func(k *VerifyingKey) { k.Commitments[2].Base = k.Alpha },
		"unknown element type":      func(k *VerifyingKey) { k.Inputs[0].Type = "float32" },
		"range beyond its type":     func(k *VerifyingKey) { k.Inputs[0].Type = "int8" },
		"endless name":              func(k *VerifyingKey) { k.Description.Name = strings.Repeat("x", maxStringBytes+1) },
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
		if _, err := vk.MarshalBinary(); Class(err) != "malformed_proof" {
			t.Errorf("%s: encoded (%v)", what, err)
		}
		if decoded, err := UnmarshalVerifyingKey(vk.encode()); decoded != nil || Class(err) != "malformed_proof" {
			t.Errorf("%s: decoded (%v)", what, err)
		}
	}
}
