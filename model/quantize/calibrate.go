package quantize

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/zkinfer/zkinfer/model/float"
)

// drawnSamples is how many inputs are drawn where none are given.
const drawnSamples = 64

// interval is the range of real values seen of a tensor; it contains 0.
type interval struct{ lo, hi float64 }

func (v interval) magnitude() float64 { return max(-v.lo, v.hi) }

func (v interval) join(o interval) interval { return interval{min(v.lo, o.lo), max(v.hi, o.hi)} }

// observe runs the network on all samples, and completes the options' samples where they are missing.
func observe(ctx context.Context, g *float.Graph, o *Options) ([]interval, error) {
	if err := checkRanges(g, o); err != nil {
		return nil, err
	}
	if len(o.Calibration) == 0 {
		o.Calibration = draw(g, o.InputRange)
	}
	seen := make([]interval, len(g.Tensors))
	var mu sync.Mutex
	done := 0
	err := eachSample(ctx, len(o.Calibration), func(s int) error {
		one, err := observeOne(g, o.Calibration[s])
		if err != nil {
			return fmt.Errorf("%w: sample %d: %w", ErrCalibration, s, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range seen {
			seen[i] = seen[i].join(one[i])
		}
		if done++; o.Progress != nil {
			o.Progress(done, len(o.Calibration))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, id := range g.Inputs {
		if r, ok := o.InputRange[g.Tensors[id].Name]; ok {
			seen[id] = interval{min(r[0], 0), max(r[1], 0)}
		}
	}
	return seen, nil
}

// observeOne is the range of every tensor for one sample. Infinite and undefined values, which some
// functions make, have no bearing on it.
func observeOne(g *float.Graph, sample [][]float32) ([]interval, error) {
	for k, values := range sample {
		for i, x := range values {
			if !finite(float64(x)) {
				return nil, fmt.Errorf("element %d of input %d is %v, expected a finite number", i, k, x)
			}
		}
	}
	values, err := g.Execute(sample)
	if err != nil {
		return nil, err
	}
	seen := make([]interval, len(values))
	for i, v := range values {
		for _, x := range v {
			if f := float64(x); finite(f) {
				seen[i] = seen[i].join(interval{f, f})
			}
		}
	}
	return seen, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// checkRanges checks the stated ranges of inputs: all must be there if there is nothing else.
func checkRanges(g *float.Graph, o *Options) error {
	var names []string
	for _, id := range g.Inputs {
		names = append(names, g.Tensors[id].Name)
	}
	for name, r := range o.InputRange {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%w: a range for input %q, the model's are %q", ErrCalibration, name, names)
		}
		if !finite(r[0]) || !finite(r[1]) || r[0] >= r[1] {
			return fmt.Errorf("%w: range [%v, %v] of input %q, expected two ascending numbers", ErrCalibration, r[0], r[1], name)
		}
	}
	for _, name := range names {
		if _, ok := o.InputRange[name]; !ok && len(o.Calibration) == 0 {
			return fmt.Errorf("%w: no sample inputs and no range for input %q; give a file of a few typical inputs (--calibrate), "+
				"or the range of every input", ErrCalibration, name)
		}
	}
	return nil
}

// draw makes inputs that are uniform in their ranges.
func draw(g *float.Graph, ranges map[string][2]float64) [][][]float32 {
	r := rand.New(rand.NewPCG(1, 2))
	samples := make([][][]float32, drawnSamples)
	for s := range samples {
		for _, id := range g.Inputs {
			t := g.Tensors[id]
			lo, hi := ranges[t.Name][0], ranges[t.Name][1]
			values := make([]float32, t.Len())
			for i := range values {
				values[i] = float32(lo + (hi-lo)*r.Float64())
			}
			samples[s] = append(samples[s], values)
		}
	}
	return samples
}

// onGrid tells whether input k of every sample is made of whole multiples of scale from 0 to 255.
func onGrid(samples [][][]float32, k int, scale float64) bool {
	for _, s := range samples {
		for _, x := range s[k] {
			p := float64(x) / scale
			if p < -gridSlack || p > 255+gridSlack || math.Abs(p-math.Round(p)) > gridSlack {
				return false
			}
		}
	}
	return true
}

// gridSlack, in pixels, is what float32 does to multiples of a scale.
const gridSlack = 1e-3
