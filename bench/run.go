package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zkinfer/zkinfer/model"
)

// Config is what to measure.
type Config struct {
	Models   []Model
	Backends []string  // of Backends
	Weights  []Weights // of AllWeights; what a proof system does not know is left out
	Settings Settings
	// Budget is the time after which no further run of a phase begins.
	Budget time.Duration
	// Limit is the time after which no further point begins; what is left says so. 0 is no limit.
	Limit time.Duration
	// MaxConstraints leaves out larger points, which then say so. 0 is no limit.
	MaxConstraints int
	// Estimate compares each point that the command line offers with what is foretold for it.
	Estimate bool
	// Dir is the folder of results. Resume goes on with what is there, Force drops it.
	Dir           string
	Resume, Force bool
	// Child runs a job in a process of its own.
	Child func(ctx context.Context, j Job) (*Report, error)
	// Progress, if not nil, is told of each point when it is there.
	Progress func(Progress)
}

// Progress is how far a run is. Left is 0 until there is something to judge by.
type Progress struct {
	Done, Total int
	Point       Result
	Left        time.Duration
}

// Results are the points of a run, in its order, with the conditions they were measured under.
type Results struct {
	Settings Settings `json:"settings"`
	Machine  Machine  `json:"machine"`
	Points   []Result `json:"points"`
	// Missing is how many points the run did not come to.
	Missing int `json:"missing"`
}

// Run measures. When ctx ends it returns what is there, and the context's error; a later run with
// Resume goes on. A point that fails says why in its Error and does not end the run.
func Run(ctx context.Context, c Config) (*Results, error) {
	h := header{c.Settings, ThisMachine()}
	s, err := openStore(c.Dir, h, c.Resume, c.Force)
	if err != nil {
		return nil, err
	}
	work, err := newWorkDir(c.Dir)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	r := &run{Config: c, store: s, work: work, results: &Results{Settings: c.Settings, Machine: h.Machine}}
	if err := r.plan(ctx); err != nil {
		return nil, err
	}
	err = r.measure(ctx)
	r.results.Missing = len(r.points) - len(r.results.Points)
	return r.results, err
}

// workPrefix begins the names of folders for keys. A run that was killed leaves one, the next removes it.
const workPrefix = ".work-"

func newWorkDir(dir string) (string, error) {
	old, err := filepath.Glob(filepath.Join(dir, workPrefix+"*"))
	if err != nil {
		return "", err
	}
	for _, path := range old {
		if err := os.RemoveAll(path); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(dir, workPrefix)
}

// run is a run in progress.
type run struct {
	Config
	store   *store
	work    string
	points  []point
	results *Results
}

// point is one to be measured.
type point struct {
	Result
	path string // of the model
}

// plan builds every model once and lists the points, so that their number and size are known.
func (r *run) plan(ctx context.Context) error {
	for i, m := range r.Models {
		g, err := m.Build(ctx, r.Settings.Seed)
		if err != nil {
			return err
		}
		path := filepath.Join(r.work, fmt.Sprintf("%d.zkm", i))
		b, err := g.Encode()
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
		for _, name := range r.Backends {
			if err := r.planSystem(m, g, path, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) planSystem(m Model, g *model.Graph, path, name string) error {
	s, err := findSystem(name)
	if err != nil {
		return err
	}
	for _, w := range r.Weights {
		if !slices.Contains(s.weights, w) {
			continue
		}
		p := point{Result: newResult(m, g), path: path}
		p.Backend, p.Weights = name, w
		if p.Constraints, err = s.constraints(g, w); err != nil {
			p.Error = err.Error()
		} else if r.MaxConstraints > 0 && p.Constraints > r.MaxConstraints {
			p.Skipped = fmt.Sprintf("%d constraints, the limit is %d (--max-constraints)", p.Constraints, r.MaxConstraints)
		}
		r.points = append(r.points, p)
	}
	return nil
}

func newResult(m Model, g *model.Graph) Result {
	architecture, parameters := g.ArchitectureDigest(), g.ParameterDigest()
	r := Result{Model: m, Digest: fmt.Sprintf("%x-%x", architecture[:8], parameters[:8])}
	for _, n := range g.Nodes {
		out := g.Tensors[n.Out]
		r.MACs += n.Op.MACs(g.Operands(n), out)
		for _, p := range n.Op.Params() {
			r.Parameters += int64(len(*p.Values))
		}
		if _, moves := n.Op.(model.Rearrangement); !moves {
			r.Activations += int64(out.Len())
		}
	}
	return r
}

// measure goes through the points, cheap ones first: an interrupted run has as many as it can. Results
// stand in the order of the plan all the same.
func (r *run) measure(ctx context.Context) error {
	clock := newClock(r.points, r.store.done)
	order := make([]int, len(r.points))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(costOf(r.points[a]), costOf(r.points[b])) })
	results := make([]*Result, len(r.points))
	defer func() { r.results.Points = present(results) }()
	start := time.Now()
	for n, i := range order {
		if err := ctx.Err(); err != nil {
			return err
		}
		late := r.Limit > 0 && time.Since(start) > r.Limit
		result, err := r.next(ctx, r.points[i], late, clock)
		if err != nil {
			return err
		}
		results[i] = result
		if r.Progress != nil {
			r.Progress(Progress{n + 1, len(r.points), *result, clock.left()})
		}
	}
	return nil
}

// next is a point that an earlier run measured, or measures it and keeps it. Where it is late, it is
// left out.
func (r *run) next(ctx context.Context, p point, late bool, clock *clock) (*Result, error) {
	if known, ok := r.store.done[p.key()]; ok {
		return &known, nil
	}
	result, start := p.Result, time.Now()
	if result.Measured() && late {
		result.Skipped = fmt.Sprintf("not begun within %v; --resume goes on", r.Limit)
	}
	if result.Measured() {
		if err := r.point(ctx, p, &result); err != nil {
			return nil, err
		}
	}
	clock.passed(p, time.Since(start))
	return &result, r.store.add(result)
}

func present(results []*Result) []Result {
	var out []Result
	for _, r := range results {
		if r != nil {
			out = append(out, *r)
		}
	}
	return out
}

// point measures one in two processes. Only the end of ctx is an error; what goes wrong otherwise is
// the point's.
func (r *run) point(ctx context.Context, p point, result *Result) error {
	dir, err := os.MkdirTemp(r.work, "keys-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	job := Job{Phase: SetupPhase, Model: p.path, Backend: p.Backend, Weights: p.Weights, Dir: dir,
		Runs: r.Settings.Runs, Budget: r.Budget, Seed: r.Settings.Seed}
	if r.Settings.Quick {
		job.Runs = 1 // keys are made once
	}
	setup, err := r.Child(ctx, job)
	if err == nil {
		job.Phase, job.Runs = ProvePhase, r.proofs(p.Weights)
		var prove *Report
		if prove, err = r.Child(ctx, job); err == nil {
			result.take(setup, prove)
			result.Estimate, err = r.foretold(ctx, job)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		result.Error = fmt.Sprintf("%s: %v", job.Phase, err)
	}
	return nil
}

// foretold is the estimate for a job's model, nil if none is wanted or there is none.
func (r *run) foretold(ctx context.Context, job Job) (*Estimate, error) {
	s, err := findSystem(job.Backend)
	if err != nil || !r.Estimate || !slices.Contains(s.offered, job.Weights) {
		return nil, err
	}
	job.Phase = EstimatePhase
	report, err := r.Child(ctx, job)
	if err != nil {
		return nil, err
	}
	return report.Estimate, nil
}

// proofs is how many are made. A quick run makes one where weights are public: it takes what the private ways take but for
// salts.
func (r *run) proofs(w Weights) int {
	if r.Settings.Quick && w.public() && w != Constants {
		return 1
	}
	return r.Settings.Runs
}

// clock foretells the remaining time: a point takes a while to start, and then its constraints' time.
type clock struct{ work, spent, remaining float64 }

// startUp is what two processes take beside their constraints, counted in constraints.
const startUp = 2000

func newClock(points []point, done map[string]Result) *clock {
	c := &clock{}
	for _, p := range points {
		if _, known := done[p.key()]; !known {
			c.remaining += costOf(p)
		}
	}
	return c
}

func costOf(p point) float64 {
	if !p.Measured() {
		return 0
	}
	return startUp + max(float64(p.Constraints), perActivation*float64(p.Activations))
}

// perActivation is what an activation takes where constraints do not tell, counted in constraints: keys of a size class have
// as many for every model.
const perActivation = 0.4

func (c *clock) passed(p point, took time.Duration) {
	cost := costOf(p)
	if cost == 0 {
		return
	}
	c.work, c.spent, c.remaining = c.work+cost, c.spent+took.Seconds(), c.remaining-cost
}

func (c *clock) left() time.Duration {
	if c.work == 0 {
		return 0
	}
	return time.Duration(c.spent / c.work * max(c.remaining, 0) * float64(time.Second))
}

// Process returns a Config.Child that runs a program which calls Work, with these arguments.
func Process(program string, args ...string) func(context.Context, Job) (*Report, error) {
	return func(ctx context.Context, j Job) (*Report, error) {
		in, err := json.Marshal(j)
		if err != nil {
			return nil, err
		}
		var out, errOut bytes.Buffer
		c := exec.CommandContext(ctx, program, args...)
		c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(in), &out, &errOut
		if err := c.Run(); err != nil {
			return nil, failure(err, errOut.String())
		}
		r := &Report{}
		if err := json.NewDecoder(&out).Decode(r); err != nil {
			return nil, fmt.Errorf("the process answered something else than a report: %w", err)
		}
		if j.Phase == SetupPhase && r.Sizes == nil {
			return nil, errors.New("the process reported no keys")
		}
		return r, nil
	}
}

// failure says why a process failed: in its own words, or by the signal that ended it.
func failure(err error, stderr string) error {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return fmt.Errorf("the process was ended (%w); was there too little memory?", err)
	}
	if lines[0] != "" {
		return errors.New(lines[0])
	}
	return err
}
