package backends

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	verifiers "github.com/zkinfer/zkinfer/verifier/backends"
)

// priced is a proof system of which only the price is known.
type priced struct {
	prover.Backend
	name    string
	seconds float64
	err     error
}

func (p priced) Name() string { return p.name }
func (p priced) Plan(*model.Graph, prover.Options, *estimate.Rates) (*prover.Plan, error) {
	if p.err != nil {
		return nil, p.err
	}
	return &prover.Plan{Proof: estimate.Proof{Prove: estimate.Cost{CPU: p.seconds}}}, nil
}

// The cheapest is chosen among those that have a proof for the model; the first says why there is none.
func TestCheapest(t *testing.T) {
	unsupported, tooLarge := errors.New("unsupported"), errors.New("too large")
	small, large := priced{name: "small", seconds: 1}, priced{name: "large", seconds: 2}
	none, other := priced{name: "none", err: unsupported}, priced{name: "other", err: tooLarge}
	for _, c := range []struct {
		list []prover.Backend
		want string
	}{
		{[]prover.Backend{small, large}, "small"},
		{[]prover.Backend{large, small}, "small"},
		{[]prover.Backend{none, large, other}, "large"},
		{[]prover.Backend{none, large, small}, "small"},
	} {
		if b, err := Cheapest(ask(c.list, nil, prover.Options{}, nil)); err != nil || b.Backend.Name() != c.want {
			t.Errorf("%v: %v, %v", c.list, b, err)
		}
	}
	if b, err := Cheapest(ask([]prover.Backend{none, other}, nil, prover.Options{}, nil)); b != nil || !errors.Is(err, unsupported) {
		t.Errorf("none has a proof: %v, %v", b, err)
	}
}

// Every name that is listed is found, and no other; every proof system that proves has a verifier.
func TestNames(t *testing.T) {
	verified := map[string]bool{}
	for _, b := range verifiers.All() {
		verified[b.Name] = true
	}
	for _, name := range Names() {
		b, err := Choose(name, modeltest.Adder(), prover.Options{})
		if err != nil || Check(name) != nil || name != Auto && b.Name() != name || !verified[b.Name()] {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
	for _, find := range []func() error{
		func() error { return Check("fish") },
		func() error { _, err := Find("fish"); return err },
		func() error { _, err := Find(Auto); return err },
		func() error { _, err := Choose("", nil, prover.Options{}); return err },
	} {
		if err := find(); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "groth16") {
			t.Errorf("unknown name: %v", err)
		}
	}
}

// Each proof system, by its interface alone: setup, commit, folders, proof, verification.
func TestEachBackend(t *testing.T) {
	g, ctx := modeltest.Adder(), context.Background()
	for _, backend := range All() {
		t.Run(backend.Name(), func(t *testing.T) {
			plan, err := backend.Plan(g, prover.Options{}, estimate.Usual())
			if err != nil {
				t.Fatal(err)
			}
			circuit, err := backend.Compile(ctx, g, prover.Options{})
			if err != nil {
				t.Fatal(err)
			}
			// Constraints that belong to layers are counted, others may be estimated.
			off := math.Abs(float64(plan.Constraints)/float64(circuit.Constraints()) - 1)
			if plan.Layers != nil && (len(plan.Layers) != len(g.Nodes) || off != 0) || off > 0.1 {
				t.Errorf("%d constraints, the plan says %+v", circuit.Constraints(), plan)
			}
			keys, err := circuit.UnsafeDevSetup(ctx)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "keys")
			m, err := keys.Save(dir, false)
			if err != nil || m.Backend != backend.Name() || m.TrustedSetup != prover.UnsafeDev {
				t.Fatalf("%+v, %v", m, err)
			}
			proveFromFolder(t, dir, g, backend.Name())
			damageManifest(t, dir)
		})
	}
}

func proveFromFolder(t *testing.T, dir string, g *model.Graph, name string) {
	t.Helper()
	ctx := context.Background()
	keys, _, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	made, err := keys.CommitModel(ctx, g, prover.Private)
	if err != nil {
		t.Fatal(err)
	}
	if err := prover.SaveOpening(dir, false, g, made, prover.Private); err != nil {
		t.Fatal(err)
	}
	opening, err := prover.OpenOpening(dir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := keys.Prove(ctx, g, opening, [][]int64{{30, 12}}, []byte("task"))
	if err != nil {
		t.Fatal(err)
	}
	about, err := keys.VerifyingKey().Subject(opening.Commitment)
	if err != nil {
		t.Fatal(err)
	}
	if p.Bundle.Backend != name || len(p.Bundle.Proof) != about.ProofSize || p.Outputs[0][0] != 42 || p.Outputs[0][1] != 18 {
		t.Errorf("proof of %d bytes, expected %d; %+v", len(p.Bundle.Proof), about.ProofSize, p)
	}
	if err := verifier.VerifyBundle(keys.VerifyingKey(), opening.Commitment, p.Bundle); err != nil {
		t.Error(err)
	}
	p.Bundle.Statement.Outputs[0].Values[0]++
	if err := verifier.VerifyBundle(keys.VerifyingKey(), opening.Commitment, p.Bundle); !errors.Is(err, verifier.ErrInvalidProof) {
		t.Errorf("another output: %v", err)
	}
}

// damageManifest makes a manifest name what there is not, and another proof system than the key's.
func damageManifest(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, prover.ManifestFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for field, wrong := range map[string]struct {
		value string
		want  error
	}{"backend": {"fish", ErrUnknown}, "verifying_key": {"00", prover.ErrMalformedKeys}} {
		kept := m[field]
		m[field] = wrong.value
		if b, err = json.Marshal(m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if keys, _, err := OpenKeys(dir); keys != nil || !errors.Is(err, wrong.want) {
			t.Errorf("%s of a manifest: %v", field, err)
		}
		m[field] = kept
	}
}
