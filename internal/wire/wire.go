// Package wire reads and writes the pieces of fixed layouts: numbers, strings, points and scalars of
// BN254. Keys, model commitments and proofs of every proof system are made of them.
//
// The promise: a Reader never allocates more than what it reads has bytes, accepts one encoding of a
// value and no other, and no point off its curve or outside of its subgroup, no scalar that is not below the
// field's order. (gnark takes S + r for S.) The point at infinity it does accept: whether it may stand
// somewhere is for the caller to know.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// ErrMalformed: bytes that are no encoding of what they should be.
var ErrMalformed = errors.New("malformed encoding")

// Sizes of encoded points in bytes, and the longest string.
const (
	G1Size    = bn254.SizeOfG1AffineCompressed
	G2Size    = bn254.SizeOfG2AffineCompressed
	G1RawSize = bn254.SizeOfG1AffineUncompressed
	G2RawSize = bn254.SizeOfG2AffineUncompressed
	MaxString = 1 << 10
)

// Reader takes fixed-size pieces off bytes that may come from anybody. The first failure sticks; a
// length is compared with what is left before anything of its size is allocated.
type Reader struct {
	b   []byte
	err error
}

// NewReader reads b, which must not be changed before Done.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Fail is for what the caller finds wrong; ErrMalformed is added.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
}

// Take is the next n bytes, which alias the input; nil where there are fewer.
func (r *Reader) Take(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.Fail("truncated")
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// Done reports the first failure, or what is left over.
func (r *Reader) Done() error {
	if r.err == nil && len(r.b) > 0 {
		r.Fail("%d bytes too many", len(r.b))
	}
	return r.err
}

// Byte, Uint32 and Uint64 are numbers, big-endian; 0 after a failure, like everything below.
func (r *Reader) Byte() byte {
	if b := r.Take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *Reader) Uint32() uint32 {
	if b := r.Take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *Reader) Uint64() uint64 {
	if b := r.Take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// Count is a number of items of at least size bytes each that are still to come.
func (r *Reader) Count(limit, size int) int {
	n := r.Uint32()
	if r.err == nil && (int64(n) > int64(limit) || int64(n)*int64(size) > int64(len(r.b))) {
		r.Fail("%d items of %d bytes or more, at most %d and %d bytes are left", n, size, limit, len(r.b))
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// Text is a count and as many bytes, MaxString at most.
func (r *Reader) Text() string { return string(r.Take(r.Count(MaxString, 1))) }

// Digest is 32 bytes.
func (r *Reader) Digest() (d [32]byte) {
	copy(d[:], r.Take(32))
	return d
}

// G1 reads a compressed point; it must be in the encoding that Bytes gives.
func (r *Reader) G1() (p bn254.G1Affine) {
	b := r.Take(G1Size)
	if b == nil {
		return p
	}
	if _, err := p.SetBytes(b); err != nil {
		r.Fail("point: %v", err)
	} else if p.Bytes() != [G1Size]byte(b) {
		r.Fail("point is not in canonical encoding")
	}
	return p
}

// Points reads n compressed points.
func (r *Reader) Points(n int) []bn254.G1Affine {
	if r.err != nil || n > len(r.b)/G1Size {
		r.Fail("truncated")
		return nil
	}
	out := make([]bn254.G1Affine, n)
	for i := range out {
		out[i] = r.G1()
	}
	return out
}

// G2 is G1 for the other group.
func (r *Reader) G2() (p bn254.G2Affine) {
	b := r.Take(G2Size)
	if b == nil {
		return p
	}
	if _, err := p.SetBytes(b); err != nil {
		r.Fail("point: %v", err)
	} else if p.Bytes() != [G2Size]byte(b) {
		r.Fail("point is not in canonical encoding")
	}
	return p
}

// G1Raw and G2Raw read uncompressed points.
func (r *Reader) G1Raw() (p bn254.G1Affine) {
	b := r.Take(G1RawSize)
	if b == nil {
		return p
	}
	if n, err := p.SetBytes(b); err != nil {
		r.Fail("point: %v", err)
	} else if n != G1RawSize || p.RawBytes() != [G1RawSize]byte(b) {
		r.Fail("point is not in canonical encoding")
	}
	return p
}

func (r *Reader) G2Raw() (p bn254.G2Affine) {
	b := r.Take(G2RawSize)
	if b == nil {
		return p
	}
	if n, err := p.SetBytes(b); err != nil {
		r.Fail("point: %v", err)
	} else if n != G2RawSize || p.RawBytes() != [G2RawSize]byte(b) {
		r.Fail("point is not in canonical encoding")
	}
	return p
}

// Scalar reads 32 bytes, big-endian, below the field's order.
func (r *Reader) Scalar() (s fr.Element) {
	if b := r.Take(fr.Bytes); b != nil {
		if err := s.SetBytesCanonical(b); err != nil {
			r.Fail("scalar: %v", err)
		}
	}
	return s
}

// AppendString writes what Text reads, and so on.
func AppendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

func AppendG1(b []byte, p *bn254.G1Affine) []byte {
	x := p.Bytes()
	return append(b, x[:]...)
}

func AppendG1Raw(b []byte, p *bn254.G1Affine) []byte {
	x := p.RawBytes()
	return append(b, x[:]...)
}

func AppendG2Raw(b []byte, p *bn254.G2Affine) []byte {
	x := p.RawBytes()
	return append(b, x[:]...)
}
