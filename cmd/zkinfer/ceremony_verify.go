package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/backends"
	"github.com/zkinfer/zkinfer/prover/ceremony"
)

// transcriptReport is what verify's --json prints, also for a transcript that is rejected.
type transcriptReport struct {
	Valid       bool          `json:"valid"`
	Error       *errorReport  `json:"error,omitempty"`
	Finished    bool          `json:"finished"`
	Phase       int           `json:"phase"` // that is open; 3 if finished
	Model       string        `json:"model"` // or what the size class is called
	SizeClass   int           `json:"size_class,omitempty"`
	Constraints int           `json:"constraints"`
	Entries     []entryReport `json:"entries"`
	Ptau        *ptauReport   `json:"ptau,omitempty"`
	// Of a finished ceremony.
	Ceremony     string `json:"ceremony,omitempty"`      // digest of the transcript
	VerifyingKey string `json:"verifying_key,omitempty"` // digest of the key that the transcript gives
	KeysMatch    *bool  `json:"keys_match,omitempty"`    // with --keys

	Seconds    float64 `json:"seconds"`
	PeakMemory int64   `json:"peak_memory_bytes"`
}

// entryReport is a file of a transcript.
type entryReport struct {
	File   string `json:"file"`
	Step   string `json:"step"`
	Name   string `json:"name,omitempty"`
	Beacon string `json:"beacon,omitempty"`
	Bytes  int64  `json:"bytes"`
	Digest string `json:"digest"`
}

type ceremonyVerifyFlags struct{ model, keys string }

func newCeremonyVerify(u *ui) *cobra.Command {
	var f ceremonyVerifyFlags
	c := &cobra.Command{
		Use:   "verify DIR [--model MODEL.zkm]",
		Short: "Check a ceremony's transcript, finished or not",
		Long: `Check a ceremony's transcript, finished or not, for a model's architecture or a size class, whose circuit is compiled here:
every contribution, every random value, and what phase 2 begins with. Of a finished one, the verifying key's digest is printed, and
with --keys a folder of keys is compared byte by byte. Exit code 3: the transcript was checked and rejected.

What cannot be checked: that contributors forgot their secrets and are different people, and that random values were
unknown before. Look for the digests of those you trust, and look the random values up.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args[0]) }),
	}
	modelFlag(c.Flags(), &f.model)
	c.Flags().StringVar(&f.keys, "keys", "", "key folder that the ceremony must have given")
	return c
}

func (f *ceremonyVerifyFlags) run(ctx context.Context, u *ui, dir string) error {
	start := time.Now()
	r := &transcriptReport{Entries: []entryReport{}}
	err := f.verify(ctx, u, dir, r)
	r.Seconds, r.PeakMemory = time.Since(start).Seconds(), peakMemory()
	var not *rejected
	if errors.As(err, &not) {
		r.Error = &errorReport{"rejected", err.Error()}
		if u.json {
			if err := u.report(r, nil); err != nil {
				return err
			}
		}
	}
	if err != nil {
		return err
	}
	r.Valid = true
	return u.report(r, r.print)
}

func (f *ceremonyVerifyFlags) verify(ctx context.Context, u *ui, dir string, r *transcriptReport) error {
	c, err := openCeremony(u, dir)
	if err != nil {
		return err
	}
	r.describe(c)
	if f.keys != "" && !r.Finished {
		return usagef("--keys: the ceremony is not finished and has given no keys")
	}
	circuit, err := compileFor(ctx, u, c, f.model)
	if err != nil {
		return err
	}
	var made *ceremony.Outcome
	what := fmt.Sprintf("verifying %d contributions", len(c.Contributions(1))+len(c.Contributions(2)))
	if err := u.step(what, func() error { made, err = c.Verify(ctx, circuit.System()); return err }); err != nil || made == nil {
		return inCeremony(err)
	}
	keys, err := circuit.CeremonyKeys(made.ProvingKey, made.VerifyingKey, made.Digest)
	if err != nil {
		return err
	}
	digest := keys.VerifyingKey().Digest()
	r.VerifyingKey = hex.EncodeToString(digest[:])
	if f.keys == "" {
		return nil
	}
	match, err := sameKeys(keys, f.keys)
	if r.KeysMatch = &match; err == nil && !match {
		err = &rejected{fmt.Errorf("the keys in %s are not those that the ceremony gave", f.keys)}
	}
	return err
}

// sameKeys compares a key folder with keys, file by file.
func sameKeys(keys prover.Keys, dir string) (bool, error) {
	_, theirs, err := backends.OpenKeys(dir)
	if err != nil {
		return false, err
	}
	tmp, err := os.MkdirTemp("", "zkinfer-keys-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(tmp)
	ours, err := keys.Save(filepath.Join(tmp, "keys"), false)
	if err != nil {
		return false, err
	}
	return ours.VerifyingKey == theirs.VerifyingKey && ours.Ceremony == theirs.Ceremony && maps.Equal(ours.Files, theirs.Files), nil
}

// describe fills in what the transcript says of itself.
func (r *transcriptReport) describe(c *ceremony.Ceremony) {
	r.Phase, r.Finished, r.Constraints, r.Ptau = c.Phase(), c.Phase() == 3, c.Constraints, ptauOf(c)
	r.Model, r.SizeClass = c.Name(), c.SizeClass
	for _, e := range c.Entries {
		r.Entries = append(r.Entries, entryReport{File: e.File, Step: string(e.Step), Name: e.Name, Beacon: hex.EncodeToString(e.Beacon),
			Bytes: e.Bytes, Digest: hex.EncodeToString(e.Digest[:])})
	}
	if r.Finished {
		digest := c.Digest()
		r.Ceremony = hex.EncodeToString(digest[:])
	}
}

func (r *transcriptReport) print(w io.Writer) {
	state := fmt.Sprintf("yes, so far; phase %d is open", r.Phase)
	if r.Finished {
		state = "yes, and finished"
	}
	fields(w, "valid", state, "for", fmt.Sprintf("%s, %s constraints", r.Model, grouped(r.Constraints)), "checked in", seconds(r.Seconds))
	r.printEntries(w)
	if r.Finished {
		fields(w, "ceremony", r.Ceremony, "verifying key", r.VerifyingKey)
	}
	if r.KeysMatch != nil {
		fields(w, "keys", "are those of the ceremony")
	}
}

// printEntries lists the files.
func (r *transcriptReport) printEntries(w io.Writer) {
	rows := [][]string{}
	for _, e := range r.Entries {
		rows = append(rows, []string{e.File, e.Digest, e.Name + e.Beacon})
	}
	table(w, "lll", rows...)
	if r.Ptau != nil {
		fmt.Fprintf(w, "powers of tau from a file for 2^%d, BLAKE2b %s\n", r.Ptau.Power, r.Ptau.Blake2b)
	}
}

// isCeremony reports whether a folder holds a transcript.
func isCeremony(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, ceremony.FirstFile))
	return err == nil
}

// inspectedCeremony is inspect's JSON for a transcript, which is not verified.
type inspectedCeremony struct {
	Kind string `json:"kind"`
	transcriptReport
	Valid bool `json:"valid,omitempty"` // hides that of the report, which only verify knows
}

func inspectCeremony(u *ui, dir string) (*inspectedCeremony, error) {
	start := time.Now()
	c, err := openCeremony(u, dir)
	if err != nil {
		return nil, err
	}
	r := &inspectedCeremony{Kind: "ceremony"}
	r.describe(c)
	r.Seconds, r.PeakMemory = time.Since(start).Seconds(), peakMemory()
	return r, nil
}

func (r *inspectedCeremony) print(w io.Writer) {
	fields(w, "ceremony, not verified", fmt.Sprintf("for %s, %s constraints", r.Model, grouped(r.Constraints)), "phase", fmt.Sprint(r.Phase))
	r.printEntries(w)
}

type finalizeFlags struct {
	endFlags
	out output
}

// finalizeReport is what finalize's --json prints: what setup prints, and the ceremony.
type finalizeReport struct {
	setupReport
	Ceremony       string `json:"ceremony"` // digest of the transcript
	Contributions1 int    `json:"phase1_contributions"`
	Contributions2 int    `json:"phase2_contributions"`
}

func newFinalize(u *ui) *cobra.Command {
	var f finalizeFlags
	c := &cobra.Command{
		Use:   "finalize DIR [--model MODEL.zkm] --beacon HEX -o KEYS",
		Short: "Verify a ceremony, end it, and write its keys",
		Long: `Verify a ceremony, end it with a public random value, and write its keys. Of a ceremony that is finished already the
keys are written again: --beacon is then left out.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args[0]) }),
	}
	f.endFlags.flags(c)
	f.out.flags(c.Flags(), "out", "o", "key folder to write")
	return c
}

func (f *finalizeFlags) run(ctx context.Context, u *ui, dir string) error {
	beacon, err := parseBeacon(f.beacon)
	if err != nil {
		return err
	}
	if f.out.path == "" {
		return usagef("-o is missing: name the key folder to write")
	}
	if err := f.out.check(); err != nil {
		return err
	}
	start := time.Now()
	c, err := openCeremony(u, dir)
	if err != nil {
		return err
	}
	if beacon == nil && c.Phase() != 3 {
		return usagef("--beacon is missing: the public random value that ends the ceremony")
	}
	keys, err := f.finish(ctx, u, c, beacon)
	if err != nil {
		return err
	}
	manifest, err := keys.Save(f.out.path, f.out.force)
	if err != nil {
		return err
	}
	setup, err := newSetupReport(f.out.path, keys, manifest, time.Since(start))
	if err != nil {
		return err
	}
	r := &finalizeReport{*setup, manifest.Ceremony, len(c.Contributions(1)), len(c.Contributions(2))}
	return u.report(r, r.print)
}

func (f *finalizeFlags) finish(ctx context.Context, u *ui, c *ceremony.Ceremony, beacon []byte) (prover.Keys, error) {
	circuit, err := compileFor(ctx, u, c, f.model)
	if err != nil {
		return nil, err
	}
	var made *ceremony.Outcome
	if err := u.step("verifying and ending the ceremony", func() error { made, err = c.Finish(ctx, circuit.System(), beacon); return err }); err != nil {
		return nil, inCeremony(err)
	}
	return circuit.CeremonyKeys(made.ProvingKey, made.VerifyingKey, made.Digest)
}

func (r *finalizeReport) print(w io.Writer) {
	r.setupReport.print(w)
	fields(w, "ceremony", r.Ceremony, "contributions", fmt.Sprintf("%d to phase 1, %d to phase 2", r.Contributions1, r.Contributions2))
}
