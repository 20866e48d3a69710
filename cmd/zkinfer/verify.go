package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

type verifyFlags struct {
	keys, vk, commitment string
	input                inputFlags
	output               string
	context              string
	inputCommitment      string
}

// verifyReport is what --json prints, also for a proof that is rejected. Outputs are the proved ones;
// private outputs have a commitment instead.
type verifyReport struct {
	Valid           bool              `json:"valid"`
	Error           *errorReport      `json:"error,omitempty"`
	Outputs         []outputReport    `json:"outputs,omitempty"`
	Commitments     map[string]string `json:"commitments,omitempty"` // of private tensors, by name
	ModelCommitment string            `json:"model_commitment"`
	VerifyingKey    string            `json:"verifying_key"`
	Context         string            `json:"context"`
	Statement       string            `json:"statement,omitempty"`
	TrustedSetup    string            `json:"trusted_setup"`
	Ceremony        string            `json:"ceremony,omitempty"` // digest of the transcript that the key came from
	Seconds         float64           `json:"seconds"`
	CPUSeconds      float64           `json:"cpu_seconds"`
}

func newVerify(u *ui) *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:   "verify PROOF.zkp --keys KEYS",
		Short: "Check a proof and print what it proves",
		Long: `Check a proof and print what it proves. Neither the model nor the proving key is needed: --keys takes verifying.key and
model.zkc from a folder, --vk and --model-commitment name them.

Take both from your own records, never from whoever sent the proof. --input, --output and --context are compared with
what was proved. Exit code 3: the proof was checked and rejected, or proves something else.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(_ context.Context, args []string) error { return f.run(u, args[0]) }),
	}
	f.input.flags(c.Flags())
	flags := c.Flags()
	flags.StringVar(&f.keys, "keys", "", "folder with verifying.key and model.zkc")
	flags.StringVar(&f.vk, "vk", "", "verifying key")
	flags.StringVar(&f.commitment, "model-commitment", "", "model commitment (.zkc)")
	flags.StringVar(&f.output, "output", "", "the expected output: a file, or a JSON array of real values")
	flags.StringVar(&f.context, "context", "", "the expected context, in hexadecimal")
	flags.StringVar(&f.inputCommitment, "input-commitment", "", "the expected commitment of a private input, in hexadecimal")
	return c
}

// rejected is a proof that was checked and does not prove what is asked.
type rejected struct{ error }

func (r *rejected) Unwrap() error { return r.error }

func (f *verifyFlags) run(u *ui, path string) error {
	debug.SetGCPercent(400) // the garbage of one verification is little, and collecting it up to a quarter of the time
	vk, m, err := f.open()
	if err != nil {
		return err
	}
	var expectedContext []byte
	if f.context != "" {
		if expectedContext, err = parseContext(f.context); err != nil {
			return err
		}
	}
	bundle, err := artifact.ReadProof(path)
	if err != nil {
		return classedAs("malformed_proof", err)
	}
	start, cpu := time.Now(), cpuSeconds()
	about, err := verifyProof(vk, m, bundle)
	took, cpuTook := time.Since(start), cpuSeconds()-cpu
	if err == nil {
		err = f.compare(u, about, m, bundle, expectedContext)
	}
	r := newVerifyReport(vk, m, bundle)
	r.Seconds, r.CPUSeconds = took.Seconds(), cpuTook
	if err != nil {
		return f.reject(u, r, err)
	}
	r.Valid = true
	return u.report(r, func(w io.Writer) { r.print(w) })
}

// verifyProof checks a proof and returns what it is about.
func verifyProof(vk verifier.Key, m *artifact.ModelCommitment, b *verifier.Bundle) (*verifier.Subject, error) {
	about, err := m.Subject(vk)
	if err != nil {
		return nil, err
	}
	return about, verifier.VerifyBundle(vk, m.Commitment, b)
}

// open reads the two files that a verifier holds.
func (f *verifyFlags) open() (verifier.Key, *artifact.ModelCommitment, error) {
	vkPath, mPath := f.vk, f.commitment
	if f.keys != "" {
		if vkPath == "" {
			vkPath = filepath.Join(f.keys, prover.VerifyingKeyFile)
		}
		if mPath == "" {
			mPath = filepath.Join(f.keys, prover.ModelFile)
		}
	}
	if vkPath == "" || mPath == "" {
		return nil, nil, usagef("name --keys, or both --vk and --model-commitment")
	}
	vk, err := artifact.ReadVerifyingKey(vkPath)
	if err != nil {
		return nil, nil, classedAs("malformed_key", err)
	}
	m, err := artifact.ReadModelCommitment(mPath)
	if err != nil {
		return nil, nil, classedAs("malformed_key", err)
	}
	return vk, m, nil
}

// compare holds what was proved against what the caller expects.
func (f *verifyFlags) compare(u *ui, about *verifier.Subject, m *artifact.ModelCommitment, b *verifier.Bundle, task []byte) error {
	if f.context != "" && !bytes.Equal(task, b.Statement.Context) {
		return &rejected{fmt.Errorf("it was made for context 0x%x, expected 0x%x", b.Statement.Context, task)}
	}
	if f.input.path != "" {
		set, err := f.input.open(u, verifierTensors(about.Inputs, m.Inputs), sourceOf(m))
		if err != nil {
			return err
		}
		if err := compareSample("input", set, f.input.index, about.Inputs, m.Inputs, b.Statement.Inputs); err != nil {
			return err
		}
	}
	if f.inputCommitment != "" {
		if err := f.compareInputCommitment(b); err != nil {
			return err
		}
	}
	if f.output == "" {
		return nil
	}
	set, err := openOutput(u, f.output, verifierTensors(about.Outputs, m.Outputs))
	if err != nil {
		return err
	}
	return compareSample("output", set, 0, about.Outputs, m.Outputs, b.Statement.Outputs)
}

// openOutput reads expected outputs from a file, or from the argument itself if that is JSON.
func openOutput(u *ui, argument string, outputs []model.Tensor) (*samples.Set, error) {
	if text := strings.TrimSpace(argument); strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") {
		return samples.Decode([]byte(text), samples.InputsOf(outputs), samples.Options{Format: samples.JSON})
	}
	return samples.Open(argument, u.in, samples.InputsOf(outputs), samples.Options{})
}

func (f *verifyFlags) compareInputCommitment(b *verifier.Bundle) error {
	want, err := parseContext(f.inputCommitment)
	if err != nil {
		return usagef("--input-commitment %q: expected bytes in hexadecimal", f.inputCommitment)
	}
	for _, v := range b.Statement.Inputs {
		if v.Commitment != nil && bytes.Equal(v.CommitmentBytes(), want) {
			return nil
		}
	}
	return &rejected{fmt.Errorf("it was made for another input commitment")}
}

func compareSample(what string, set *samples.Set, index int, specs []verifier.TensorSpec, meanings []artifact.Meaning, proved []verifier.TensorValue) error {
	values, err := quantizedSample(set, index, verifierTensors(specs, meanings))
	if err != nil {
		return err
	}
	for i := range specs {
		if proved[i].Commitment != nil {
			return usagef("%s %q is private: the proof shows only its commitment; compare --input-commitment", what, specs[i].Name)
		}
		for k, v := range values[i] {
			if v != proved[i].Values[k] {
				return &rejected{fmt.Errorf("it proves another %s: element %d of %q is %d, expected %d", what, k, specs[i].Name, proved[i].Values[k], v)}
			}
		}
	}
	return nil
}

// verifierTensors describe the statement's tensors as those of a model.
func verifierTensors(specs []verifier.TensorSpec, meanings []artifact.Meaning) []model.Tensor {
	out := make([]model.Tensor, len(specs))
	for i, s := range specs {
		out[i] = model.Tensor{Name: s.Name, Shape: s.Shape, Min: s.Min, Max: s.Max, Scale: meanings[i].Scale, Zero: meanings[i].Zero}
		for _, t := range []model.DType{model.Int8, model.Uint8, model.Int16, model.Uint16, model.Int32} {
			if t.String() == s.Type {
				out[i].Type = t
			}
		}
	}
	return out
}

func sourceOf(m *artifact.ModelCommitment) model.Source {
	return model.Source{PixelScale: m.PixelScale, PixelMean: m.PixelMean}
}

func newVerifyReport(vk verifier.Key, m *artifact.ModelCommitment, b *verifier.Bundle) *verifyReport {
	commitment, key := m.Commitment.Digest(), vk.Digest()
	setup, ceremony := prover.SplitSetup(vk.Describe().TrustedSetup)
	r := &verifyReport{ModelCommitment: hex.EncodeToString(commitment[:]), VerifyingKey: hex.EncodeToString(key[:]),
		Context: "0x" + hex.EncodeToString(b.Statement.Context), TrustedSetup: setup, Ceremony: ceremony, Commitments: map[string]string{}}
	about, err := m.Subject(vk)
	if err != nil {
		return r // there is nothing that both could be about
	}
	s, err := verifier.StatementDigest(vk, m.Commitment, &b.Statement)
	if err != nil {
		return r // the statement does not fit the key: there is nothing to show
	}
	digest := s.Bytes()
	r.Statement = hex.EncodeToString(digest[:])
	specs := slices.Concat(about.Inputs, about.Outputs)
	for i, v := range slices.Concat(b.Statement.Inputs, b.Statement.Outputs) {
		if v.Commitment != nil {
			r.Commitments[specs[i].Name] = hex.EncodeToString(v.CommitmentBytes())
		}
	}
	described := verifierTensors(about.Outputs, m.Outputs)
	for i, v := range b.Statement.Outputs {
		if v.Commitment == nil {
			r.Outputs = append(r.Outputs, outputReports(described[i:i+1], [][]int64{v.Values})...)
		}
	}
	return r
}

// reject reports a proof that does not hold (exit code 3), or that could not be checked (1).
func (f *verifyFlags) reject(u *ui, r *verifyReport, err error) error {
	var not *rejected
	if !errors.As(err, &not) && !isRejection(err) {
		return err
	}
	class := verifier.Class(err)
	if not != nil {
		class = "rejected"
	}
	r.Error, r.Outputs = &errorReport{class, err.Error()}, nil
	if u.json {
		if err := u.report(r, nil); err != nil {
			return err
		}
	}
	return &rejected{fmt.Errorf("rejected: %w", err)}
}

func isRejection(err error) bool {
	return errors.Is(err, verifier.ErrInvalidProof) || errors.Is(err, verifier.ErrKeyMismatch) ||
		errors.Is(err, verifier.ErrStatement) || errors.Is(err, verifier.ErrMalformed)
}

func (r *verifyReport) print(w io.Writer) {
	printOutputs(w, r.Outputs)
	pairs := []string{"valid", "yes", "model commitment", r.ModelCommitment, "context", r.Context, "statement", r.Statement}
	for _, name := range slices.Sorted(maps.Keys(r.Commitments)) {
		pairs = append(pairs, "private "+name, r.Commitments[name])
	}
	fields(w, append(pairs, "checked in", seconds(r.Seconds), "setup", setupText(r.TrustedSetup, r.Ceremony))...)
}
