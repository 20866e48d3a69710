package wrapped

import (
	"bytes"
	"errors"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/verifier"
)

// sampleKey has the shape of a real key; its points satisfy no equation.
func sampleKey() *Key {
	_, _, g1, g2 := bn254.Generators()
	k := &Key{Class: claims.Class{RowBits: 8, Singles: 64, Groups: 64}, Alpha: g1, Beta: g2, Gamma: g2, Delta: g2, H: g1,
		Description: verifier.Description{Name: "sample", TrustedSetup: "unsafe-dev", LibraryVersion: "gnark", Constraints: 1486}}
	for i := range k.K {
		k.K[i] = g1
	}
	for i := range k.Knowledge {
		k.Knowledge[i] = pedersen.VerifyingKey{G: g2, GSigmaNeg: g2}
	}
	return k
}

// sampleNetwork has one of everything: y = w·x, looked up, squared.
func sampleNetwork() claims.Network {
	view := func(t int) []claims.Summand { return []claims.Summand{{Coefficient: 1, View: claims.View{Tensor: t}}} }
	shaped := func(t int) claims.Shaped {
		return claims.Shaped{Shape: []int{1, 3}, Expression: claims.Expression{Linear: view(t)}}
	}
	n := claims.Network{
		Contractions: []claims.Contraction{{Kind: claims.MatMul, Weight: claims.View{Tensor: 1}, Input: shaped(0)}},
		Tables:       []claims.Table{{Arguments: []claims.Argument{{Min: -8, Len: 16}}, Multiplicities: 4}},
		Lookups: []claims.Lookup{{Shape: []int{1, 3}, Columns: []claims.Expression{
			{Constant: 1, Contractions: []claims.ContractionTimes{{Coefficient: 1}}, Shift: 1}}}},
		Multiplications: []claims.Multiplication{{Shape: []int{1, 3}, A: shaped(0).Expression, B: shaped(0).Expression, C: shaped(2).Expression}},
		Zeros:           []claims.Shaped{shaped(2)},
		Public:          []claims.Shaped{shaped(0)},
	}
	for i, s := range [][]int{{1, 3}, {3, 3}, {1, 3}, {1, 3}, {16}} {
		n.Tensors = append(n.Tensors, claims.Committed{Tensor: claims.NewTensor(s...), Owner: []claims.Owner{claims.Trace, claims.Parameter, claims.Trace, claims.External, claims.Trace}[i]})
	}
	return n
}

func sampleCommitment(t testing.TB) *Commitment {
	t.Helper()
	a, err := NewArchitecture(Architecture{Name: "sample", Rounding: "own", RowBits: 8, Network: sampleNetwork(),
		Inputs:  []Border{{Name: "x", Shape: []int{1, 3}, Type: "uint8", Max: 255}},
		Outputs: []Border{{Name: "y", Shape: []int{1, 3}, Type: "uint8", Max: 255, Private: true}}})
	if err != nil {
		t.Fatal(err)
	}
	_, _, g1, _ := bn254.Generators()
	c, err := NewCommitment(a, []bn254.G1Affine{g1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func FuzzKey(f *testing.F) {
	b := sampleKey().encode()
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		k, err := UnmarshalKey(b)
		if err != nil {
			if !errors.Is(err, verifier.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(k.encode(), b) {
			t.Fatal("two encodings of one key")
		}
	})
}

// FuzzCommitment feeds model commitments, and verifies with those that are accepted: whatever a network says, that ends with an
// error.
func FuzzCommitment(f *testing.F) {
	b, err := sampleCommitment(f).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)-1])
	k := sampleKey()
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := UnmarshalCommitment(b)
		if err != nil {
			if !errors.Is(err, verifier.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		again, err := c.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("two encodings of one commitment (%v)", err)
		}
		verifySomething(t, k, c)
	})
}

// verifySomething verifies a proof of zeros with a statement of zeros.
func verifySomething(t *testing.T, k *Key, c *Commitment) {
	t.Helper()
	a := c.Architecture
	if size := a.ProofSize(); size > 1<<22 {
		t.Skipf("proofs of %d bytes", size)
	}
	_, _, g1, g2 := bn254.Generators()
	st := &verifier.Statement{Inputs: zeros(a, a.Inputs), Outputs: zeros(a, a.Outputs)}
	p := &Proof{Rows: make([]bn254.G1Affine, a.rows()), Sent: make([]fr.Element, a.Messages), Bs: g2}
	for i := range p.Rows {
		p.Rows[i] = g1
	}
	if err := k.Verify(c, st, p.Encode()); err == nil {
		t.Fatal("a proof of zeros was accepted")
	}
}

func zeros(a *Architecture, borders []Border) (out []verifier.TensorValue) {
	_, _, g1, _ := bn254.Generators()
	for _, b := range borders {
		v := verifier.TensorValue{}
		if b.Private {
			for range min(a.layout.Externals[b.Index].Rows, 1<<16) {
				v.Commitment = append(v.Commitment, g1)
			}
		} else {
			v.Values = make([]int64, min(a.Network.Public[b.Index].Len(), 1<<20))
			for i := range v.Values {
				v.Values[i] = b.Min
			}
		}
		out = append(out, v)
	}
	return out
}

func FuzzProof(f *testing.F) {
	c := sampleCommitment(f)
	_, _, g1, g2 := bn254.Generators()
	p := &Proof{Rows: make([]bn254.G1Affine, c.Architecture.rows()), Sent: make([]fr.Element, c.Architecture.Messages),
		Ar: g1, Bs: g2, Krs: g1, PoK: g1}
	for i := range p.Rows {
		p.Rows[i] = g1
	}
	f.Add(p.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		defer allocation.Bound(t)()
		p, err := DecodeProof(c.Architecture, b)
		if err != nil {
			if !errors.Is(err, verifier.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(p.Encode(), b) {
			t.Fatal("two encodings of one proof")
		}
	})
}

// TestDecodersAreStrict: each length but one, and each place where a key or commitment can be damaged.
func TestDecodersAreStrict(t *testing.T) {
	c := sampleCommitment(t)
	b, err := c.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	decoders := map[string]func([]byte) error{
		"key":        func(b []byte) error { _, err := UnmarshalKey(b); return err },
		"commitment": func(b []byte) error { _, err := UnmarshalCommitment(b); return err },
	}
	for name, b := range map[string][]byte{"key": sampleKey().encode(), "commitment": b} {
		if err := decoders[name](b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for n := range len(b) {
			if err := decoders[name](b[:n]); !errors.Is(err, verifier.ErrMalformed) {
				t.Errorf("%s of %d bytes: %v, expected ErrMalformed", name, n, err)
			}
		}
		if err := decoders[name](append(bytes.Clone(b), 0)); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("%s with a byte more: %v, expected ErrMalformed", name, err)
		}
	}
	k := sampleKey()
	k.H = bn254.G1Affine{}
	if _, err := UnmarshalKey(k.encode()); !errors.Is(err, verifier.ErrMalformed) {
		t.Errorf("H at infinity: %v, expected ErrMalformed", err)
	}
	k = sampleKey()
	k.Class.RowBits = 21
	if _, err := UnmarshalKey(k.encode()); !errors.Is(err, verifier.ErrMalformed) {
		t.Errorf("rows of 2^21 cells: %v, expected ErrMalformed", err)
	}
}

// TestDigests: a key's digest covers every field, a commitment's its rows and the architecture.
func TestDigests(t *testing.T) {
	_, _, g1, g2 := bn254.Generators()
	g1.Double(&g1)
	g2.Double(&g2)
	own := sampleKey().Digest()
	for i, change := range []func(k *Key){
		func(k *Key) { k.Class.RowBits++ }, func(k *Key) { k.Class.Singles++ }, func(k *Key) { k.Class.Groups++ },
		func(k *Key) { k.Alpha = g1 }, func(k *Key) { k.Beta = g2 }, func(k *Key) { k.Gamma = g2 }, func(k *Key) { k.Delta = g2 },
		func(k *Key) { k.K[0] = g1 }, func(k *Key) { k.K[6] = g1 }, func(k *Key) { k.Knowledge[0].G = g2 }, func(k *Key) { k.Knowledge[2].GSigmaNeg = g2 },
		func(k *Key) { k.H = g1 }, func(k *Key) { k.Description.Name = "other" }, func(k *Key) { k.Description.TrustedSetup = "ceremony" },
		func(k *Key) { k.Description.Rounding = "other" }, func(k *Key) { k.Description.LibraryVersion = "other" }, func(k *Key) { k.Description.Constraints++ },
	} {
		k := sampleKey()
		if change(k); k.Digest() == own {
			t.Errorf("change %d of a key leaves its digest", i)
		}
	}
	m := sampleCommitment(t)
	digest := m.Digest()
	m.Rows[0] = g1
	if m.Digest() == digest {
		t.Error("another row leaves a commitment's digest")
	}
	m = sampleCommitment(t)
	for i := range m.encoded {
		m.encoded[i] ^= 1
		if m.Digest() == digest {
			t.Errorf("byte %d of the architecture leaves a commitment's digest", i)
		}
		m.encoded[i] ^= 1
	}
}

// TestSeedCoversItsParts: another statement, commitment, row or order of rows is another seed; so is a row that is another
// owner's.
func TestSeedCoversItsParts(t *testing.T) {
	_, _, a, _ := bn254.Generators()
	var b bn254.G1Affine
	b.Double(&a)
	one := fr.One()
	type rows = [][]bn254.G1Affine
	seeds := map[[32]byte]int{}
	for i, x := range []struct {
		s    fr.Element
		pads bn254.G1Affine
		rows rows
	}{
		{one, a, rows{{a, b}, {a}}}, {fr.Element{}, a, rows{{a, b}, {a}}}, {one, b, rows{{a, b}, {a}}},
		{one, a, rows{{b, a}, {a}}}, {one, a, rows{{a}, {b, a}}}, {one, a, rows{{a, b, a}, nil}}, {one, a, rows{{a, b, a}}},
		{one, a, rows{{a, b}, {b}}}, {one, a, rows{nil, {a, b}, {a}}},
	} {
		seed := Seed(x.s, x.pads, x.rows...)
		if other, ok := seeds[seed]; ok {
			t.Errorf("seeds %d and %d are the same", i, other)
		}
		seeds[seed] = i
	}
}
