package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
)

type runFlags struct {
	input  inputFlags
	all    bool
	labels string
	raw    output
}

// runReport is what --json prints. Correct is there with --labels.
type runReport struct {
	Samples []sampleReport `json:"samples"`
	Correct *int           `json:"correct,omitempty"`
}

type sampleReport struct {
	Index   int            `json:"index"`
	Outputs []outputReport `json:"outputs"`
	Argmax  int            `json:"argmax"` // of the first output; the class itself if that is one already
	Label   *int           `json:"label,omitempty"`
}

// outputReport is an output tensor: real values, and the integers as a device holds them, both flat.
type outputReport struct {
	Name   string   `json:"name"`
	Shape  []int    `json:"shape"`
	Values []number `json:"values"`
	Ints   []int64  `json:"ints"`
}

func newRun(u *ui) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run MODEL.zkm --input FILE",
		Short: "Run a model on an input, without a proof",
		Long: `Run a model on an input with the integers that a proof would be about.

Images, JSON and floating-point arrays are real values, which the model's input scale quantizes; integer arrays and
raw bytes are quantized values. --real and --quantized say otherwise.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args[0]) }),
	}
	f.input.flags(c.Flags())
	c.Flags().BoolVar(&f.all, "all", false, "run all samples of the file")
	c.Flags().StringVar(&f.labels, "labels", "", "file of the right classes, to count what is correct")
	f.raw.flags(c.Flags(), "raw-output", "", "write the output integers of every sample run to this file, little-endian")
	c.MarkFlagsMutuallyExclusive("all", "index")
	return c
}

func (f *runFlags) run(ctx context.Context, u *ui, path string) error {
	g, err := readModel(path)
	if err != nil {
		return err
	}
	set, err := f.input.open(u, tensors(g, g.Inputs), g.Source)
	if err != nil {
		return err
	}
	labels, err := f.readLabels(set)
	if err != nil {
		return err
	}
	first, end := f.input.index, f.input.index+1
	if f.all {
		first, end = 0, set.Len()
	}
	var outputs [][][]int64
	work := func(w io.Writer) error {
		if outputs, err = execute(ctx, u, g, set, first, end); err != nil {
			return err
		}
		return writeRaw(w, g, outputs)
	}
	if f.raw.path == "" {
		err = work(io.Discard)
	} else {
		err = f.raw.produce(ctx, work)
	}
	if err != nil {
		return err
	}
	return f.report(u, g, outputs, first, labels)
}

func (f *runFlags) readLabels(set *samples.Set) ([]int, error) {
	if f.labels == "" {
		return nil, nil
	}
	labels, err := samples.ReadLabels(f.labels)
	if err != nil {
		return nil, err
	}
	if len(labels) != set.Len() {
		return nil, fmt.Errorf("%w: %d labels for %d samples; give one label a sample of the file", samples.ErrShape, len(labels), set.Len())
	}
	return labels, nil
}

// execute runs samples first to end−1 on all processors and returns their outputs.
func execute(ctx context.Context, u *ui, g *model.Graph, set *samples.Set, first, end int) ([][][]int64, error) {
	in := tensors(g, g.Inputs)
	outputs := make([][][]int64, end-first)
	err := u.steps(fmt.Sprintf("running %s samples", grouped(end-first)), end-first, func(done func()) error {
		workers, ctx := errgroup.WithContext(ctx)
		workers.SetLimit(runtime.GOMAXPROCS(0))
		for i := range outputs {
			workers.Go(func() error {
				if err := ctx.Err(); err != nil {
					return err // another sample failed, or an interrupt
				}
				integers, err := quantizedSample(set, first+i, in)
				if err != nil {
					return err
				}
				outputs[i], err = g.Run(ctx, integers)
				done()
				return err
			})
		}
		return workers.Wait()
	})
	return outputs, err
}

// writeRaw writes the integers in the outputs' types, one after another.
func writeRaw(w io.Writer, g *model.Graph, outputs [][][]int64) error {
	var b []byte
	for _, sample := range outputs {
		for k, values := range sample {
			size := g.Tensors[g.Outputs[k]].Type.Size()
			for _, v := range values {
				b = binary.LittleEndian.AppendUint64(b, uint64(v))[:len(b)+size]
			}
		}
	}
	_, err := w.Write(b)
	return err
}

func (f *runFlags) report(u *ui, g *model.Graph, outputs [][][]int64, first int, labels []int) error {
	r := runReport{Samples: []sampleReport{}}
	correct := 0
	for i, values := range outputs {
		s := sampleReport{Index: first + i, Outputs: outputReports(tensors(g, g.Outputs), values), Argmax: argmax(g, values)}
		if labels != nil {
			s.Label = &labels[s.Index]
			if s.Argmax == *s.Label {
				correct++
			}
		}
		r.Samples = append(r.Samples, s)
	}
	if labels != nil {
		r.Correct = &correct
	}
	return u.report(r, func(w io.Writer) { r.print(w) })
}

func outputReports(specs []model.Tensor, values [][]int64) []outputReport {
	out := make([]outputReport, len(specs))
	for k, t := range specs {
		out[k] = outputReport{Name: t.Name, Shape: t.Shape, Values: make([]number, len(values[k])), Ints: values[k]}
		for i, v := range values[k] {
			out[k].Values[i] = number(t.Real(v))
		}
	}
	return out
}

// argmax is the index of the greatest integer of the first output, the lowest where there are
// several; or that output itself where the model ends in an argmax.
func argmax(g *model.Graph, outputs [][]int64) int {
	for _, n := range g.Nodes {
		if _, ok := n.Op.(*model.ArgMax); ok && n.Out == g.Outputs[0] && len(outputs[0]) == 1 {
			return int(outputs[0][0])
		}
	}
	best := 0
	for i, v := range outputs[0] {
		if v > outputs[0][best] {
			best = i
		}
	}
	return best
}

func (r *runReport) print(w io.Writer) {
	if len(r.Samples) == 1 {
		printOutputs(w, r.Samples[0].Outputs)
	}
	for _, s := range r.Samples {
		line := fmt.Sprintf("sample %d: argmax %d", s.Index, s.Argmax)
		if s.Label != nil {
			line += fmt.Sprintf(", label %d", *s.Label)
		}
		fmt.Fprintln(w, line)
	}
	if n := len(r.Samples); r.Correct != nil {
		fmt.Fprintf(w, "correct: %d of %d (%.2f %%)\n", *r.Correct, n, 100*float64(*r.Correct)/float64(n))
	}
}

// maxPrinted bounds the values of a tensor that are printed for people.
const maxPrinted = 20

func printOutputs(w io.Writer, outputs []outputReport) {
	for _, o := range outputs {
		fmt.Fprintf(w, "%s %v\n", o.Name, o.Shape)
		rows := [][]string{{"index", "value", "integer"}}
		for i := range min(len(o.Ints), maxPrinted) {
			rows = append(rows, []string{fmt.Sprint(i), fmt.Sprintf("%.6g", o.Values[i]), fmt.Sprint(o.Ints[i])})
		}
		table(w, "rrr", rows...)
		if n := len(o.Ints) - maxPrinted; n > 0 {
			fmt.Fprintf(w, "and %s more; --json or --raw-output has all\n", grouped(n))
		}
	}
}
