package service

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/candid"
)

// claim is a proof with its statement, whichever way it came.
type claim struct {
	model     [32]byte
	statement verifier.Statement
	proof     []byte
}

// claimOf reads a Proof.
func (s *Service) claimOf(c candid.Case) (*claim, error) {
	if c.Name == "file" {
		return s.claimOfFile(c.Value.([]byte))
	}
	v := c.Value.([]any)
	model, err := s.modelOr(v[0])
	if err != nil {
		return nil, err
	}
	out := &claim{model: model, proof: v[4].([]byte)}
	out.statement.Context = v[3].([]byte)
	if out.statement.Inputs, err = tensors(v[1].([]any)); err != nil {
		return nil, err
	}
	out.statement.Outputs, err = tensors(v[2].([]any))
	return out, err
}

// modelOr is the digest in an optional blob, or that of the model given at install.
func (s *Service) modelOr(v any) ([32]byte, error) {
	if v == nil {
		return s.settings.model, nil
	}
	return digest(v.([]byte))
}

func digest(b []byte) (out [32]byte, err error) {
	if copy(out[:], b) != 32 || len(b) != 32 {
		err = refuse("bad_statement", "digest of %d bytes, expected 32", len(b))
	}
	return out, err
}

// claimOfFile reads what verifier.VerifyBundle checks before it verifies.
func (s *Service) claimOfFile(file []byte) (*claim, error) {
	contents, err := unframe(file)
	if err != nil {
		return nil, err
	}
	b, err := verifier.UnmarshalBundle(contents)
	if err != nil {
		return nil, err
	}
	if b.Backend != s.key.Backend() {
		return nil, fmt.Errorf("%w: proof of backend %q, the key is for %q", verifier.ErrKeyMismatch, b.Backend, s.key.Backend())
	}
	if b.VKDigest != s.keyDigest {
		return nil, fmt.Errorf("%w: the proof was made for verifying key %x…, this is %x…", verifier.ErrKeyMismatch, b.VKDigest[:4], s.keyDigest[:4])
	}
	return &claim{b.Model, b.Statement, b.Proof}, nil
}

// The frame of a file: docs/formats.md. This package does not share the code of internal/envelope,
// which brings a CBOR library of half the canister's size.
const (
	frameMagic   = "zkinfer\x01"
	frameKind    = "zkp "
	frameVersion = 1
	frameSize    = 22 + sha256.Size
)

// unframe checks a proof file's frame and returns its contents.
func unframe(file []byte) ([]byte, error) {
	if len(file) < frameSize || !bytes.HasPrefix(file, []byte(frameMagic[:7])) {
		return nil, refuse("malformed_proof", "no proof file")
	}
	head, contents := file[:22], file[frameSize:]
	sum := sha256.New()
	sum.Write(head)
	sum.Write(contents)
	switch {
	case file[7] != frameMagic[7]:
		return nil, refuse("unsupported_version", "file with a frame of version %d", file[7])
	case string(head[8:12]) != frameKind:
		return nil, refuse("wrong_kind", "file of kind %q, expected %q", head[8:12], frameKind)
	case !bytes.Equal(sum.Sum(nil), file[22:frameSize]) || binary.BigEndian.Uint64(head[14:]) != uint64(len(contents)):
		return nil, refuse("malformed_proof", "the proof file is damaged")
	case binary.BigEndian.Uint16(head[12:]) != frameVersion:
		return nil, refuse("unsupported_version", "proof file of version %d, expected %d", binary.BigEndian.Uint16(head[12:]), frameVersion)
	}
	return contents, nil
}

// tensors reads a vec Tensor.
func tensors(list []any) ([]verifier.TensorValue, error) {
	out := make([]verifier.TensorValue, len(list))
	for i, x := range list {
		switch v := x.(candid.Case).Value.(type) {
		case []int32:
			out[i].Values = make([]int64, len(v))
			for k := range v {
				out[i].Values[k] = int64(v[k])
			}
		case []byte:
			private, err := verifier.PrivateTensor(v)
			if err != nil {
				return nil, err
			}
			out[i] = private
		}
	}
	return out, nil
}

// tensorCases is the opposite of tensors.
func tensorCases(values []verifier.TensorValue) []any {
	out := make([]any, len(values))
	for i, v := range values {
		if v.Commitment != nil {
			out[i] = candid.Case{Name: "commitment", Value: v.CommitmentBytes()}
			continue
		}
		ints := make([]int32, len(v.Values))
		for k, x := range v.Values {
			ints[k] = int32(x)
		}
		out[i] = candid.Case{Name: "values", Value: ints}
	}
	return out
}

// verify answers verify and verify_update.
func (s *Service) verify(argument []byte) ([]byte, error) {
	values, err := candid.Decode(argument, proofType)
	if err != nil {
		return nil, err
	}
	c, err := s.claimOf(values[0].(candid.Case))
	var statement [32]byte
	if err == nil {
		statement, err = s.check(c)
	}
	if err != nil {
		return result(verifiedType, nil, err)
	}
	return result(verifiedType, []any{statement[:], s.keyDigest[:], c.model[:], tensorCases(c.statement.Outputs)}, nil)
}

// check verifies a claim and returns the digest of its statement.
func (s *Service) check(c *claim) ([32]byte, error) {
	m, err := s.registered(c.model)
	if err != nil {
		return [32]byte{}, err
	}
	e, err := s.key.Check(m, &c.statement, c.proof)
	return e.Bytes(), err
}
