package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/ceremony"
	"github.com/zkinfer/zkinfer/prover/groth16"
	"github.com/zkinfer/zkinfer/prover/sumcheck"
)

func newCeremony(u *ui) *cobra.Command {
	c := &cobra.Command{
		Use:   "ceremony",
		Short: "Make keys by several parties: sound if one of them forgot its secrets",
		Long: `Make keys by several parties: proofs cannot be forged as long as one of them forgot its secrets.

The transcript is a folder that goes from hand to hand, to which every step adds one file:

  zkinfer ceremony init M.zkm -o DIR               begin, for a model's architecture; --ptau takes phase 1 from snarkjs
  zkinfer ceremony init --size-class N -o DIR      or for all models of a size class; leave --model out from here on
  zkinfer ceremony contribute DIR --name N         each contributor to phase 1, one after another
  zkinfer ceremony phase2 DIR --model M.zkm --beacon HEX      end phase 1 (not with --ptau)
  zkinfer ceremony contribute DIR --name N         each contributor to phase 2
  zkinfer ceremony finalize DIR --model M.zkm --beacon HEX -o KEYS
  zkinfer ceremony verify DIR --model M.zkm        anybody, at any time

A beacon is a public random value that nobody knew before the last contribution, such as the hash of a block named in
advance.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return usagef("no command given; see zkinfer ceremony --help") },
	}
	c.AddCommand(newCeremonyInit(u), newContribute(u), newPhase2(u), newCeremonyVerify(u), newFinalize(u))
	return c
}

// inCeremony gives the errors of package ceremony their classes.
func inCeremony(err error) error {
	for is, class := range map[error]string{
		ceremony.ErrOrder: "ceremony_order", ceremony.ErrCircuit: "other_architecture", ceremony.ErrPowers: "malformed_powers",
		ceremony.ErrLimit: "model_too_large",
	} {
		if errors.Is(err, is) && !errors.Is(err, ceremony.ErrRejected) {
			return &classified{class, err}
		}
	}
	switch {
	case errors.Is(err, ceremony.ErrRejected):
		return &rejected{err}
	case errors.Is(err, ceremony.ErrBeacon):
		return usagef("--beacon: %v", err)
	}
	return err
}

// openCeremony reads a transcript's files.
func openCeremony(u *ui, dir string) (c *ceremony.Ceremony, err error) {
	err = u.step("reading the transcript", func() error { c, err = ceremony.Open(dir); return err })
	return c, inCeremony(err)
}

// compileFor compiles the circuit that a ceremony is for: of its size class, or from a model of its architecture.
func compileFor(ctx context.Context, u *ui, c *ceremony.Ceremony, path string) (prover.CeremonyCircuit, error) {
	switch {
	case c.SizeClass == 0 && path == "":
		return nil, usagef("--model is missing: this ceremony is for the architecture of %q, name a .zkm file that has it", c.Model)
	case c.SizeClass != 0 && path != "":
		return nil, usagef("--model %s: this ceremony is for size class %d, whatever the model; leave --model out", path, c.SizeClass)
	case c.Version != prover.Version:
		return nil, fmt.Errorf("%w: the ceremony was begun by version %q, this program is %q", envelope.ErrUnsupportedVersion, c.Version, prover.Version)
	case c.SizeClass != 0:
		return compileClass(ctx, u, c.SizeClass)
	}
	g, err := readModel(path)
	if err != nil {
		return nil, err
	}
	if digest := g.ArchitectureDigest(); !bytes.Equal(digest[:], c.Architecture) {
		return nil, inCeremony(fmt.Errorf("%w: model %q has another architecture than %q, which it is for", ceremony.ErrCircuit, g.Name, c.Model))
	}
	if err := rename(g, c); err != nil {
		return nil, inCeremony(err)
	}
	return compileModel(ctx, u, g, prover.Options{PrivateInput: c.PrivateInput, PrivateOutput: c.PrivateOutput, FoldRows: c.FoldRows})
}

// rename gives the graph the names of the one that the ceremony began with: they stand in the verifying
// key, and a model with other weights may have others.
func rename(g *model.Graph, c *ceremony.Ceremony) error {
	if len(c.Inputs) != len(g.Inputs) || len(c.Outputs) != len(g.Outputs) {
		return fmt.Errorf("%w: it names %d inputs and %d outputs", ceremony.ErrCircuit, len(c.Inputs), len(c.Outputs))
	}
	g.Name = c.Model
	for i, id := range g.Inputs {
		g.Tensors[id].Name = c.Inputs[i]
	}
	for i, id := range g.Outputs {
		g.Tensors[id].Name = c.Outputs[i]
	}
	return nil
}

// compileModel compiles the circuit of an architecture. Of the proof systems, Groth16 is the one whose keys for an
// architecture come from a ceremony.
func compileModel(ctx context.Context, u *ui, g *model.Graph, o prover.Options) (circuit prover.CeremonyCircuit, err error) {
	var compiled prover.Circuit
	err = u.step("compiling the circuit", func() error { compiled, err = groth16.Backend{}.Compile(ctx, g, o); return err })
	if err != nil {
		return nil, err
	}
	return compiled.(prover.CeremonyCircuit), nil
}

// compileClass compiles the circuit of a size class.
func compileClass(ctx context.Context, u *ui, n int) (prover.CeremonyCircuit, error) {
	class, err := sumcheck.NumberedClass(n, prover.Options{})
	if err != nil {
		return nil, err
	}
	var circuit *sumcheck.CompiledClass
	if err := u.step("compiling the circuit", func() error { circuit, err = class.Compile(ctx); return err }); err != nil {
		return nil, err
	}
	return circuit, nil
}

// parseBeacon reads a random value; "" is none.
func parseBeacon(text string) ([]byte, error) {
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		return nil, usagef("--beacon %q is not hexadecimal", text)
	}
	if text == "" {
		return nil, nil
	}
	return b, inCeremony(ceremony.CheckBeacon(b))
}

// ceremonyReport is what --json prints of init, contribute and phase2: where the ceremony stands, and
// the file that was added.
type ceremonyReport struct {
	Transcript  string      `json:"transcript"`
	Model       string      `json:"model"` // or what the size class is called
	SizeClass   int         `json:"size_class,omitempty"`
	Constraints int         `json:"constraints"`
	Power       int         `json:"power"`
	Commitments int         `json:"commitments"`
	Phase       int         `json:"phase"`
	Name        string      `json:"name,omitempty"`
	File        string      `json:"file"`
	Bytes       int64       `json:"bytes"`
	Digest      string      `json:"digest"`
	Ptau        *ptauReport `json:"ptau,omitempty"`
	Seconds     float64     `json:"seconds"`
	PeakMemory  int64       `json:"peak_memory_bytes"`
}

// ptauReport is where powers of tau come from.
type ptauReport struct {
	Power   int    `json:"power"`
	Blake2b string `json:"blake2b"`
}

func newCeremonyReport(c *ceremony.Ceremony, start time.Time) *ceremonyReport {
	e := c.Entries[len(c.Entries)-1]
	return &ceremonyReport{
		Transcript: c.Dir, Model: c.Name(), SizeClass: c.SizeClass, Constraints: c.Constraints, Power: c.Shape.Power, Commitments: len(c.Shape.Committed),
		Phase: c.Phase(), Name: e.Name, File: filepath.Join(c.Dir, e.File), Bytes: e.Bytes, Digest: hex.EncodeToString(e.Digest[:]),
		Ptau: ptauOf(c), Seconds: time.Since(start).Seconds(), PeakMemory: peakMemory(),
	}
}

func ptauOf(c *ceremony.Ceremony) *ptauReport {
	for _, e := range c.Entries {
		if e.Source != nil {
			return &ptauReport{e.Source.Power, hex.EncodeToString(e.Source.Blake2b)}
		}
	}
	return nil
}

func (r *ceremonyReport) print(w io.Writer) {
	fields(w,
		"ceremony", fmt.Sprintf("%s, for %s: %s constraints (2^%d), %d commitments", r.Transcript, r.Model, grouped(r.Constraints), r.Power, r.Commitments),
		"phase", fmt.Sprint(r.Phase),
		"file", fmt.Sprintf("%s, %s", r.File, byteSize(r.Bytes)),
		"digest", r.Digest,
		"took", seconds(r.Seconds),
	)
	if r.Ptau != nil {
		fmt.Fprintf(w, "powers of tau from a file for 2^%d, BLAKE2b %s: compare it with what is published\n", r.Ptau.Power, r.Ptau.Blake2b)
	}
}

type ceremonyInitFlags struct {
	circuit   circuitFlags
	sizeClass int
	out       string
	ptau      string
}

func newCeremonyInit(u *ui) *cobra.Command {
	var f ceremonyInitFlags
	c := &cobra.Command{
		Use:   "init {MODEL.zkm | --size-class N} -o DIR",
		Short: "Begin a ceremony for a model's architecture, or for all models of a size class",
		Long: `Begin a ceremony in a new folder: for a model's architecture, whose keys are Groth16's, or with --size-class N for the
keys of a size class of the sumcheck backend, which serve every model that fits it. What the proofs of those hide is
then chosen by zkinfer commit.

With --ptau FILE the powers of tau come from another ceremony, in the format of snarkjs: they are checked by pairings, and
the ceremony begins with phase 2. Whether the other ceremony was honest is for you to judge: compare the file's BLAKE2b
digest with what is published.`,
		Args: cobra.MaximumNArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args) }),
	}
	sizeClassFlag(c.Flags(), &f.sizeClass, "begin a ceremony for")
	c.Flags().StringVarP(&f.out, "out", "o", "", "folder to write the transcript to")
	c.Flags().StringVar(&f.ptau, "ptau", "", "powers of tau of another ceremony, a .ptau file for as many constraints or more")
	f.circuit.flags(c.Flags())
	return c
}

func (f *ceremonyInitFlags) run(ctx context.Context, u *ui, paths []string) error {
	options, err := f.options(paths)
	if err != nil {
		return err
	}
	if err := (&output{path: f.out}).check(); err != nil {
		return err
	}
	start := time.Now()
	circuit, err := f.compile(ctx, u, paths, options)
	if err != nil {
		return err
	}
	d := ceremony.Description{Version: prover.Version, Subject: circuit.Subject()}
	var c *ceremony.Ceremony
	err = u.step("beginning the ceremony", func() error { c, err = ceremony.Create(ctx, f.out, circuit.System(), d, f.ptau); return err })
	if err != nil {
		return inCeremony(err)
	}
	r := newCeremonyReport(c, start)
	return u.report(r, r.print)
}

// options checks the flags.
func (f *ceremonyInitFlags) options(paths []string) (prover.Options, error) {
	options, err := f.circuit.options()
	if err != nil {
		return options, err
	}
	if err := checkModelOrClass(paths, f.sizeClass); err != nil {
		return options, err
	}
	switch {
	case f.out == "":
		return options, usagef("-o is missing: name the folder to write the transcript to")
	case f.sizeClass != 0 && options != prover.Options{}:
		return options, usagef("--input, --output and --fold-rows are of a model: with keys of a size class, zkinfer commit says what proofs hide")
	}
	return options, nil
}

func (f *ceremonyInitFlags) compile(ctx context.Context, u *ui, paths []string, options prover.Options) (prover.CeremonyCircuit, error) {
	if f.sizeClass != 0 {
		return compileClass(ctx, u, f.sizeClass)
	}
	g, err := readModel(paths[0])
	if err != nil {
		return nil, err
	}
	return compileModel(ctx, u, g, options)
}

func newContribute(u *ui) *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "contribute DIR --name NAME",
		Short: "Multiply the ceremony's secrets by fresh ones, and forget them",
		Long: `Multiply the secrets of the ceremony's present phase by fresh ones, and forget them. Only the transcript is needed; to be
sure that your contribution counts, run zkinfer ceremony verify before. Keep the digest that is printed: it must be in the
finished transcript, else somebody left your contribution out.

The name is public and bound to the contribution: nobody can put it on another one.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return runContribute(ctx, u, args[0], name) }),
	}
	c.Flags().StringVar(&name, "name", "", "what the transcript calls you")
	return c
}

func runContribute(ctx context.Context, u *ui, dir, name string) error {
	if name == "" {
		return usagef("--name is missing: what the transcript is to call you")
	}
	if err := ceremony.CheckName(name); err != nil {
		return usagef("--name: %v", err)
	}
	start := time.Now()
	c, err := openCeremony(u, dir)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("contributing to phase %d", c.Phase())
	if err := u.step(what, func() error { _, err := c.Contribute(ctx, name); return err }); err != nil {
		return inCeremony(err)
	}
	u.remark("keep the digest: the finished transcript must hold it")
	r := newCeremonyReport(c, start)
	return u.report(r, r.print)
}

// endFlags are those of commands that end a phase.
type endFlags struct{ model, beacon string }

func (f *endFlags) flags(c *cobra.Command) {
	modelFlag(c.Flags(), &f.model)
	c.Flags().StringVar(&f.beacon, "beacon", "", "public random value in hexadecimal, 16 to 64 bytes, that nobody knew before the last contribution")
}

// modelFlag names a model of the architecture that a ceremony is for.
func modelFlag(f *pflag.FlagSet, path *string) {
	f.StringVar(path, "model", "", "a .zkm file of the architecture that the ceremony is for; not for a size class")
}

func newPhase2(u *ui) *cobra.Command {
	var f endFlags
	c := &cobra.Command{
		Use:   "phase2 DIR [--model MODEL.zkm] --beacon HEX",
		Short: "End phase 1 of a ceremony, and begin phase 2",
		Long: `Verify phase 1 of a ceremony, end it with a public random value, and begin phase 2, which is for the circuit of
the model's architecture, or of the size class. A ceremony with --ptau begins there.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args[0]) }),
	}
	f.flags(c)
	return c
}

func (f *endFlags) run(ctx context.Context, u *ui, dir string) error {
	beacon, err := parseBeacon(f.beacon)
	switch {
	case err != nil:
		return err
	case beacon == nil:
		return usagef("--beacon is missing: the public random value that ends phase 1")
	}
	start := time.Now()
	c, err := openCeremony(u, dir)
	if err != nil {
		return err
	}
	circuit, err := compileFor(ctx, u, c, f.model)
	if err != nil {
		return err
	}
	if err := u.step("verifying phase 1 and beginning phase 2", func() error { return c.BeginPhase2(ctx, circuit.System(), beacon) }); err != nil {
		return inCeremony(err)
	}
	r := newCeremonyReport(c, start)
	return u.report(r, r.print)
}
