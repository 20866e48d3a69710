package ceremony

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math/bits"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

const (
	// minPower is the least domain that gnark's batched check of powers is right for, with room.
	minPower = 3
	// maxPower bounds what a transcript can make its reader allocate: about 3 GB for 2^22.
	maxPower = 22
	// maxCommitments is one less than what a byte tells apart in gnark's domain separation: a proof of
	// knowledge for σ of commitment 255 would pass as one for δ.
	maxCommitments = 254
	maxWires       = 1 << 26
)

// Shape are the numbers that fix the layout of every file of a ceremony.
type Shape struct {
	Power     int   `cbor:"power"`     // the domain has 2^Power points
	Public    int   `cbor:"public"`    // public wires and challenges, with the constant 1
	Private   int   `cbor:"private"`   // wires that are neither public nor committed
	Committed []int `cbor:"committed"` // wires of each commitment, with its mask
}

// domain is the number of points of the evaluation domain.
func (s *Shape) domain() int { return 1 << s.Power }

// ShapeOf is the shape of a ceremony for a constraint system.
func ShapeOf(system *cs.R1CS) (Shape, error) {
	internal, secret, public := system.GetNbVariables()
	s := Shape{
		Power:   bits.Len(uint(max(system.GetNbConstraints(), 1) - 1)),
		Public:  public,
		Private: internal + secret,
	}
	for _, c := range system.CommitmentInfo.(constraint.Groth16Commitments) {
		s.Committed = append(s.Committed, len(c.PrivateCommitted))
		s.Private -= len(c.PrivateCommitted) + 1
		s.Public++ // the challenge is as a public wire
	}
	if err := s.check(); err != nil {
		return s, err
	}
	if len(s.Committed) > 0 && !bearsNoOffset(system, s.domain()) {
		return s, fmt.Errorf("%w: a constant could be added to each of its %d constraints, which fill the domain; add one more constraint", ErrLimit, system.GetNbConstraints())
	}
	return s, nil
}

// bearsNoOffset reports whether some row of the domain cannot hold with a constant added to it, whatever the wires
// are: a row without a constraint, or v·1 = v, which gnark adds to each commitment.
//
// The proof that a contributor knew its factor of σ shows the factor times [1]₁, so that all the others together know
// σ·[1]₁ and can commit to a multiple of [1]₁ beside the wires. As γ is 1, that adds a constant to every row.
func bearsNoOffset(system *cs.R1CS, domain int) bool {
	if system.GetNbConstraints() < domain {
		return true
	}
	it := system.GetR1CIterator()
	for c := it.Next(); c != nil; c = it.Next() {
		if len(c.R) == 1 && c.R[0].WireID() == 0 && c.R[0].CoeffID() == constraint.CoeffIdOne && slices.Equal(c.L, c.O) {
			return true
		}
	}
	return false
}

// check bounds a shape that was read.
func (s *Shape) check() error {
	if s.Power < minPower || s.Power > maxPower {
		return fmt.Errorf("%w: 2^%d constraints, expected 2^%d to 2^%d", ErrLimit, s.Power, minPower, maxPower)
	}
	if len(s.Committed) > maxCommitments {
		return fmt.Errorf("%w: %d commitments, at most %d", ErrLimit, len(s.Committed), maxCommitments)
	}
	if s.Private < 0 || s.Private > maxWires || s.Public < 1 || s.Public > maxWires {
		return fmt.Errorf("%w: a ceremony for %d private and %d public wires", ErrMalformed, s.Private, s.Public)
	}
	total := s.Private + s.Public
	for _, n := range s.Committed {
		if total += n; n < 1 || n > maxWires || total > maxWires {
			return fmt.Errorf("%w: a ceremony with a commitment to %d wires", ErrMalformed, n)
		}
	}
	return nil
}

// wires is the number of all wires.
func (s *Shape) wires() int {
	n := s.Public + s.Private
	for _, c := range s.Committed {
		n += c
	}
	return n
}

func (s *Shape) equal(t *Shape) bool {
	if s.Power != t.Power || s.Public != t.Public || s.Private != t.Private || len(s.Committed) != len(t.Committed) {
		return false
	}
	for i := range s.Committed {
		if s.Committed[i] != t.Committed[i] {
			return false
		}
	}
	return true
}

// CircuitDigest is the SHA-256 of what a setup depends on: numbers of wires, constraints, commitments.
// It is computed from the constraints and not from gnark's file of them, which holds more.
func CircuitDigest(system *cs.R1CS) [32]byte {
	d := digester{sha256.New()}
	internal, secret, public := system.GetNbVariables()
	d.ints(internal, secret, public, system.GetNbConstraints())
	it := system.GetR1CIterator()
	for c := it.Next(); c != nil; c = it.Next() {
		for _, side := range []constraint.LinearExpression{c.L, c.R, c.O} {
			d.ints(len(side))
			for _, t := range side {
				d.ints(t.WireID())
				d.element(&system.Coefficients[t.CoeffID()])
			}
		}
	}
	commitments := system.CommitmentInfo.(constraint.Groth16Commitments)
	d.ints(len(commitments))
	for _, c := range commitments {
		d.ints(c.CommitmentIndex, c.NbPublicCommitted, len(c.PublicAndCommitmentCommitted), len(c.PrivateCommitted))
		d.ints(c.PublicAndCommitmentCommitted...)
		d.ints(c.PrivateCommitted...)
	}
	return [32]byte(d.Sum(nil))
}

type digester struct{ hash.Hash }

func (d digester) ints(values ...int) {
	var b [8]byte
	for _, v := range values {
		binary.BigEndian.PutUint64(b[:], uint64(v))
		d.Write(b[:])
	}
}

func (d digester) element(e *fr.Element) {
	b := e.Bytes()
	d.Write(b[:])
}
