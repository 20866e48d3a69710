package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/backends"
)

type commitFlags struct {
	keys          string
	input, output string
	public        bool
	force         bool
}

// commitReport is what --json prints.
type commitReport struct {
	ModelCommitment string  `json:"model_commitment"`
	File            string  `json:"file"`
	Rows            int     `json:"rows"`
	Bytes           int     `json:"bytes"`
	Public          bool    `json:"public"`
	Seconds         float64 `json:"seconds"`
}

func newCommit(u *ui) *cobra.Command {
	var f commitFlags
	c := &cobra.Command{
		Use:   "commit MODEL.zkm --keys KEYS",
		Short: "Commit to a model's weights, once for each set of weights",
		Long: `Commit to a model's weights: writes model.zkc, which verifiers keep, and model.secret, which stays here, to the key
folder.

The commitment reveals nothing about the weights. With --public it has no secret: whoever has the weights recomputes it.
PLONK keys hold the weights already: their commitment is a digest, and --public is for keys made with --public-weights.

Keys of a size class leave it to the commitment whether proofs show input and output: --input and --output say so, and
what zkinfer setup was told holds where they do not.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args[0]) }),
	}
	c.Flags().StringVar(&f.keys, "keys", "", "key folder")
	c.Flags().StringVar(&f.input, "input", "", "whether proofs show the input, for keys of a size class: public or private")
	c.Flags().StringVar(&f.output, "output", "", "whether proofs show the output, likewise")
	c.Flags().BoolVar(&f.public, "public", false, "a commitment that anybody with the weights can recompute")
	c.Flags().BoolVar(&f.force, "force", false, "replace the commitment that is there")
	return c
}

func (f *commitFlags) run(ctx context.Context, u *ui, path string) error {
	if f.keys == "" {
		return usagef("--keys is missing: name the folder that zkinfer setup wrote")
	}
	if err := (&output{path: filepath.Join(f.keys, prover.ModelFile), force: f.force}).check(); err != nil {
		return err
	}
	if _, err := f.options(prover.Options{}); err != nil {
		return err
	}
	g, err := readModel(path)
	if err != nil {
		return err
	}
	keys, err := f.open(u)
	if err != nil {
		return err
	}
	start := time.Now()
	privacy := prover.Private
	if f.public {
		privacy = prover.Public
	}
	var opening *prover.ModelOpening
	if err := u.step("committing to the weights", func() (err error) { opening, err = keys.CommitModel(ctx, g, privacy); return err }); err != nil {
		return err
	}
	if err := prover.SaveOpening(f.keys, f.force, g, opening, privacy); err != nil {
		return err
	}
	b, err := opening.Commitment.MarshalBinary()
	if err != nil {
		return err
	}
	digest := opening.Commitment.Digest()
	r := &commitReport{ModelCommitment: hex.EncodeToString(digest[:]), File: filepath.Join(f.keys, prover.ModelFile),
		Rows: opening.Commitment.Points(), Bytes: len(b), Public: f.public, Seconds: time.Since(start).Seconds()}
	return u.report(r, func(w io.Writer) {
		fields(w, "model commitment", r.ModelCommitment, "file", r.File,
			"size", fmt.Sprintf("%s points, %s", grouped(r.Rows), byteSize(r.Bytes)), "took", seconds(r.Seconds))
	})
}

// options are those of the keys, where the flags say nothing else.
func (f *commitFlags) options(o prover.Options) (prover.Options, error) {
	for _, side := range []struct {
		flag, value string
		private     *bool
	}{{"--input", f.input, &o.PrivateInput}, {"--output", f.output, &o.PrivateOutput}} {
		if side.value == "" {
			continue
		}
		var err error
		if *side.private, err = isPrivate(side.flag, side.value); err != nil {
			return o, err
		}
	}
	return o, nil
}

// open reads the keys and tells them what the flags say.
func (f *commitFlags) open(u *ui) (prover.Keys, error) {
	keys, m, err := openKeys(u, f.keys)
	if err != nil || f.input == "" && f.output == "" {
		return keys, err
	}
	class, ok := keys.(prover.ClassKeys)
	if !ok {
		return nil, usagef("--input and --output are for keys of a size class; those of %s were made for one choice: run setup again", m.Backend)
	}
	o, err := f.options(prover.Options{PrivateInput: m.PrivateInput, PrivateOutput: m.PrivateOutput})
	return class.WithOptions(o), err
}

// openKeys reads a key folder, which takes a while for large ones.
func openKeys(u *ui, dir string) (keys prover.Keys, m *prover.Manifest, err error) {
	err = u.step("reading keys", func() error { keys, m, err = backends.OpenKeys(dir); return err })
	return keys, m, err
}
