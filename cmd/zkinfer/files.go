package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
)

// readModel reads a .zkm file.
func readModel(path string) (*model.Graph, error) {
	g, err := model.ReadFile(path)
	return g, inModel(err)
}

// output is where a command writes a file.
type output struct {
	path  string
	force bool
}

func (o *output) flags(f *pflag.FlagSet, name, shorthand, usage string) {
	f.StringVarP(&o.path, name, shorthand, "", usage)
	f.BoolVar(&o.force, "force", false, "replace an existing file")
}

// produce writes the file with what work gives to w: whole, or not at all if work fails or ctx ends.
// That the file may be written is checked before work begins.
func (o *output) produce(ctx context.Context, work func(w io.Writer) error) error {
	return envelope.WriteFile(o.path, o.force, func(w io.Writer) error {
		if err := work(w); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// check errs where the file may not be written, before work begins.
func (o *output) check() error {
	if _, err := os.Lstat(o.path); err == nil && !o.force {
		return fmt.Errorf("%w: %s; use --force to replace it or name another path", envelope.ErrExists, o.path)
	}
	if info, err := os.Stat(filepath.Dir(o.path)); err != nil || !info.IsDir() {
		return fmt.Errorf("%w: the folder %s, in which %s would be written", fs.ErrNotExist, filepath.Dir(o.path), o.path)
	}
	return nil
}

// inputFlags choose samples for a model.
type inputFlags struct {
	path            string
	format          string
	index           int
	quantized, real bool
	resize          bool
}

func (i *inputFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&i.path, "input", "", "file of samples, - for standard input")
	f.StringVar(&i.format, "format", "", "format of the input: json, npy, npz, idx, png, jpeg, raw (default: by content)")
	f.IntVar(&i.index, "index", 0, "which sample of a file of several")
	f.BoolVar(&i.quantized, "quantized", false, "the numbers are quantized values (default for integer arrays and raw bytes)")
	f.BoolVar(&i.real, "real", false, "the numbers are real values (default for images, JSON and float arrays)")
	f.BoolVar(&i.resize, "resize", false, "resize an image to what the model takes")
}

func (i *inputFlags) options(source model.Source) (samples.Options, error) {
	format, err := parseFormat(i.format)
	o := samples.Options{Format: format, Resize: i.resize, PixelScale: source.PixelScale, PixelMean: source.PixelMean}
	switch {
	case err != nil:
		return o, err
	case i.path == "":
		return o, usagef("--input is missing: name a file of samples, or - for standard input")
	case i.quantized && i.real:
		return o, usagef("--quantized and --real exclude each other")
	case i.quantized:
		o.As = samples.AsQuantized
	case i.real:
		o.As = samples.AsReal
	}
	return o, nil
}

// open reads the file of samples for input tensors of a model.
func (i *inputFlags) open(u *ui, tensors []model.Tensor, source model.Source) (*samples.Set, error) {
	o, err := i.options(source)
	if err != nil {
		return nil, err
	}
	return samples.Open(i.path, u.in, samples.InputsOf(tensors), o)
}

func parseFormat(name string) (samples.Format, error) {
	format, err := samples.ParseFormat(name)
	if err != nil {
		return "", usagef("--format: %v", err)
	}
	return format, nil
}

// quantizedSample are the integers of sample i.
func quantizedSample(set *samples.Set, i int, tensors []model.Tensor) ([][]int64, error) {
	s, err := set.Sample(i)
	if err != nil {
		return nil, err
	}
	integers, err := s.Quantize(tensors)
	if err != nil {
		return nil, fmt.Errorf("sample %d: %w", i, err)
	}
	return integers, nil
}

// tensors are those of a graph with the given ids.
func tensors(g *model.Graph, ids []model.TensorID) []model.Tensor {
	out := make([]model.Tensor, len(ids))
	for i, id := range ids {
		out[i] = g.Tensors[id]
	}
	return out
}
