package quantize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/float"
)

// Accuracy compares an integer graph with the network it was made from, on their first outputs.
type Accuracy struct {
	Samples         int     `json:"samples"`
	ArgmaxAgreement float64 `json:"argmax_agreement"` // fraction of samples with the same greatest element
	MaxError        float64 `json:"max_error"`        // greatest difference of an element, real units
	MeanError       float64 `json:"mean_error"`       // mean absolute difference
	FloatCorrect    int     `json:"float_correct"`    // samples whose greatest element is the label
	IntegerCorrect  int     `json:"integer_correct"`
}

// Measure runs both on all samples; labels may be nil. All cores are used.
func Measure(ctx context.Context, fg *float.Graph, ig *model.Graph, samples [][][]float32, labels []int) (Accuracy, error) {
	if labels != nil && len(labels) < len(samples) {
		return Accuracy{}, fmt.Errorf("%w: %d labels for %d samples", ErrCalibration, len(labels), len(samples))
	}
	var (
		mu    sync.Mutex
		total tally
		first error
		wg    sync.WaitGroup
		next  = make(chan int)
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for s := range next {
				one, err := compare(ctx, fg, ig, samples[s], labels, s)
				mu.Lock()
				first = errors.Join(first, err)
				total.add(one)
				mu.Unlock()
			}
		})
	}
	for s := range samples {
		mu.Lock()
		failed := first != nil
		mu.Unlock()
		if failed {
			break
		}
		next <- s
	}
	close(next)
	wg.Wait()
	return total.accuracy(), first
}

// tally adds up comparisons.
type tally struct {
	samples, agree, float, integer, elements int
	worst, sum                               float64
}

func (t *tally) add(o tally) {
	t.samples += o.samples
	t.agree += o.agree
	t.float += o.float
	t.integer += o.integer
	t.elements += o.elements
	t.worst = max(t.worst, o.worst)
	t.sum += o.sum
}

func (t *tally) accuracy() Accuracy {
	return Accuracy{Samples: t.samples, ArgmaxAgreement: float64(t.agree) / float64(max(t.samples, 1)),
		MaxError: t.worst, MeanError: t.sum / float64(max(t.elements, 1)), FloatCorrect: t.float, IntegerCorrect: t.integer}
}

func compare(ctx context.Context, fg *float.Graph, ig *model.Graph, sample [][]float32, labels []int, s int) (tally, error) {
	want, err := fg.Run(sample)
	if err != nil {
		return tally{}, err
	}
	ints, err := ig.Run(ctx, Inputs(ig, sample))
	if err != nil {
		return tally{}, err
	}
	out := ig.Tensors[ig.Outputs[0]]
	got := make([]float64, len(ints[0]))
	expected := make([]float64, len(ints[0]))
	t := tally{samples: 1, elements: len(got)}
	for i, v := range ints[0] {
		got[i], expected[i] = out.Real(v), float64(want[0][i])
		d := math.Abs(got[i] - expected[i])
		t.sum += d
		t.worst = max(t.worst, d)
	}
	a, b := argmax(expected), argmax(got)
	t.agree = count(a == b)
	if labels != nil {
		t.float, t.integer = count(a == labels[s]), count(b == labels[s])
	}
	return t, nil
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func argmax(v []float64) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}

// Inputs quantizes real inputs, one slice an input, for a graph.
func Inputs(g *model.Graph, sample [][]float32) [][]int64 {
	out := make([][]int64, len(sample))
	for k, values := range sample {
		t := g.Tensors[g.Inputs[k]]
		out[k] = make([]int64, len(values))
		for i, x := range values {
			out[k][i] = t.Quantize(float64(x))
		}
	}
	return out
}
