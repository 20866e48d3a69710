package bench

import (
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
)

// Estimate is what zkinfer estimate says of a point, by a probe of the machine next to the measurement.
type Estimate struct {
	Constraints       int     `json:"constraints"`
	SetupCPUSeconds   float64 `json:"setup_cpu_seconds"` // compiling included
	ProveCPUSeconds   float64 `json:"prove_cpu_seconds"`
	VerifyCPUSeconds  float64 `json:"verify_cpu_seconds"`
	ProveMemory       int64   `json:"prove_memory_bytes"`
	ProvingKeyBytes   int64   `json:"proving_key_bytes"`
	VerifyingKeyBytes int64   `json:"verifying_key_bytes"` // without the model commitment
	ProofBytes        int     `json:"proof_bytes"`
}

// estimate does the phase of that name: it probes the machine and asks for the plan.
func (j *Job) estimate(s *system, g *model.Graph, m Meter) (*Report, error) {
	rates, err := estimate.Probe(m.CPUSeconds)
	if err != nil {
		return nil, err
	}
	plan, err := s.plan(g, rates)
	if err != nil {
		return nil, err
	}
	return &Report{Estimate: newEstimate(plan)}, nil
}

func newEstimate(plan *prover.Plan) *Estimate {
	p := &plan.Proof
	return &Estimate{
		Constraints: plan.Constraints, SetupCPUSeconds: p.Setup.CPU, ProveCPUSeconds: p.Prove.CPU, VerifyCPUSeconds: plan.Verification.Native.CPU,
		ProveMemory: p.Memory, ProvingKeyBytes: p.ProvingKeyBytes, VerifyingKeyBytes: p.VerifyingKeyBytes, ProofBytes: p.ProofBytes,
	}
}

// quantity is one that is foretold and measured.
type quantity struct {
	name     string
	unit     unit // nil where the ratio says enough
	foretold func(e *Estimate) float64
	measured func(r *Result) float64
}

var quantities = []quantity{
	{"proof, CPU", seconds, func(e *Estimate) float64 { return e.ProveCPUSeconds }, func(r *Result) float64 { return r.ProveCPUSeconds }},
	{"memory", bytesUnit, func(e *Estimate) float64 { return float64(e.ProveMemory) }, func(r *Result) float64 { return float64(r.ProveMemory) }},
	{"setup, CPU", seconds, func(e *Estimate) float64 { return e.SetupCPUSeconds },
		func(r *Result) float64 { return r.SetupCPUSeconds + r.CompileCPUSeconds }},
	{"constraints", nil, func(e *Estimate) float64 { return float64(e.Constraints) }, func(r *Result) float64 { return float64(r.Constraints) }},
	{"proving key", nil, func(e *Estimate) float64 { return float64(e.ProvingKeyBytes) }, func(r *Result) float64 { return float64(r.ProvingKey) }},
	{"verifying key", nil, func(e *Estimate) float64 { return float64(e.VerifyingKeyBytes) },
		func(r *Result) float64 { return float64(r.VerifyingKey - r.Commitment) }},
	{"proof", nil, func(e *Estimate) float64 { return float64(e.ProofBytes) }, func(r *Result) float64 { return float64(r.ProofBytes) }},
	{"verification, CPU", seconds, func(e *Estimate) float64 { return e.VerifyCPUSeconds }, func(r *Result) float64 { return r.VerifyCPUSeconds }},
}

// cell is a quantity's in the table: foretold / measured, and how far off.
func (q *quantity) cell(r *Result) string {
	foretold, measured := q.foretold(r.Estimate), q.measured(r)
	if measured == 0 {
		return "–"
	}
	off := fmt.Sprintf("%+.0f %%", 100*(foretold/measured-1))
	if math.Abs(foretold-measured) < 0.005*measured {
		off = "0 %"
	}
	if q.unit == nil {
		return off
	}
	return fmt.Sprintf("%s / %s (%s)", q.unit(foretold), q.unit(measured), off)
}

// foretoldRows compare the points of which there is an estimate.
func (r *Results) foretoldRows() (heads []string, rows [][]string) {
	heads = []string{"model", "proof system", "weights are"}
	for _, q := range quantities {
		heads = append(heads, q.name)
	}
	for i := range r.Points {
		p := &r.Points[i]
		if p.Estimate == nil || !p.Measured() {
			continue
		}
		row := []string{p.Name, p.Backend, string(p.Weights)}
		for k := range quantities {
			row = append(row, quantities[k].cell(p))
		}
		rows = append(rows, row)
	}
	return heads, rows
}
