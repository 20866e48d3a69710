package bench

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/vg"
)

// fakeChild answers at once, with figures that follow from the model's place in the run.
type fakeChild struct {
	jobs []Job
	fail func(j Job) error
}

func (f *fakeChild) run(_ context.Context, j Job) (*Report, error) {
	f.jobs = append(f.jobs, j)
	if f.fail != nil {
		if err := f.fail(j); err != nil {
			return nil, err
		}
	}
	if j.Phase == EstimatePhase {
		return &Report{Estimate: &Estimate{ProveCPUSeconds: 6}}, nil // twice two jobs took 4
	}
	size := float64(len(f.jobs))
	if j.Phase == SetupPhase {
		return &Report{Constraints: int(100 * size), Compile: []float64{1}, Setup: []float64{3, 1, 2}, Sizes: &Sizes{1000, 10, 4}, PeakMemory: 1 << 30}, nil
	}
	return &Report{Prove: []float64{size, size + 2, size + 1}, ProveCPU: []float64{2 * size}, Verify: []float64{0.001}, ProofBytes: 256, PeakMemory: 1 << 20}, nil
}

func config(t *testing.T, child *fakeChild, names ...string) Config {
	t.Helper()
	c := Config{Backends: []string{"groth16"}, Weights: []Weights{FoldedPrivate, WiresPrivate}, Settings: Settings{Seed: 1, Runs: 3},
		Dir: filepath.Join(t.TempDir(), "results"), Child: child.run}
	for _, name := range names {
		m, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		c.Models = append(c.Models, m)
	}
	return c
}

var threeModels = []string{"dense-8x1", "dense-4x1", "dense-12x1"}

func mustRun(t *testing.T, c Config) *Results {
	t.Helper()
	r, err := Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A run takes medians, keeps the order of the plan though cheap points come first, and cleans up.
func TestRun(t *testing.T) {
	child := &fakeChild{}
	c := config(t, child, threeModels...)
	var seen []Progress
	c.Progress = func(p Progress) { seen = append(seen, p) }
	r := mustRun(t, c)
	if len(r.Points) != 6 || r.Missing != 0 || len(child.jobs) != 12 || len(seen) != 6 || seen[5].Done != 6 || seen[5].Left != 0 {
		t.Fatalf("%d points, %d missing, %d jobs, progress %+v", len(r.Points), r.Missing, len(child.jobs), seen)
	}
	if seen[0].Point.Name != "dense-4x1" || seen[0].Left < 0 {
		t.Errorf("the first point measured is %s", seen[0].Point.Name)
	}
	p := r.Points[0]
	if p.Name != "dense-8x1" || p.Weights != FoldedPrivate || p.SetupSeconds != 2 || p.ProveMemory != 1<<20 || p.SetupMemory != 1<<30 || p.ProvingKey != 1000 {
		t.Errorf("%+v", p)
	}
	left, err := filepath.Glob(filepath.Join(c.Dir, workPrefix+"*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// An interrupt keeps what is done; with Resume only the rest is measured, and failed points again.
func TestInterruptAndResume(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	child := &fakeChild{}
	child.fail = func(j Job) error {
		if len(child.jobs) == 8 { // at the beginning of the fifth point
			cancel()
			return ctx.Err()
		}
		if len(child.jobs) == 3 {
			return errors.New("out of luck")
		}
		return nil
	}
	c := config(t, child, threeModels...)
	r, err := Run(ctx, c)
	if !errors.Is(err, context.Canceled) || len(r.Points) != 4 || r.Missing != 2 {
		t.Fatalf("%d points, %d missing, %v", len(r.Points), r.Missing, err)
	}
	if err := r.Write(c.Dir); err != nil {
		t.Fatal(err)
	}
	// The machine went down while a line was being written, and left a folder of keys.
	appendTo(t, filepath.Join(c.Dir, pointsFile), `{"name":"dense-`)
	if err := os.Mkdir(filepath.Join(c.Dir, workPrefix+"old"), 0o755); err != nil {
		t.Fatal(err)
	}
	again := &fakeChild{}
	c.Child, c.Resume = again.run, true
	r = mustRun(t, c)
	if len(r.Points) != 6 || r.Missing != 0 || len(again.jobs) != 2*3 {
		t.Errorf("%d points, %d missing, %d jobs", len(r.Points), r.Missing, len(again.jobs))
	}
	for _, p := range r.Points {
		if !p.Measured() {
			t.Errorf("%s %s: %s", p.Name, p.Weights, p.Error)
		}
	}
	if _, err := os.Stat(filepath.Join(c.Dir, workPrefix+"old")); err == nil {
		t.Error("the folder of keys is still there")
	}
	last := &fakeChild{}
	c.Child = last.run
	if mustRun(t, c); len(last.jobs) != 0 {
		t.Errorf("a finished run measured again: %+v", last.jobs)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Results of other settings or of another machine are neither mixed nor overwritten.
func TestOtherResults(t *testing.T) {
	c := config(t, &fakeChild{}, "dense-4x1")
	mustRun(t, c)
	if _, err := Run(context.Background(), c); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	other := c
	other.Resume, other.Settings.Seed = true, 2
	if _, err := Run(context.Background(), other); !errors.Is(err, ErrOtherRun) {
		t.Error(err)
	}
	path := filepath.Join(c.Dir, runFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = regexp.MustCompile(`"cores": \d+`).ReplaceAll(b, []byte(`"cores": 12345`))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Resume = true
	if _, err := Run(context.Background(), c); !errors.Is(err, ErrOtherRun) {
		t.Error(err)
	}
	c.Resume, c.Force = false, true
	mustRun(t, c)
}

// A changed model of the same name is another point.
func TestResumeNoticesAnotherModel(t *testing.T) {
	c := config(t, &fakeChild{}, "dense-4x1")
	mustRun(t, c)
	child := &fakeChild{}
	m, err := Find("dense-5x1")
	if err != nil {
		t.Fatal(err)
	}
	m.Name = "dense-4x1"
	c.Models, c.Child, c.Resume = []Model{m}, child.run, true
	if mustRun(t, c); len(child.jobs) != 4 {
		t.Errorf("%d jobs", len(child.jobs))
	}
}

// Points that are too large, too late or fail say so, and end nothing.
func TestLeftOut(t *testing.T) {
	child := &fakeChild{fail: func(j Job) error {
		if j.Phase == ProvePhase {
			return errors.New("killed")
		}
		return nil
	}}
	c := config(t, child, "dense-4x1")
	r := mustRun(t, c)
	if len(r.Points) != 2 || r.Points[0].Error != "prove: killed" || r.Points[0].Measured() {
		t.Errorf("%+v", r.Points)
	}
	c = config(t, &fakeChild{}, "dense-4x1")
	c.MaxConstraints = 1
	if r = mustRun(t, c); !strings.Contains(r.Points[0].Skipped, "the limit is 1") {
		t.Errorf("%+v", r.Points)
	}
	c = config(t, &fakeChild{}, "dense-4x1")
	c.Limit = time.Nanosecond
	if r = mustRun(t, c); !strings.Contains(r.Points[1].Skipped, "not begun") {
		t.Errorf("%+v", r.Points)
	}
	if err := r.Write(c.Dir); err != nil { // a report without a single figure
		t.Error(err)
	}
}

// someResults have enough points for every chart and every law.
func someResults(t *testing.T) (*Results, string) {
	t.Helper()
	c := config(t, &fakeChild{}, "dense-4x1", "dense-8x1", "dense-12x1", "dense-16x1", "cnn-1x1", "cnn-2x1", "cnn-3x1", "hello-world")
	c.Weights = systems[0].weights
	r := mustRun(t, c)
	if err := r.Write(c.Dir); err != nil {
		t.Fatal(err)
	}
	return r, c.Dir
}

// The report is one file that needs no other: no address of anything is in it.
func TestReportIsSelfContained(t *testing.T) {
	r, dir := someResults(t)
	b, err := os.ReadFile(filepath.Join(dir, ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	html := string(b)
	if outside := regexp.MustCompile(`(?i)<script|<link|<iframe|<object|src\s*=|href\s*=|@import|url\(`).FindString(html); outside != "" {
		t.Errorf("the report refers to something: %q", outside)
	}
	for _, address := range regexp.MustCompile(`https?://[^"'\s]*`).FindAllString(html, -1) {
		if address != "http://www.w3.org/2000/svg" && address != "http://www.w3.org/1999/xlink" { // names, not places
			t.Errorf("the report has the address %s", address)
		}
	}
	if n := strings.Count(html, "<svg"); n != len(causes)*len(costs) {
		t.Errorf("%d charts", n)
	}
	for _, want := range []string{"dense-16x1", "folded-private", "Scaling laws", "R²", r.Machine.Versions["go"]} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// Text in results cannot become markup.
func TestReportEscapes(t *testing.T) {
	r, _ := someResults(t)
	r.Points[0].Name = "<script>"
	var b bytes.Buffer
	if err := r.html(&b, nil); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script>") {
		t.Error("a model's name became markup")
	}
}

func TestFiles(t *testing.T) {
	r, dir := someResults(t)
	var d struct {
		Points []Result
		Laws   []Law
		Ratios []Ratio
	}
	b, err := os.ReadFile(filepath.Join(dir, JSONFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	if want := 2 * len(systems[0].weights) * len(causes) * len(costs); len(d.Points) != len(r.Points) || len(d.Laws) != want || len(d.Ratios) != 8 {
		t.Errorf("%d points, %d laws of %d, %d ratios", len(d.Points), len(d.Laws), want, len(d.Ratios))
	}
	f, err := os.Open(filepath.Join(dir, CSVFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != len(r.Points)+1 || rows[0][0] != "model" || rows[1][0] != "dense-4x1" {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	pictures, err := filepath.Glob(filepath.Join(dir, chartFolder, "*.png"))
	if err != nil || len(pictures) != len(causes)*len(costs) {
		t.Fatalf("%v %v", pictures, err)
	}
	for _, path := range pictures {
		picture, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(picture)
		picture.Close()
		if err != nil || img.Bounds().Dx() < 600 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		count(12): "12", count(4500): "4.5k", count(3.2e6): "3.2M", bytesUnit(93e6): "93 MB", bytesUnit(1.56e9): "1.56 GB",
		seconds(0.0021): "2.1 ms", seconds(1.5): "1.5 s", seconds(240): "240 s", grouped(1234567): "1,234,567", grouped(12): "12",
	} {
		if got != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
}

// A job is done by Work as a process does it: two phases, one folder.
func TestWork(t *testing.T) {
	dir := t.TempDir()
	b, err := build(t, "dense-4x1", 1).Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "m.zkm")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	meter := Meter{CPUSeconds: func() float64 { return 0 }, PeakMemory: func() int64 { return 1 }}
	for _, s := range systems {
		for _, w := range s.weights {
			what := s.name + " " + string(w)
			keys := filepath.Join(dir, what)
			if err := os.Mkdir(keys, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, phase := range []Phase{SetupPhase, ProvePhase} {
				r := do(t, Job{phase, path, s.name, w, keys, 2, time.Minute, 1}, meter)
				switch {
				case r.PeakMemory == 0:
					t.Errorf("%s, %s: no memory", what, phase)
				case phase == SetupPhase && (r.Constraints == 0 || len(r.Setup) != 2 || r.Sizes.ProvingKey == 0 || r.Sizes.VerifyingKey == 0):
					t.Errorf("%s: %+v", what, r)
				case phase == SetupPhase && (r.SRS > 0) != (s.name == "plonk"):
					t.Errorf("%s: a structured reference string in %g s", what, r.SRS)
				case phase == ProvePhase && (len(r.Prove) != 2 || len(r.Verify) != 6 || r.ProofBytes == 0 || r.Open == 0):
					t.Errorf("%s: %+v", what, r)
				}
			}
		}
	}
}

// do does one job.
func do(t *testing.T, j Job, m Meter) *Report {
	t.Helper()
	job, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Work(context.Background(), bytes.NewReader(job), &out, m); err != nil {
		t.Fatalf("%s, %s, %s: %v", j.Backend, j.Weights, j.Phase, err)
	}
	r := &Report{}
	if err := json.Unmarshal(out.Bytes(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// A quick run makes keys once, and one proof where a private way says the same.
func TestQuickRepeatsLess(t *testing.T) {
	child := &fakeChild{}
	c := config(t, child, "dense-4x1")
	c.Settings.Quick, c.Weights = true, []Weights{FoldedPrivate, FoldedPublic, Constants}
	mustRun(t, c)
	got := map[Weights][2]int{}
	for _, j := range child.jobs {
		n := got[j.Weights]
		if j.Phase == SetupPhase {
			n[0] = j.Runs
		} else {
			n[1] = j.Runs
		}
		got[j.Weights] = n
	}
	for w, want := range map[Weights][2]int{FoldedPrivate: {1, 3}, FoldedPublic: {1, 1}, Constants: {1, 3}} {
		if got[w] != want {
			t.Errorf("%s: %d runs of setup and proof, expected %d", w, got[w], want)
		}
	}
}

// No two ways to hold weights of whatever proof systems look alike, and the key has each of them.
func TestLooks(t *testing.T) {
	seen, names := map[string]string{}, 0
	c := Chart{}
	for _, s := range systems {
		for _, w := range s.weights {
			series := &Series{Backend: s.name, Weights: w, Family: Dense}
			l := lookOf(series)
			what := fmt.Sprintf("%v, filled: %t", l.color, l.filled)
			if other, ok := seen[what]; ok || looks[w].name == "" {
				t.Errorf("%s %s looks like %s", s.name, w, other)
			}
			seen[what] = s.name + " " + string(w)
			c.series = append(c.series, series)
		}
	}
	rows := c.key()
	for _, r := range rows[:len(systems)] {
		names += len(r.entries)
		if right := keyIndent + keyFirst + keyColumn*vg.Length(len(r.entries)); right > chartWidth {
			t.Errorf("the key's line for %s is %v long, the chart has %v", r.name, right, chartWidth)
		}
	}
	if len(rows) != len(systems)+1 || names != len(seen) {
		t.Errorf("a key of %d lines with %d names", len(rows), names)
	}
}

func TestWorkErrs(t *testing.T) {
	for _, job := range []string{"", "{}", `{"model":"nothing.zkm"}`} {
		if err := Work(context.Background(), strings.NewReader(job), &bytes.Buffer{}, Meter{}); err == nil {
			t.Errorf("job %q was done", job)
		}
	}
	for _, name := range []string{"false", "echo", "nothing-of-this-name"} {
		if _, err := Process(name)(context.Background(), Job{Phase: SetupPhase}); err == nil {
			t.Errorf("process %s reported", name)
		}
	}
	if err := failure(errors.New("exit status 1"), "zkinfer: no luck\nmore"); err.Error() != "zkinfer: no luck" {
		t.Error(err)
	}
	if _, err := findSystem("fish"); !errors.Is(err, ErrUnknownBackend) || !strings.Contains(fmt.Sprint(err), "groth16") {
		t.Error(err)
	}
}
