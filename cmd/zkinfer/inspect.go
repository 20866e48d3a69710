package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/model"
)

type inspectFlags struct {
	circuit circuitFlags
}

func newInspect(u *ui) *cobra.Command {
	var f inspectFlags
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what is in a file: a model, a model commitment, keys, a proof",
		Args:  cobra.ExactArgs(1),
		RunE:  u.command(func(ctx context.Context, args []string) error { return f.run(u, args[0]) }),
	}
	f.circuit.flags(c.Flags())
	return c
}

func (f *inspectFlags) run(u *ui, path string) error {
	kind, err := kindOf(path)
	if err != nil {
		return err
	}
	switch kind {
	case model.FileKind:
		return f.inspectModel(u, path)
	case "":
		return fmt.Errorf("%s: %w: not a file of zkinfer; a model of another format is turned into one by zkinfer import", path, envelope.ErrMalformed)
	}
	return fmt.Errorf("%s: %w: %q files are not known to this version", path, envelope.ErrKind, kind)
}

// kindOf is the kind of an envelope file, "" for any other file.
func kindOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", err
	}
	return envelope.Sniff(head[:n]), nil
}
