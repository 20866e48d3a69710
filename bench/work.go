package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/zkinfer/zkinfer/model"
)

// Phase is what one process does for a point. A process does one phase and ends, so that its peak of
// memory is that phase's, and its crash no other's.
type Phase string

// The phases, in order.
const (
	SetupPhase Phase = "setup" // compile, make keys, commit, save
	ProvePhase Phase = "prove" // read keys, prove, verify: what zkinfer prove does

	EstimatePhase Phase = "estimate" // what zkinfer estimate does
)

// Job is what a process is told, as JSON.
type Job struct {
	Phase   Phase         `json:"phase"`
	Model   string        `json:"model"` // path of a .zkm file
	Backend string        `json:"backend"`
	Weights Weights       `json:"weights"`
	Dir     string        `json:"dir"` // where keys are between the phases
	Runs    int           `json:"runs"`
	Budget  time.Duration `json:"budget"` // no run begins after this time, the first excepted
	Seed    uint64        `json:"seed"`   // of the input
}

// Report is what a process answers, as JSON: seconds of every run.
type Report struct {
	Constraints int       `json:"constraints,omitempty"`
	Compile     []float64 `json:"compile,omitempty"`
	CompileCPU  []float64 `json:"compile_cpu,omitempty"`
	SRS         float64   `json:"srs,omitempty"` // making the structured reference string, once
	Setup       []float64 `json:"setup,omitempty"`
	SetupCPU    []float64 `json:"setup_cpu,omitempty"`
	Commit      []float64 `json:"commit,omitempty"`
	Sizes       *Sizes    `json:"sizes,omitempty"`

	Open       float64   `json:"open,omitempty"`
	Prove      []float64 `json:"prove,omitempty"`
	ProveCPU   []float64 `json:"prove_cpu,omitempty"`
	Verify     []float64 `json:"verify,omitempty"`
	VerifyCPU  []float64 `json:"verify_cpu,omitempty"`
	ProofBytes int       `json:"proof_bytes,omitempty"`

	Estimate *Estimate `json:"estimate,omitempty"`

	// PeakMemory is the greatest resident size in bytes until each step had run once; 0 where the system does not say.
	PeakMemory int64 `json:"peak_memory_bytes"`
}

// Meter reads what the operating system counts for this process.
type Meter struct {
	CPUSeconds func() float64
	PeakMemory func() int64 // bytes
}

// Work does one job: JSON in, JSON out.
func Work(ctx context.Context, in io.Reader, out io.Writer, m Meter) error {
	var j Job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return fmt.Errorf("reading the job: %w", err)
	}
	r, err := j.run(ctx, m)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

func (j *Job) run(ctx context.Context, m Meter) (*Report, error) {
	g, err := model.ReadFile(j.Model)
	if err != nil {
		return nil, err
	}
	s, err := findSystem(j.Backend)
	if err != nil {
		return nil, err
	}
	b, err := s.new(g, j.Weights)
	if err != nil {
		return nil, err
	}
	switch j.Phase {
	case SetupPhase:
		return j.setup(ctx, b, m)
	case ProvePhase:
		return j.prove(ctx, b, g, m)
	case EstimatePhase:
		return j.estimate(s, g, m)
	}
	return nil, fmt.Errorf("phase %q, expected %s, %s or %s", j.Phase, SetupPhase, ProvePhase, EstimatePhase)
}

func (j *Job) setup(ctx context.Context, b Backend, m Meter) (*Report, error) {
	r := &Report{}
	err := j.repeat(ctx, func() error {
		cpu := m.CPUSeconds()
		err := timed(&r.Compile, func() (err error) { r.Constraints, err = b.Compile(ctx); return err })
		r.CompileCPU = append(r.CompileCPU, m.CPUSeconds()-cpu)
		return err
	})
	if err != nil {
		return nil, err
	}
	if u, ok := b.(Universal); ok {
		var made []float64
		if err := timed(&made, func() error { return u.MakeSRS(ctx) }); err != nil {
			return nil, err
		}
		r.SRS = made[0]
	}
	err = j.repeat(ctx, func() error {
		cpu := m.CPUSeconds()
		if err := timed(&r.Setup, func() error { return b.Setup(ctx) }); err != nil {
			return err
		}
		r.SetupCPU = append(r.SetupCPU, m.CPUSeconds()-cpu)
		err := timed(&r.Commit, func() error { return b.Commit(ctx) })
		r.mark(m)
		return err
	})
	if err != nil {
		return nil, err
	}
	sizes, err := b.Save(j.Dir)
	r.Sizes = &sizes
	return r, err
}

func (j *Job) prove(ctx context.Context, b Backend, g *model.Graph, m Meter) (*Report, error) {
	r := &Report{}
	var opened []float64
	if err := timed(&opened, func() error { return b.Open(j.Dir) }); err != nil {
		return nil, err
	}
	r.Open = opened[0]
	inputs := Inputs(g, j.Seed)
	err := j.repeat(ctx, func() error {
		cpu := m.CPUSeconds()
		err := timed(&r.Prove, func() (err error) { r.ProofBytes, err = b.Prove(ctx, inputs); return err })
		r.ProveCPU = append(r.ProveCPU, m.CPUSeconds()-cpu)
		r.mark(m)
		return err
	})
	if err != nil {
		return nil, err
	}
	// As in a process of its own, where zkinfer verify collects as seldom: a prover's heap is no part of a verification.
	runtime.GC()
	debug.SetGCPercent(400)
	verifications := *j
	verifications.Runs *= 3 // they are short
	return r, verifications.repeat(ctx, func() error {
		cpu := m.CPUSeconds()
		err := timed(&r.Verify, b.Verify)
		r.VerifyCPU = append(r.VerifyCPU, m.CPUSeconds()-cpu)
		return err
	})
}

// mark records the peak of memory, once: later runs find garbage of earlier ones.
func (r *Report) mark(m Meter) {
	if r.PeakMemory > 0 {
		return
	}
	// Linux counts the parent, of which a process is a copy until it runs its own program, into what Meter reads.
	if r.PeakMemory = kilobytes("/proc/self/status", "VmHWM"); r.PeakMemory == 0 {
		r.PeakMemory = m.PeakMemory()
	}
}

// repeat calls f for each run that there is time for, at least once.
func (j *Job) repeat(ctx context.Context, f func() error) error {
	start := time.Now()
	for i := 0; i == 0 || i < j.Runs && time.Since(start) < j.Budget; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func timed(seconds *[]float64, f func() error) error {
	start := time.Now()
	err := f()
	*seconds = append(*seconds, time.Since(start).Seconds())
	return err
}

// Inputs are random integers in the range of each input of the model.
func Inputs(g *model.Graph, seed uint64) [][]int64 {
	r := rand.New(rand.NewPCG(seed, 0x696e70757473))
	out := make([][]int64, len(g.Inputs))
	for i, id := range g.Inputs {
		t := g.Tensors[id]
		out[i] = make([]int64, t.Len())
		for k := range out[i] {
			out[i][k] = t.Min + r.Int64N(t.Max-t.Min+1)
		}
	}
	return out
}

// median of values, 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
