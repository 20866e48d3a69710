package verifier

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Sizes of encoded points in bytes.
const (
	g1Size           = bn254.SizeOfG1AffineCompressed
	g2Size           = bn254.SizeOfG2AffineCompressed
	g1Uncompressed   = bn254.SizeOfG1AffineUncompressed
	g2Uncompressed   = bn254.SizeOfG2AffineUncompressed
	maxStringBytes   = 1 << 10
	maxRank          = 8
	maxTensors       = 256
	maxFoldRows      = 1024
	maxElements      = 1 << 24
	maxTensorPoints  = 1 << 12 // of the commitment of a private tensor
	maxContextBytes  = 1 << 16
	maxPublicInputs  = 1 << 16
	maxCommitments   = 2 + 2*maxTensors
	maxPublicIndices = maxPublicInputs + maxCommitments
)

// reader takes fixed-size pieces off bytes that may come from anybody. The first failure sticks; a
// length is compared with what is left before anything of its size is allocated.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.fail("truncated")
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// done reports the first failure, or what is left over.
func (r *reader) done() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes too many", len(r.b))
	}
	return r.err
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// count is a number of items of at least size bytes each that are still to come.
func (r *reader) count(limit, size int) int {
	n := r.uint32()
	if r.err == nil && (int64(n) > int64(limit) || int64(n)*int64(size) > int64(len(r.b))) {
		r.fail("%d items of %d bytes or more, at most %d and %d bytes are left", n, size, limit, len(r.b))
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *reader) string() string { return string(r.take(r.count(maxStringBytes, 1))) }

func (r *reader) digest() (d [32]byte) {
	copy(d[:], r.take(32))
	return d
}

// g1 reads a compressed point; it must be in the encoding that Bytes gives.
func (r *reader) g1() (p bn254.G1Affine) {
	b := r.take(g1Size)
	if b == nil {
		return p
	}
	if _, err := p.SetBytes(b); err != nil {
		r.fail("point: %v", err)
	} else if p.Bytes() != [g1Size]byte(b) {
		r.fail("point is not in canonical encoding")
	}
	return p
}

// points reads n compressed points.
func (r *reader) points(n int) []bn254.G1Affine {
	out := make([]bn254.G1Affine, n)
	for i := range out {
		out[i] = r.g1()
	}
	return out
}

func (r *reader) g2() (p bn254.G2Affine) {
	b := r.take(g2Size)
	if b == nil {
		return p
	}
	if _, err := p.SetBytes(b); err != nil {
		r.fail("point: %v", err)
	} else if p.Bytes() != [g2Size]byte(b) {
		r.fail("point is not in canonical encoding")
	}
	return p
}

func (r *reader) g1Raw() (p bn254.G1Affine) {
	b := r.take(g1Uncompressed)
	if b == nil {
		return p
	}
	if n, err := p.SetBytes(b); err != nil {
		r.fail("point: %v", err)
	} else if n != g1Uncompressed || p.RawBytes() != [g1Uncompressed]byte(b) {
		r.fail("point is not in canonical encoding")
	}
	return p
}

func (r *reader) g2Raw() (p bn254.G2Affine) {
	b := r.take(g2Uncompressed)
	if b == nil {
		return p
	}
	if n, err := p.SetBytes(b); err != nil {
		r.fail("point: %v", err)
	} else if n != g2Uncompressed || p.RawBytes() != [g2Uncompressed]byte(b) {
		r.fail("point is not in canonical encoding")
	}
	return p
}

// scalar reads 32 bytes, big-endian, below the field's order. (gnark takes S + r for S.)
func (r *reader) scalar() (s fr.Element) {
	if b := r.take(fr.Bytes); b != nil {
		if err := s.SetBytesCanonical(b); err != nil {
			r.fail("scalar: %v", err)
		}
	}
	return s
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

func appendG1(b []byte, p *bn254.G1Affine) []byte {
	x := p.Bytes()
	return append(b, x[:]...)
}

func appendG1Raw(b []byte, p *bn254.G1Affine) []byte {
	x := p.RawBytes()
	return append(b, x[:]...)
}

func appendG2Raw(b []byte, p *bn254.G2Affine) []byte {
	x := p.RawBytes()
	return append(b, x[:]...)
}
