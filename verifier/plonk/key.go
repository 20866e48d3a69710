package plonk

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/internal/wire"
	"github.com/zkinfer/zkinfer/verifier"
)

// BackendName names the proof system.
const BackendName = "plonk"

// keyTag begins the encoding of a key.
const keyTag = "zkinfer/vk/plonk/1"

// Commitments is how many parts of the witness are committed before a challenge is drawn: the trace, and
// the first challenge.
const Commitments = 2

// MaxLogSize bounds the gates: BN254 has roots of unity of order 2^28.
const MaxLogSize = 28

// CosetShift is the generator of the cosets on which the permutation argument numbers the wires.
const CosetShift = 5

// VerifyingKey is everything a verifier knows of a model that PLONK proves: commitments to the
// polynomials of its gates. It must not be changed once used.
type VerifyingKey struct {
	LogSize            int // of the domain: 2^LogSize gates, public inputs among them
	S                  [3]bn254.G1Affine
	Ql, Qr, Qm, Qo, Qk bn254.G1Affine
	Qcp                [Commitments]bn254.G1Affine // where the values of each commitment are
	Challenges         [Commitments]int            // the gates that receive the challenges, public inputs not counted
	TauG2              bn254.G2Affine              // [τ] of the SRS
	Inputs, Outputs    []verifier.TensorSpec
	Architecture       [32]byte // digest of the integer graph without parameters
	Description        verifier.Description
}

// Entry is PLONK's entry in the list of proof systems.
func Entry() verifier.Backend {
	return verifier.Backend{
		Name: BackendName, KeyTag: keyTag,
		DecodeKey: func(b []byte) (verifier.Key, error) {
			vk, err := UnmarshalVerifyingKey(b)
			if err != nil {
				return nil, err // and no interface that holds a nil pointer
			}
			return vk, nil
		},
		DecodeCommitment: func(b []byte) (verifier.Commitment, error) {
			m, err := UnmarshalModelCommitment(b)
			if err != nil {
				return nil, err
			}
			return m, nil
		},
	}
}

// Backend implements verifier.Key.
func (vk *VerifyingKey) Backend() string { return BackendName }

// Describe implements verifier.Key.
func (vk *VerifyingKey) Describe() verifier.Description { return vk.Description }

// Fixed implements verifier.Key.
func (vk *VerifyingKey) Fixed() *verifier.Subject {
	return &verifier.Subject{Name: vk.Description.Name, Rounding: vk.Description.Rounding, Architecture: vk.Architecture,
		Inputs: vk.Inputs, Outputs: vk.Outputs, ProofSize: ProofSize}
}

// Subject implements verifier.Key: there is one model commitment for a key.
func (vk *VerifyingKey) Subject(m verifier.Commitment) (*verifier.Subject, error) {
	c, ok := m.(*ModelCommitment)
	if !ok {
		return nil, fmt.Errorf("%w: model commitment of backend %q, the key is for %q", verifier.ErrKeyMismatch, m.Backend(), BackendName)
	}
	if c.Key != vk.Digest() {
		return nil, fmt.Errorf("%w: the model commitment is that of another key; a PLONK key holds the weights, and has one commitment", verifier.ErrKeyMismatch)
	}
	return vk.Fixed(), nil
}

// Digest is the keccak-256 of the key's encoding.
func (vk *VerifyingKey) Digest() [32]byte { return statement.Keccak(vk.encode()) }

// MarshalBinary encodes the key; points are uncompressed, so that it loads fast.
func (vk *VerifyingKey) MarshalBinary() ([]byte, error) {
	if err := vk.check(); err != nil {
		return nil, err
	}
	return vk.encode(), nil
}

// points are those of the key in G1, in the order in which they are encoded and hashed.
func (vk *VerifyingKey) points() []*bn254.G1Affine {
	out := []*bn254.G1Affine{&vk.S[0], &vk.S[1], &vk.S[2], &vk.Ql, &vk.Qr, &vk.Qm, &vk.Qo, &vk.Qk}
	for i := range vk.Qcp {
		out = append(out, &vk.Qcp[i])
	}
	return out
}

func (vk *VerifyingKey) encode() []byte {
	b := append(wire.AppendString(nil, keyTag), byte(vk.LogSize))
	for _, p := range vk.points() {
		b = wire.AppendG1Raw(b, p)
	}
	for _, c := range vk.Challenges {
		b = binary.BigEndian.AppendUint32(b, uint32(c))
	}
	b = wire.AppendG2Raw(b, &vk.TauG2)
	b = verifier.AppendSpecs(b, vk.Inputs)
	b = verifier.AppendSpecs(b, vk.Outputs)
	b = append(b, vk.Architecture[:]...)
	d := &vk.Description
	for _, s := range []string{d.Name, d.Rounding, d.TrustedSetup, d.LibraryVersion} {
		b = wire.AppendString(b, s)
	}
	return binary.BigEndian.AppendUint64(b, d.Constraints)
}

// UnmarshalVerifyingKey decodes a key strictly. Errors wrap verifier.ErrMalformed.
func UnmarshalVerifyingKey(b []byte) (*VerifyingKey, error) {
	r := wire.NewReader(b)
	if tag := r.Text(); tag != keyTag {
		r.Fail("no verifying key of this version")
	}
	vk := &VerifyingKey{LogSize: int(r.Byte())}
	for _, p := range vk.points() {
		*p = r.G1Raw()
	}
	for i := range vk.Challenges {
		vk.Challenges[i] = int(r.Uint32())
	}
	vk.TauG2 = r.G2Raw()
	vk.Inputs, vk.Outputs = verifier.ReadSpecs(r), verifier.ReadSpecs(r)
	vk.Architecture = r.Digest()
	d := &vk.Description
	for _, s := range []*string{&d.Name, &d.Rounding, &d.TrustedSetup, &d.LibraryVersion} {
		*s = r.Text()
	}
	d.Constraints = r.Uint64()
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("verifying key: %w", err)
	}
	if err := vk.check(); err != nil {
		return nil, err
	}
	return vk, nil
}

// check makes sure that the parts of a key fit together. Polynomials of the gates may be 0, those of the
// permutation and of the commitments' places are not.
func (vk *VerifyingKey) check() error {
	if vk.LogSize < 1 || vk.LogSize > MaxLogSize {
		return fmt.Errorf("%w: verifying key for 2^%d gates, expected 2^1 to 2^%d", verifier.ErrMalformed, vk.LogSize, MaxLogSize)
	}
	for _, p := range append(vk.S[:], vk.Qcp[:]...) {
		if p.IsInfinity() {
			return fmt.Errorf("%w: verifying key with a point at infinity", verifier.ErrMalformed)
		}
	}
	_, _, _, g2 := bn254.Generators()
	if vk.TauG2.IsInfinity() || vk.TauG2.Equal(&g2) {
		return fmt.Errorf("%w: verifying key of an SRS whose secret is 0 or 1", verifier.ErrMalformed)
	}
	d := &vk.Description
	for _, text := range []string{d.Name, d.Rounding, d.TrustedSetup, d.LibraryVersion} {
		if len(text) > wire.MaxString {
			return fmt.Errorf("%w: verifying key with a description of %d bytes, at most %d", verifier.ErrMalformed, len(text), wire.MaxString)
		}
	}
	public, err := verifier.CountPublicInputs(vk.Inputs, vk.Outputs)
	if err != nil {
		return err
	}
	for _, specs := range [][]verifier.TensorSpec{vk.Inputs, vk.Outputs} {
		for i := range specs {
			if specs[i].Binding != verifier.BindingPacked || specs[i].Points != 0 {
				return fmt.Errorf("%w: tensor %q is not packed into public inputs, which is how PLONK binds tensors", verifier.ErrMalformed, specs[i].Name)
			}
		}
	}
	for i, c := range vk.Challenges {
		if c < 0 || int64(public)+int64(c) >= int64(1)<<vk.LogSize || i > 0 && c <= vk.Challenges[i-1] {
			return fmt.Errorf("%w: verifying key whose challenges are in the gates %v", verifier.ErrMalformed, vk.Challenges)
		}
	}
	return nil
}

// Generator is the root of unity of order 2^LogSize that gnark takes.
func (vk *VerifyingKey) Generator() fr.Element {
	var g fr.Element
	g.SetBigInt(rootOfUnity)
	for range MaxLogSize - vk.LogSize {
		g.Square(&g)
	}
	return g
}

// rootOfUnity is 5^((r−1)/2^28), of order 2^28.
var rootOfUnity = func() *big.Int {
	order := new(big.Int).Sub(fr.Modulus(), big.NewInt(1))
	return new(big.Int).Exp(big.NewInt(CosetShift), order.Rsh(order, MaxLogSize), fr.Modulus())
}()
