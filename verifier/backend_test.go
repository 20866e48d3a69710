package verifier

import (
	"bytes"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/internal/statement"
)

// rowsKey stands for a proof system that commits to a private tensor by several points.
type rowsKey struct {
	*VerifyingKey
	points int
}

func (k rowsKey) Backend() string { return "rows" }
func (k rowsKey) Subject(Commitment) (*Subject, error) {
	about := k.Fixed()
	about.Outputs = slices.Clone(about.Outputs)
	about.Outputs[0].Points = k.points
	return about, nil
}
func (k rowsKey) Verify(m Commitment, st *Statement, _ []byte) error {
	_, err := StatementDigest(k, m, st)
	return err
}

// rowsCommitment has no points of its own.
type rowsCommitment struct{}

func (rowsCommitment) Backend() string                { return "rows" }
func (rowsCommitment) Digest() [32]byte               { return [32]byte{7} }
func (rowsCommitment) Points() int                    { return 0 }
func (rowsCommitment) MarshalBinary() ([]byte, error) { return nil, nil }

// severalPoints is the sample bundle with its private output committed by three points.
func severalPoints() *Bundle {
	_, _, g1, _ := bn254.Generators()
	var double bn254.G1Affine
	double.Double(&g1)
	b := sampleBundle()
	b.Backend = "rows"
	b.Statement.Outputs = []TensorValue{{Commitment: []bn254.G1Affine{g1, double, g1}}}
	return b
}

// A commitment of several points survives a file, and stands in the statement point by point.
func TestSeveralPoints(t *testing.T) {
	key, m, b := rowsKey{sampleKey(), 3}, rowsCommitment{}, severalPoints()
	b.VKDigest, b.Model = key.Digest(), m.Digest()
	encoded, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	back, err := UnmarshalBundle(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyBundle(key, m, back); err != nil {
		t.Error(err)
	}
	private, err := PrivateTensor(back.Statement.Outputs[0].CommitmentBytes())
	if err != nil || !slices.Equal(private.Commitment, b.Statement.Outputs[0].Commitment) {
		t.Errorf("by its bytes: %v, %v", private, err)
	}
	s, err := StatementDigest(key, m, &b.Statement)
	if err != nil {
		t.Fatal(err)
	}
	var points []byte
	for _, p := range b.Statement.Outputs[0].Commitment {
		raw := p.RawBytes()
		points = append(points, raw[:]...)
	}
	input := statement.Tensor(statement.Public, make([]byte, 40))
	output := statement.Tensor(statement.Committed, points)
	want := statement.Digest(key.Digest(), m.Digest(), statement.Inputs([][32]byte{input}), statement.Outputs([][32]byte{output}), []byte("task"))
	if s.Bytes() != want {
		t.Errorf("S is %x, expected %x", s.Bytes(), want)
	}
	_, _, g1, _ := bn254.Generators()
	generator := []bn254.G1Affine{g1}
	for n := range 6 {
		b.Statement.Outputs[0].Commitment = slices.Repeat(generator, n)
		if err := VerifyBundle(key, m, b); (err == nil) != (n == 3) || n != 3 && Class(err) != "bad_statement" {
			t.Errorf("%d points: %v", n, err)
		}
	}
}

// Groth16 takes one point: a key that asks for more is refused, and so is a statement that has more.
func TestGroth16TakesOnePoint(t *testing.T) {
	vk := sampleKey()
	m := &ModelCommitment{Rows: make([]bn254.G1Affine, vk.FoldRows)}
	if _, err := StatementDigest(vk, m, &severalPoints().Statement); Class(err) != "bad_statement" {
		t.Errorf("three points in a statement: %v", err)
	}
	vk.Outputs[0].Points = 3
	if err := vk.Verify(m, &severalPoints().Statement, sampleProof().Encode()); Class(err) != "malformed_proof" {
		t.Errorf("three points in a key: %v", err)
	}
}

// Keys, commitments and proofs of two proof systems are told apart, whatever their digests.
func TestBackendsDoNotMix(t *testing.T) {
	vk := sampleKey()
	m, b := &ModelCommitment{Rows: make([]bn254.G1Affine, vk.FoldRows)}, sampleBundle()
	b.VKDigest, b.Model = vk.Digest(), m.Digest()
	b.Backend = "rows"
	if err := VerifyBundle(vk, m, b); Class(err) != "key_mismatch" {
		t.Errorf("proof of another backend: %v", err)
	}
	b.Backend, b.Model = BackendGroth16, rowsCommitment{}.Digest()
	if err := VerifyBundle(vk, rowsCommitment{}, b); Class(err) != "key_mismatch" {
		t.Errorf("model commitment of another backend: %v", err)
	}
}

// The list form is for lists: one point has one encoding.
func TestListOfOnePoint(t *testing.T) {
	b := sampleBundle()
	encoded, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	point := b.Statement.Outputs[0].CommitmentBytes()
	one := append([]byte{tensorPoint}, point...)
	for n := range byte(2) {
		list := append([]byte{tensorPoints, 0, 0, 0, n}, point[:int(n)*len(point)]...)
		altered := bytes.Replace(encoded, one, list, 1)
		if _, err := UnmarshalBundle(altered); bytes.Equal(altered, encoded) || Class(err) != "malformed_proof" {
			t.Errorf("list of %d points: %v", n, err)
		}
	}
	for _, bad := range [][]byte{nil, point[:31], append(bytes.Clone(point), 0), make([]byte, 32), make([]byte, 32*(maxTensorPoints+1))} {
		if v, err := PrivateTensor(bad); Class(err) != "malformed_proof" {
			t.Errorf("%d bytes became %v, %v", len(bad), v, err)
		}
	}
	b.Statement.Outputs[0].Commitment = make([]bn254.G1Affine, maxTensorPoints+1)
	if _, err := b.MarshalBinary(); Class(err) != "malformed_proof" {
		t.Errorf("too many points encoded: %v", err)
	}
}
