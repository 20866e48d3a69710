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
}

func newInspect(u *ui) *cobra.Command {
	var f inspectFlags
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what is in a file: a model, a model commitment, a folder of keys or of a ceremony, a proof",
		Long: `Show what is in a file: a model, a model commitment, a folder of keys (whose digests are checked), a verifying key, a
proof, a ceremony's transcript. Proofs and transcripts are not verified.

For a model, --backend, --input, --output and --fold-rows say which keys the numbers of constraints are for.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(_ context.Context, args []string) error { return f.run(u, args[0]) }),
	}
	f.backend.flags(c.Flags())
	f.circuit.flags(c.Flags())
	return c
}

func (f *inspectFlags) run(u *ui, path string) error {
	if err := f.backend.check(); err != nil {
		return err
	}
	kind, err := kindOf(path)
	if err != nil {
		return err
	}
	var r interface{ print(w io.Writer) }
	switch kind {
	case kindFolder:
		if isCeremony(path) {
			r, err = inspectCeremony(u, path)
		} else {
			r, err = inspectKeys(u, path)
		}
	case model.FileKind:
		r, err = f.inspectModel(path)
	case artifact.KindVerifyingKey:
		r, err = inspectVerifyingKey(path)
	case artifact.KindModelCommitment:
		r, err = inspectModelCommitment(path)
	case artifact.KindProof:
		r, err = inspectProof(path)
	case prover.KindSecret:
		r, err = inspectSecret(path)
	case "":
		err = fmt.Errorf("%s: %w: not a file of zkinfer; a model of another format is turned into one by zkinfer import", path, envelope.ErrMalformed)
	default:
		err = fmt.Errorf("%s: %w: this version does not know %q files", path, envelope.ErrKind, kind)
	}
	if err != nil {
		return err
	}
	return u.report(r, r.print)
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
