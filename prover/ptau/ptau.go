// Package ptau reads files of powers of tau as snarkjs writes them, for the curve BN254.
//
// The promise: every point that is returned lies in its group and is not at infinity. Whether they are the
// powers of one number is for the caller to check, and whose they are to know. Numbers in the file are
// little-endian, coordinates in Montgomery form, points uncompressed.
package ptau

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/crypto/blake2b"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// The sections of a .ptau file that a setup needs; the others (contributions, and what snarkjs
// precomputes) are passed over.
const (
	ptauHeader     = 1
	ptauTauG1      = 2
	ptauTauG2      = 3
	ptauAlphaTauG1 = 4
	ptauBetaTauG1  = 5
	ptauBetaG2     = 6
)

const (
	// MaxPower is snarkjs' own bound.
	MaxPower        = 28
	maxPtauSections = 64
	ptauHeaderBytes = 4 + fp.Bytes + 4 + 4
	ptauG1Bytes     = 2 * fp.Bytes
	ptauG2Bytes     = 4 * fp.Bytes
)

// ErrPowers: a file of powers of tau that is damaged, too small, or wrong.
var ErrPowers = errors.New("unusable powers of tau")

// File is an open .ptau file.
type File struct {
	// Power is log2 of the number of constraints that it holds powers for.
	Power int

	file     io.ReaderAt
	size     int64
	close    func() error
	sections map[uint32]section
}

type section struct{ at, size int64 }

// Begins tells whether b begins as a .ptau file does.
func Begins(b []byte) bool { return bytes.HasPrefix(b, []byte("ptau")) }

// Open opens a file and looks at its layout; points are checked as they are read.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		var out *File
		if out, err = New(f, info.Size()); err == nil {
			out.close = f.Close
			return out, nil
		}
	}
	return nil, errors.Join(err, f.Close())
}

// New is Open for what is open already.
func New(file io.ReaderAt, size int64) (*File, error) {
	p := &File{file: file, size: size, close: func() error { return nil }}
	return p, p.scan()
}

// Close closes what Open opened.
func (p *File) Close() error { return p.close() }

// Need errs unless the file holds powers for 2^power constraints.
func (p *File) Need(power int) error {
	if p.Power < power {
		return fmt.Errorf("%w: it holds powers for 2^%d constraints, the circuit needs 2^%d", ErrPowers, p.Power, power)
	}
	return nil
}

// TauG1 is [τ⁰]₁ … [τⁿ⁻¹]₁; AlphaTauG1 and BetaTauG1 are the same times α and β, TauG2 is in the other
// group. n is at most 2^Power, and 2^(Power+1) − 1 for TauG1.
func (p *File) TauG1(n int) ([]bn254.G1Affine, error) {
	return points(p, ptauTauG1, n, ptauG1Bytes, pointG1)
}

func (p *File) AlphaTauG1(n int) ([]bn254.G1Affine, error) {
	return points(p, ptauAlphaTauG1, n, ptauG1Bytes, pointG1)
}

func (p *File) BetaTauG1(n int) ([]bn254.G1Affine, error) {
	return points(p, ptauBetaTauG1, n, ptauG1Bytes, pointG1)
}

func (p *File) TauG2(n int) ([]bn254.G2Affine, error) {
	return points(p, ptauTauG2, n, ptauG2Bytes, pointG2)
}

// BetaG2 is [β]₂.
func (p *File) BetaG2() (bn254.G2Affine, error) {
	beta, err := points(p, ptauBetaG2, 1, ptauG2Bytes, pointG2)
	if err != nil {
		return bn254.G2Affine{}, err
	}
	return beta[0], nil
}

// scan finds the sections: each is its number, its size and its bytes.
func (p *File) scan() error {
	head, err := p.bytes(0, 12)
	if err != nil || string(head[:4]) != "ptau" {
		return fmt.Errorf("%w: it does not begin as a .ptau file does", ErrPowers)
	}
	version, count := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:])
	if version != 1 || count > maxPtauSections {
		return fmt.Errorf("%w: version %d with %d sections, expected version 1 and at most %d", ErrPowers, version, count, maxPtauSections)
	}
	p.sections = map[uint32]section{}
	at := int64(12)
	for range count {
		b, err := p.bytes(at, 12)
		if err != nil {
			return err
		}
		id, size := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint64(b[4:])
		if at += 12; size > uint64(p.size-at) {
			return fmt.Errorf("%w: section %d of %d bytes, %d are left: the file is truncated", ErrPowers, id, size, p.size-at)
		}
		if _, twice := p.sections[id]; twice {
			return fmt.Errorf("%w: section %d is there twice", ErrPowers, id)
		}
		p.sections[id] = section{at, int64(size)}
		at += int64(size)
	}
	if at != p.size {
		return fmt.Errorf("%w: %d bytes after the last section", ErrPowers, p.size-at)
	}
	return p.header()
}

// header reads the power, and compares every section's size with it.
func (p *File) header() error {
	s, ok := p.sections[ptauHeader]
	if !ok || s.size != ptauHeaderBytes {
		return fmt.Errorf("%w: no header of %d bytes", ErrPowers, ptauHeaderBytes)
	}
	b, err := p.bytes(s.at, ptauHeaderBytes)
	if err != nil {
		return err
	}
	prime := slices.Clone(b[4:][:fp.Bytes])
	slices.Reverse(prime)
	if binary.LittleEndian.Uint32(b) != fp.Bytes || string(prime) != string(fp.Modulus().Bytes()) {
		return fmt.Errorf("%w: they are of another curve than BN254", ErrPowers)
	}
	power := binary.LittleEndian.Uint32(b[4+fp.Bytes:])
	if power < 1 || power > MaxPower {
		return fmt.Errorf("%w: power %d, expected 1 to %d", ErrPowers, power, MaxPower)
	}
	p.Power = int(power)
	n := int64(1) << power
	for id, want := range map[uint32]int64{
		ptauTauG1: (2*n - 1) * ptauG1Bytes, ptauTauG2: n * ptauG2Bytes,
		ptauAlphaTauG1: n * ptauG1Bytes, ptauBetaTauG1: n * ptauG1Bytes, ptauBetaG2: ptauG2Bytes,
	} {
		if s, ok := p.sections[id]; !ok || s.size != want {
			return fmt.Errorf("%w: section %d has %d bytes, expected %d for power %d", ErrPowers, id, s.size, want, power)
		}
	}
	return nil
}

// bytes are n bytes of the file; callers ask for no more than a section holds.
func (p *File) bytes(at, n int64) ([]byte, error) {
	if at+n > p.size {
		return nil, fmt.Errorf("%w: the file is truncated", ErrPowers)
	}
	b := make([]byte, n)
	if _, err := p.file.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// Digest is the BLAKE2b-512 of the whole file.
func (p *File) Digest() ([]byte, error) {
	h, err := blake2b.New512(nil)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(h, bufio.NewReaderSize(io.NewSectionReader(p.file, 0, p.size), 1<<20))
	return h.Sum(nil), err
}

// points reads the first count points of a section, on all processors.
func points[P any](p *File, id uint32, count, size int, read func([]byte) (P, bool)) ([]P, error) {
	if int64(count)*int64(size) > p.sections[id].size {
		return nil, fmt.Errorf("%w: %d points of section %d, which has %d bytes", ErrPowers, count, id, p.sections[id].size)
	}
	b, err := p.bytes(p.sections[id].at, int64(count)*int64(size))
	if err != nil {
		return nil, err
	}
	out, workers := make([]P, count), runtime.GOMAXPROCS(0)
	wrong := make([]int, workers) // of each worker, from 1
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < count && wrong[w] == 0; i += workers {
				var ok bool
				if out[i], ok = read(b[i*size:][:size]); !ok {
					wrong[w] = i + 1
				}
			}
		})
	}
	wait.Wait()
	for _, i := range wrong {
		if i > 0 {
			return nil, fmt.Errorf("%w: point %d of section %d is no point of the group", ErrPowers, i-1, id)
		}
	}
	return out, nil
}

// pointG1 is x, y; the point at infinity is no power of tau.
func pointG1(b []byte) (p bn254.G1Affine, ok bool) {
	ok = coordinates(b, &p.X, &p.Y)
	return p, ok && !p.IsInfinity() && p.IsOnCurve() // the curve is the group
}

// pointG2 is x, y, each its real part first.
func pointG2(b []byte) (p bn254.G2Affine, ok bool) {
	ok = coordinates(b, &p.X.A0, &p.X.A1, &p.Y.A0, &p.Y.A1)
	return p, ok && !p.IsInfinity() && p.IsOnCurve() && p.IsInSubGroup()
}

// coordinates reads numbers below the field's modulus in Montgomery form, which is how fp.Element
// holds them.
func coordinates(b []byte, into ...*fp.Element) bool {
	modulus := fp.Modulus().FillBytes(make([]byte, fp.Bytes))
	for i, e := range into {
		x := slices.Clone(b[i*fp.Bytes:][:fp.Bytes])
		for w := range e {
			e[w] = binary.LittleEndian.Uint64(x[8*w:])
		}
		slices.Reverse(x)
		if string(x) >= string(modulus) {
			return false
		}
	}
	return true
}
