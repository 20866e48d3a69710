package evm

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/plonk"
)

// word is the unit of the contract application binary interface.
const word = 32

// maxContext is the longest context that verifiers accept.
const maxContext = 1 << 16

// Signature is that of the contract's verify.
const Signature = "verify(bytes,(bytes[],bytes[],bytes))"

// Call is a call of the contract's verify, part by part.
type Call struct {
	// Proof has uncompressed points; see ProofSize.
	Proof []byte
	// Inputs and Outputs are the tensors as the statement binds them: elements or a commitment.
	Inputs, Outputs [][]byte
	Context         []byte
}

// ProofSize is the number of bytes of a proof as the contract takes it; 0 where there is no contract.
func ProofSize(key verifier.Key) int {
	vk, ok := key.(*verifier.VerifyingKey)
	if !ok {
		if _, ok := key.(*plonk.VerifyingKey); ok {
			return plonkProofBytes
		}
		return 0
	}
	n := len(vk.Commitments)
	return 2*pointBytes + bn254.SizeOfG2AffineUncompressed + (n+1)*pointBytes + (n-1)*fr.Bytes
}

// Encode is the call for a bundle. The proof is decoded and not verified. Errors wrap
// verifier.ErrKeyMismatch, verifier.ErrStatement or verifier.ErrMalformed.
func Encode(vk verifier.Key, m verifier.Commitment, b *verifier.Bundle) (*Call, error) {
	if b.Backend != vk.Backend() || b.VKDigest != vk.Digest() || b.Model != m.Digest() {
		return nil, fmt.Errorf("%w: the contract would reject this proof; export a contract for the key and the model it was made with", verifier.ErrKeyMismatch)
	}
	if _, err := verifier.StatementDigest(vk, m, &b.Statement); err != nil {
		return nil, err
	}
	about, err := vk.Subject(m)
	if err != nil {
		return nil, err
	}
	proof, err := contractProof(vk, b.Proof)
	if err != nil {
		return nil, err
	}
	return &Call{Proof: proof, Inputs: tensors(about.Inputs, b.Statement.Inputs),
		Outputs: tensors(about.Outputs, b.Statement.Outputs), Context: b.Statement.Context}, nil
}

// contractProof is a proof as the contract takes it.
func contractProof(key verifier.Key, proof []byte) ([]byte, error) {
	switch vk := key.(type) {
	case *verifier.VerifyingKey:
		p, err := verifier.DecodeProof(vk, proof)
		if err != nil {
			return nil, err
		}
		return encodeProof(p), nil
	case *plonk.VerifyingKey:
		p, err := plonk.DecodeProof(proof)
		if err != nil {
			return nil, err
		}
		return p.EncodeRaw(), nil
	}
	return nil, noContract(key)
}

func encodeProof(p *verifier.Proof) []byte {
	a, b, c, pok := p.Ar.RawBytes(), p.Bs.RawBytes(), p.Krs.RawBytes(), p.PoK.RawBytes()
	out := append(append(a[:], b[:]...), c[:]...)
	for i := range p.Commitments {
		d := p.Commitments[i].RawBytes()
		out = append(out, d[:]...)
	}
	out = append(out, pok[:]...)
	for i := range p.Deltas {
		d := p.Deltas[i].Bytes()
		out = append(out, d[:]...)
	}
	return out
}

func tensors(specs []verifier.TensorSpec, values []verifier.TensorValue) [][]byte {
	out := make([][]byte, len(specs))
	for i := range specs {
		out[i] = tensor(&specs[i], &values[i])
	}
	return out
}

// tensor is a value that fits its specification, as docs/formats.md says.
func tensor(t *verifier.TensorSpec, v *verifier.TensorValue) []byte {
	if v.Commitment != nil {
		return v.RawCommitment()
	}
	width := t.Width()
	out := make([]byte, 0, tensorBytes(t))
	for _, x := range v.Values {
		out = append(out, binary.LittleEndian.AppendUint64(nil, uint64(x-t.Min))[:width]...)
	}
	return out
}

func tensorBytes(t *verifier.TensorSpec) int {
	if t.Binding == verifier.BindingCommitted {
		return pointBytes
	}
	return t.Len() * t.Width()
}

// Data is the call as a transaction's data: the selector of Signature and its arguments.
func (c *Call) Data() []byte {
	selector := statement.Keccak([]byte(Signature))
	return append(selector[:4], tuple(encodeBytes(c.Proof), tuple(encodeList(c.Inputs), encodeList(c.Outputs), encodeBytes(c.Context)))...)
}

// Constructor is what is appended to the contract's creation code: the points of the model commitment
// as its one argument, or nothing where the key holds the model. Errors wrap verifier.ErrKeyMismatch.
func Constructor(vk verifier.Key, m verifier.Commitment) ([]byte, error) {
	if _, err := vk.Subject(m); err != nil {
		return nil, err
	}
	c, ok := m.(*verifier.ModelCommitment)
	if !ok {
		return nil, nil
	}
	points := c.Rows
	var rows []byte
	for i := range points {
		p := points[i].RawBytes()
		rows = append(rows, p[:]...)
	}
	return tuple(encodeBytes(rows)), nil
}

// tuple encodes arguments of dynamic size: the place of each, then all of them. (Contract ABI
// specification, "Formal Specification of the Encoding".)
func tuple(parts ...[]byte) []byte {
	var head, tail []byte
	for _, p := range parts {
		head = appendUint(head, len(parts)*word+len(tail))
		tail = append(tail, p...)
	}
	return append(head, tail...)
}

// encodeBytes is the length and the bytes, padded to words.
func encodeBytes(b []byte) []byte {
	out := append(appendUint(nil, len(b)), b...)
	return append(out, make([]byte, (word-len(b)%word)%word)...)
}

func encodeList(items [][]byte) []byte {
	parts := make([][]byte, len(items))
	for i := range items {
		parts[i] = encodeBytes(items[i])
	}
	return append(appendUint(nil, len(items)), tuple(parts...)...)
}

func appendUint(b []byte, n int) []byte {
	return binary.BigEndian.AppendUint64(append(b, make([]byte, word-8)...), uint64(n))
}
