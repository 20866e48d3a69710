package sumcheck

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// architectureOf is a case's, twice: one to change.
func architectureOf(t *testing.T, g *model.Graph, o prover.Options) (theirs, mine *wrapped.Architecture) {
	t.Helper()
	m, err := newModel(g, o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.architecture.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err = wrapped.DecodeArchitecture(b); err != nil {
		t.Fatal(err)
	}
	return theirs, m.architecture
}

// TestDifferencesAreNamed: an architecture is that of its model's, and what anybody changes is found, and named.
func TestDifferencesAreNamed(t *testing.T) {
	g := modeltest.Network(rand.New(rand.NewPCG(1, 2)))
	for want, change := range map[string]func(a *wrapped.Architecture){
		"Inputs[0].Max is 256, expected 255":        func(a *wrapped.Architecture) { a.Inputs[0].Max++ },
		"Outputs[1].Name is x":                      func(a *wrapped.Architecture) { a.Outputs[1].Name = "x" },
		"Network.Tensors[3].Shape[0] is":            func(a *wrapped.Architecture) { a.Network.Tensors[3].Tensor = claims.NewTensor(99) },
		"Network.Tensors has":                       func(a *wrapped.Architecture) { a.Network.Tensors = a.Network.Tensors[:3] },
		"Network.Lookups[1].Columns[0].Shift is":    func(a *wrapped.Architecture) { a.Network.Lookups[1].Columns[0].Shift++ },
		"Network.Contractions[0].Stride[1] is":      func(a *wrapped.Architecture) { a.Network.Contractions[0].Stride[1]++ },
		"Network.Zeros has 0 elements":              func(a *wrapped.Architecture) { a.Network.Zeros = nil },
		"Network.Tables[0].Values has 1 elements, ": func(a *wrapped.Architecture) { a.Network.Tables[0].Values = append(a.Network.Tables[0].Values, nil) },
		"RowBits is":  func(a *wrapped.Architecture) { a.RowBits++ },
		"Rounding is": func(a *wrapped.Architecture) { a.Rounding += "?" },
		"Graph is":    func(a *wrapped.Architecture) { a.Graph[31]++ },
	} {
		theirs, mine := architectureOf(t, g, prover.Options{})
		theirs.Name = "another name"
		if err := compare(theirs, mine); err != nil {
			t.Fatalf("the same: %v", err)
		}
		change(theirs)
		if err := compare(theirs, mine); !errors.Is(err, prover.ErrArchitecture) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

// TestNothingIsLeftOut: an architecture whose fields are all compared has these.
func TestNothingIsLeftOut(t *testing.T) {
	var fields []string
	for f := range reflect.TypeFor[wrapped.Architecture]().Fields() {
		if f.IsExported() {
			fields = append(fields, f.Name)
		}
	}
	if got := strings.Join(fields, " "); got != "Name Rounding Graph Inputs Outputs RowBits Messages Linear Groups Network" {
		t.Errorf("an architecture has the fields %s: does compare know them?", got)
	}
}

// TestComparisonIsThatOfBytes: of all pairs of cases, those with one encoding are the same, and no others.
func TestComparisonIsThatOfBytes(t *testing.T) {
	var all []*wrapped.Architecture
	var encoded [][]byte
	for _, c := range modeltest.Cases() {
		theirs, _ := architectureOf(t, c.Build(rand.New(rand.NewPCG(1, 2))), prover.Options{PrivateInput: c.Private})
		b, err := theirs.Encode()
		if err != nil {
			t.Fatal(err)
		}
		all, encoded = append(all, theirs), append(encoded, b)
	}
	for i := range all {
		for k := range all {
			if same := compare(all[i], all[k]) == nil; same != bytes.Equal(encoded[i], encoded[k]) {
				t.Errorf("cases %d and %d: compared as the same: %v", i, k, same)
			}
		}
	}
}
