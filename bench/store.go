package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zkinfer/zkinfer/internal/envelope"
)

// Errors of a folder of results.
var (
	// ErrExists is a folder that holds results already.
	ErrExists = errors.New("holds results already")
	// ErrOtherRun is a folder whose results cannot stand beside new ones.
	ErrOtherRun = errors.New("results of another run")
)

// The files that a run keeps while it goes on.
const (
	runFile    = "run.json"
	pointsFile = "points.jsonl"
)

// Settings are the choices that change figures.
type Settings struct {
	Seed  uint64 `json:"seed"`
	Runs  int    `json:"runs"`
	Quick bool   `json:"quick"`
}

// header is run.json: under what conditions the points were measured.
type header struct {
	Settings Settings `json:"settings"`
	Machine  Machine  `json:"machine"`
}

// Result is one point: a model, a proof system, a way to hold the weights, and what was measured. Times
// are medians in seconds. Where Error or Skipped is set there are no figures.
type Result struct {
	Model
	Digest      string  `json:"digest"` // of architecture and parameters
	Backend     string  `json:"backend"`
	Weights     Weights `json:"weights"`
	Parameters  int64   `json:"parameters"`
	MACs        int64   `json:"macs"`
	Activations int64   `json:"activations"`

	Constraints       int     `json:"constraints"`
	CompileSeconds    float64 `json:"compile_seconds"`
	CompileCPUSeconds float64 `json:"compile_cpu_seconds"`
	SRSSeconds        float64 `json:"srs_seconds"` // making the structured reference string, once; 0 where there is none
	SetupSeconds      float64 `json:"setup_seconds"`
	SetupCPUSeconds   float64 `json:"setup_cpu_seconds"`
	CommitSeconds     float64 `json:"commit_seconds"`
	OpenSeconds       float64 `json:"open_seconds"` // reading the keys, once
	ProveSeconds      float64 `json:"prove_seconds"`
	ProveCPUSeconds   float64 `json:"prove_cpu_seconds"`
	VerifySeconds     float64 `json:"verify_seconds"`
	VerifyCPUSeconds  float64 `json:"verify_cpu_seconds"`
	SetupMemory       int64   `json:"setup_memory_bytes"`
	ProveMemory       int64   `json:"prove_memory_bytes"`
	Sizes
	ProofBytes int     `json:"proof_bytes"`
	Setup      *Report `json:"setup_runs,omitempty"`
	Prove      *Report `json:"prove_runs,omitempty"`
	// Estimate is what was foretold, where a run compares.
	Estimate *Estimate `json:"estimate,omitempty"`

	Skipped string `json:"skipped,omitempty"`
	Error   string `json:"error,omitempty"`
}

// Measured tells whether there are figures.
func (r *Result) Measured() bool { return r.Skipped == "" && r.Error == "" }

// key identifies a point in a folder of results.
func (r *Result) key() string {
	return fmt.Sprintf("%s %s %s %s", r.Backend, r.Weights, r.Name, r.Digest)
}

// take fills in what the two processes of a point report.
func (r *Result) take(setup, prove *Report) {
	r.Setup, r.Prove, r.Constraints, r.Sizes, r.ProofBytes = setup, prove, setup.Constraints, *setup.Sizes, prove.ProofBytes
	r.CompileSeconds, r.SRSSeconds, r.SetupSeconds, r.CommitSeconds = median(setup.Compile), setup.SRS, median(setup.Setup), median(setup.Commit)
	r.VerifyCPUSeconds = median(prove.VerifyCPU)
	r.CompileCPUSeconds, r.SetupCPUSeconds = median(setup.CompileCPU), median(setup.SetupCPU)
	r.OpenSeconds, r.ProveSeconds, r.ProveCPUSeconds, r.VerifySeconds = prove.Open, median(prove.Prove), median(prove.ProveCPU), median(prove.Verify)
	r.SetupMemory, r.ProveMemory = setup.PeakMemory, prove.PeakMemory
}

// store is a folder of results. A point is on disk before the next one begins.
type store struct {
	dir  string
	done map[string]Result
}

// openStore makes the folder, or with resume takes up what is in it; force drops that.
func openStore(dir string, h header, resume, force bool) (*store, error) {
	s := &store{dir: dir, done: map[string]Result{}}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(s.path(runFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, s.begin(h)
	case err != nil:
		return nil, err
	case resume:
		return s, s.resume(b, h)
	case force:
		return s, s.begin(h)
	}
	return nil, fmt.Errorf("%s %w; use --resume to go on with them, --force to replace them, or name another folder", dir, ErrExists)
}

func (s *store) path(name string) string { return filepath.Join(s.dir, name) }

func (s *store) begin(h header) error {
	b, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return err
	}
	if err := os.Remove(s.path(pointsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return writeFile(s.path(runFile), append(b, '\n'))
}

func (s *store) resume(b []byte, h header) error {
	var old header
	if err := json.Unmarshal(b, &old); err != nil {
		return fmt.Errorf("%s: %w", s.path(runFile), err)
	}
	if old.Settings != h.Settings {
		return fmt.Errorf("%w: %s was measured with seed %d, %d runs, quick: %t; now %d, %d, %t", ErrOtherRun, s.dir,
			old.Settings.Seed, old.Settings.Runs, old.Settings.Quick, h.Settings.Seed, h.Settings.Runs, h.Settings.Quick)
	}
	if !old.Machine.same(h.Machine) {
		return fmt.Errorf("%w: %s was measured on another machine or with other versions (%s, %d cores, %v)", ErrOtherRun, s.dir,
			old.Machine.CPU, old.Machine.Cores, old.Machine.Versions)
	}
	points, err := os.ReadFile(s.path(pointsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	whole := points[:bytes.LastIndexByte(points, '\n')+1] // a line without an end was being written
	for _, line := range bytes.Split(bytes.TrimSpace(whole), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var r Result
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("%s: %w", s.path(pointsFile), err)
		}
		if r.Measured() { // others are tried again
			s.done[r.key()] = r
		}
	}
	return s.rewrite()
}

// rewrite drops what is not to be kept: half a line, points that failed.
func (s *store) rewrite() error {
	var b bytes.Buffer
	for _, r := range s.done {
		if err := json.NewEncoder(&b).Encode(r); err != nil {
			return err
		}
	}
	return writeFile(s.path(pointsFile), b.Bytes())
}

// add keeps a point.
func (s *store) add(r Result) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.path(pointsFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

// writeFile replaces a file whole or not at all.
func writeFile(path string, b []byte) error {
	return envelope.WriteFile(path, true, func(w io.Writer) error { _, err := w.Write(b); return err })
}
