// Package quantize turns a real-valued network into an integer graph by calibration: scales are
// chosen from the values that sample inputs give.
//
// The promise: the integer graph accepts every input of its input range (worst cases are covered, so
// every valid input can be proved), and what it computes is close to the float network; Measure says
// how close. How the proof system shapes the result:
//
//   - Weights cost almost nothing in a proof, so they are not rounded to 8 bits and multiplied
//     afterwards: round(w·s_x/s_y·2^T) is the weight, 12 to 20 bits, and one shift remains.
//   - Keys depend on the architecture alone. So shifts, ranges and tables are taken from few classes,
//     with headroom: a network trained a little further usually falls into the same ones, and Like
//     demands it. Zero points are 0; clamps do not depend on scales, other functions have scales that
//     are powers of two, or are given by the function (1/255 for a sigmoid).
//   - A function table costs a constraint a row, once: all clamps of a kind share one table, all layers
//     a shift.
//
// Pitfalls: what lies beyond the calibrated range saturates, so samples have to be typical. Accuracy on
// the samples themselves flatters; measure on others.
//
// Sources: Jacob et al., "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference" (2018), for calibration; docs/protocol.md for the rest.
package quantize

import (
	"context"
	"errors"
	"fmt"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// Errors of quantization.
var (
	// ErrUnsupportedOp is an operation, or an attribute of one, without an integer form.
	ErrUnsupportedOp = errors.New("unsupported operation")
	// ErrCalibration is missing or unusable calibration data.
	ErrCalibration = errors.New("calibration")
	// ErrArchitecture is a network that does not fit into the architecture that Like demands.
	ErrArchitecture = errors.New("another architecture")
)

// Options of Quantize.
type Options struct {
	// Calibration holds sample inputs: sample → input → row-major values. It may be empty if InputRange
	// covers every input: samples are then drawn from the ranges, the same ones on every run.
	Calibration [][][]float32
	// InputRange overrides, by name of an input, the least and the greatest value that it can take.
	InputRange map[string][2]float64
	// ActivationBits is the width of inputs: 8 (also for 0) to 16. Activations between layers have 8.
	ActivationBits uint
	// PixelScale and PixelMean say how pixels become real values (pixel·scale − mean); an input with
	// one scale and no mean, whose samples are such pixels, is quantized on the pixels' own grid,
	// hence exactly. Recorded in the graph.
	PixelScale, PixelMean []float64
	// Like is a graph whose architecture the result must have: then its keys serve. Scales of layers
	// follow the new weights; shifts, ranges and tables are the old ones.
	Like *model.Graph
	// Name and Format are recorded in the graph.
	Name, Format string
	// Progress, if not nil, is called after each sample of the calibration, never concurrently.
	Progress func(done, total int)
	// Warn, if not nil, is told what costs accuracy: a scale coarser than calibration asked for.
	Warn func(message string)
}

// Quantize makes the integer graph. It leaves g as it is. Errors wrap one of this package's, those of
// float.Validate and model.ErrConstantModel, or are the context's.
func Quantize(ctx context.Context, g *float.Graph, o Options) (*model.Graph, error) {
	e, err := quantize(ctx, g, o)
	if err != nil {
		return nil, err
	}
	return e.result, nil
}

// quantize is Quantize, with what is known of how the graph was made.
func quantize(ctx context.Context, g *float.Graph, o Options) (*emitter, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := g.Validate(); err != nil {
		return nil, err
	}
	g = hoist(g)
	seen, err := observe(ctx, g, &o)
	if err != nil {
		return nil, err
	}
	n := newNetwork(g, o, seen)
	if err := n.chooseScales(); err != nil {
		return nil, err
	}
	e, err := n.emitFitting(ctx)
	if err != nil {
		return nil, err
	}
	if o.Like != nil && e.result.ArchitectureDigest() != o.Like.ArchitectureDigest() {
		return nil, fmt.Errorf("%w: %s; the network does not fit the keys of %q and needs a setup of its own",
			ErrArchitecture, difference(e.result, o.Like), o.Like.Name)
	}
	return e, nil
}

// complete fills in defaults and checks what does not need the network.
func (o *Options) complete() error {
	if o.ActivationBits == 0 {
		o.ActivationBits = 8
		if o.Like != nil {
			o.ActivationBits = inputBits(o.Like)
		}
	}
	if o.ActivationBits < 8 || o.ActivationBits > 16 {
		return fmt.Errorf("%w: %d activation bits, expected 8 to 16", ErrUnsupportedOp, o.ActivationBits)
	}
	return nil
}
