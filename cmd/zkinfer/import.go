package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/quantize"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/prover"
)

const (
	// maxSourceBytes bounds a model file of another format; protobuf cannot hold more than 2 GiB.
	maxSourceBytes = 1 << 30
	// calibrationSamples are enough to find the ranges of activations; more only add outliers.
	calibrationSamples = 256
	// defaultSamples bounds, without --samples, what accuracy is measured on.
	defaultSamples = 1000
)

type importFlags struct {
	out                   output
	backend               backendFlag
	calibrate, format     string
	labels                string
	samples               int
	resize                bool
	pixelScale, pixelMean []float64
	rounding              string
	bind                  map[string]string
	dims                  map[string]int
	bits                  uint
	like, name            string
}

// importReport is what --json prints. Accuracy is there with calibration.
type importReport struct {
	Model        string          `json:"model"` // path
	Name         string          `json:"name"`
	SourceFormat string          `json:"source_format"`
	Ops          int             `json:"ops"`
	OpCounts     map[string]int  `json:"op_counts"`
	Parameters   int64           `json:"parameters"`
	MACs         int64           `json:"macs"`
	Activations  int             `json:"activations"`
	Constraints  *int            `json:"constraints"` // null where the model has no circuit
	Rounding     string          `json:"rounding"`
	Bytes        int64           `json:"bytes"`
	Accuracy     *accuracyReport `json:"accuracy,omitempty"`
	Unprovable   string          `json:"unprovable,omitempty"`
	Notes        []string        `json:"notes,omitempty"` // what the graph leaves out of the source

	graph         *model.Graph
	constraintsOf string // proof system
}

// accuracyReport compares the integer graph with the float model. Errors are in real units of the
// first output; FloatCorrect and IntegerCorrect count what agrees with the labels.
type accuracyReport struct {
	Samples         int     `json:"samples"`
	ArgmaxAgreement float64 `json:"argmax_agreement"`
	MaxError        number  `json:"max_error"`
	MeanError       number  `json:"mean_error"`
	FloatCorrect    *int    `json:"float_correct"` // null without labels
	IntegerCorrect  *int    `json:"integer_correct"`
}

func newImport(u *ui) *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import SOURCE -o MODEL.zkm [--calibrate FILE | --rounding NAME]",
		Short: "Turn a trained model (ONNX, TensorFlow Lite) into an integer graph",
		Long: `Turn a trained model into an integer graph, which is what is proved.

An int8 TensorFlow Lite model becomes the very bytes that a device computes. Kernels differ in how they round, so
--rounding names whose: tflm (default; TensorFlow Lite Micro and the reference kernels), litert (the Python interpreter:
XNNPACK; a softmax at the end is left out) or single (reference kernels built with a single rounding).

A model with real numbers (ONNX, TensorFlow Lite) is quantized: sample inputs (--calibrate) show the ranges of its activations, and how close
the integer graph comes is measured on them. Pixels become real values as the model was trained with them:
--pixel-scale and --pixel-mean say how, and are recorded in the model file.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args[0]) }),
	}
	flags := c.Flags()
	f.out.flags(flags, "out", "o", "model file to write (.zkm)")
	f.backend.flags(flags)
	flags.StringVar(&f.calibrate, "calibrate", "", "file of sample inputs")
	flags.StringVar(&f.format, "format", "", "format of the sample inputs: json, npy, npz, idx, png, jpeg, raw (default: by content)")
	flags.StringVar(&f.labels, "labels", "", "file of the samples' right classes")
	flags.IntVar(&f.samples, "samples", 0, fmt.Sprintf("measure accuracy on the first N samples (default %d at most)", defaultSamples))
	flags.BoolVar(&f.resize, "resize", false, "resize sample images to what the model takes")
	flags.Float64SliceVar(&f.pixelScale, "pixel-scale", nil, "a pixel p is the real value p·S − M: S, one number or one a channel (default 1)")
	flags.Float64SliceVar(&f.pixelMean, "pixel-mean", nil, "M, one number or one a channel (default 0)")
	flags.StringVar(&f.rounding, "rounding", "", "tflm (default), litert or single: whose arithmetic a quantized TensorFlow Lite model means")
	flags.UintVar(&f.bits, "activation-bits", 8, "width of quantized inputs, 8 to 16")
	flags.StringToStringVar(&f.bind, "bind", nil, "make an input of the model a constant: NAME=FILE.npy")
	flags.StringToIntVar(&f.dims, "dim", nil, "give a symbolic dimension a size: NAME=N (batch dimensions are 1)")
	flags.StringVar(&f.name, "name", "", "name of the model (default: as in the source)")
	flags.StringVar(&f.like, "like", "", "a .zkm file whose architecture the result must have, so that its keys serve")
	return c
}

func (f *importFlags) run(ctx context.Context, u *ui, path string) error {
	switch {
	case f.out.path == "":
		return usagef("-o is missing: name the model file to write")
	case f.samples < 0:
		return usagef("--samples %d, expected a positive number", f.samples)
	}
	if err := f.backend.check(); err != nil {
		return err
	}
	src, err := f.readSource(path)
	if err != nil {
		return err
	}
	if src.float != nil && f.calibrate == "" {
		return usagef("--calibrate is missing: %s is a model of real numbers; give a file of a few sample inputs, which show the ranges of its activations", path)
	}
	var r *importReport
	err = f.out.produce(ctx, func(w io.Writer) error {
		g, accuracy, notes, err := f.integers(ctx, u, path, src)
		if err != nil {
			return err
		}
		var b []byte
		if b, err = g.Encode(); err != nil {
			return err
		}
		r = newImportReport(f.out.path, g, f.backend, len(b), accuracy)
		r.Notes = notes
		_, err = w.Write(b)
		return err
	})
	if err != nil {
		return err
	}
	return u.report(r, func(w io.Writer) { r.print(w) })
}

// source is a model of another format: of real numbers, or quantized already.
type source struct {
	format string
	float  *float.Graph
	tflite *tflite.Model
}

// integers is the integer graph of a source.
func (f *importFlags) integers(ctx context.Context, u *ui, path string, src *source) (*model.Graph, *accuracyReport, []string, error) {
	if src.float != nil {
		g, accuracy, err := f.quantize(ctx, u, path, src)
		return g, accuracy, nil, err
	}
	if f.calibrate != "" {
		u.remark("%s is quantized already: --calibrate is not needed (run --all --labels counts what is correct)", path)
	}
	rounding := tflite.TFLM
	if f.rounding != "" {
		var err error
		if rounding, err = tflite.ParseRounding(f.rounding); err != nil {
			return nil, nil, nil, usagef("--rounding: %v", err)
		}
	}
	var res *tflite.Result
	err := u.step("finding integer forms with the device's thresholds", func() (err error) {
		res, err = src.tflite.Integer(rounding, f.nameOf(path, src.tflite.Name()))
		return err
	})
	if err != nil {
		return nil, nil, nil, inModel(fmt.Errorf("%s: %w", path, err))
	}
	if err := f.recordPixels(res.Graph); err != nil {
		return nil, nil, nil, err
	}
	return res.Graph, nil, res.Notes, nil
}

// recordPixels notes in the model how pixels become real values.
func (f *importFlags) recordPixels(g *model.Graph) error {
	if err := samples.CheckPixels(samples.InputsOf(tensors(g, g.Inputs)), f.pixelScale, f.pixelMean); err != nil {
		return err
	}
	g.Source.PixelScale, g.Source.PixelMean = f.pixelScale, f.pixelMean
	return nil
}

// readSource reads a model of another format, by content.
func (f *importFlags) readSource(path string) (*source, error) {
	b, err := readSourceFile(path)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(b, []byte("zkinfer")) {
		return nil, &classified{"wrong_kind", fmt.Errorf("%s: a file of zkinfer already; inspect shows what is in it", path)}
	}
	var src *source
	if len(b) >= 8 && string(b[4:8]) == "TFL3" {
		src, err = f.readTFLite(path, b)
	} else {
		src, err = f.readONNX(path, b)
	}
	if err != nil {
		return nil, inModel(fmt.Errorf("%s: %w", path, err))
	}
	if src.float != nil && f.rounding != "" {
		return nil, usagef("--rounding is for models that are quantized already; %s is one of real numbers, whose rounding is zkinfer's own", path)
	}
	return src, nil
}

func (f *importFlags) readTFLite(path string, b []byte) (*source, error) {
	if len(f.bind) > 0 || len(f.dims) > 0 {
		return nil, usagef("--bind and --dim are for ONNX models; %s is a TensorFlow Lite model", path)
	}
	m, err := tflite.Parse(b)
	if err != nil {
		return nil, err
	}
	if m.Quantized() {
		if f.like != "" {
			return nil, usagef("--like is for models of real numbers; the integers of %s are fixed", path)
		}
		return &source{format: "tflite", tflite: m}, nil
	}
	g, err := m.Real(m.Name())
	return &source{format: "tflite", float: g}, err
}

func (f *importFlags) readONNX(path string, b []byte) (*source, error) {
	o := onnx.Options{Dims: f.dims}
	var err error
	if o.Bind, err = readConstants(f.bind); err != nil {
		return nil, err
	}
	g, err := onnx.Import(b, o)
	return &source{format: "onnx", float: g}, err
}

// readConstants reads the arrays that --bind names.
func readConstants(files map[string]string) (map[string]onnx.Tensor, error) {
	out := make(map[string]onnx.Tensor, len(files))
	for name, path := range files {
		a, err := samples.ReadArray(path)
		if err != nil {
			return nil, err
		}
		t := onnx.Tensor{Type: onnx.Float32, Shape: a.Shape}
		if a.Integers {
			t.Type = onnx.Int64
		}
		for _, v := range a.Values {
			if a.Integers {
				t.Ints = append(t.Ints, int64(v))
			} else {
				t.Floats = append(t.Floats, float32(v))
			}
		}
		out[name] = t
	}
	return out, nil
}

func readSourceFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxSourceBytes+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSourceBytes {
		return nil, &classified{"model_too_large", fmt.Errorf("%s: more than %s", path, byteSize(maxSourceBytes))}
	}
	return b, nil
}

// quantize makes the integer graph and measures it.
func (f *importFlags) quantize(ctx context.Context, u *ui, path string, src *source) (*model.Graph, *accuracyReport, error) {
	fg := src.float
	o := quantize.Options{ActivationBits: f.bits, PixelScale: f.pixelScale, PixelMean: f.pixelMean, Name: f.nameOf(path, fg.Name), Format: src.format}
	if f.like != "" {
		like, err := readModel(f.like)
		if err != nil {
			return nil, nil, err
		}
		o.Like = like
	}
	data, labels, err := f.readSamples(u, fg, &o)
	if err != nil {
		return nil, nil, err
	}
	o.Calibration = data[:min(len(data), calibrationSamples)]
	var g *model.Graph
	err = u.step(fmt.Sprintf("quantizing with %s samples", grouped(len(o.Calibration))), func() (err error) {
		g, err = quantize.Quantize(ctx, fg, o)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	var accuracy quantize.Accuracy
	err = u.step(fmt.Sprintf("measuring accuracy on %s samples", grouped(len(data))), func() (err error) {
		accuracy, err = quantize.Measure(ctx, fg, g, data, labels)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return g, newAccuracyReport(accuracy, labels != nil), nil
}

// readSamples reads sample inputs and their labels (nil without). Where they are pixels it completes
// the options' pixel scale, so that the model file says how to take images.
func (f *importFlags) readSamples(u *ui, fg *float.Graph, o *quantize.Options) (data [][][]float32, labels []int, err error) {
	format, err := parseFormat(f.format)
	if err != nil {
		return nil, nil, err
	}
	set, err := samples.Open(f.calibrate, u.in, floatInputs(fg), samples.Options{
		Format: format, As: samples.AsReal, Resize: f.resize, PixelScale: f.pixelScale, PixelMean: f.pixelMean})
	if err != nil {
		return nil, nil, err
	}
	if len(o.PixelScale) == 0 && slices.Contains([]samples.Format{samples.IDX, samples.PNG, samples.JPEG}, set.Format) {
		o.PixelScale = []float64{1}
	}
	if f.labels != "" {
		if labels, err = samples.ReadLabels(f.labels); err != nil {
			return nil, nil, err
		}
		if len(labels) != set.Len() {
			return nil, nil, fmt.Errorf("%w: %d labels for %d samples; give one label a sample", samples.ErrShape, len(labels), set.Len())
		}
	}
	if data, err = set.Floats(f.count(u, set.Len())); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.calibrate, err)
	}
	return data, labels, nil
}

func floatInputs(g *float.Graph) []samples.Input {
	inputs := make([]samples.Input, len(g.Inputs))
	for i, id := range g.Inputs {
		inputs[i] = samples.Input{Name: g.Tensors[id].Name, Shape: g.Tensors[id].Shape}
	}
	return inputs
}

// count is how many samples to use of n.
func (f *importFlags) count(u *ui, n int) int {
	switch {
	case f.samples > n:
		u.remark("%s has %s samples, not %s", f.calibrate, grouped(n), grouped(f.samples))
		return n
	case f.samples > 0:
		return f.samples
	case n > defaultSamples:
		u.remark("using the first %s of %s samples; --samples changes that", grouped(defaultSamples), grouped(n))
		return defaultSamples
	}
	return n
}

// nameOf is the name that was asked for, or the model's own, or the file's.
func (f *importFlags) nameOf(path, own string) string {
	switch {
	case f.name != "":
		return f.name
	case own != "" && own != "main": // converters call everything main
		return own
	}
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

func newAccuracyReport(a quantize.Accuracy, labelled bool) *accuracyReport {
	r := &accuracyReport{Samples: a.Samples, ArgmaxAgreement: a.ArgmaxAgreement, MaxError: number(a.MaxError), MeanError: number(a.MeanError)}
	if labelled {
		r.FloatCorrect, r.IntegerCorrect = &a.FloatCorrect, &a.IntegerCorrect
	}
	return r
}

func newImportReport(path string, g *model.Graph, named backendFlag, size int, accuracy *accuracyReport) *importReport {
	m := newModelReport(g, named, prover.Options{})
	r := &importReport{
		Model: path, Name: g.Name, SourceFormat: g.Source.Format, Ops: len(g.Nodes), OpCounts: map[string]int{},
		Parameters: m.Totals.Parameters, MACs: m.Totals.MACs, Activations: m.Totals.Activations, Constraints: m.Totals.Constraints,
		Rounding: g.Source.Rounding, Bytes: int64(size), Accuracy: accuracy, Unprovable: m.Unprovable, graph: g, constraintsOf: m.ConstraintsOf,
	}
	for _, n := range g.Nodes {
		r.OpCounts[n.Op.Kind()]++
	}
	return r
}

func (r *importReport) print(w io.Writer) {
	rows := [][]string{{"tensor", "made by", "shape", "bits", "real values from", "to"}}
	for _, id := range r.graph.Inputs {
		rows = append(rows, rangeRow(r.graph.Tensors[id], "input"))
	}
	for _, n := range r.graph.Nodes {
		rows = append(rows, rangeRow(r.graph.Tensors[n.Out], n.Op.Kind()))
	}
	table(w, "lllrrr", rows...)
	fmt.Fprintln(w)
	fmt.Fprintf(w, "wrote %s: %s ops, %s parameters, %s MACs, %s activations, %s constraints for %s, %s\n", r.Model, grouped(r.Ops),
		grouped(r.Parameters), grouped(r.MACs), grouped(r.Activations), orDash(r.Constraints), r.constraintsOf, byteSize(r.Bytes))
	if r.Unprovable != "" {
		fmt.Fprintf(w, "it can be run but not proved: %s\n", r.Unprovable)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	if r.Accuracy != nil {
		r.Accuracy.print(w)
	}
}

func rangeRow(t model.Tensor, madeBy string) []string {
	return []string{t.Name, madeBy, fmt.Sprint(t.Shape), fmt.Sprint(bitsOf(t)),
		fmt.Sprintf("%.4g", t.Real(t.Min)), fmt.Sprintf("%.4g", t.Real(t.Max))}
}

func (a *accuracyReport) print(w io.Writer) {
	fmt.Fprintf(w, "against the float model on %s samples: argmax agrees in %.2f %%, error %.4g at most, %.4g in the mean\n",
		grouped(a.Samples), 100*a.ArgmaxAgreement, a.MaxError, a.MeanError)
	if a.FloatCorrect != nil {
		percent := func(n int) float64 { return 100 * float64(n) / float64(max(a.Samples, 1)) }
		fmt.Fprintf(w, "correct: float model %s (%.2f %%), integer graph %s (%.2f %%)\n",
			grouped(*a.FloatCorrect), percent(*a.FloatCorrect), grouped(*a.IntegerCorrect), percent(*a.IntegerCorrect))
	}
}
