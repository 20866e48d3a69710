package quantize

import (
	"context"
	"fmt"
	"math"
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

// Measure runs both on all samples; labels may be nil. All cores are used. The class that a network
// names is the position of the greatest element of its first output, or that output's value where the
// network ends in argmax. Errors are ErrCalibration for too few labels, those of running either graph,
// and the context's.
func Measure(ctx context.Context, fg *float.Graph, ig *model.Graph, samples [][][]float32, labels []int) (Accuracy, error) {
	if labels != nil && len(labels) < len(samples) {
		return Accuracy{}, fmt.Errorf("%w: %d labels for %d samples", ErrCalibration, len(labels), len(samples))
	}
	m := comparison{float: fg, integer: ig, class: argmax}
	if namesClasses(fg) {
		m.class = func(v []float64) int { return int(v[0]) }
	}
	var mu sync.Mutex
	var total tally
	err := eachSample(ctx, len(samples), func(s int) error {
		var label *int
		if labels != nil {
			label = &labels[s]
		}
		one, err := m.run(ctx, samples[s], label)
		if err != nil {
			return fmt.Errorf("sample %d: %w", s, err)
		}
		mu.Lock()
		defer mu.Unlock()
		total.add(one)
		return nil
	})
	return total.accuracy(), err
}

// namesClasses tells whether the first output is one index, made by argmax.
func namesClasses(g *float.Graph) bool {
	at := g.Outputs[0]
	if g.Tensors[at].Len() != 1 {
		return false
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		if n := g.Nodes[i]; n.Out == at {
			if _, ok := n.Op.(float.Reshape); !ok {
				_, ok = n.Op.(float.ArgMax)
				return ok
			}
			at = n.In[0]
		}
	}
	return false
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

// comparison is the two graphs and how their outputs name a class.
type comparison struct {
	float   *float.Graph
	integer *model.Graph
	class   func([]float64) int
}

func (m comparison) run(ctx context.Context, sample [][]float32, label *int) (tally, error) {
	want, err := m.float.Run(sample)
	if err != nil {
		return tally{}, err
	}
	ints, err := m.integer.Run(ctx, Inputs(m.integer, sample))
	if err != nil {
		return tally{}, err
	}
	out := m.integer.Tensors[m.integer.Outputs[0]]
	got := make([]float64, len(ints[0]))
	expected := make([]float64, len(ints[0]))
	t := tally{samples: 1, elements: len(got)}
	for i, v := range ints[0] {
		got[i], expected[i] = out.Real(v), float64(want[0][i])
		d := math.Abs(got[i] - expected[i])
		t.sum += d
		t.worst = max(t.worst, d)
	}
	a, b := m.class(expected), m.class(got)
	t.agree = count(a == b)
	if label != nil {
		t.float, t.integer = count(a == *label), count(b == *label)
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
