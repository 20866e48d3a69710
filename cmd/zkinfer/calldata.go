package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/evm"
)

type calldataFlags struct {
	holdings holdings
	out      output
}

// calldataReport is what --json prints. All bytes are in hexadecimal with 0x, for programs that encode
// calls of other contracts (the bounty's claim has the same arguments).
type calldataReport struct {
	Signature       string   `json:"signature"`
	Calldata        string   `json:"calldata"`
	Bytes           int      `json:"bytes"`
	File            string   `json:"file,omitempty"`
	Proof           string   `json:"proof"`
	Inputs          []string `json:"inputs"`
	Outputs         []string `json:"outputs"`
	Context         string   `json:"context"`
	Statement       string   `json:"statement"` // what the contract returns
	VerifyingKey    string   `json:"verifying_key"`
	ModelCommitment string   `json:"model_commitment"`
}

func newCalldata(u *ui) *cobra.Command {
	var f calldataFlags
	c := &cobra.Command{
		Use:   "calldata PROOF.zkp --keys KEYS",
		Short: "Encode a proof as a call of the contract that export evm writes",
		Long: `Encode a proof as a call of the contract that zkinfer export evm writes: the data of a transaction, in hexadecimal.

The proof is checked first, so that nobody pays for a transaction that reverts; exit code 3: it was rejected.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args[0]) }),
	}
	f.holdings.flags(c.Flags())
	f.out.flags(c.Flags(), "out", "o", "write the data to this file instead")
	return c
}

func (f *calldataFlags) run(ctx context.Context, u *ui, path string) error {
	if f.out.path != "" {
		if err := f.out.check(); err != nil {
			return err
		}
	}
	vk, m, err := f.holdings.open()
	if err != nil {
		return err
	}
	if err := evm.Supports(vk); err != nil {
		return &classified{"unsupported_backend", err}
	}
	bundle, err := artifact.ReadProof(path)
	if err != nil {
		return classedAs("malformed_proof", err)
	}
	if _, err := verifyProof(vk, m, bundle); err != nil {
		if isRejection(err) {
			return &rejected{fmt.Errorf("rejected: %w", err)}
		}
		return err
	}
	call, err := evm.Encode(vk, m.Commitment, bundle)
	if err != nil {
		return err
	}
	r, err := newCalldataReport(vk, m, bundle, call)
	if err != nil {
		return err
	}
	if f.out.path == "" {
		return u.report(r, func(w io.Writer) { fmt.Fprintln(w, r.Calldata) })
	}
	r.File = f.out.path
	if err := f.out.produce(ctx, func(w io.Writer) error { _, err := fmt.Fprintln(w, r.Calldata); return err }); err != nil {
		return err
	}
	return u.report(r, func(w io.Writer) {
		fields(w, "call", r.Signature, "file", r.File, "size", byteSize(r.Bytes), "statement", r.Statement)
	})
}

func newCalldataReport(vk verifier.Key, m *artifact.ModelCommitment, b *verifier.Bundle, c *evm.Call) (*calldataReport, error) {
	s, err := verifier.StatementDigest(vk, m.Commitment, &b.Statement)
	if err != nil {
		return nil, err
	}
	data, key, digest := c.Data(), vk.Digest(), s.Bytes()
	return &calldataReport{
		Signature: evm.Signature, Calldata: prefixed(data), Bytes: len(data), Proof: prefixed(c.Proof),
		Inputs: prefixedAll(c.Inputs), Outputs: prefixedAll(c.Outputs), Context: prefixed(c.Context),
		Statement: hex.EncodeToString(digest[:]), VerifyingKey: hex.EncodeToString(key[:]), ModelCommitment: hex.EncodeToString(b.Model[:]),
	}, nil
}

func prefixed(b []byte) string { return "0x" + hex.EncodeToString(b) }

func prefixedAll(list [][]byte) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = prefixed(list[i])
	}
	return out
}
