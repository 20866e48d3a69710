package verifier

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/internal/wire"
)

// Role says what a commitment of the proof holds.
type Role uint8

// The roles, in the order in which commitments come: trace, parameters, then private tensors.
const (
	RoleTrace Role = iota + 1
	RoleParameters
	RoleInput
	RoleOutput
)

// CommitmentKey is what a verifier knows of one commitment.
type CommitmentKey struct {
	Role Role
	// Tensor is the input, or the output for IsOutput, that a commitment of role input or output belongs to.
	Tensor   int
	IsOutput bool
	// G and GSigmaNeg check the proof of knowledge.
	G, GSigmaNeg bn254.G2Affine
	// PublicCommitted are the public inputs (from 1) and earlier challenges that are hashed with the
	// commitment.
	PublicCommitted []int
	// H is the base of the mask; the zero point for the trace. Taken from a prover it would open
	// everything: it is part of the key and of its digest.
	H bn254.G1Affine
	// Base is that of the public tensors' fold, which is committed with the parameters; the zero point where no
	// tensor is folded.
	Base bn254.G1Affine
}

// VerifyingKey is everything a verifier knows of an architecture that Groth16 proves. It must not be changed once used.
type VerifyingKey struct {
	Alpha              bn254.G1Affine
	Beta, Gamma, Delta bn254.G2Affine
	K                  []bn254.G1Affine
	Commitments        []CommitmentKey
	FoldRows           int // points of a model commitment
	Inputs, Outputs    []TensorSpec
	Architecture       [32]byte // digest of the integer graph without parameters
	Description        Description
}

const keyTag = "zkinfer/vk/2"

// Digest is the keccak-256 of the key's encoding.
func (vk *VerifyingKey) Digest() [32]byte { return statement.Keccak(vk.encode()) }

// MarshalBinary encodes the key; points are uncompressed, so that it loads fast.
func (vk *VerifyingKey) MarshalBinary() ([]byte, error) {
	if err := vk.check(); err != nil {
		return nil, err
	}
	return vk.encode(), nil
}

func (vk *VerifyingKey) encode() []byte {
	b := wire.AppendString(nil, keyTag)
	b = wire.AppendG1Raw(b, &vk.Alpha)
	for _, p := range []*bn254.G2Affine{&vk.Beta, &vk.Gamma, &vk.Delta} {
		b = wire.AppendG2Raw(b, p)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(vk.K)))
	for i := range vk.K {
		b = wire.AppendG1Raw(b, &vk.K[i])
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(vk.Commitments)))
	for i := range vk.Commitments {
		b = vk.Commitments[i].append(b)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(vk.FoldRows))
	b = AppendSpecs(b, vk.Inputs)
	b = AppendSpecs(b, vk.Outputs)
	b = append(b, vk.Architecture[:]...)
	d := &vk.Description
	for _, s := range []string{d.Name, d.Rounding, d.TrustedSetup, d.LibraryVersion} {
		b = wire.AppendString(b, s)
	}
	return binary.BigEndian.AppendUint64(b, d.Constraints)
}

func (c *CommitmentKey) append(b []byte) []byte {
	output := byte(0)
	if c.IsOutput {
		output = 1
	}
	b = append(b, byte(c.Role), output)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Tensor))
	b = wire.AppendG2Raw(b, &c.G)
	b = wire.AppendG2Raw(b, &c.GSigmaNeg)
	b = binary.BigEndian.AppendUint32(b, uint32(len(c.PublicCommitted)))
	for _, i := range c.PublicCommitted {
		b = binary.BigEndian.AppendUint32(b, uint32(i))
	}
	b = wire.AppendG1Raw(b, &c.H)
	return wire.AppendG1Raw(b, &c.Base)
}

// UnmarshalVerifyingKey decodes a key strictly: every point on its curve and in its subgroup, nothing
// at infinity that must not be, no byte left over. Errors wrap ErrMalformed.
func UnmarshalVerifyingKey(b []byte) (*VerifyingKey, error) {
	r := wire.NewReader(b)
	if tag := r.Text(); tag != keyTag {
		r.Fail("no verifying key of this version")
	}
	vk := &VerifyingKey{Alpha: r.G1Raw(), Beta: r.G2Raw(), Gamma: r.G2Raw(), Delta: r.G2Raw()}
	vk.K = make([]bn254.G1Affine, r.Count(maxPublicInputs+maxCommitments, wire.G1RawSize))
	for i := range vk.K {
		vk.K[i] = r.G1Raw()
	}
	vk.Commitments = make([]CommitmentKey, r.Count(maxCommitments, 10+2*wire.G2RawSize+2*wire.G1RawSize))
	for i := range vk.Commitments {
		vk.Commitments[i].read(r)
	}
	vk.FoldRows = int(r.Uint32())
	vk.Inputs, vk.Outputs = ReadSpecs(r), ReadSpecs(r)
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

func (c *CommitmentKey) read(r *wire.Reader) {
	c.Role = Role(r.Byte())
	switch r.Byte() {
	case 0:
	case 1:
		c.IsOutput = true
	default:
		r.Fail("commitment belongs to neither input nor output")
	}
	c.Tensor = int(r.Uint32())
	c.G, c.GSigmaNeg = r.G2Raw(), r.G2Raw()
	c.PublicCommitted = make([]int, r.Count(maxPublicIndices, 4))
	for i := range c.PublicCommitted {
		c.PublicCommitted[i] = int(r.Uint32())
	}
	c.H, c.Base = r.G1Raw(), r.G1Raw()
}

// check makes sure that the parts of a key fit together.
func (vk *VerifyingKey) check() error {
	if vk.FoldRows < 1 || vk.FoldRows > maxFoldRows {
		return fmt.Errorf("%w: verifying key with fold height %d, expected 1 to %d", ErrMalformed, vk.FoldRows, maxFoldRows)
	}
	if vk.Alpha.IsInfinity() || vk.Beta.IsInfinity() || vk.Gamma.IsInfinity() || vk.Delta.IsInfinity() {
		return fmt.Errorf("%w: verifying key with a point at infinity", ErrMalformed)
	}
	d := &vk.Description
	for _, text := range []string{d.Name, d.Rounding, d.TrustedSetup, d.LibraryVersion} {
		if len(text) > maxStringBytes {
			return fmt.Errorf("%w: verifying key with a description of %d bytes, at most %d", ErrMalformed, len(text), maxStringBytes)
		}
	}
	for _, specs := range [][]TensorSpec{vk.Inputs, vk.Outputs} {
		for i := range specs {
			if n := specs[i].CommitmentPoints(); n != 1 {
				return fmt.Errorf("%w: tensor %q with commitments of %d points, expected 1", ErrMalformed, specs[i].Name, n)
			}
		}
	}
	public, err := CountPublicInputs(vk.Inputs, vk.Outputs)
	if err != nil {
		return err
	}
	if want := 1 + public + len(vk.Commitments); len(vk.K) != want {
		return fmt.Errorf("%w: verifying key with %d public points, expected %d", ErrMalformed, len(vk.K), want)
	}
	return vk.checkCommitments(public)
}

// checkCommitments demands trace, parameters, and then exactly one commitment for each private tensor,
// inputs before outputs. The trace's challenge must cover S, each later one its
// predecessor's: otherwise a challenge would be known too early.
func (vk *VerifyingKey) checkCommitments(public int) error {
	want := []CommitmentKey{{Role: RoleTrace}, {Role: RoleParameters}}
	for side, specs := range [][]TensorSpec{vk.Inputs, vk.Outputs} {
		for i, t := range specs {
			if t.Binding != BindingCommitted {
				continue
			}
			role := RoleInput
			if side == 1 {
				role = RoleOutput
			}
			want = append(want, CommitmentKey{Role: role, Tensor: i, IsOutput: side == 1})
		}
	}
	if len(vk.Commitments) != len(want) {
		return fmt.Errorf("%w: verifying key with %d commitments, expected %d", ErrMalformed, len(vk.Commitments), len(want))
	}
	for k := range want {
		c := &vk.Commitments[k]
		if c.Role != want[k].Role || c.Tensor != want[k].Tensor || c.IsOutput != want[k].IsOutput {
			return fmt.Errorf("%w: commitment %d of the verifying key has an unexpected role", ErrMalformed, k)
		}
		covers := 1 // S
		if k > 0 {
			covers = public + k // the challenge before
		}
		if len(c.PublicCommitted) != 1 || c.PublicCommitted[0] != covers {
			return fmt.Errorf("%w: challenge %d of the verifying key covers %v, expected [%d]", ErrMalformed, k, c.PublicCommitted, covers)
		}
		if err := c.checkPoints(k, &vk.Commitments[0].G, vk.folds()); err != nil {
			return err
		}
	}
	return nil
}

// folds reports whether some tensor is bound by its fold.
func (vk *VerifyingKey) folds() bool {
	folded := func(t TensorSpec) bool { return t.Binding == BindingFolded }
	return slices.ContainsFunc(vk.Inputs, folded) || slices.ContainsFunc(vk.Outputs, folded)
}

// checkPoints demands the points that the role uses, and the point at infinity for the others, so that
// a key has one encoding. All commitments share G: the batched proof of knowledge needs it.
func (c *CommitmentKey) checkPoints(k int, g *bn254.G2Affine, folds bool) error {
	if c.G.IsInfinity() || c.GSigmaNeg.IsInfinity() {
		return fmt.Errorf("%w: commitment %d of the verifying key has a point at infinity", ErrMalformed, k)
	}
	if !c.G.Equal(g) {
		return fmt.Errorf("%w: commitment %d of the verifying key has another G than commitment 0", ErrMalformed, k)
	}
	if c.H.IsInfinity() != (c.Role == RoleTrace) {
		return fmt.Errorf("%w: commitment %d of the verifying key: H at infinity is %t, expected it for the trace only", ErrMalformed, k, c.H.IsInfinity())
	}
	if c.Base.IsInfinity() == (c.Role == RoleParameters && folds) {
		return fmt.Errorf("%w: commitment %d of the verifying key: fold base at infinity is %t, expected a base beside the parameters where tensors are folded", ErrMalformed, k, c.Base.IsInfinity())
	}
	return nil
}
