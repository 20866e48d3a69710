package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/bench"
)

type benchFlags struct {
	out            string
	quick          bool
	families       []string
	models         []string
	backends       []string
	weights        []string
	seed           uint64
	runs           int
	budget         time.Duration
	maxConstraints int
	resume, force  bool
	list, estimate bool
}

// quickLimit keeps --quick within three minutes on a machine that is slow, or busy with something else.
const quickLimit = 150 * time.Second

// defaultBenchDir is where results go unless -o says otherwise.
const defaultBenchDir = "zkinfer-bench"

func newBench(u *ui) *cobra.Command {
	f := benchFlags{}
	c := &cobra.Command{
		Use:   "bench [MODEL.zkm …] [--quick] [-o DIR]",
		Short: "Measure what proofs cost, over families of models or for given ones",
		Long: `Measure what proofs cost: compile, make keys, prove and verify, each in a process of its own, and write a table, CSV, JSON
and a report with charts.

Without models it sweeps the families dense, cnn and dwcnn over width and depth and adds named models up to VGG11, which
takes hours; --quick takes small members of the families only and ends within minutes. Models can be files (.zkm, int8
.tflite), and by --model names: those of --list, or a family's member such as dense-256x3.

Every point is on disk before the next begins: after an interrupt, --resume goes on where the run ended.`,
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args) }),
	}
	flags := c.Flags()
	flags.StringVarP(&f.out, "out", "o", defaultBenchDir, "folder for results")
	flags.BoolVar(&f.quick, "quick", false, "small models only, a few minutes")
	flags.StringSliceVar(&f.families, "family", nil, "families to sweep: dense, cnn, dwcnn (default: these, unless models are given), growth (from 10^3 to 10^7 activations)")
	flags.StringSliceVar(&f.models, "model", nil, "models by name")
	flags.StringSliceVar(&f.backends, "backend", bench.Backends(), "proof systems")
	flags.StringSliceVar(&f.weights, "weights", weightNames(), "ways to hold the weights")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of random weights and inputs")
	flags.IntVar(&f.runs, "runs", 3, "runs of each phase, of which the median counts")
	flags.DurationVar(&f.budget, "budget", 0, "begin no further run of a phase after this time (default 1m, with --quick 500ms)")
	flags.IntVar(&f.maxConstraints, "max-constraints", 1<<21, "leave out larger circuits (0: none)")
	flags.BoolVar(&f.resume, "resume", false, "go on with the results in the folder")
	flags.BoolVar(&f.force, "force", false, "replace the results in the folder")
	flags.BoolVar(&f.estimate, "estimate", false, "compare with what zkinfer estimate foretells, after a probe of three seconds a point")
	flags.BoolVar(&f.list, "list", false, "list the named models and end")
	return c
}

func weightNames() []string {
	var out []string
	for _, w := range bench.AllWeights() {
		out = append(out, string(w))
	}
	return out
}

func (f *benchFlags) run(ctx context.Context, u *ui, paths []string) error {
	if f.list {
		return u.report(map[string][]string{"models": bench.Names(), "families": bench.AllFamilies}, func(w io.Writer) {
			for _, name := range bench.Names() {
				fmt.Fprintln(w, name)
			}
		})
	}
	config, err := f.config(paths)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	config.Child = bench.Process(program, benchPointCommand)
	config.Progress = u.benchProgress
	start := time.Now()
	results, err := bench.Run(ctx, config)
	if results == nil {
		return err
	}
	if writeErr := results.Write(f.out); writeErr != nil {
		return writeErr
	}
	if ctx.Err() != nil {
		return &keptError{fmt.Sprintf("interrupted; %d points are kept in %s and %d are missing: go on with --resume",
			len(results.Points), f.out, results.Missing)}
	}
	if err != nil {
		return err
	}
	u.took("measuring", start)
	return u.report(results.Document(), func(w io.Writer) { f.print(w, results) })
}

// config checks the flags.
func (f *benchFlags) config(paths []string) (bench.Config, error) {
	c := bench.Config{Backends: f.backends, Settings: bench.Settings{Seed: f.seed, Runs: f.runs, Quick: f.quick}, Budget: f.budget,
		MaxConstraints: f.maxConstraints, Estimate: f.estimate, Dir: f.out, Resume: f.resume, Force: f.force}
	switch {
	case f.runs < 1:
		return c, usagef("--runs %d, expected at least 1", f.runs)
	case f.maxConstraints < 0:
		return c, usagef("--max-constraints %d, expected a positive number, or 0 for no limit", f.maxConstraints)
	case f.resume && f.force:
		return c, usagef("--resume and --force exclude each other")
	}
	if c.Budget == 0 {
		c.Budget = time.Minute
		if f.quick {
			c.Budget = time.Second / 2
		}
	}
	if f.quick {
		c.Limit = quickLimit
	}
	for _, name := range f.backends {
		if !slices.Contains(bench.Backends(), name) {
			return c, usagef("--backend %q, expected one of %v", name, bench.Backends())
		}
	}
	for _, name := range f.weights {
		if !slices.Contains(bench.AllWeights(), bench.Weights(name)) {
			return c, usagef("--weights %q, expected some of %v", name, bench.AllWeights())
		}
		c.Weights = append(c.Weights, bench.Weights(name))
	}
	var err error
	c.Models, err = f.chosen(paths)
	return c, err
}

// chosen are the models to measure.
func (f *benchFlags) chosen(paths []string) ([]bench.Model, error) {
	var out []bench.Model
	given := len(paths)+len(f.models) > 0
	if len(f.families) > 0 || !given {
		families := f.families
		if len(families) == 0 {
			families = bench.Families
		}
		// Who names a family does not ask for the single models.
		models, err := bench.Sweeps(families, f.quick)
		if err != nil {
			return nil, usagef("--family: %v", err)
		}
		out = append(out, models...)
		if len(f.families) == 0 && !f.quick {
			out = append(out, bench.Named()...)
		}
	}
	for _, name := range f.models {
		m, err := bench.Find(name)
		if err != nil {
			return nil, usagef("--model: %v", err)
		}
		out = append(out, m)
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return nil, err
		}
		out = append(out, bench.FromFile(path))
	}
	return out, nil
}

// benchProgress tells of each point when it is there.
func (u *ui) benchProgress(p bench.Progress) {
	r := p.Point
	what := fmt.Sprintf("%s constraints, proof in %s, %s", grouped(r.Constraints), seconds(r.ProveSeconds), byteSize(r.ProveMemory))
	switch {
	case r.Skipped != "":
		what = "left out: " + r.Skipped
	case r.Error != "":
		what = "failed: " + r.Error
	}
	left := ""
	if p.Left > 0 && p.Done < p.Total {
		left = ", about " + seconds(p.Left.Seconds()) + " left"
	}
	u.remark("[%d/%d%s] %s, %s, %s: %s", p.Done, p.Total, left, r.Name, r.Backend, r.Weights, what)
}

func (f *benchFlags) print(w io.Writer, r *bench.Results) {
	// A strings.Builder takes everything.
	_ = r.Table(w)
	fmt.Fprintln(w)
	for _, x := range r.Ratios() {
		fmt.Fprintf(w, "%s: weights as wires take %.1f times as long to prove as folded ones by %s (%.1f times the processor time), and %.1f times the constraints\n",
			x.Model, x.Time, x.Backend, x.CPU, x.Constraints)
	}
	fmt.Fprintf(w, "the report is %s\n", filepath.Join(f.out, bench.ReportFile))
}

// keptError is an interrupt after which something is there.
type keptError struct{ message string }

func (e *keptError) Error() string        { return e.message }
func (e *keptError) Is(target error) bool { return target == errInterrupted }

// benchPointCommand is the hidden command that does one phase of a point.
const benchPointCommand = "bench-point"

func newBenchPoint(u *ui) *cobra.Command {
	return &cobra.Command{
		Use:    benchPointCommand,
		Short:  "Do one phase of a measurement: a job on standard input, a report on standard output",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: u.command(func(ctx context.Context, _ []string) error {
			return bench.Work(ctx, u.in, u.out, bench.Meter{CPUSeconds: cpuSeconds, PeakMemory: peakMemory})
		}),
	}
}
