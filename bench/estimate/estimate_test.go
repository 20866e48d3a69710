package estimate

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
)

// dense is a layer of n×n.
func dense(t *testing.T, n int) *model.Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	noise := func(k int) []int64 {
		out := make([]int64, k)
		for i := range out {
			out[i] = r.Int64N(9) - 4
		}
		return out
	}
	b := model.NewBuilder("dense")
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{1, n}, Min: 0, Max: 255, Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	rescale := model.Rescale{Shift: 10, QMin: -2048, QMax: 2047, Table: model.ClampTable(-2048, 2047, 0, 255)}
	y, err := b.Add("y", &model.Dense{OutN: n, Weights: noise(n * n), Bias: noise(n), Rescale: rescale}, 1, 0, x)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(y)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func shape(t *testing.T, g *model.Graph, o circuits.Options) circuits.Shape {
	t.Helper()
	p, err := circuits.NewPlan(g, o)
	if err != nil {
		t.Fatal(err)
	}
	return p.Shape()
}

// More to do takes longer, in every respect.
func TestMonotone(t *testing.T) {
	small, large := shape(t, dense(t, 16), circuits.Options{}), shape(t, dense(t, 256), circuits.Options{})
	a, b := NewProof(small, 16*17, Usual()), NewProof(large, 256*257, Usual())
	if a.Prove.Wall <= 0 || a.Prove.CPU < a.Prove.Wall || a.Prove.Wall >= b.Prove.Wall || a.Setup.Wall >= b.Setup.Wall ||
		a.Memory >= b.Memory || a.ProvingKeyBytes >= b.ProvingKeyBytes || a.Constraints >= b.Constraints {
		t.Errorf("%+v\n%+v", a, b)
	}
	slow := *Usual()
	slow.G1Full.Each = slow.G1Full.Each.times(2)
	if c := NewProof(large, 256*257, &slow); c.Prove.Wall <= b.Prove.Wall || c.Setup != b.Setup || c.Memory != b.Memory {
		t.Errorf("a slower machine: %+v, was %+v", c, b)
	}
}

// Private tensors and rows of the model commitment are what a verifier pays for.
func TestVerification(t *testing.T) {
	g := dense(t, 16)
	public := NewVerification(shape(t, g, circuits.Options{FoldRows: 1}), Usual())
	rows := NewVerification(shape(t, g, circuits.Options{FoldRows: 16}), Usual())
	private := NewVerification(shape(t, g, circuits.Options{FoldRows: 1, PrivateInput: true}), Usual())
	if public.Native.Wall <= 0 || public.EVMGas >= private.EVMGas || public.CanisterInstructions >= private.CanisterInstructions {
		t.Errorf("public %+v, private %+v", public, private)
	}
	if public.EVMGas >= rows.EVMGas || public.CanisterCycles != public.CanisterInstructions+5e6 {
		t.Errorf("one row %+v, 16 rows %+v", public, rows)
	}
	// The pairing alone: four pairs, and one more than there are commitments.
	if least := int64(21000 + 45000 + 7*34000); public.EVMGas < least || public.EVMGas > 2*least {
		t.Errorf("%d gas, the pairings and the transaction are %d", public.EVMGas, least)
	}
}

// The estimates of contracts and canisters are within five per cent of what the tests of both measure
// (gas.golden of verifier/evm, docs/canister.md), for key shapes like theirs.
func TestVerificationAgainstMeasured(t *testing.T) {
	for name, c := range map[string]struct {
		shape             circuits.Shape
		gas, instructions int64
	}{
		"fold 16, public":                   {circuits.Shape{Public: 1, Committed: []int{9, 9}, FoldRows: 16, StatementBytes: 110, FoldedElements: 5}, 482388, 0},
		"fold 16, private input and output": {circuits.Shape{Public: 1, Committed: []int{9, 9, 9, 9}, FoldRows: 16, StatementBytes: 128}, 575267, 0},
		"fold 16, public 28×28 image":       {circuits.Shape{Public: 1, Committed: []int{9, 9}, FoldRows: 16, StatementBytes: 794, FoldedElements: 27}, 502528, 0},
		"fold 16, public 3×32×32 image":     {circuits.Shape{Public: 1, Committed: []int{9, 9}, FoldRows: 16, StatementBytes: 3082, FoldedElements: 101}, 569969, 0},
		"canister, one point":               {circuits.Shape{Public: 1, Committed: []int{9, 9}, FoldRows: 1, FoldedElements: 2}, 0, 198e6},
		"canister, private":                 {circuits.Shape{Public: 1, Committed: []int{9, 9, 9, 9}, FoldRows: 1}, 0, 255e6},
		"canister, 64 points":               {circuits.Shape{Public: 1, Committed: []int{9, 9}, FoldRows: 64, FoldedElements: 65}, 0, 278e6},
	} {
		v := NewVerification(c.shape, Usual())
		if c.gas > 0 && !within(v.EVMGas, c.gas) || c.instructions > 0 && !within(v.CanisterInstructions, c.instructions) {
			t.Errorf("%s: %d gas (%d measured), %d instructions (%d measured)", name, v.EVMGas, c.gas, v.CanisterInstructions, c.instructions)
		}
	}
}

func within(estimate, measured int64) bool {
	return math.Abs(float64(estimate-measured)) <= 0.05*float64(measured)
}

// A probe measures everything. How fast it is is no business of a test.
func TestProbe(t *testing.T) {
	cpu := 0.0
	r, err := Probe(func() float64 { cpu++; return cpu })
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Cost{"G1": r.G1Full.Each, "small G1": r.G1Small.Each, "G2": r.G2Full.Each, "small G2": r.G2Small.Each,
		"FFT": r.FFT, "addition": r.G1Add, "addition in G2": r.G2Add, "field": r.FieldMul, "multiplication": r.ScalarMul} {
		if c.Wall <= 0 || c.CPU <= 0 {
			t.Errorf("%s: %+v", name, c)
		}
	}
	for name, c := range map[string]Curve{"G1": r.G1Full, "G2": r.G2Full} {
		if c.Fall < 0 || c.Fall > greatestFall || c.of(0, 10).Wall != 0 {
			t.Errorf("%s: %+v", name, c)
		}
	}
	unknown := Rates{G1Full: Curve{Each: Cost{Wall: 1}}} // a system that does not tell CPU time
	if unknown.even(); unknown.G1Full.Each.Wall != 1 {
		t.Errorf("%+v", unknown.G1Full.Each)
	}
}

// Every count of a sumcheck proof costs something, and the class' circuit alone a proof and a setup.
func TestSumcheck(t *testing.T) {
	least := Sumcheck{Class: ClassCircuit{Constraints: 1486, Pads: 320, Form: 521, Row: 256}, Rows: 10, ModelRows: 2, Messages: 300, Addresses: 12, ProofBytes: 1}
	a, v := NewSumcheckProof(least, Usual()), NewSumcheckVerification(least, Usual())
	if a.Prove.CPU <= 0 || a.Setup.Wall <= 0 || a.Memory <= 0 || a.DomainSize != 2048 || v.EVMGas != 0 || v.CanisterInstructions <= 0 {
		t.Errorf("%+v %+v", a, v)
	}
	for name, more := range map[string]func(s *Sumcheck){
		"cells": func(s *Sumcheck) { s.Cells = 1e6 }, "pads": func(s *Sumcheck) { s.Pads = 1e6 }, "lookups": func(s *Sumcheck) { s.Lookups = 1e6 },
		"rows of tables": func(s *Sumcheck) { s.TableRows = 1e6 },
		"products":       func(s *Sumcheck) { s.Products = 1e6 }, "MACs": func(s *Sumcheck) { s.MACs = 1e8 },
		"addresses": func(s *Sumcheck) { s.Addresses = 20 },
	} {
		s := least
		more(&s)
		if b := NewSumcheckProof(s, Usual()); b.Prove.CPU <= a.Prove.CPU || b.Setup != a.Setup {
			t.Errorf("%s: %+v, %+v with fewer", name, b, a)
		}
	}
	for name, more := range map[string]func(s *Sumcheck){
		"rows": func(s *Sumcheck) { s.Rows++ }, "rows of the model": func(s *Sumcheck) { s.ModelRows++ },
		"messages": func(s *Sumcheck) { s.Messages++ },
	} {
		s := least
		more(&s)
		if b := NewSumcheckVerification(s, Usual()); b.Native.CPU <= v.Native.CPU || b.CanisterInstructions <= v.CanisterInstructions {
			t.Errorf("%s: %+v, %+v with fewer", name, b, v)
		}
	}
}
