package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/session"
	"github.com/zkinfer/zkinfer/verifier/wasm/npm"
	"github.com/zkinfer/zkinfer/verifier/wasm/page"
)

// Files of an exported folder, beside the key and the commitment.
const (
	pageFile      = "index.html"
	packageFolder = "zkinfer-verifier"
)

type exportWebFlags struct {
	holdings holdings
	out      output
}

// exportWebReport is what --json prints.
type exportWebReport struct {
	Folder          string `json:"folder"`
	Page            string `json:"page"`
	PageBytes       int64  `json:"page_bytes"`
	Package         string `json:"package"` // folder of the npm package
	VerifyingKey    string `json:"verifying_key"`
	ModelCommitment string `json:"model_commitment"`
	TrustedSetup    string `json:"trusted_setup"`
}

func newExportWeb(u *ui) *cobra.Command {
	var f exportWebFlags
	c := &cobra.Command{
		Use:   "web --keys KEYS -o DIR",
		Short: "Make a page that checks proofs in a browser",
		Long: `Make a folder with a page, index.html, that checks proofs in a browser: open it from the disk or put it on any server. It
holds the verifying key and the model commitment, makes no request, and needs no other file. Beside it are both files, and
zkinfer-verifier, an npm package that does the same for programs.`,
		Args: cobra.NoArgs,
		RunE: u.command(func(ctx context.Context, _ []string) error { return f.run(ctx, u) }),
	}
	flags := c.Flags()
	f.holdings.flags(flags)
	flags.StringVarP(&f.out.path, "out", "o", "", "folder to write")
	flags.BoolVar(&f.out.force, "force", false, "replace an exported folder")
	return c
}

func (f *exportWebFlags) run(ctx context.Context, u *ui) error {
	if f.out.path == "" {
		return usagef("-o is missing: name the folder to write")
	}
	if err := f.out.check(); err != nil {
		return err
	}
	vk, m, err := f.holdings.open()
	if err != nil {
		return err
	}
	s, err := session.New(vk, m)
	if err != nil {
		return &classified{"key_mismatch", err}
	}
	size, err := f.write(ctx, func(dir string) error {
		if err := artifact.WriteVerifyingKey(filepath.Join(dir, prover.VerifyingKeyFile), false, vk); err != nil {
			return err
		}
		return artifact.WriteModelCommitment(filepath.Join(dir, prover.ModelFile), false, m)
	})
	if err != nil {
		return err
	}
	info := s.Info()
	r := &exportWebReport{Folder: f.out.path, Page: filepath.Join(f.out.path, pageFile), PageBytes: size, Package: filepath.Join(f.out.path, packageFolder),
		VerifyingKey: info.VerifyingKey, ModelCommitment: info.ModelCommitment, TrustedSetup: info.TrustedSetup}
	return u.report(r, r.print)
}

// write makes the folder: whole, or not at all.
func (f *exportWebFlags) write(ctx context.Context, keys func(dir string) error) (size int64, err error) {
	dir := filepath.Clean(f.out.path)
	if err := replaceable(dir); err != nil {
		return 0, err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".zkinfer-web-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tmp)
	if err := keys(tmp); err != nil {
		return 0, err
	}
	if size, err = writePage(tmp); err != nil {
		return 0, err
	}
	if err := os.CopyFS(filepath.Join(tmp, packageFolder), npm.Files); err != nil {
		return 0, err
	}
	if err := errors.Join(os.Chmod(tmp, 0o755), ctx.Err()); err != nil {
		return 0, err
	}
	return size, moveFolder(tmp, dir)
}

// writePage makes the page from the key and the commitment that are in the folder.
func writePage(dir string) (size int64, err error) {
	key, err := os.ReadFile(filepath.Join(dir, prover.VerifyingKeyFile))
	if err != nil {
		return 0, err
	}
	commitment, err := os.ReadFile(filepath.Join(dir, prover.ModelFile))
	if err != nil {
		return 0, err
	}
	b, err := page.Render(key, commitment)
	if err != nil {
		return 0, err
	}
	return int64(len(b)), envelope.WriteFile(filepath.Join(dir, pageFile), false, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// replaceable errs where something other than an exported folder would be lost.
func replaceable(dir string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range []string{pageFile, prover.VerifyingKeyFile, packageFolder} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%w: %s was not made by zkinfer export web and is not replaced; name another folder", envelope.ErrExists, dir)
		}
	}
	return nil
}

// moveFolder puts tmp in the place of dir; an old one is removed only when the new one stands.
func moveFolder(tmp, dir string) error {
	old := tmp + ".old"
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return os.RemoveAll(old)
}

func (r *exportWebReport) print(w io.Writer) {
	fields(w,
		"page", fmt.Sprintf("%s, %s: open it, or put it on any server", r.Page, byteSize(r.PageBytes)),
		"npm package", r.Package,
		"verifying key", r.VerifyingKey,
		"model commitment", r.ModelCommitment,
		"setup", r.TrustedSetup,
	)
}
