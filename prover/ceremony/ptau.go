package ceremony

import (
	"bufio"
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
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
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
	// maxPtauPower is snarkjs' own bound.
	maxPtauPower    = 28
	maxPtauSections = 64
	ptauHeaderBytes = 4 + fp.Bytes + 4 + 4
	ptauG1Bytes     = 2 * fp.Bytes
	ptauG2Bytes     = 4 * fp.Bytes
)

// readPtau takes the powers for a domain of 2^power points from a .ptau file of that power or more, and
// checks them. Numbers in the file are little-endian, coordinates in Montgomery form, points
// uncompressed.
func readPtau(path string, power int) (*mpcsetup.SrsCommons, *Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	p := &ptau{file: f, size: info.Size()}
	if err := p.scan(); err != nil {
		return nil, nil, err
	}
	if p.power < power {
		return nil, nil, fmt.Errorf("%w: it holds powers for 2^%d constraints, the circuit needs 2^%d", ErrPowers, p.power, power)
	}
	powers, err := p.powers(1 << power)
	if err != nil {
		return nil, nil, err
	}
	if err := checkPowers(powers); err != nil {
		return nil, nil, err
	}
	digest, err := p.digest()
	return powers, &Source{Blake2b: digest, Power: p.power}, err
}

// ptau is an open .ptau file.
type ptau struct {
	file     io.ReaderAt
	size     int64
	power    int
	sections map[uint32]section
}

type section struct{ at, size int64 }

// scan finds the sections: each is its number, its size and its bytes.
func (p *ptau) scan() error {
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
func (p *ptau) header() error {
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
	if power < 1 || power > maxPtauPower {
		return fmt.Errorf("%w: power %d, expected 1 to %d", ErrPowers, power, maxPtauPower)
	}
	p.power = int(power)
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
func (p *ptau) bytes(at, n int64) ([]byte, error) {
	if at+n > p.size {
		return nil, fmt.Errorf("%w: the file is truncated", ErrPowers)
	}
	b := make([]byte, n)
	if _, err := p.file.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// digest is the BLAKE2b-512 of the whole file.
func (p *ptau) digest() ([]byte, error) {
	h, err := blake2b.New512(nil)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(h, bufio.NewReaderSize(io.NewSectionReader(p.file, 0, p.size), 1<<20))
	return h.Sum(nil), err
}

// powers are those for a domain of n points.
func (p *ptau) powers(n int) (*mpcsetup.SrsCommons, error) {
	out := &mpcsetup.SrsCommons{}
	for _, s := range []struct {
		id    uint32
		into  *[]bn254.G1Affine
		count int
	}{{ptauTauG1, &out.G1.Tau, 2*n - 1}, {ptauAlphaTauG1, &out.G1.AlphaTau, n}, {ptauBetaTauG1, &out.G1.BetaTau, n}} {
		points, err := ptauPoints(p, s.id, s.count, ptauG1Bytes, ptauG1)
		if err != nil {
			return nil, err
		}
		*s.into = points
	}
	var err error
	if out.G2.Tau, err = ptauPoints(p, ptauTauG2, n, ptauG2Bytes, ptauG2); err != nil {
		return nil, err
	}
	beta, err := ptauPoints(p, ptauBetaG2, 1, ptauG2Bytes, ptauG2)
	if err != nil {
		return nil, err
	}
	out.G2.Beta = beta[0]
	return out, nil
}

// ptauPoints reads the first count points of a section, on all processors.
func ptauPoints[P any](p *ptau, id uint32, count, size int, read func([]byte) (P, bool)) ([]P, error) {
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

// ptauG1 is x, y; the point at infinity is no power of tau.
func ptauG1(b []byte) (p bn254.G1Affine, ok bool) {
	ok = ptauCoordinates(b, &p.X, &p.Y)
	return p, ok && !p.IsInfinity() && p.IsOnCurve() // the curve is the group
}

// ptauG2 is x, y, each its real part first.
func ptauG2(b []byte) (p bn254.G2Affine, ok bool) {
	ok = ptauCoordinates(b, &p.X.A0, &p.X.A1, &p.Y.A0, &p.Y.A1)
	return p, ok && !p.IsInfinity() && p.IsOnCurve() && p.IsInSubGroup()
}

// ptauCoordinates reads numbers below the field's modulus in Montgomery form, which is how fp.Element
// holds them.
func ptauCoordinates(b []byte, into ...*fp.Element) bool {
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
