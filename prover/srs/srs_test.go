package srs

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"

	"github.com/zkinfer/zkinfer/internal/envelope"
)

const logSize = 5

// files are one file of each format with powers for 2^logSize gates at least, by name.
func files(t *testing.T) map[string][]byte {
	t.Helper()
	fixture, err := os.ReadFile("../ceremony/testdata/powers7.ptau")
	if err != nil {
		t.Fatal(err)
	}
	reference, err := kzg.NewSRS(1<<logSize+spare, big.NewInt(1234567))
	if err != nil {
		t.Fatal(err)
	}
	var compressed, raw, ours bytes.Buffer
	if _, err := reference.WriteTo(&compressed); err != nil {
		t.Fatal(err)
	}
	if _, err := reference.WriteRawTo(&raw); err != nil {
		t.Fatal(err)
	}
	s, err := UnsafeDev(context.Background(), logSize)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(&ours); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"powers.ptau": fixture, "gnark": compressed.Bytes(), "gnark-raw": raw.Bytes(), "ours.srs": ours.Bytes()}
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every format gives powers in both bases, the second time from the cache; gnark's two encodings give the same.
func TestImport(t *testing.T) {
	ctx := context.Background()
	ids := map[string][32]byte{}
	for name, b := range files(t) {
		path, cache := write(t, name, b), t.TempDir()
		for range 2 {
			s, err := Import(ctx, path, logSize, cache)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := checkPowers(s.Powers, s.TauG2); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := checkLagrange(s.Powers, s.Lagrange); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if before, ok := ids[name]; ok && before != s.ID() {
				t.Errorf("%s: another SRS from the cache", name)
			}
			ids[name] = s.ID()
		}
		kept, err := os.ReadDir(cache)
		if err != nil || len(kept) != 1 && name != "ours.srs" {
			t.Errorf("%s: %d files in the cache (%v), expected 1", name, len(kept), err)
		}
	}
	if ids["gnark"] != ids["gnark-raw"] || ids["gnark"] == ids["powers.ptau"] {
		t.Error("the two encodings of one SRS differ, or those of two agree")
	}
}

// The SRS of a known τ, and its Lagrange basis, are gnark-crypto's.
func TestKnownTau(t *testing.T) {
	reference, err := kzg.NewSRS(1<<logSize+spare, big.NewInt(1234567))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Import(context.Background(), write(t, "gnark", files(t)["gnark"]), logSize, "")
	if err != nil {
		t.Fatal(err)
	}
	lagrange, err := kzg.ToLagrangeG1(reference.Pk.G1[:1<<logSize])
	if err != nil {
		t.Fatal(err)
	}
	for i := range lagrange {
		if !lagrange[i].Equal(&s.Lagrange[i]) || !s.Powers[i].Equal(&reference.Pk.G1[i]) {
			t.Fatalf("point %d differs", i)
		}
	}
	if !s.TauG2.Equal(&reference.Vk.G2[1]) {
		t.Error("[τ]₂ differs")
	}
}

// A byte changed anywhere, or any number of bytes cut off, and the file is refused, also where the cache has
// the SRS of the good one.
func TestDamaged(t *testing.T) {
	ctx := context.Background()
	for name, good := range files(t) {
		cache := t.TempDir()
		if _, err := Import(ctx, write(t, name, good), logSize, cache); err != nil {
			t.Fatal(err)
		}
		used := len(good)
		if name == "powers.ptau" {
			used = 12 + 12 + 44 + 12 + (1<<logSize+spare)*64 // the rest of that file is not read
		} else if name != "ours.srs" {
			used -= gnarkLines*64 + 32 // nor are the lines of pairings
		}
		for _, at := range []int{0, 3, 5, 60, 100, used / 3, used / 2, used - 40} {
			b := bytes.Clone(good)
			b[at] ^= 1
			if _, err := Import(ctx, write(t, name, b), logSize, cache); !refused(err) {
				t.Errorf("%s, byte %d of %d changed: %v, expected a refusal", name, at, len(b), err)
			}
		}
		for _, n := range []int{0, 1, 10, 40, 200, len(good) / 2, len(good) - 1} {
			if _, err := Import(ctx, write(t, name, good[:n]), logSize, cache); !refused(err) {
				t.Errorf("%s cut to %d bytes: %v, expected a refusal", name, n, err)
			}
		}
		if _, err := Import(ctx, write(t, name, good), 27, cache); !refused(err) {
			t.Errorf("%s for a larger circuit: %v, expected a refusal", name, err)
		}
	}
}

func refused(err error) bool {
	return errors.Is(err, ErrUnusable) || errors.Is(err, envelope.ErrUnsupportedVersion) || errors.Is(err, envelope.ErrKind)
}

// Powers that are well-formed and wrong: of two numbers, of 1, a Lagrange basis of another τ.
func TestForged(t *testing.T) {
	ctx := context.Background()
	s, err := UnsafeDev(ctx, logSize)
	if err != nil {
		t.Fatal(err)
	}
	other, err := UnsafeDev(ctx, logSize)
	if err != nil {
		t.Fatal(err)
	}
	one, err := kzg.NewSRS(1<<logSize+spare, big.NewInt(1))
	if err != nil {
		t.Fatal(err)
	}
	for what, forged := range map[string]*SRS{
		"a power of another number":   {LogSize: logSize, Powers: append(append(s.Powers[:0:0], s.Powers[:7]...), other.Powers[7:]...), Lagrange: s.Lagrange, TauG2: s.TauG2},
		"another number in G2":        {LogSize: logSize, Powers: s.Powers, Lagrange: s.Lagrange, TauG2: other.TauG2},
		"the other's Lagrange basis":  {LogSize: logSize, Powers: s.Powers, Lagrange: other.Lagrange, TauG2: s.TauG2},
		"nobody's contribution":       {LogSize: logSize, Powers: one.Pk.G1, Lagrange: s.Lagrange, TauG2: one.Vk.G2[1]},
		"powers that begin elsewhere": {LogSize: logSize, Powers: append(s.Powers[1:len(s.Powers):len(s.Powers)], s.Powers[0]), Lagrange: s.Lagrange, TauG2: s.TauG2},
	} {
		var b bytes.Buffer
		if err := forged.Write(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(write(t, "forged.srs", b.Bytes())); !errors.Is(err, ErrUnusable) {
			t.Errorf("%s: %v, expected ErrUnusable", what, err)
		}
	}
}

// The ceremony of another curve is named in the error.
func TestEthereum(t *testing.T) {
	for _, text := range []string{
		`{"transcripts":[{"numG1Powers":4096,"numG2Powers":65,"powersOfTau":{"G1Powers":["0x97f1"]}}]}`,
		"\n {\"g1_monomial\": [\"0x97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58\"]}",
	} {
		_, err := Import(context.Background(), write(t, "transcript.json", []byte(text)), logSize, "")
		if !errors.Is(err, ErrUnusable) || !bytes.Contains([]byte(err.Error()), []byte("BLS12-381")) {
			t.Errorf("%v, expected a refusal that names the curve", err)
		}
	}
}
