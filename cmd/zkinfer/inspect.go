package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

type inspectFlags struct {
	backend backendFlag
	circuit circuitFlags
	model   string
}

func newInspect(u *ui) *cobra.Command {
	var f inspectFlags
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what is in a file: a model, a model commitment, a folder of keys or of a ceremony, a proof",
		Long: `Show what is in a file: a model, a model commitment, a folder of keys (whose digests are checked), a verifying key, a
proof, a ceremony's transcript. Proofs and transcripts are not verified.

For a model, --backend, --input, --output and --fold-rows say which keys the numbers of constraints are for.

For a model commitment or keys, --model says for which architecture they have to be: that of a model, whatever its weights are.
A model commitment for keys of a size class describes its architecture, and a key folder for Groth16 has the circuit: both are made anew from
the model and compared, and the first difference is named. A verifying key alone claims a digest.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args[0]) }),
	}
	f.backend.flags(c.Flags())
	f.circuit.flags(c.Flags())
	c.Flags().StringVar(&f.model, "model", "", "the model whose architecture a model commitment or keys are expected to be for (.zkm)")
	return c
}

// report is what there is to say of a file.
type report interface{ print(w io.Writer) }

func (f *inspectFlags) run(ctx context.Context, u *ui, path string) error {
	if err := f.backend.check(); err != nil {
		return err
	}
	kind, err := kindOf(path)
	if err != nil {
		return err
	}
	expected, err := f.reference()
	if err != nil {
		return err
	}
	r, err := f.inspect(ctx, u, kind, path, expected)
	if err != nil {
		return err
	}
	return u.report(r, r.print)
}

func (f *inspectFlags) inspect(ctx context.Context, u *ui, kind, path string, expected *reference) (report, error) {
	switch {
	case kind == kindFolder && !isCeremony(path):
		return inspectKeys(ctx, u, path, expected)
	case kind == artifact.KindVerifyingKey:
		return inspectVerifyingKey(path, expected)
	case kind == artifact.KindModelCommitment:
		return inspectModelCommitment(path, expected)
	}
	if err := expected.unasked(); err != nil {
		return nil, err
	}
	switch kind {
	case kindFolder:
		return inspectCeremony(u, path)
	case model.FileKind:
		return f.inspectModel(path)
	case artifact.KindProof:
		return inspectProof(path)
	case prover.KindSecret:
		return inspectSecret(path)
	case "":
		return nil, fmt.Errorf("%s: %w: not a file of zkinfer; a model of another format is turned into one by zkinfer import", path, envelope.ErrMalformed)
	}
	return nil, fmt.Errorf("%s: %w: this version does not know %q files", path, envelope.ErrKind, kind)
}

// kindFolder stands for a folder; no envelope has it.
const kindFolder = "/"

// kindOf is the kind of an envelope file, "" for any other file.
func kindOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return kindFolder, err
	}
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", err
	}
	return envelope.Sniff(head[:n]), nil
}
