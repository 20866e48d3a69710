package tflite

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
)

func TestMain(m *testing.M) {
	logger.Disable()
	m.Run()
}

var roundings = []Rounding{TFLM, LiteRT, Single}

// around are the accumulators on both sides of every threshold, the ends of the range, and some at
// random.
func (s *steps) around(rng *rand.Rand) []int64 {
	out := []int64{s.lo, s.hi}
	add := func(acc int64) {
		if acc >= s.lo && acc <= s.hi {
			out = append(out, acc)
		}
	}
	b := s.boundaries()
	for _, p := range append(b.below, b.above...) {
		add(p.acc - 1)
		add(p.acc)
		add(p.acc + 1)
	}
	for range 20 {
		add(s.lo + rng.Int64N(s.hi-s.lo+1))
	}
	return out
}

// reproduced compares a channel's line with the device at those accumulators.
func reproduced(s *steps, q *requantization, channel int, accs []int64) error {
	r := model.Rescale{Shift: q.shift, Roundings: []model.Rounding{model.HalfUp}}
	if q.roundings != nil {
		r.Roundings[0] = q.roundings[channel]
	}
	for _, acc := range accs {
		got := r.Quotient(0, q.lines[channel].multiplier*acc+q.bias(channel))
		if got = min(max(got, s.least), s.most); got != s.at(acc) {
			return fmt.Errorf("accumulator %d: %d, the device says %d (shift %d, %v)", acc, got, s.at(acc), q.shift, r.Roundings[0])
		}
	}
	return nil
}

// TestRandomScales: whatever the scale, the clamp and the range, a form is found and it is exact.
func TestRandomScales(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	kinds := map[model.Rounding]int{}
	for _, rounding := range roundings {
		for range 150 {
			scale := float32(math.Exp2(-1 - 11*rng.Float64()))
			zero := int64(rng.IntN(256) - 128)
			s := steps{least: -128 - zero, most: 127 - zero}
			if rng.IntN(2) == 0 {
				s.least = 0 // a rectifier
			}
			reach := int64(float64(300+rng.IntN(20000)) / float64(scale))
			s.lo, s.hi = -rng.Int64N(reach+1), rng.Int64N(reach+1)
			var err error
			if s.rule, err = rounding.layerRule(scale, 1, 1, false, reach); err != nil {
				t.Fatal(err)
			}
			q, err := requantize([]steps{s})
			if err != nil {
				t.Fatalf("%s, scale %g: %v", rounding, scale, err)
			}
			if err := reproduced(&s, q, 0, s.around(rng)); err != nil {
				t.Fatalf("%s, scale %g: %v", rounding, scale, err)
			}
			if q.roundings != nil {
				kinds[q.roundings[0]]++
			}
		}
	}
	if kinds[model.Binary32] == 0 || len(kinds) < 4 {
		t.Errorf("forms other than plain lines: %v; expected several", kinds)
	}
}

// TestShortestLine: no line with a shorter shift exists, by trying all of them.
func TestShortestLine(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		s := steps{lo: -200, hi: 200, least: -9, most: 9}
		r, err := TFLM.layerRule(float32(math.Exp2(-1-5*rng.Float64())), 1, 1, false, 200)
		if err != nil {
			t.Fatal(err)
		}
		s.rule = r
		b := s.boundaries()
		shift, ok := s.leastShift(&b, model.HalfUp)
		if !ok {
			shift = 8
		}
		if shift == 0 {
			continue
		}
		shift = min(shift, 8)
		for m := int64(0); m <= 1<<shift; m++ {
			if from, to := b.offsets(m, shift-1, model.HalfUp); from <= to {
				t.Fatalf("scale %g: shift %d was found, but %d works with multiplier %d", r.slope, shift, shift-1, m)
			}
		}
	}
}

// observed are the channels of all layers of a model, as import asked for them.
type observed struct {
	channels []steps
	zero     int64
	q        *requantization
}

func observe(t *testing.T, name string, r Rounding) []observed {
	t.Helper()
	data, err := os.ReadFile("../../testvectors/tflite/" + name + "/model.tflite")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	var out []observed
	g := newIntegers(m, r, name)
	g.observe = func(channels []steps, zero int64, q *requantization) {
		out = append(out, observed{channels, zero, q})
	}
	if _, err := g.run(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestThresholds: every channel of real models, in every rounding, at each code's least accumulator and its
// neighbours; and in a circuit for channels of each form.
func TestThresholds(t *testing.T) {
	for _, name := range []string{"hello-world", "ad01", "kws", "resnet8", "vww"} {
		for _, r := range roundings {
			t.Run(name+"/"+string(r), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(5, 6))
				proved := map[model.Rounding]int{}
				for _, o := range observe(t, name, r) {
					for i := range o.channels {
						accs := o.channels[i].around(rng)
						if err := reproduced(&o.channels[i], o.q, i, accs); err != nil {
							t.Fatalf("channel %d: %v", i, err)
						}
						rounding := model.HalfUp
						if o.q.roundings != nil {
							rounding = o.q.roundings[i]
						}
						if proved[rounding] < 2 && !o.channels[i].centred && len(accs) > 100 {
							proved[rounding]++
							o.prove(t, i, accs)
						}
					}
				}
				t.Logf("in circuits: %v", proved)
			})
		}
	}
}

// prove solves the circuit of one channel, a position an accumulator, with a saturating table; then every
// output moved by one is rejected, one at a time for a few of them.
func (o observed) prove(t *testing.T, channel int, accs []int64) {
	t.Helper()
	s := o.channels[channel]
	lo, hi := o.q.quotients([]steps{s})
	if len(o.channels) > 1 {
		lo, hi = o.q.quotients(o.channels)
	}
	c := &clampedLayer{least: s.least, most: s.most, zero: o.zero, width: bitsOf(min(lo, s.least), max(hi, s.most))}
	op := &model.Dense{OutN: 1, Weights: []int64{o.q.lines[channel].multiplier}, Bias: []int64{o.q.bias(channel)}}
	c.rescale = &op.Rescale
	op.Rescale.Shift = o.q.shift
	if o.q.roundings != nil {
		op.Rescale.Roundings = o.q.roundings[channel : channel+1]
	}
	c.saturate()
	b := model.NewBuilder("thresholds")
	in, err := b.Input(model.Tensor{Name: "accumulators", Shape: []int{len(accs), 1}, Min: s.lo, Max: s.hi, Type: model.Int32, Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	out, err := b.Add("outputs", op, 1, 0, in)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(out)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	trace, err := g.Execute(context.Background(), [][]int64{accs})
	if err != nil {
		t.Fatal(err)
	}
	for i, acc := range accs {
		if got := trace.Values[out][i]; got != s.at(acc)+o.zero {
			t.Fatalf("channel %d, accumulator %d: %d, the device says %d", channel, acc, got, s.at(acc)+o.zero)
		}
	}
	solve(t, g, trace)
}

// solve compiles the graph's circuit and checks that it accepts the trace and rejects an accumulator one off.
func solve(t *testing.T, g *model.Graph, trace *model.Trace) {
	t.Helper()
	plan, err := circuits.NewPlan(g, circuits.Options{})
	if err != nil {
		t.Fatal(err)
	}
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, plan.NewCircuit(), circuits.CompileOption())
	if err != nil {
		t.Fatal(err)
	}
	parameters, err := plan.Parameters(g)
	if err != nil {
		t.Fatal(err)
	}
	solved := func() error {
		w, err := plan.Assign(trace)
		if err != nil {
			return err
		}
		full, err := w.Full(fr.NewElement(1))
		if err != nil {
			return err
		}
		return system.(*cs.R1CS).IsSolved(full, parameters.SolverOption())
	}
	if err := solved(); err != nil {
		t.Fatal(err)
	}
	last := trace.Acc[len(trace.Acc)-1]
	last[len(last)/2]++
	if solved() == nil {
		t.Error("an accumulator one off was accepted")
	}
}

// TestBudgets are the counts that were promised for models as they ship.
func TestBudgets(t *testing.T) {
	for name, most := range map[string]int{"hello-world": 4096, "ad01": 32768, "kws": 524288, "resnet8": 786432} {
		data, err := os.ReadFile("../../testvectors/tflite/" + name + "/model.tflite")
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range roundings {
			res, err := m.Integer(r, name)
			if err != nil {
				t.Fatal(err)
			}
			p, err := circuits.NewPlan(res.Graph, circuits.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, %s: %d constraints", name, r, p.Constraints)
			if p.Constraints > most {
				t.Errorf("%s, %s: %d constraints, the budget is %d", name, r, p.Constraints, most)
			}
		}
	}
}
