package bench

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkinfer/zkinfer/bench/estimate"
)

// childVariable makes the test's program do a job, as the command line's hidden command does: memory is that of a process.
const childVariable = "ZKINFER_BENCH_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	if err := Work(context.Background(), os.Stdin, os.Stdout, Meter{func() float64 { return 0 }, func() int64 { return 0 }}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// What is foretold of counts and bytes, memory among them, is what is then measured. Times are no business of a test: compare
// them by zkinfer bench --estimate.
func TestForetold(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("counters of coverage take memory")
	}
	env, err := exec.LookPath("env")
	if err != nil {
		t.Skip(err)
	}
	c := Config{Backends: Backends(), Weights: []Weights{FoldedPrivate, GatesPrivate}, Settings: Settings{Seed: 1, Runs: 1}, Budget: time.Second,
		Dir: filepath.Join(t.TempDir(), "results"), Child: Process(env, childVariable+"=1", os.Args[0])}
	for _, name := range []string{"hello-world", "dense-192x1", "cnn-2x1"} {
		m, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		c.Models = append(c.Models, m)
	}
	// How far off a quantity may be. A verifying key holds names, whose length is not foretold; of memory, the collector's
	// timing adds a few megabytes to the program.
	allowed := map[string]float64{"constraints": 0.06, "proving key": 0.1, "verifying key": 0.12, "proof": 0, "memory": 0.25}
	slack := map[string]float64{"memory": 8e6}
	points := 0
	for _, p := range mustRun(t, c).Points {
		if !p.Measured() {
			t.Fatalf("%s %s: %s%s", p.Name, p.Backend, p.Error, p.Skipped)
		}
		s, err := findSystem(p.Backend)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := s.plan(build(t, p.Name, 1), estimate.Usual())
		if err != nil {
			t.Fatal(err)
		}
		p.Estimate = newEstimate(plan)
		for i := range quantities {
			q := &quantities[i]
			most, compared := allowed[q.name]
			if !compared || q.name == "memory" && p.ProveMemory == 0 {
				continue
			}
			points++
			foretold, measured := q.foretold(p.Estimate), q.measured(&p)
			if math.Abs(foretold-measured) > most*measured+slack[q.name] {
				t.Errorf("%s, %s: %s of %.0f, foretold %.0f", p.Name, p.Backend, q.name, measured, foretold)
			}
		}
	}
	if points < 3*len(systems)*(len(allowed)-1) {
		t.Errorf("%d quantities compared", points)
	}
}

// A run that compares has an estimate for each way that the command line offers, and shows it.
func TestEstimatesInARun(t *testing.T) {
	child := &fakeChild{}
	c := config(t, child, "dense-4x1")
	c.Estimate = true
	r := mustRun(t, c)
	if len(child.jobs) != 5 || child.jobs[2].Phase != EstimatePhase || r.Points[0].Estimate == nil || r.Points[1].Estimate != nil {
		t.Fatalf("%+v", child.jobs)
	}
	var table strings.Builder
	if err := r.Table(&table); err != nil || !strings.Contains(table.String(), "foretold / measured") || !strings.Contains(table.String(), "(+50 %)") {
		t.Errorf("%v\n%s", err, table.String())
	}
	c.Estimate, c.Force = false, true
	table.Reset()
	if err := mustRun(t, c).Table(&table); err != nil || strings.Contains(table.String(), "foretold") {
		t.Errorf("%v\n%s", err, table.String())
	}
}

// What a verification takes on chains is foretold within 15 % of what the tests of contract and canister count for frozen
// proofs of the same models (verifier/evm/evmtest/testdata/gas.golden, verifier/canister/test/testdata/instructions.json).
func TestForetoldOnChain(t *testing.T) {
	for _, c := range []struct {
		model, backend string
		gas, canister  float64 // 0: not measured
	}{
		{"ad01", "groth16", 788258, 272.8e6}, {"mnist-8", "groth16", 586574, 214.5e6},
		{"hello-world", "plonk", 337211, 0}, {"ad01", "plonk", 421161, 227.1e6}, {"mnist-8", "plonk", 381999, 224.7e6},
		{"resnet8", "sumcheck", 0, 658.9e6},
	} {
		s, err := findSystem(c.backend)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := s.plan(build(t, c.model, 1), estimate.Usual())
		if err != nil {
			t.Fatal(err)
		}
		for name, of := range map[string][2]float64{"gas": {float64(plan.Verification.EVMGas), c.gas},
			"canister instructions": {float64(plan.Verification.CanisterInstructions), c.canister}} {
			if foretold, counted := of[0], of[1]; counted > 0 && math.Abs(foretold-counted) > 0.15*counted {
				t.Errorf("%s, %s: %.0f %s foretold, %.0f counted", c.model, c.backend, foretold, name, counted)
			}
		}
	}
}
