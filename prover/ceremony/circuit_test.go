package ceremony

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	curve "github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkinfer/zkinfer/prover"
)

// What gnark computes for phase 2 passes the check, and every point altered alone does not: the check
// by a random combination stands for computing it again.
func TestCircuitCheck(t *testing.T) {
	for name, system := range map[string]*cs.R1CS{
		"toy": toySystem(), "model": compileModel(t, doubler(t, 2), prover.Options{PrivateInput: true}).System(),
	} {
		shape, err := ShapeOf(system)
		if err != nil {
			t.Fatal(err)
		}
		powers := someTau(t, shape.Power)
		body, err := newCircuit(system, powers).encode()
		if err != nil {
			t.Fatal(err)
		}
		read := func() *circuit {
			c, err := shape.decodeCircuit(body)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		if err := read().check(system, powers); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := read().check(system, someTau(t, shape.Power)); !errors.Is(err, ErrRejected) {
			t.Errorf("%s, other powers: %v", name, err)
		}
		altered := 0
		for what, n := range points(read()) {
			for i := range n {
				c := read()
				alter(c, what, i)
				if err := c.check(system, powers); !errors.Is(err, ErrRejected) {
					t.Errorf("%s: %s %d altered: %v, expected ErrRejected", name, what, i, err)
				}
				altered++
			}
		}
		t.Logf("%s: %d points altered", name, altered)
		checkCancelling(t, name, system, powers, read)
	}
}

// Two errors whose sum is zero do not hide each other: each wire has a weight of its own.
func checkCancelling(t *testing.T, name string, system *cs.R1CS, powers *mpcsetup.SrsCommons, read func() *circuit) {
	t.Helper()
	_, _, g1, g2 := bn254.Generators()
	cancel := func(list []bn254.G1Affine) {
		list[0].Add(&list[0], &g1)
		list[1].Sub(&list[1], &g1)
	}
	for what, edit := range map[string]func(c *circuit){
		"A": func(c *circuit) { cancel(c.evaluations.A) }, "B": func(c *circuit) { cancel(c.evaluations.B) },
		"public": func(c *circuit) { cancel(c.evaluations.Public) }, "private": func(c *circuit) { cancel(c.p2.Parameters.G1.PKK) },
		"committed": func(c *circuit) { cancel(c.p2.Parameters.G1.SigmaCKK[0]) },
		"public and private": func(c *circuit) {
			c.evaluations.Public[0].Add(&c.evaluations.Public[0], &g1)
			c.p2.Parameters.G1.PKK[0].Sub(&c.p2.Parameters.G1.PKK[0], &g1)
		},
		"exchanged": func(c *circuit) {
			p := c.p2.Parameters.G1.PKK
			i := slices.IndexFunc(p, func(x bn254.G1Affine) bool { return !x.Equal(&p[0]) })
			p[0], p[i] = p[i], p[0]
		},
		"B2": func(c *circuit) {
			b := c.evaluations.B2
			b[0].Add(&b[0], &g2)
			b[1].Sub(&b[1], &g2)
		},
	} {
		c := read()
		edit(c)
		if err := c.check(system, powers); !errors.Is(err, ErrRejected) {
			t.Errorf("%s: two of %s: %v, expected ErrRejected", name, what, err)
		}
	}
}

// Who ends phase 1 may write another beginning of phase 2, to which others contribute honestly: verify
// finds it.
func TestMaliciousCircuit(t *testing.T) {
	ctx := context.Background()
	for what, want := range map[string]error{"": nil, "A": ErrRejected, "B": ErrRejected, "B2": ErrRejected, "public": ErrRejected,
		"Z": ErrRejected, "private": ErrRejected, "0": ErrRejected, "2": ErrRejected, "σ": ErrRejected, "δ": ErrRejected, "proof of δ": ErrRejected} {
		c := newToy(t)
		contribute(t, c, "Ada")
		r := &replay{ceremony: c, system: toySystem()}
		if err := errors.Join(r.phase1(ctx), r.seal1(ctx, c.last(), beacon1)); err != nil {
			t.Fatal(err)
		}
		begin := newCircuit(r.system, r.powers)
		if what != "" {
			alter(begin, what, 0)
		}
		body, err := begin.encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.append(ctx, &header{Step: StepCircuit, Beacon: beacon1}, body); err != nil {
			t.Fatal(err)
		}
		contribute(t, c, "Ada", "Bob")
		if err := verdict(c); !errors.Is(err, want) {
			t.Errorf("%s altered: %v, expected %v", what, err, want)
		}
		if _, err := c.Finish(ctx, toySystem(), beacon2); !errors.Is(err, want) {
			t.Errorf("%s altered, finished: %v, expected %v", what, err, want)
		}
	}
}

// points are the kinds of points of a circuit, and how many there are.
func points(c *circuit) map[string]int {
	p, e := &c.p2.Parameters, c.evaluations
	out := map[string]int{"A": len(e.A), "B": len(e.B), "B2": len(e.B2), "public": len(e.Public),
		"Z": len(p.G1.Z), "private": len(p.G1.PKK), "σ": len(p.G2.Sigma), "proof of σ": len(p.G2.Sigma),
		"δ": 1, "δ2": 1, "proof of δ": 1}
	for k := range p.G1.SigmaCKK {
		out[fmt.Sprint(k)] = len(p.G1.SigmaCKK[k])
	}
	return out
}

// alter adds the generator to a point, or puts a proof where there is none.
func alter(c *circuit, what string, i int) {
	p, e := &c.p2.Parameters, c.evaluations
	_, _, g1, g2 := bn254.Generators()
	lists := map[string][]bn254.G1Affine{"A": e.A, "B": e.B, "public": e.Public, "Z": p.G1.Z, "private": p.G1.PKK}
	for k := range p.G1.SigmaCKK {
		lists[fmt.Sprint(k)] = p.G1.SigmaCKK[k]
	}
	switch list := lists[what]; {
	case list != nil:
		list[i].Add(&list[i], &g1)
	case what == "B2":
		e.B2[i].Add(&e.B2[i], &g2)
	case what == "σ":
		p.G2.Sigma[i].Add(&p.G2.Sigma[i], &g2)
	case what == "δ":
		p.G1.Delta.Add(&p.G1.Delta, &g1)
	case what == "δ2":
		p.G2.Delta.Add(&p.G2.Delta, &g2)
	case what == "proof of δ":
		c.p2.Delta = curve.UpdateValues(new(fr.Element), nil, 0)
	case what == "proof of σ":
		c.p2.Sigmas[i] = curve.UpdateValues(new(fr.Element), nil, 0)
	}
}

// The keys that follow from what was read are those that gnark makes of what it computed.
func TestCircuitIsGnarks(t *testing.T) {
	system := toySystem()
	shape, err := ShapeOf(system)
	if err != nil {
		t.Fatal(err)
	}
	powers := someTau(t, shape.Power)
	var p mpcsetup.Phase2
	evaluated := p.Initialize(system, powers)
	body, err := newCircuit(system, powers).encode()
	if err != nil {
		t.Fatal(err)
	}
	c, err := shape.decodeCircuit(body)
	if err != nil {
		t.Fatal(err)
	}
	ours := c.ofGnark(system)
	start, err := encode(&p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(body, start) || !slices.Equal(ours.G1.A, evaluated.G1.A) || !slices.Equal(ours.G1.B, evaluated.G1.B) ||
		!slices.Equal(ours.G2.B, evaluated.G2.B) || !slices.Equal(ours.G1.VKK, evaluated.G1.VKK) ||
		!slices.EqualFunc(ours.G1.CKK, evaluated.G1.CKK, slices.Equal) ||
		!slices.EqualFunc(ours.PublicAndCommitmentCommitted, evaluated.PublicAndCommitmentCommitted, slices.Equal) {
		t.Error("the circuit read differs from gnark's")
	}
}
