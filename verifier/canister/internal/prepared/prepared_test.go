package prepared

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

type frozen struct {
	vk    *verifier.VerifyingKey
	key   Key
	plain *verifier.ModelCommitment
	model Model
	proof *verifier.Bundle
}

func readFrozen(t testing.TB, name string) *frozen {
	t.Helper()
	dir := "../../../../testvectors/proofs/" + name + "/"
	vk, err := artifact.ReadVerifyingKey(dir + "verifying.key")
	if err != nil {
		t.Fatal(err)
	}
	m, err := artifact.ReadModelCommitment(dir + "model.zkc")
	if err != nil {
		t.Fatal(err)
	}
	b, err := artifact.ReadProof(dir + "proof.zkp")
	if err != nil {
		t.Fatal(err)
	}
	key, err := NewKey(vk)
	if err != nil {
		t.Fatal(err)
	}
	model, err := NewModel(m.Commitment)
	if err != nil {
		t.Fatal(err)
	}
	return &frozen{vk.(*verifier.VerifyingKey), key, m.Commitment.(*verifier.ModelCommitment), model, b}
}

// foreign is a proof system that this package has not prepared anything for.
type foreign struct{ *verifier.VerifyingKey }

// A key of another proof system is verified as it is, and gives its own verdicts; its model survives
// memory.
func TestPlain(t *testing.T) {
	f := readFrozen(t, "private")
	key, err := NewKey(foreign{f.vk})
	if err != nil {
		t.Fatal(err)
	}
	if _, prepared := key.(*groth16Key); prepared {
		t.Fatal("a foreign key was prepared as one of Groth16")
	}
	made, err := newPlainModel(f.plain)
	if err != nil {
		t.Fatal(err)
	}
	model, err := ParseModel(made.AppendBinary(nil))
	if err != nil {
		t.Fatal(err)
	}
	if model.Commitment().Digest() != f.plain.Digest() {
		t.Error("another model after reading it back")
	}
	want, err := verifier.StatementDigest(f.vk, f.plain, &f.proof.Statement)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := key.Check(model, &f.proof.Statement, f.proof.Proof); err != nil || s != want {
		t.Errorf("honest proof: %v, %v", s, err)
	}
	wrong := append([]byte{}, f.proof.Proof...)
	wrong[len(wrong)-1] ^= 1
	if _, err := key.Check(model, &f.proof.Statement, wrong); verifier.Class(err) != "rejected" {
		t.Errorf("altered proof: %v", err)
	}
	if _, err := key.Check(model, &verifier.Statement{}, f.proof.Proof); verifier.Class(err) != "bad_statement" {
		t.Errorf("no statement: %v", err)
	}
	for _, b := range [][]byte{{0, 0, 0, 0}, append([]byte{0, 0, 0, 0}, "fish\x00"...), append([]byte{0, 0, 0, 0}, "groth16\x00\xff"...)} {
		if m, err := ParseModel(b); err == nil {
			t.Errorf("%q became %v", b, m)
		}
	}
}

// same fails unless both verifiers say the same of a proof.
func (f *frozen) same(t *testing.T, what string, proof []byte) {
	t.Helper()
	want := verifier.Class(verifier.Verify(f.vk, f.plain, &f.proof.Statement, proof))
	_, err := f.key.Check(f.model, &f.proof.Statement, proof)
	if got := verifier.Class(err); got != want {
		t.Errorf("%s: %q (%v), package verifier says %q", what, got, err, want)
	}
}

// Every byte of a proof altered, each of its points replaced, scalars moved: as package verifier says.
func TestSameVerdicts(t *testing.T) {
	for _, name := range []string{"public", "private"} {
		f := readFrozen(t, name)
		f.same(t, name, f.proof.Proof)
		for at := range f.proof.Proof {
			altered := append([]byte{}, f.proof.Proof...)
			altered[at] ^= 1 << (at % 8)
			f.same(t, "altered byte", altered)
		}
		_, _, g1, g2 := bn254.Generators()
		for what, edit := range map[string]func(p *verifier.Proof){
			"A":            func(p *verifier.Proof) { p.Ar = g1 },
			"A negated":    func(p *verifier.Proof) { p.Ar.Neg(&p.Ar) },
			"A and B":      func(p *verifier.Proof) { p.Ar.Neg(&p.Ar); p.Bs.Neg(&p.Bs) },
			"A at ∞":       func(p *verifier.Proof) { p.Ar = bn254.G1Affine{} },
			"B":            func(p *verifier.Proof) { p.Bs = g2 },
			"C":            func(p *verifier.Proof) { p.Krs = g1 },
			"C at ∞":       func(p *verifier.Proof) { p.Krs = bn254.G1Affine{} },
			"trace":        func(p *verifier.Proof) { p.Commitments[0] = g1 },
			"trace at ∞":   func(p *verifier.Proof) { p.Commitments[0] = bn254.G1Affine{} },
			"parameters":   func(p *verifier.Proof) { p.Commitments[1] = g1 },
			"knowledge":    func(p *verifier.Proof) { p.PoK = g1 },
			"knowledge ∞":  func(p *verifier.Proof) { p.PoK = bn254.G1Affine{} },
			"knowledge, C": func(p *verifier.Proof) { p.PoK.Add(&p.PoK, &g1); p.Krs.Sub(&p.Krs, &g1) },
			"δ":            func(p *verifier.Proof) { p.Deltas[0].SetOne() },
		} {
			p, err := verifier.DecodeProof(f.vk, f.proof.Proof)
			if err != nil {
				t.Fatal(err)
			}
			edit(p)
			f.same(t, name+": "+what, p.Encode())
		}
	}
}

// Each equation alone is refused when only the other one holds.
func TestEachEquationCounts(t *testing.T) {
	f := readFrozen(t, "public")
	p, err := verifier.DecodeProof(f.vk, f.proof.Proof)
	if err != nil {
		t.Fatal(err)
	}
	_, _, g1, _ := bn254.Generators()
	for what, edit := range map[string]func(){"Groth16": func() { p.Krs = g1 }, "knowledge": func() { p.PoK = g1 }} {
		kept := *p
		edit()
		if _, err := f.key.Check(f.model, &f.proof.Statement, p.Encode()); verifier.Class(err) != "rejected" {
			t.Errorf("%s: %v", what, err)
		}
		*p = kept
	}
}

// Sums by tables are those of package verifier, for any number of points, also equal ones and ∞.
func TestTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	_, _, g1, _ := bn254.Generators()
	minus := new(fr.Element).SetInt64(-1)
	for _, n := range []int{1, 2, 3, 65, 129, 513, 1024} {
		points := make([]bn254.G1Affine, n)
		for i := range points {
			points[i].ScalarMultiplication(&g1, big.NewInt(r.Int64()))
		}
		points[n/2] = points[0]
		points[n/3].Neg(&points[0])
		if n > 2 {
			points[n-1] = bn254.G1Affine{}
		}
		table := NewTable(points)
		back, err := ParseTable(table.AppendBinary(nil))
		if err != nil || back.Len() != n {
			t.Fatalf("%d points: %v", n, err)
		}
		for _, x := range []fr.Element{{}, fr.One(), *minus, *new(fr.Element).SetUint64(r.Uint64()), *new(fr.Element).SetInt64(-r.Int64())} {
			want, err := verifier.FoldRows(points, x)
			if err != nil {
				t.Fatal(err)
			}
			if got := back.Sum(powers(x, n)); !got.Equal(&want) {
				t.Errorf("%d points, powers of %s: %v, expected %v", n, x.String(), got, want)
			}
		}
	}
}

// Digits add up to the scalar, are odd, and keep their distance.
func TestSignedDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for w := 3; w <= 7; w++ {
		for i := range 200 {
			var s fr.Element
			s.SetUint64(r.Uint64())
			for range i % 5 {
				s.Square(&s)
			}
			if i < 50 {
				s.SetInt64(int64(-i))
			}
			sum, last := new(big.Int), -w
			for k, d := range signedDigits(&s, w) {
				if d == 0 {
					continue
				}
				if d&1 == 0 || int(d) >= 1<<(w-1) || int(d) <= -1<<(w-1) || k-last < w {
					t.Fatalf("window %d: digit %d at %d after one at %d", w, d, k, last)
				}
				last = k
				sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(d)), uint(k)))
			}
			if want := s.BigInt(new(big.Int)); sum.Cmp(want) != 0 {
				t.Fatalf("window %d: %s became %s", w, want, sum)
			}
		}
	}
}

func TestParseTableRefuses(t *testing.T) {
	for _, b := range [][]byte{nil, {1}, {2, 0, 0, 0}, {8, 0, 0, 0}, append([]byte{3, 0, 0, 0}, make([]byte, 64)...)} {
		if _, err := ParseTable(b); err == nil {
			t.Errorf("%x became a table", b)
		}
	}
}
