package ceremony

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
)

const (
	g1Size = bn254.SizeOfG1AffineCompressed
	g2Size = bn254.SizeOfG2AffineCompressed
	// updateSize is gnark's proof of an update: a commitment to the factor, and a proof of knowledge.
	updateSize    = g1Size + g2Size
	challengeSize = 32
)

// field is a piece of a layout: bytes that must be there, or points, or anything.
type field struct {
	name  string
	fixed []byte // these bytes, or
	size  int    // of a compressed point, or 1
	count int
	point bool
}

func (f *field) bytes() int { return len(f.fixed) + f.size*f.count }

func points1(name string, n int) field { return field{name: name, size: g1Size, count: n, point: true} }
func points2(name string, n int) field { return field{name: name, size: g2Size, count: n, point: true} }
func constant(name string, b []byte) field {
	return field{name: name, fixed: b}
}

// layout is where everything is in gnark's encoding of a step, before anything is decoded. gnark's
// decoders allocate by lengths that they read, and read further than they should where a point is
// marked as uncompressed; a body that has its layout has neither.
type layout []field

func (l layout) bytes() int64 {
	n := int64(0)
	for i := range l {
		n += int64(l[i].bytes())
	}
	return n
}

// check demands the exact length, every fixed byte, and that every point is marked as compressed.
func (l layout) check(b []byte) error {
	if int64(len(b)) != l.bytes() {
		return fmt.Errorf("%w: %d bytes of points, expected %d", ErrMalformed, len(b), l.bytes())
	}
	for i := range l {
		f := &l[i]
		if !bytes.HasPrefix(b, f.fixed) {
			return fmt.Errorf("%w: %s is %x, expected %x", ErrMalformed, f.name, b[:len(f.fixed)], f.fixed)
		}
		for k := 0; f.point && k < f.count; k++ {
			if b[k*f.size]>>6 == 0 {
				return fmt.Errorf("%w: point %d of %s is not compressed", ErrMalformed, k, f.name)
			}
		}
		b = b[f.bytes():]
	}
	return nil
}

// update is the layout of a proof of an update.
func update(name string) []field { return []field{points1(name, 1), points2(name, 1)} }

// challenge is the layout of a challenge of n bytes.
func challenge(n int) []field {
	return []field{constant("length of the challenge", []byte{byte(n)}), {name: "challenge", size: 1, count: n}}
}

// powers is the layout of mpcsetup.SrsCommons.
func (s *Shape) powers() layout {
	n := s.domain()
	return layout{
		constant("size of the domain", binary.BigEndian.AppendUint64(nil, uint64(n))),
		points2("β", 1), points1("powers of τ", 2*n-2), points2("powers of τ in G2", n-1),
		points1("β times powers of τ", n), points1("α times powers of τ", n),
	}
}

// phase1 is the layout of mpcsetup.Phase1.
func (s *Shape) phase1() layout {
	var l layout
	for _, name := range []string{"update of τ", "update of α", "update of β"} {
		l = append(l, update(name)...)
	}
	return append(append(l, s.powers()...), challenge(challengeSize)...)
}

// phase2 is the layout of mpcsetup.Phase2; the first, which nobody contributed to, has no challenge.
func (s *Shape) phase2(challengeBytes int) layout {
	z := s.domain() - 1
	l := layout{
		constant("number of commitments", binary.BigEndian.AppendUint16(nil, uint16(len(s.Committed)))),
		points1("δ", 1), length(s.Private), points1("private wires", s.Private), length(z), points1("quotient", z), points2("δ in G2", 1),
	}
	for _, n := range s.Committed {
		l = append(l, length(n), points1("committed wires", n))
	}
	l = append(l, points2("σ", len(s.Committed)))
	for range len(s.Committed) + 1 {
		l = append(l, update("update of δ or σ")...)
	}
	return append(l, challenge(challengeBytes)...)
}

// length is how gnark begins a list of n points.
func length(n int) field { return constant("length", binary.BigEndian.AppendUint32(nil, uint32(n))) }

// evaluations is the layout of evaluations.
func (s *Shape) evaluations() layout {
	n := s.wires()
	return layout{length(n), points1("A", n), length(n), points1("B", n), length(n), points2("B in G2", n), length(s.Public), points1("public wires", s.Public)}
}

// circuit is the layout of what phase 2 begins with.
func (s *Shape) circuit() layout { return append(s.phase2(0), s.evaluations()...) }

// updates1 are the commitments to the factors of a contribution to phase 1.
func (s *Shape) updates1(body []byte) [][]byte { return commitments(body, 3) }

// updates2 are those of a contribution to phase 2, which stand before the challenge.
func (s *Shape) updates2(body []byte) [][]byte {
	n := len(s.Committed) + 1
	return commitments(body[len(body)-1-challengeSize-n*updateSize:], n)
}

func commitments(b []byte, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = b[i*updateSize:][:g1Size]
	}
	return out
}

// gnarkValue is what gnark reads and writes.
type gnarkValue interface {
	io.ReaderFrom
	io.WriterTo
}

// decode reads a body of a known layout into v: every point on its curve and in its subgroup, and in
// the one encoding that it has.
func decode(v gnarkValue, l layout, body []byte) (err error) {
	if err := l.check(body); err != nil {
		return err
	}
	defer func() { // gnark's decoders are not written for bytes from anybody
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: cannot be decoded: %v", ErrMalformed, r)
		}
	}()
	if _, err := v.ReadFrom(bytes.NewReader(body)); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	again, err := encode(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, body) {
		return fmt.Errorf("%w: points are not in canonical encoding", ErrMalformed)
	}
	return nil
}

func encode(v io.WriterTo) ([]byte, error) {
	var b bytes.Buffer
	_, err := v.WriteTo(&b)
	return b.Bytes(), err
}

func (s *Shape) decodePhase1(body []byte) (*mpcsetup.Phase1, error) {
	p := new(mpcsetup.Phase1)
	return p, decode(p, s.phase1(), body)
}

func (s *Shape) decodePhase2(body []byte, challengeBytes int) (*mpcsetup.Phase2, error) {
	p := new(mpcsetup.Phase2)
	return p, decode(p, s.phase2(challengeBytes), body)
}

func (s *Shape) decodePowers(body []byte) (*mpcsetup.SrsCommons, error) {
	p := new(mpcsetup.SrsCommons)
	return p, decode(p, s.powers(), body)
}
