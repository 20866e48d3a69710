package bench

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
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

// counted are figures by name that the tests of another package count.
func counted(t *testing.T, path string, line *regexp.Regexp) map[string]float64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, m := range line.FindAllStringSubmatch(string(b), -1) {
		if out[m[1]], err = strconv.ParseFloat(m[2], 64); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// What a verification takes on chains is foretold within 15 % of what the tests of contract and canister count for frozen
// proofs of the same models.
func TestForetoldOnChain(t *testing.T) {
	gas := counted(t, "../verifier/evm/evmtest/testdata/gas.golden", regexp.MustCompile(`(?m)^frozen (\S+) +(\d+)`))
	canister := counted(t, "../verifier/canister/test/testdata/instructions.json", regexp.MustCompile(`"(\S+) verify": (\d+)`))
	for _, c := range []struct{ model, backend, proof string }{
		{"ad01", "groth16", "ad01"}, {"mnist-8", "groth16", "mnist"},
		{"hello-world", "plonk", "plonk-hello"}, {"ad01", "plonk", "plonk-ad01"}, {"mnist-8", "plonk", "plonk-mnist"},
		{"resnet8", "sumcheck", "resnet8"},
	} {
		s, err := findSystem(c.backend)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := s.plan(build(t, c.model, 1), estimate.Usual())
		if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for name, of := range map[string]struct {
			foretold int64
			counted  map[string]float64
		}{"gas": {plan.Verification.EVMGas, gas}, "canister instructions": {plan.Verification.CanisterInstructions, canister}} {
			foretold, counted := float64(of.foretold), of.counted[c.proof]
			if counted == 0 {
				continue // not this proof, there
			}
			compared++
			if math.Abs(foretold-counted) > 0.15*counted {
				t.Errorf("%s, %s: %.0f %s foretold, %.0f counted", c.model, c.backend, foretold, name, counted)
			}
		}
		if compared == 0 {
			t.Errorf("%s, %s: nothing counted", c.model, c.backend)
		}
	}
}
