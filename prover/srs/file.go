package srs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/prover/ptau"
)

// Kind is the kind of files that Write makes, Version the version of their contents.
const (
	Kind    = "zsrs"
	Version = 1
)

const (
	g1Size = bn254.SizeOfG1AffineUncompressed
	g2Size = bn254.SizeOfG2AffineUncompressed
)

// Write writes the SRS with both bases.
func (s *SRS) Write(w io.Writer) error {
	b := make([]byte, 0, 1+g2Size+(len(s.Powers)+len(s.Lagrange))*g1Size)
	b = append(b, byte(s.LogSize))
	tau := s.TauG2.RawBytes()
	b = append(b, tau[:]...)
	for _, basis := range [][]bn254.G1Affine{s.Powers, s.Lagrange} {
		for i := range basis {
			p := basis[i].RawBytes()
			b = append(b, p[:]...)
		}
	}
	_, err := w.Write(envelope.Encode(Kind, Version, b))
	return err
}

// Read reads what Write wrote. Everything is checked again: a digest finds damage, not malice.
func Read(path string) (*SRS, error) {
	const greatest = 1 + g2Size + (2<<MaxLogSize+spare)*g1Size
	version, b, err := envelope.ReadFile(path, Kind, greatest)
	if err != nil {
		if errors.Is(err, envelope.ErrMalformed) {
			err = fmt.Errorf("%w: %w", ErrUnusable, err)
		}
		return nil, err
	}
	if err := envelope.CheckVersion(Kind, version, Version); err != nil {
		return nil, err
	}
	s, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func decode(b []byte) (*SRS, error) {
	if len(b) < 1+g2Size {
		return nil, fmt.Errorf("%w: truncated", ErrUnusable)
	}
	s := &SRS{LogSize: int(b[0])}
	if err := checkLogSize(s.LogSize); err != nil {
		return nil, err
	}
	n := 1 << s.LogSize
	if want := 1 + g2Size + (2*n+spare)*g1Size; len(b) != want {
		return nil, fmt.Errorf("%w: %d bytes, expected %d for 2^%d gates", ErrUnusable, len(b), want, s.LogSize)
	}
	var err error
	if s.TauG2, err = readG2(b[1:][:g2Size]); err != nil {
		return nil, err
	}
	if s.Powers, err = readG1(b[1+g2Size:], n+spare, g1Size); err != nil {
		return nil, err
	}
	if s.Lagrange, err = readG1(b[1+g2Size+(n+spare)*g1Size:], n, g1Size); err != nil {
		return nil, err
	}
	if err := checkPowers(s.Powers, s.TauG2); err != nil {
		return nil, err
	}
	return s, checkLagrange(s.Powers, s.Lagrange)
}

// readG1 reads count points of the given size, compressed or not, on all processors. None may be at infinity,
// and each must be in the one encoding that it has.
func readG1(b []byte, count, size int) ([]bn254.G1Affine, error) {
	if len(b) < count*size {
		return nil, fmt.Errorf("%w: %d bytes for %d points: the file is truncated", ErrUnusable, len(b), count)
	}
	out, workers := make([]bn254.G1Affine, count), runtime.GOMAXPROCS(0)
	wrong := make([]bool, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < count; i += workers {
				if !decodeG1(&out[i], b[i*size:][:size]) {
					wrong[w] = true
					return
				}
			}
		})
	}
	wait.Wait()
	for _, bad := range wrong {
		if bad {
			return nil, fmt.Errorf("%w: a point is none of the group", ErrUnusable)
		}
	}
	return out, nil
}

func decodeG1(p *bn254.G1Affine, b []byte) bool {
	if n, err := p.SetBytes(b); err != nil || n != len(b) || p.IsInfinity() {
		return false
	}
	if len(b) == g1Size {
		raw := p.RawBytes()
		return bytes.Equal(raw[:], b)
	}
	compressed := p.Bytes()
	return bytes.Equal(compressed[:], b)
}

func readG2(b []byte) (p bn254.G2Affine, err error) {
	n, err := p.SetBytes(b)
	if err == nil && n == g2Size {
		if raw := p.RawBytes(); bytes.Equal(raw[:], b) {
			return p, nil
		}
	}
	if err == nil && n == len(b) {
		if compressed := p.Bytes(); bytes.Equal(compressed[:], b) {
			return p, nil
		}
	}
	return p, fmt.Errorf("%w: [τ]₂ is no point of the group", ErrUnusable)
}

// Import takes the SRS for 2^logSize gates from a file of any format. The Lagrange basis, which takes minutes
// to compute, is kept in the folder cache ("" for none), under the digest of the file.
func Import(ctx context.Context, path string, logSize int, cache string) (*SRS, error) {
	if err := checkLogSize(logSize); err != nil {
		return nil, err
	}
	head, err := begin(path)
	if err != nil {
		return nil, err
	}
	if envelope.Sniff(head) == Kind {
		s, err := Read(path)
		if err == nil && s.LogSize != logSize {
			err = fmt.Errorf("%w: %s is for 2^%d gates, the circuit needs 2^%d; give the file that it was made from", ErrUnusable, path, s.LogSize, logSize)
		}
		return s, err
	}
	kept, err := cacheFile(path, logSize, cache)
	if err != nil {
		return nil, err
	}
	if kept != "" {
		if s, err := Read(kept); err == nil && s.LogSize == logSize {
			return s, nil
		}
	}
	powers, tauG2, err := readPowers(path, head, 1<<logSize+spare)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s, err := complete(ctx, logSize, powers, tauG2)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if kept != "" && os.MkdirAll(cache, 0o755) == nil {
		_ = envelope.WriteFile(kept, true, s.Write) // what cannot be kept is computed anew the next time
	}
	return s, nil
}

// begin is the beginning of a file, by which formats are told apart.
func begin(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, 4096)
	n, err := io.ReadFull(f, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return b[:n], err
}

// cacheFile is named by the whole file's digest, so that an altered file is read anew.
func cacheFile(path string, logSize int, cache string) (string, error) {
	if cache == "" {
		return "", nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return filepath.Join(cache, fmt.Sprintf("%s-%d.srs", hex.EncodeToString(h.Sum(nil)), logSize)), nil
}

// readPowers reads count powers from a file that is none of ours.
func readPowers(path string, head []byte, count int) ([]bn254.G1Affine, bn254.G2Affine, error) {
	switch {
	case ptau.Begins(head):
		return readPtau(path, count)
	case isEthereum(head):
		return nil, bn254.G2Affine{}, fmt.Errorf("%w: this is a transcript of Ethereum's KZG ceremony, which is for the curve BLS12-381 (and 2^15 powers at most); these proofs are over BN254: take a .ptau file", ErrUnusable)
	}
	return readGnark(path, count)
}

func readPtau(path string, count int) ([]bn254.G1Affine, bn254.G2Affine, error) {
	f, err := ptau.Open(path)
	if err != nil {
		return nil, bn254.G2Affine{}, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	defer f.Close()
	powers, err := f.TauG1(count)
	if err != nil {
		return nil, bn254.G2Affine{}, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	tau, err := f.TauG2(2)
	if err != nil {
		return nil, bn254.G2Affine{}, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	return powers, tau[1], nil
}

// isEthereum recognizes the JSON of that ceremony: a transcript, a contribution, or the setup that clients
// load.
func isEthereum(head []byte) bool {
	if !bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		return false
	}
	for _, name := range []string{`"transcripts"`, `"contributions"`, `"numG1Powers"`, `"powersOfTau"`, `"g1_lagrange"`, `"g1_monomial"`} {
		if bytes.Contains(head, []byte(name)) {
			return true
		}
	}
	return false
}

// gnarkLines is how many elements gnark appends to an SRS, each of 32 bytes twice: the lines of the pairing for both points in G2,
// which are not needed here.
const gnarkLines = 2 * 2 * 66 * 2

// readGnark reads what kzg.SRS writes: the number of powers, the powers, [1]₂, [τ]₂ and [1]₁, all compressed or
// all not, and the lines of pairings.
func readGnark(path string, count int) ([]bn254.G1Affine, bn254.G2Affine, error) {
	var none bn254.G2Affine
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, none, err
	}
	const unknown = "it begins neither as a .ptau file, nor as gnark's or this program's do"
	if len(b) < 4+g1Size {
		return nil, none, fmt.Errorf("%w: %s", ErrUnusable, unknown)
	}
	n := int64(b[0])<<24 | int64(b[1])<<16 | int64(b[2])<<8 | int64(b[3])
	one, two := int64(g1Size), int64(g2Size)
	if b[4]&0x80 != 0 {
		one, two = bn254.SizeOfG1AffineCompressed, bn254.SizeOfG2AffineCompressed
	}
	if want := 4 + (n+1)*one + 2*two + gnarkLines*64; int64(len(b)) != want {
		return nil, none, fmt.Errorf("%w: %s; or, %d bytes instead of %d, it is truncated", ErrUnusable, unknown, len(b), want)
	}
	if n < int64(count) {
		return nil, none, fmt.Errorf("%w: it holds %d powers, the circuit needs %d", ErrUnusable, n, count)
	}
	powers, err := readG1(b[4:], count, int(one))
	if err != nil {
		return nil, none, err
	}
	rest := b[4+n*one:]
	_, _, _, g2 := bn254.Generators()
	base, err := readG2(rest[:two])
	if err != nil || !base.Equal(&g2) {
		return nil, none, fmt.Errorf("%w: its base in G2 is not the generator", ErrUnusable)
	}
	tau, err := readG2(rest[two:][:two])
	return powers, tau, err
}
