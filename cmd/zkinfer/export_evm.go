package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/evm"
	"github.com/zkinfer/zkinfer/verifier/plonk"
)

// constructorFile has what the verifier's constructor takes, in hexadecimal.
const constructorFile = "constructor.hex"

type exportEVMFlags struct {
	holdings holdings
	out      output
}

// exportEVMReport is what --json prints.
type exportEVMReport struct {
	Folder          string   `json:"folder"`
	Files           []string `json:"files"`
	Contract        string   `json:"contract"`    // path of the verifier's source
	Constructor     string   `json:"constructor"` // encoded arguments of its constructor
	VerifyingKey    string   `json:"verifying_key"`
	ModelCommitment string   `json:"model_commitment"`
	Commitments     int      `json:"commitments"`
	FoldRows        int      `json:"fold_rows"`
	PublicInputs    int      `json:"public_inputs"`
	ProofBytes      int      `json:"proof_bytes"` // as the contract takes it
	TrustedSetup    string   `json:"trusted_setup"`
	Ceremony        string   `json:"ceremony,omitempty"` // digest of the transcript that the key came from
}

func newExportEVM(u *ui) *cobra.Command {
	var f exportEVMFlags
	c := &cobra.Command{
		Use:   "evm --keys KEYS -o DIR",
		Short: "Write a Solidity contract that verifies proofs of a key",
		Long: `Write a Solidity contract that verifies proofs of a key, and an example of a contract that pays for proofs.

The contract is for one model: deploy it with the arguments in ` + constructorFile + `, which are the model commitment. Whoever
deploys it decides which model it is for; take both files from your own records. zkinfer calldata encodes a proof as a call.`,
		Args: cobra.NoArgs,
		RunE: u.command(func(ctx context.Context, _ []string) error { return f.run(ctx, u) }),
	}
	f.holdings.flags(c.Flags())
	f.out.flags(c.Flags(), "out", "o", "folder to write to")
	return c
}

func (f *exportEVMFlags) run(ctx context.Context, u *ui) error {
	if f.out.path == "" {
		return usagef("-o is missing: name the folder to write the contract to")
	}
	vk, m, err := f.holdings.open()
	if err != nil {
		return err
	}
	source, err := evm.Contract(vk)
	switch {
	case errors.Is(err, evm.ErrTooLarge):
		return &classified{"contract_too_large", err}
	case errors.Is(err, evm.ErrNoContract):
		return &classified{"unsupported_backend", err}
	case err != nil:
		return err
	}
	arguments, err := evm.Constructor(vk, m.Commitment)
	if err != nil {
		return &classified{"key_mismatch", err}
	}
	constructor := prefixed(arguments)
	files := []exportFile{{evm.ContractFile, source}, {evm.BountyFile, evm.Bounty}, {constructorFile, []byte(constructor + "\n")}}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.out.writeFolder(files); err != nil {
		return err
	}
	r, err := newExportEVMReport(f.out.path, vk, m, constructor)
	if err != nil {
		return err
	}
	if r.TrustedSetup == prover.UnsafeDev {
		u.remark("these keys were made by one party and are for development: whoever made them could forge proofs that the contract accepts")
	}
	return u.report(r, func(w io.Writer) {
		fields(w, "contract", r.Contract, "files", strings.Join(r.Files, ", "), "verifying key", r.VerifyingKey, "model commitment", r.ModelCommitment,
			"fold height", grouped(r.FoldRows), "public inputs", grouped(r.PublicInputs), "setup", setupText(r.TrustedSetup, r.Ceremony))
	})
}

func newExportEVMReport(folder string, vk verifier.Key, m *artifact.ModelCommitment, constructor string) (*exportEVMReport, error) {
	key, model := vk.Digest(), m.Commitment.Digest()
	setup, ceremony := prover.SplitSetup(vk.Describe().TrustedSetup)
	about, err := vk.Subject(m.Commitment)
	if err != nil {
		return nil, err
	}
	inputs, err := verifier.CountPublicInputs(about.Inputs, about.Outputs)
	if err != nil {
		return nil, err
	}
	commitments := plonk.Commitments
	if k, ok := vk.(*verifier.VerifyingKey); ok {
		commitments = len(k.Commitments)
	}
	return &exportEVMReport{
		Folder: folder, Files: []string{evm.ContractFile, evm.BountyFile, constructorFile}, Contract: filepath.Join(folder, evm.ContractFile),
		Constructor: constructor, VerifyingKey: hex.EncodeToString(key[:]), ModelCommitment: hex.EncodeToString(model[:]),
		Commitments: commitments, FoldRows: m.Commitment.Points(), PublicInputs: inputs,
		ProofBytes: evm.ProofSize(vk), TrustedSetup: setup, Ceremony: ceremony,
	}, nil
}
