package verifier

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/internal/statement"
)

// Binding says how a tensor of the statement is bound.
type Binding uint8

const (
	// BindingPacked is a public tensor, packed into public inputs.
	BindingPacked Binding = iota + 1
	// BindingFolded is a public tensor, bound by the value of its polynomial at α.
	BindingFolded
	// BindingCommitted is a private tensor with a commitment of its own.
	BindingCommitted
)

// TensorSpec describes an input or output of the model: elements are integers in [Min, Max],
// row-major. Type is the machine type they have at the model's border, "int8" and so on.
type TensorSpec struct {
	Name     string
	Shape    []int
	Type     string
	Min, Max int64
	Binding  Binding
	// Points is the number of points of the commitment to a private tensor where there are several; Groth16
	// has one. See CommitmentPoints.
	Points int
}

// Len is the number of elements.
func (t *TensorSpec) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Width is the number of bytes of an element, v − Min, in the statement.
func (t *TensorSpec) Width() int {
	w := 1
	for (t.Max-t.Min)>>(8*w) > 0 {
		w++
	}
	return w
}

// CommitmentPoints is the number of points of a commitment to the tensor.
func (t *TensorSpec) CommitmentPoints() int { return max(t.Points, 1) }

// packed is the number of public inputs that the tensor takes: as many elements in each as fit into
// 31 bytes.
func (t *TensorSpec) packed() int {
	if t.Binding != BindingPacked {
		return 0
	}
	per := 31 / t.Width()
	return (t.Len() + per - 1) / per
}

// Role says what a commitment of the proof holds.
type Role uint8

// The roles, in the order in which commitments come: trace, parameters, then any of the others.
const (
	RoleTrace Role = iota + 1
	RoleParameters
	RoleInput
	RoleOutput
	RoleFold
)

// CommitmentKey is what a verifier knows of one commitment.
type CommitmentKey struct {
	Role Role
	// Tensor is the input, or the output for IsOutput, that a commitment of role input, output or fold
	// belongs to.
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
	// Base is the base of the fold, for RoleFold.
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

const keyTag = "zkinfer/vk/1"

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
	b := appendString(nil, keyTag)
	b = appendG1Raw(b, &vk.Alpha)
	for _, p := range []*bn254.G2Affine{&vk.Beta, &vk.Gamma, &vk.Delta} {
		b = appendG2Raw(b, p)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(vk.K)))
	for i := range vk.K {
		b = appendG1Raw(b, &vk.K[i])
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(vk.Commitments)))
	for i := range vk.Commitments {
		b = vk.Commitments[i].append(b)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(vk.FoldRows))
	b = appendSpecs(b, vk.Inputs)
	b = appendSpecs(b, vk.Outputs)
	b = append(b, vk.Architecture[:]...)
	d := &vk.Description
	for _, s := range []string{d.Name, d.Rounding, d.TrustedSetup, d.LibraryVersion} {
		b = appendString(b, s)
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
	b = appendG2Raw(b, &c.G)
	b = appendG2Raw(b, &c.GSigmaNeg)
	b = binary.BigEndian.AppendUint32(b, uint32(len(c.PublicCommitted)))
	for _, i := range c.PublicCommitted {
		b = binary.BigEndian.AppendUint32(b, uint32(i))
	}
	b = appendG1Raw(b, &c.H)
	return appendG1Raw(b, &c.Base)
}

func appendSpecs(b []byte, specs []TensorSpec) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(specs)))
	for i := range specs {
		t := &specs[i]
		b = appendString(b, t.Name)
		b = binary.BigEndian.AppendUint32(b, uint32(len(t.Shape)))
		for _, d := range t.Shape {
			b = binary.BigEndian.AppendUint32(b, uint32(d))
		}
		b = appendString(b, t.Type)
		b = binary.BigEndian.AppendUint64(b, uint64(t.Min))
		b = binary.BigEndian.AppendUint64(b, uint64(t.Max))
		b = append(b, byte(t.Binding))
	}
	return b
}

// UnmarshalVerifyingKey decodes a key strictly: every point on its curve and in its subgroup, nothing
// at infinity that must not be, no byte left over. Errors wrap ErrMalformed.
func UnmarshalVerifyingKey(b []byte) (*VerifyingKey, error) {
	r := &reader{b: b}
	if tag := r.string(); r.err == nil && tag != keyTag {
		r.fail("no verifying key of this version")
	}
	vk := &VerifyingKey{Alpha: r.g1Raw(), Beta: r.g2Raw(), Gamma: r.g2Raw(), Delta: r.g2Raw()}
	vk.K = make([]bn254.G1Affine, r.count(maxPublicInputs+maxCommitments, g1Uncompressed))
	for i := range vk.K {
		vk.K[i] = r.g1Raw()
	}
	vk.Commitments = make([]CommitmentKey, r.count(maxCommitments, 10+2*g2Uncompressed+2*g1Uncompressed))
	for i := range vk.Commitments {
		vk.Commitments[i].read(r)
	}
	vk.FoldRows = int(r.uint32())
	vk.Inputs, vk.Outputs = readSpecs(r), readSpecs(r)
	vk.Architecture = r.digest()
	d := &vk.Description
	for _, s := range []*string{&d.Name, &d.Rounding, &d.TrustedSetup, &d.LibraryVersion} {
		*s = r.string()
	}
	d.Constraints = r.uint64()
	if err := r.done(); err != nil {
		return nil, fmt.Errorf("verifying key: %w", err)
	}
	if err := vk.check(); err != nil {
		return nil, err
	}
	return vk, nil
}

func (c *CommitmentKey) read(r *reader) {
	c.Role = Role(r.byte())
	switch r.byte() {
	case 0:
	case 1:
		c.IsOutput = true
	default:
		r.fail("commitment belongs to neither input nor output")
	}
	c.Tensor = int(r.uint32())
	c.G, c.GSigmaNeg = r.g2Raw(), r.g2Raw()
	c.PublicCommitted = make([]int, r.count(maxPublicIndices, 4))
	for i := range c.PublicCommitted {
		c.PublicCommitted[i] = int(r.uint32())
	}
	c.H, c.Base = r.g1Raw(), r.g1Raw()
}

func readSpecs(r *reader) []TensorSpec {
	specs := make([]TensorSpec, r.count(maxTensors, 29))
	for i := range specs {
		t := &specs[i]
		t.Name = r.string()
		t.Shape = make([]int, r.count(maxRank, 4))
		for a := range t.Shape {
			t.Shape[a] = int(r.uint32())
		}
		t.Type = r.string()
		t.Min, t.Max = int64(r.uint64()), int64(r.uint64())
		t.Binding = Binding(r.byte())
	}
	return specs
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
	public := 1
	for _, specs := range [][]TensorSpec{vk.Inputs, vk.Outputs} {
		if len(specs) == 0 || len(specs) > maxTensors {
			return fmt.Errorf("%w: verifying key for %d tensors", ErrMalformed, len(specs))
		}
		for i := range specs {
			if err := specs[i].check(); err != nil {
				return err
			}
			// Bounded inside the loop: a sum over all tensors could overflow a 32-bit int.
			if public += specs[i].packed(); public > maxPublicInputs {
				return fmt.Errorf("%w: verifying key with more than %d public inputs", ErrMalformed, maxPublicInputs)
			}
		}
	}
	if want := 1 + public + len(vk.Commitments); len(vk.K) != want {
		return fmt.Errorf("%w: verifying key with %d public points, expected %d", ErrMalformed, len(vk.K), want)
	}
	return vk.checkCommitments(public)
}

func (t *TensorSpec) check() error {
	n := 1
	for _, d := range t.Shape {
		if d < 1 || d > maxElements || n > maxElements/d {
			return fmt.Errorf("%w: tensor %q of shape %v", ErrMalformed, t.Name, t.Shape)
		}
		n *= d
	}
	if t.Min > t.Max || t.Min < math.MinInt32 || t.Max > math.MaxInt32 {
		return fmt.Errorf("%w: tensor %q with range [%d, %d]", ErrMalformed, t.Name, t.Min, t.Max)
	}
	if lo, hi, known := typeRange(t.Type); !known || t.Min < lo || t.Max > hi {
		return fmt.Errorf("%w: tensor %q of type %q with range [%d, %d]", ErrMalformed, t.Name, t.Type, t.Min, t.Max)
	}
	if len(t.Shape) > maxRank || len(t.Name) > maxStringBytes || t.Binding < BindingPacked || t.Binding > BindingCommitted {
		return fmt.Errorf("%w: tensor %q", ErrMalformed, t.Name)
	}
	return nil
}

// typeRange is what an element type holds.
func typeRange(name string) (lo, hi int64, known bool) {
	switch name {
	case "int8":
		return math.MinInt8, math.MaxInt8, true
	case "uint8":
		return 0, math.MaxUint8, true
	case "int16":
		return math.MinInt16, math.MaxInt16, true
	case "uint16":
		return 0, math.MaxUint16, true
	case "int32":
		return math.MinInt32, math.MaxInt32, true
	}
	return 0, 0, false
}

// checkCommitments demands trace, parameters, and then exactly one commitment for each tensor that is
// not packed, inputs before outputs. The trace's challenge must cover S, each later one its
// predecessor's: otherwise a challenge would be known too early.
func (vk *VerifyingKey) checkCommitments(public int) error {
	want := []CommitmentKey{{Role: RoleTrace}, {Role: RoleParameters}}
	for side, specs := range [][]TensorSpec{vk.Inputs, vk.Outputs} {
		for i, t := range specs {
			role := RoleInput
			switch {
			case t.Binding == BindingPacked:
				continue
			case t.Binding == BindingFolded:
				role = RoleFold
			case side == 1:
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
		if err := c.checkPoints(k, &vk.Commitments[0].G); err != nil {
			return err
		}
	}
	return nil
}

// checkPoints demands the points that the role uses, and the point at infinity for the others, so that
// a key has one encoding. All commitments share G: the batched proof of knowledge needs it.
func (c *CommitmentKey) checkPoints(k int, g *bn254.G2Affine) error {
	if c.G.IsInfinity() || c.GSigmaNeg.IsInfinity() {
		return fmt.Errorf("%w: commitment %d of the verifying key has a point at infinity", ErrMalformed, k)
	}
	if !c.G.Equal(g) {
		return fmt.Errorf("%w: commitment %d of the verifying key has another G than commitment 0", ErrMalformed, k)
	}
	if c.H.IsInfinity() != (c.Role == RoleTrace) {
		return fmt.Errorf("%w: commitment %d of the verifying key: H at infinity is %t, expected it for the trace only", ErrMalformed, k, c.H.IsInfinity())
	}
	if c.Base.IsInfinity() != (c.Role != RoleFold) {
		return fmt.Errorf("%w: commitment %d of the verifying key: fold base at infinity is %t, expected a base for folds only", ErrMalformed, k, c.Base.IsInfinity())
	}
	return nil
}
