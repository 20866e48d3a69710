package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/canister"
)

// exportCanisterReport is what --json prints.
type exportCanisterReport struct {
	Folder          string   `json:"folder"`
	Files           []string `json:"files"`
	ModuleBytes     int      `json:"module_bytes"`
	ModuleSHA256    string   `json:"module_sha256"` // the module hash that the Internet Computer shows
	VerifyingKey    string   `json:"verifying_key"`
	ModelCommitment string   `json:"model_commitment"`
	TrustedSetup    string   `json:"trusted_setup"`
}

type exportCanisterFlags struct {
	holdings holdings
	out      output
	proof    string
	anyone   bool
}

func newExportCanister(u *ui) *cobra.Command {
	var f exportCanisterFlags
	c := &cobra.Command{
		Use:   "canister --keys KEYS -o DIR",
		Short: "Write a canister of the Internet Computer that verifies proofs on chain",
		Long: `Write a folder that dfx or icp deploy: a canister that verifies proofs of inference for the key and the model in KEYS,
and keeps a register of models, tasks and proved results.

  zkinfer.wasm.gz      the canister; its SHA-256 is the module hash that the Internet Computer shows
  zkinfer.did          its interface in Candid
  install.args         what it is installed with: the verifying key and the model commitment
  register_model.args  the argument that registers the model with a canister that has the key already
  dfx.json, icp.yaml   projects that deploy it

With --proof, also verify.args: the argument of verify, verify_update and settle for a proof file.`,
		Args: cobra.NoArgs,
		RunE: u.command(func(context.Context, []string) error { return f.run(u) }),
	}
	f.holdings.flags(c.Flags())
	c.Flags().StringVar(&f.proof, "proof", "", "a proof file (.zkp) to write as an argument, too")
	c.Flags().BoolVar(&f.anyone, "anyone", false, "let everybody who is not anonymous register models and open tasks, not controllers alone")
	f.out.flags(c.Flags(), "out", "o", "folder to write")
	return c
}

func (f *exportCanisterFlags) run(u *ui) error {
	if f.out.path == "" {
		return usagef("-o is missing: name the folder to write")
	}
	vk, m, err := f.holdings.open()
	if err != nil {
		return err
	}
	files, err := f.files(vk, m.Commitment)
	if err != nil {
		return err
	}
	if err := f.out.writeFolder(files); err != nil {
		return err
	}
	if setup, _ := prover.SplitSetup(vk.Describe().TrustedSetup); setup == prover.UnsafeDev {
		u.remark("these keys were made by one party and are for development: whoever made them could forge proofs that the canister accepts")
	}
	r := newExportCanisterReport(f.out.path, files, vk, m.Commitment)
	return u.report(r, func(w io.Writer) { r.print(w, vk) })
}

func (f *exportCanisterFlags) files(vk verifier.Key, m verifier.Commitment) ([]exportFile, error) {
	setup, err := canister.SetupArgument(vk, m, f.anyone)
	if err != nil {
		return nil, err
	}
	register, err := canister.ModelArgument(m)
	if err != nil {
		return nil, err
	}
	files := []exportFile{{"zkinfer.wasm.gz", canister.Module}, {"zkinfer.did", []byte(canister.Interface)}, {"install.args", []byte(setup)},
		{"register_model.args", []byte(register)}, {"dfx.json", []byte(canister.DFX)}, {"icp.yaml", []byte(canister.ICP)}}
	if f.proof == "" {
		return files, nil
	}
	// Read as a proof first: whatever else it is, the canister would refuse it.
	if _, err := artifact.ReadProof(f.proof); err != nil {
		return nil, classedAs("malformed_proof", err)
	}
	file, err := os.ReadFile(f.proof)
	return append(files, exportFile{"verify.args", []byte(canister.ProofArgument(file))}), err
}

func newExportCanisterReport(dir string, files []exportFile, vk verifier.Key, m verifier.Commitment) *exportCanisterReport {
	module, key, model := sha256.Sum256(canister.Module), vk.Digest(), m.Digest()
	r := &exportCanisterReport{Folder: dir, ModuleBytes: len(canister.Module), ModuleSHA256: hex.EncodeToString(module[:]),
		VerifyingKey: hex.EncodeToString(key[:]), ModelCommitment: hex.EncodeToString(model[:])}
	r.TrustedSetup, _ = prover.SplitSetup(vk.Describe().TrustedSetup)
	for _, x := range files {
		r.Files = append(r.Files, x.name)
	}
	return r
}

func (r *exportCanisterReport) print(w io.Writer, vk verifier.Key) {
	setup, ceremony := prover.SplitSetup(vk.Describe().TrustedSetup)
	fields(w, "folder", r.Folder, "module", byteSize(r.ModuleBytes), "module hash", r.ModuleSHA256, "verifying key", r.VerifyingKey,
		"model commitment", r.ModelCommitment, "setup", setupText(setup, ceremony))
}
