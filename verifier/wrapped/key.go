package wrapped

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/internal/wire"
	"github.com/zkinfer/zkinfer/verifier"
)

// Backend names the proof system.
const Backend = "sumcheck"

const keyTag = "zkinfer/class/1"

// System is its entry in the list of proof systems.
func System() verifier.Backend {
	return verifier.Backend{
		Name: Backend, KeyTag: keyTag,
		DecodeKey: func(b []byte) (verifier.Key, error) {
			k, err := UnmarshalKey(b)
			if err != nil {
				return nil, err // and no interface that holds a nil pointer
			}
			return k, nil
		},
		DecodeCommitment: func(b []byte) (verifier.Commitment, error) {
			m, err := UnmarshalCommitment(b)
			if err != nil {
				return nil, err
			}
			return m, nil
		},
	}
}

// The commitments of a proof, in order.
const (
	CommitPads = iota
	CommitForm // U
	CommitRow
	commitments
)

// publicInputs are S, F, P and the challenges of the commitments.
const publicInputs = 6

// Key is what a verifier knows of a size class. It must not be changed once used.
type Key struct {
	Class              claims.Class
	Alpha              bn254.G1Affine
	Beta, Gamma, Delta bn254.G2Affine
	K                  [1 + publicInputs]bn254.G1Affine
	Knowledge          [commitments]pedersen.VerifyingKey
	H                  bn254.G1Affine // base of a row's mask
	Description        verifier.Description
}

// Backend implements verifier.Key.
func (k *Key) Backend() string { return Backend }

// Describe implements verifier.Key.
func (k *Key) Describe() verifier.Description { return k.Description }

// Digest implements verifier.Key. H is covered: taken from a prover it would open everything.
func (k *Key) Digest() [32]byte { return statement.Keccak(k.encode()) }

// MarshalBinary implements verifier.Key; points are uncompressed, so that it loads fast.
func (k *Key) MarshalBinary() ([]byte, error) { return k.encode(), nil }

func (k *Key) encode() []byte {
	b := wire.AppendString(nil, keyTag)
	for _, n := range []int{k.Class.RowBits, k.Class.Singles, k.Class.Groups} {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	b = wire.AppendG1Raw(b, &k.Alpha)
	for _, p := range []*bn254.G2Affine{&k.Beta, &k.Gamma, &k.Delta} {
		b = wire.AppendG2Raw(b, p)
	}
	for i := range k.K {
		b = wire.AppendG1Raw(b, &k.K[i])
	}
	for i := range k.Knowledge {
		b = wire.AppendG2Raw(b, &k.Knowledge[i].G)
		b = wire.AppendG2Raw(b, &k.Knowledge[i].GSigmaNeg)
	}
	b = wire.AppendG1Raw(b, &k.H)
	d := &k.Description
	for _, s := range []string{d.Name, d.Rounding, d.TrustedSetup, d.LibraryVersion} {
		b = wire.AppendString(b, s)
	}
	return binary.BigEndian.AppendUint64(b, d.Constraints)
}

// UnmarshalKey decodes a key strictly. Errors wrap verifier.ErrMalformed.
func UnmarshalKey(b []byte) (*Key, error) {
	r := wire.NewReader(b)
	if tag := r.Text(); tag != keyTag {
		r.Fail("no key of a size class")
	}
	k := &Key{Class: claims.Class{RowBits: int(r.Uint32()), Singles: int(r.Uint32()), Groups: int(r.Uint32())}}
	k.Alpha = r.G1Raw()
	k.Beta, k.Gamma, k.Delta = r.G2Raw(), r.G2Raw(), r.G2Raw()
	for i := range k.K {
		k.K[i] = r.G1Raw()
	}
	for i := range k.Knowledge {
		k.Knowledge[i] = pedersen.VerifyingKey{G: r.G2Raw(), GSigmaNeg: r.G2Raw()}
	}
	k.H = r.G1Raw()
	k.Description = verifier.Description{Name: r.Text(), Rounding: r.Text(), TrustedSetup: r.Text(), LibraryVersion: r.Text(), Constraints: r.Uint64()}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("verifying key: %w", err)
	}
	if err := k.Class.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", verifier.ErrMalformed, err)
	}
	if k.H.IsInfinity() {
		return nil, fmt.Errorf("%w: the base of the rows' masks is the point at infinity", verifier.ErrMalformed)
	}
	return k, nil
}

// Fixed implements verifier.Key: a size class says nothing of models.
func (k *Key) Fixed() *verifier.Subject { return nil }

// Subject implements verifier.Key.
func (k *Key) Subject(m verifier.Commitment) (*verifier.Subject, error) {
	c, err := k.model(m)
	if err != nil {
		return nil, err
	}
	return c.Subject(), nil
}

// model is m as a commitment for this class.
func (k *Key) model(m verifier.Commitment) (*Commitment, error) {
	c, ok := m.(*Commitment)
	if !ok {
		return nil, fmt.Errorf("%w: model commitment of backend %q, the key is for %q", verifier.ErrKeyMismatch, m.Backend(), Backend)
	}
	if err := c.Architecture.Fits(k.Class); err != nil {
		return nil, fmt.Errorf("%w: %w", verifier.ErrKeyMismatch, err)
	}
	return c, nil
}
