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
//     are powers of two.
//   - A function table costs a constraint a row, once: all clamps of a kind share one table.
//
// Sources: Jacob et al., "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference" (2018), for calibration; docs/protocol.md for the rest.
package quantize

import (
	"context"
	"errors"
	"fmt"
	"math"

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
	// Calibration holds sample inputs: sample → input → row-major values.
	Calibration [][][]float32
	// ActivationBits is the width of inputs: 8 (also for 0) to 16. Activations between layers have 8.
	ActivationBits uint
	// PixelScale and PixelMean say how pixels become real values (pixel·scale − mean); an input with
	// one scale and no mean is quantized on the pixels' own grid. Recorded in the graph.
	PixelScale, PixelMean []float64
	// Like is a graph whose architecture the result must have: then its keys serve.
	Like *model.Graph
	// Name and Format are recorded in the graph.
	Name, Format string
}

// Quantize makes the integer graph.
func Quantize(ctx context.Context, g *float.Graph, o Options) (*model.Graph, error) {
	if o.ActivationBits == 0 {
		o.ActivationBits = 8
	}
	if o.ActivationBits < 8 || o.ActivationBits > 16 {
		return nil, fmt.Errorf("%w: %d activation bits, expected 8 to 16", ErrUnsupportedOp, o.ActivationBits)
	}
	if err := g.Validate(); err != nil {
		return nil, err
	}
	ranges, err := observe(ctx, g, o.Calibration)
	if err != nil {
		return nil, err
	}
	n := newNetwork(g, o, ranges)
	if err := n.chooseScales(); err != nil {
		return nil, err
	}
	out, err := n.emitFitting(ctx)
	if err != nil {
		return nil, err
	}
	if o.Like != nil && out.ArchitectureDigest() != o.Like.ArchitectureDigest() {
		return nil, fmt.Errorf("%w: quantized alike, the network still has other shapes, ranges or tables than %q; it needs a setup of its own",
			ErrArchitecture, o.Like.Name)
	}
	return out, nil
}

// interval is the range of real values seen of a tensor.
type interval struct{ lo, hi float64 }

func (v interval) magnitude() float64 { return max(-v.lo, v.hi) }

func (v interval) join(o interval) interval { return interval{min(v.lo, o.lo), max(v.hi, o.hi)} }

// observe runs the network on all samples. Every interval contains 0.
func observe(ctx context.Context, g *float.Graph, samples [][][]float32) ([]interval, error) {
	if len(samples) == 0 {
		return nil, fmt.Errorf("%w: no sample inputs; ranges of activations cannot be guessed", ErrCalibration)
	}
	out := make([]interval, len(g.Tensors))
	for _, s := range samples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		values, err := g.Execute(s)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCalibration, err)
		}
		for i, v := range values {
			for _, x := range v {
				if f := float64(x); !math.IsInf(f, 0) && !math.IsNaN(f) {
					out[i] = out[i].join(interval{f, f})
				}
			}
		}
	}
	return out, nil
}
