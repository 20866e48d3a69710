package quantize

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model/float"
)

// retrained is g with every parameter moved by a part of itself, normally distributed, and all of them
// grown.
func retrained(g *float.Graph, seed uint64, drift, growth float64) *float.Graph {
	h := *g
	h.Tensors = slices.Clone(g.Tensors)
	r := rand.New(rand.NewPCG(seed, 77))
	for i, t := range h.Tensors {
		h.Tensors[i].Const = slices.Clone(t.Const)
		for k := range t.Const {
			h.Tensors[i].Const[k] *= float32(growth * (1 + drift*r.NormFloat64()))
		}
	}
	return &h
}

// Networks of every kind keep their architecture through some training: mostly by themselves, always
// with Like, and then with errors within the bound.
func TestRandomNetsKeepTheirArchitecture(t *testing.T) {
	same, total := 0, 0
	for seed := range uint64(60) {
		g := randomNet(seed)
		s := randomSamples(g, 12, 0, 1)
		first := mustQuantize(t, g, Options{Calibration: s})
		again := retrained(g, seed, 0.03, 1)
		alone := mustQuantize(t, again, Options{Calibration: s})
		if total++; alone.ArchitectureDigest() == first.ArchitectureDigest() {
			same++
		}
		e, err := quantize(context.Background(), again, Options{Calibration: s, Like: first})
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		for _, x := range s {
			if _, err := check(e, x); err != nil {
				t.Errorf("seed %d: %v", seed, err)
				break
			}
		}
	}
	t.Logf("%d of %d keep their architecture without being told", same, total)
	if same < total*3/4 {
		t.Errorf("%d of %d keep their architecture without being told", same, total)
	}
}

// Weights that grow within the headroom, all at once, stay in their classes: scales follow them.
func TestGrownWeightsKeepTheArchitecture(t *testing.T) {
	g := convNet(0)
	s := randomSamples(g, 20, 0, 1)
	first := mustQuantize(t, g, Options{Calibration: s})
	for _, growth := range []float64{0.7, 1.05, 1.4, 3} {
		grown := mustQuantize(t, retrained(g, 1, 0.02, growth), Options{Calibration: s})
		if grown.ArchitectureDigest() != first.ArchitectureDigest() {
			t.Errorf("weights times %v: another architecture", growth)
		}
	}
}

// A network whose worst case is far beyond what the samples show, here by weights of inputs that are 0
// in all of them, gets coarser steps, and a warning.
func TestCoarserStepsAreWarnedOf(t *testing.T) {
	net := func(unseen float32) *float.Graph {
		b := newBuilder(5)
		g := b.finish(b.node("d", float.Dense{}, []int{b.input(1, 20), b.normal(1, 20, 3)}, 1, 3))
		for i := range g.Tensors[1].Const[10*3:] {
			g.Tensors[1].Const[10*3+i] *= unseen
		}
		return g
	}
	s := randomSamples(net(1), 10, 0, 1)
	for i := range s {
		clear(s[i][0][10:])
	}
	first := mustQuantize(t, net(1), Options{Calibration: s})
	for name, c := range map[string]struct {
		o      Options
		unseen float32
		warned bool
	}{
		"alone, alike":    {Options{}, 1, false},
		"alone, far":      {Options{}, 3000, true},
		"as first, alike": {Options{Like: first}, 1, false},
		"as first, far":   {Options{Like: first}, 20, true},
	} {
		warned := false
		c.o.Calibration, c.o.Warn = s, func(string) { warned = true }
		e, err := quantize(context.Background(), net(c.unseen), c.o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if warned != c.warned {
			t.Errorf("%s: warned is %t, expected %t", name, warned, c.warned)
		}
		for _, x := range append(s, randomSamples(e.g, 5, 0, 1)...) {
			if _, err := check(e, x); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// What does not fit is refused with the place where it does not.
func TestLikeNamesTheDifference(t *testing.T) {
	layer := func(f string, outputs int) *float.Graph {
		b := newBuilder(5)
		d := b.node("d", float.Dense{}, []int{b.input(1, 6), b.normal(1, 6, outputs)}, 1, outputs)
		return b.finish(b.node("f", float.Unary{Func: f}, []int{d}, 1, outputs))
	}
	g := layer("tanh", 3)
	first := mustQuantize(t, g, Options{Calibration: randomSamples(g, 5, -1, 1)})
	for want, other := range map[string]*float.Graph{
		"expected [1 3] in": layer("tanh", 4),
		"quotients in":      convNet(0),
	} {
		_, err := Quantize(context.Background(), other, Options{Calibration: randomSamples(other, 5, -1, 1), Like: first})
		if !errors.Is(err, ErrArchitecture) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v, expected ErrArchitecture naming %q", err, want)
		}
	}
	altered := mustQuantize(t, g, Options{Calibration: randomSamples(g, 5, -1, 1)})
	values := rescaleOf(altered.Nodes[0]).Table.Values
	values[len(values)/2]++
	if d := difference(altered, first); !strings.Contains(d, "another function table") {
		t.Errorf("an altered table: %s", d)
	}
	wild := retrained(g, 1, 0, 1e6) // the function's table cannot follow
	if _, err := Quantize(context.Background(), wild, Options{Calibration: randomSamples(wild, 5, -1, 1), Like: first}); !errors.Is(err, ErrArchitecture) {
		t.Errorf("arguments a million times as large: %v, expected ErrArchitecture", err)
	}
}
