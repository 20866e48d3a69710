// Package wrapped verifies runs of package claims whose last step is a Groth16 proof of a size class' circuit.
//
// The verifier knows the class' key, the network (shapes, shifts, tables) and the rows of parameters, which are
// the model commitment. It runs the protocol on what the prover sent under pads, and asks of the Groth16 proof
// that the pads it committed to make the outcome right, for a row that is the combination of all rows of Z:
//
//	D_t = Σ_i eq(ρ_row, i)·C_i + δ·H.
//
// Imports: gnark-crypto and package claims.
package wrapped

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
	"golang.org/x/crypto/sha3"

	"github.com/zkinfer/zkinfer/claims"
)

// ErrInvalid is a proof that is wrong.
var ErrInvalid = errors.New("invalid proof")

// The commitments of a proof, in order.
const (
	CommitPads = iota
	CommitForm // U
	CommitRow
	commitments
)

// Key is what a verifier knows of a size class.
type Key struct {
	Class              claims.Class
	Alpha              bn254.G1Affine
	Beta, Gamma, Delta bn254.G2Affine
	K                  []bn254.G1Affine
	Knowledge          [commitments]pedersen.VerifyingKey
	H                  bn254.G1Affine // base of a row's mask
}

// Layout says which rows of Z are whose: parameters, then everything a proof commits to, in which the pads of
// linear messages are the last.
type Layout struct {
	AddressBits int
	Parameters  int // rows
	Trace       int // rows
	FirstPad    int // cell
}

// Rows is the number of rows in the address space.
func (l Layout) Rows(c claims.Class) int { return 1 << (l.AddressBits - c.RowBits) }

// Proof is what a prover sends.
type Proof struct {
	Rows        []bn254.G1Affine // of the trace
	Sent        []fr.Element
	Ar          bn254.G1Affine
	Bs          bn254.G2Affine
	Krs         bn254.G1Affine
	Commitments [commitments]bn254.G1Affine
	PoK         bn254.G1Affine
	Delta       fr.Element
}

// Seed begins the transcript: the statement, the pads and every row.
func Seed(s fr.Element, pads bn254.G1Affine, parameters, trace []bn254.G1Affine) (seed [32]byte) {
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte("zkinfer/sumcheck/1"))
	b := s.Bytes()
	h.Write(b[:])
	for _, rows := range [][]bn254.G1Affine{{pads}, parameters, trace} {
		var n fr.Element
		b = n.SetUint64(uint64(len(rows))).Bytes()
		h.Write(b[:])
		for i := range rows {
			p := rows[i].RawBytes()
			h.Write(p[:])
		}
	}
	h.Sum(seed[:0])
	return seed
}

// Digest is F: what a run ended with, as a field element.
func Digest(r *claims.Run) (f fr.Element) {
	state := r.State()
	return *f.SetBytes(state[:])
}

// Challenge is what gnark's circuit draws from a commitment and the public values that it covers.
func Challenge(commitment bn254.G1Affine, covered ...fr.Element) (c fr.Element) {
	h := sha3.NewLegacyKeccak256()
	p := commitment.RawBytes()
	h.Write(p[:])
	for i := range covered {
		b := covered[i].Bytes()
		h.Write(b[:])
	}
	return *c.SetBytes(h.Sum(nil))
}

// Run executes the protocol up to its opening.
func Run(r *claims.Run, n *claims.Network, l Layout, public [][]int64, network claims.NetworkProver, merge claims.MergeProver) (*claims.Opening, error) {
	if err := n.Prove(r, public, network); err != nil {
		return nil, err
	}
	return r.Merge(l.AddressBits, func(i int) int { return l.FirstPad + i }, merge)
}

// Verify checks a proof that the network, run on the parameters in rows, has these public values. s is the digest
// of the statement, of which the caller makes sure that it covers key, model, values and context.
func Verify(k *Key, n *claims.Network, l Layout, parameters []bn254.G1Affine, s fr.Element, public [][]int64, p *Proof) error {
	if len(parameters) != l.Parameters || len(p.Rows) != l.Trace {
		return fmt.Errorf("%w: %d and %d rows, expected %d of parameters and %d of the trace", ErrInvalid, len(parameters), len(p.Rows), l.Parameters, l.Trace)
	}
	r := claims.NewVerifier(Seed(s, p.Commitments[CommitPads], parameters, p.Rows), p.Sent)
	opening, err := Run(r, n, l, public, nil, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	u, err := k.Class.PublicForm(r, opening)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	f := Digest(r)
	first := Challenge(p.Commitments[CommitPads], s)
	z := Challenge(p.Commitments[CommitForm], f, first)
	last := Challenge(p.Commitments[CommitRow], z)
	inputs := []fr.Element{s, f, claims.Combine(u, z), first, z, last}
	if err := k.groth16(p, inputs); err != nil {
		return err
	}
	if err := k.knowledge(p, inputs[3:]); err != nil {
		return err
	}
	return k.link(p, l, parameters, opening.Point)
}

// groth16 checks e(A, B) = e(α, β)·e(Σ x·K + Σ D, γ)·e(C, δ).
func (k *Key) groth16(p *Proof, inputs []fr.Element) error {
	var sum bn254.G1Affine
	if _, err := sum.MultiExp(k.K[1:], inputs, ecc.MultiExpConfig{}); err != nil {
		return err
	}
	sum.Add(&sum, &k.K[0])
	for i := range p.Commitments {
		sum.Add(&sum, &p.Commitments[i])
	}
	var minus bn254.G1Affine
	minus.Neg(&p.Ar)
	ok, err := bn254.PairingCheck([]bn254.G1Affine{minus, k.Alpha, sum, p.Krs}, []bn254.G2Affine{p.Bs, k.Beta, k.Gamma, k.Delta})
	if err != nil || !ok {
		return fmt.Errorf("%w: the pairing equation does not hold", ErrInvalid)
	}
	return nil
}

// knowledge checks the folded proof of knowledge, each commitment with its own σ.
func (k *Key) knowledge(p *Proof, challenges []fr.Element) error {
	var hashed []byte
	for i := range challenges {
		b := challenges[i].Bytes()
		hashed = append(hashed, b[:]...)
	}
	fold, err := fr.Hash(hashed, []byte("G16-BSB22"), 1)
	if err != nil {
		return err
	}
	if err := pedersen.BatchVerifyMultiVk(k.Knowledge[:], p.Commitments[:], []bn254.G1Affine{p.PoK}, fold[0]); err != nil {
		return fmt.Errorf("%w: proof of knowledge: %w", ErrInvalid, err)
	}
	return nil
}

// link compares the row that the circuit folded with the combination of all rows.
func (k *Key) link(p *Proof, l Layout, parameters []bn254.G1Affine, point []fr.Element) error {
	eq := claims.EqTable(point[:len(point)-k.Class.RowBits])
	rows := append(append([]bn254.G1Affine(nil), parameters...), p.Rows...)
	var sum, mask bn254.G1Affine
	if _, err := sum.MultiExp(rows, eq[:len(rows)], ecc.MultiExpConfig{}); err != nil {
		return err
	}
	var b big.Int
	mask.ScalarMultiplication(&k.H, p.Delta.BigInt(&b))
	sum.Add(&sum, &mask)
	if !sum.Equal(&p.Commitments[CommitRow]) {
		return fmt.Errorf("%w: it was not made with these rows", ErrInvalid)
	}
	return nil
}
