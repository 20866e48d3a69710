package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// newExport is the parent of the commands that make verifiers for elsewhere.
func newExport(u *ui) *cobra.Command {
	c := &cobra.Command{
		Use:   "export",
		Short: "Make a verifier for use elsewhere",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("say what to export: zkinfer export evm, export web or export canister; see zkinfer export --help")
		},
	}
	c.AddCommand(newExportWeb(u), newExportEVM(u), newExportCanister(u))
	return c
}

// holdings are the two files that a verifier holds.
type holdings struct{ keys, vk, commitment string }

func (h *holdings) flags(f *pflag.FlagSet) {
	f.StringVar(&h.keys, "keys", "", "folder with verifying.key and model.zkc")
	f.StringVar(&h.vk, "vk", "", "verifying key")
	f.StringVar(&h.commitment, "model-commitment", "", "model commitment (.zkc)")
}

// open reads both and makes sure that they belong together.
func (h *holdings) open() (verifier.Key, *artifact.ModelCommitment, error) {
	vk, m, err := (&verifyFlags{keys: h.keys, vk: h.vk, commitment: h.commitment}).open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w; zkinfer setup makes the key, zkinfer commit the model commitment", err)
	}
	if err != nil {
		return nil, nil, err
	}
	if _, err := m.Subject(vk); err != nil {
		return nil, nil, &classified{"key_mismatch", fmt.Errorf("%w; take both from one key folder, or run zkinfer commit", err)}
	}
	return vk, m, nil
}

// exportFile is a file of an exported folder.
type exportFile struct {
	name    string
	content []byte
}

// writeFolder writes the files to the folder, which is made if it is missing. Where one of them may not be
// replaced, none is written.
func (o *output) writeFolder(files []exportFile) error {
	err := os.Mkdir(o.path, 0o755)
	made := err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, file := range files {
		if err := (&output{path: filepath.Join(o.path, file.name), force: o.force}).check(); err != nil {
			return err
		}
	}
	for _, file := range files {
		err := envelope.WriteFile(filepath.Join(o.path, file.name), o.force, func(w io.Writer) error {
			_, err := w.Write(file.content)
			return err
		})
		if err != nil && made {
			os.RemoveAll(o.path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
