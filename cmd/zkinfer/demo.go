package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/quantize"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/groth16"
	"github.com/zkinfer/zkinfer/testvectors"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

type demoFlags struct {
	keep  string
	digit int
}

type demoReport struct {
	Steps       []demoStep `json:"steps"`
	Seconds     float64    `json:"seconds"`
	Digit       int        `json:"digit"`  // what the image shows
	Argmax      int        `json:"argmax"` // what was proved
	Constraints int        `json:"constraints"`
	Files       string     `json:"files,omitempty"` // folder, with --keep
}

// demoStep is a step's wall time and the size of what it made: model file, proving key, model
// commitment, proof; for verify, all that a verifier needs.
type demoStep struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Bytes   int64   `json:"bytes"`
	Note    string  `json:"note"`
}

func newDemo(u *ui) *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "From a trained model to a verified proof, with a bundled model and a real digit",
		Long: `From a trained model to a verified proof: imports a bundled network for handwritten digits, makes keys, commits to its
weights, proves what it says about the image of a digit that the proof does not show, verifies, and tampers.`,
		Args: cobra.NoArgs,
		RunE: u.command(func(ctx context.Context, _ []string) error { return f.run(ctx, u) }),
	}
	c.Flags().StringVar(&f.keep, "keep", "", "folder to make for the files (default: none are kept)")
	c.Flags().IntVar(&f.digit, "digit", 7, "which digit to prove, 0 to 9")
	return c
}

func (f *demoFlags) run(ctx context.Context, u *ui) (err error) {
	if f.digit < 0 || f.digit > 9 {
		return usagef("--digit %d, expected 0 to 9", f.digit)
	}
	d := &demo{ui: u, report: demoReport{Digit: f.digit, Files: f.keep}}
	if f.keep == "" {
		if d.dir, err = os.MkdirTemp("", "zkinfer-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(d.dir)
	} else {
		if err := os.Mkdir(f.keep, 0o755); err != nil {
			return err
		}
		d.dir = f.keep
		defer func() {
			if err != nil {
				os.RemoveAll(f.keep)
			}
		}()
	}
	start := time.Now()
	for _, step := range []struct {
		name string
		do   func(context.Context) (bytes int64, note string, err error)
	}{
		{"import", d.importModel}, {"setup", d.setup}, {"commit", d.commit}, {"prove", d.prove}, {"verify", d.verify}, {"tamper", d.tamper},
	} {
		if err := d.step(ctx, step.name, step.do); err != nil {
			return err
		}
	}
	d.report.Seconds = time.Since(start).Seconds()
	return u.report(d.report, d.report.print)
}

// demo is one demonstration. Files are written and read again, as if prover and verifier were apart.
type demo struct {
	ui     *ui
	dir    string
	report demoReport

	graph   *model.Graph
	keys    *groth16.Keys
	opening *prover.ModelOpening
}

func (d *demo) step(ctx context.Context, name string, do func(context.Context) (bytes int64, note string, err error)) error {
	s := demoStep{Name: name}
	start := time.Now()
	err := d.ui.step(name, func() (err error) { s.Bytes, s.Note, err = do(ctx); return err })
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s.Seconds = time.Since(start).Seconds()
	d.report.Steps = append(d.report.Steps, s)
	return nil
}

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

func (d *demo) keyFolder() string { return d.path("keys") }

func (d *demo) importModel(ctx context.Context) (size int64, note string, err error) {
	fg, err := onnx.Import(testvectors.MNIST, onnx.Options{})
	if err != nil {
		return 0, "", err
	}
	images, labels, err := demoDigits(floatInputs(fg))
	if err != nil {
		return 0, "", err
	}
	d.graph, err = quantize.Quantize(ctx, fg, quantize.Options{Calibration: images, PixelScale: []float64{1}, Name: "mnist-8", Format: "onnx"})
	if err != nil {
		return 0, "", err
	}
	a, err := quantize.Measure(ctx, fg, d.graph, images, labels)
	if err != nil {
		return 0, "", err
	}
	b, err := d.graph.Encode()
	if err != nil {
		return 0, "", err
	}
	note = fmt.Sprintf("%d parameters, argmax as the float model in %d of %d images", newModelReport(d.graph, backendFlag{verifier.BackendGroth16}, demoOptions).Totals.Parameters,
		int(a.ArgmaxAgreement*float64(a.Samples)+0.5), a.Samples)
	return int64(len(b)), note, envelope.WriteFile(d.path("mnist.zkm"), false, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// demoOptions hide the image.
var demoOptions = prover.Options{PrivateInput: true}

// demoDigits are the bundled images as real values, and what they show.
func demoDigits(inputs []samples.Input) (images [][][]float32, labels []int, err error) {
	b, err := testvectors.Digits.ReadFile("digits/images.idx.gz")
	if err != nil {
		return nil, nil, err
	}
	set, err := samples.Decode(b, inputs, samples.Options{})
	if err != nil {
		return nil, nil, err
	}
	if images, err = set.Floats(set.Len()); err != nil {
		return nil, nil, err
	}
	if b, err = testvectors.Digits.ReadFile("digits/labels.idx"); err != nil {
		return nil, nil, err
	}
	labels, err = samples.DecodeLabels(b)
	return images, labels, err
}

func (d *demo) setup(ctx context.Context) (size int64, note string, err error) {
	circuit, err := groth16.Compile(ctx, d.graph, demoOptions)
	if err != nil {
		return 0, "", err
	}
	if d.keys, err = circuit.UnsafeDevSetup(ctx); err != nil {
		return 0, "", err
	}
	m, err := d.keys.Save(d.keyFolder(), false)
	if err != nil {
		return 0, "", err
	}
	d.report.Constraints = m.Constraints
	return m.Files[prover.ProvingKeyFile].Bytes, fmt.Sprintf("%s constraints; once for an architecture (UNSAFE: by one party)", grouped(m.Constraints)), nil
}

func (d *demo) commit(ctx context.Context) (size int64, note string, err error) {
	if d.opening, err = d.keys.CommitModel(ctx, d.graph, prover.Private); err != nil {
		return 0, "", err
	}
	if err = prover.SaveOpening(d.keyFolder(), false, d.graph, d.opening, prover.Private); err != nil {
		return 0, "", err
	}
	size, err = fileSizes(filepath.Join(d.keyFolder(), prover.ModelFile))
	return size, "once for a set of weights, which stay hidden", err
}

func (d *demo) prove(ctx context.Context) (size int64, note string, err error) {
	b, err := testvectors.Digits.ReadFile(fmt.Sprintf("digits/%d.png", d.report.Digit))
	if err != nil {
		return 0, "", err
	}
	in := tensors(d.graph, d.graph.Inputs)
	set, err := samples.Decode(b, samples.InputsOf(in), samples.Options{PixelScale: d.graph.Source.PixelScale, PixelMean: d.graph.Source.PixelMean})
	if err != nil {
		return 0, "", err
	}
	inputs, err := quantizedSample(set, 0, in)
	if err != nil {
		return 0, "", err
	}
	p, err := d.keys.Prove(ctx, d.graph, d.opening, inputs, []byte("demo"))
	if err != nil {
		return 0, "", err
	}
	d.report.Argmax = argmax(d.graph, p.Outputs)
	note = fmt.Sprintf("the image of digit %d, which stays hidden, is taken for %d", d.report.Digit, d.report.Argmax)
	return int64(len(p.Bundle.Proof)), note, artifact.WriteProof(d.path("digit.zkp"), false, p.Bundle)
}

// verify has nothing but the three files that a verifier gets.
func (d *demo) verify(context.Context) (size int64, note string, err error) {
	vk, m, b, err := d.received()
	if err != nil {
		return 0, "", err
	}
	start := time.Now()
	if err := verifier.VerifyBundle(vk, m.Commitment, b); err != nil {
		return 0, "", err
	}
	note = fmt.Sprintf("valid, checked in %s; needs verifying key and model commitment", seconds(time.Since(start).Seconds()))
	size, err = fileSizes(d.verifierFiles()[:2]...)
	return size, note, err
}

func (d *demo) verifierFiles() []string {
	return []string{filepath.Join(d.keyFolder(), prover.VerifyingKeyFile), filepath.Join(d.keyFolder(), prover.ModelFile), d.path("digit.zkp")}
}

func (d *demo) received() (verifier.Key, *artifact.ModelCommitment, *verifier.Bundle, error) {
	files := d.verifierFiles()
	vk, err := artifact.ReadVerifyingKey(files[0])
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := artifact.ReadModelCommitment(files[1])
	if err != nil {
		return nil, nil, nil, err
	}
	b, err := artifact.ReadProof(files[2])
	return vk, m, b, err
}

// tamper swaps two of the proved outputs: the proof must not hold for them.
func (d *demo) tamper(context.Context) (size int64, note string, err error) {
	vk, m, b, err := d.received()
	if err != nil {
		return 0, "", err
	}
	scores := b.Statement.Outputs[0].Values
	other := (d.report.Argmax + 1) % len(scores)
	scores[d.report.Argmax], scores[other] = scores[other], scores[d.report.Argmax]
	err = verifier.VerifyBundle(vk, m.Commitment, b)
	if !errors.Is(err, verifier.ErrInvalidProof) {
		return 0, "", fmt.Errorf("the proof with the scores of %d and %d swapped was not rejected: %v", d.report.Argmax, other, err)
	}
	return 0, fmt.Sprintf("claiming digit %d instead: rejected, as it must be", other), nil
}

func fileSizes(paths ...string) (total int64, err error) {
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}

func (r demoReport) print(w io.Writer) {
	rows := [][]string{{"step", "time", "size", ""}}
	for _, s := range r.Steps {
		size := ""
		if s.Bytes > 0 {
			size = byteSize(s.Bytes)
		}
		rows = append(rows, []string{s.Name, seconds(s.Seconds), size, s.Note})
	}
	rows = append(rows, []string{"all", seconds(r.Seconds), "", ""})
	table(w, "lrrl", rows...)
	if r.Files != "" {
		fmt.Fprintf(w, "files are in %s\n", r.Files)
	}
}
