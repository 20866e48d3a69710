package groth16

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/consensys/gnark/constraint"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/prover"
)

// TestCircuitsAreCompared: a circuit is that of its architecture with any weights, and not that of another one; what is changed
// in it is found.
func TestCircuitsAreCompared(t *testing.T) {
	dense := func(zero int64, weights ...int64) *model.Graph {
		return modeltest.Graph(&model.Dense{OutN: 1, Zero: zero, Rescale: modeltest.Rescale(10), Weights: weights, Bias: []int64{5}}, modeltest.Bytes(1, 2))
	}
	compile := func(g *model.Graph) *Circuit {
		c, err := Compile(context.Background(), g, prover.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	keys := &Keys{system: compile(dense(0, 3, 4)).system}
	if err := keys.CompareCircuit(context.Background(), dense(0, -7, 11)); err != nil {
		t.Errorf("other weights: %v", err)
	}
	if err := keys.CompareCircuit(context.Background(), dense(1, 3, 4)); !errors.Is(err, prover.ErrArchitecture) {
		t.Errorf("another zero point: %v, expected ErrArchitecture", err)
	}
	mine := keys.system
	for want, change := range map[string]func(c *Circuit){
		"constraint ": func(c *Circuit) {
			c.system.Coefficients[len(c.system.Coefficients)-1].Double(&c.system.Coefficients[0])
		},
		"other wires": func(c *Circuit) {
			c.system.CommitmentInfo.(constraint.Groth16Commitments)[0].PrivateCommitted[0]++
		},
		"public wires, expected": func(c *Circuit) { c.system.AddPublicVariable("more") },
	} {
		c := compile(dense(0, 3, 4))
		if d := difference(c.system, mine); d != "" {
			t.Fatalf("compiled twice: %s", d)
		}
		change(c)
		if d := difference(c.system, mine); !strings.Contains(d, want) {
			t.Errorf("difference %q, expected %q", d, want)
		}
	}
}
