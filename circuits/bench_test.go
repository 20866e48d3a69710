package circuits

import (
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zkinfer/zkinfer/model/modeltest"
)

// BenchmarkPrivateDense proves a private 1024×1024 layer with requantization and ReLU, with folded
// weights and with weights as wires, side by side. It reports constraints too. Keys have the real
// pattern of points at infinity but random bases: proving takes the same time as with real ones, and
// a setup of a million constraints takes minutes.
func BenchmarkPrivateDense(b *testing.B) {
	g := privateDense(rand.New(rand.NewPCG(1, 2)))
	trace, err := g.Execute(context.Background(), [][]int64{noiseBytes(1024)})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		options Options
		circuit func(*Plan, *Witness) (frontend.Circuit, witness.Witness, error)
	}{
		{"folded", Options{FoldRows: 16}, func(p *Plan, w *Witness) (frontend.Circuit, witness.Witness, error) {
			full, err := w.Full(fr.One())
			return p.NewCircuit(), full, err
		}},
		{"wires", Options{FoldRows: 16, PackTensors: true}, func(p *Plan, w *Witness) (frontend.Circuit, witness.Witness, error) {
			baseline, err := p.NewBaseline(g, PrivateWires)
			if err != nil {
				return nil, nil, err
			}
			full, err := baseline.Full(w, fr.One())
			return baseline, full, err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, err := NewPlan(g, c.options)
			if err != nil {
				b.Fatal(err)
			}
			w, err := p.Assign(trace)
			if err != nil {
				b.Fatal(err)
			}
			params, err := p.Parameters(g)
			if err != nil {
				b.Fatal(err)
			}
			circuit, full, err := c.circuit(p, w)
			if err != nil {
				b.Fatal(err)
			}
			benchmarkProve(b, circuit, full, params)
		})
	}
}

func noiseBytes(n int) []int64 {
	out := modeltest.Noise(rand.New(rand.NewPCG(3, 4)), n, 127)
	for i := range out {
		out[i] += 128
	}
	return out
}

func benchmarkProve(b *testing.B, circuit frontend.Circuit, w witness.Witness, params *Parameters) {
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, circuit, CompileOption())
	if err != nil {
		b.Fatal(err)
	}
	r := system.(*cs.R1CS)
	pk := timingKey(b, r)
	b.ReportMetric(float64(r.GetNbConstraints()), "constraints")
	for b.Loop() {
		if _, err := groth16.Prove(r, pk, w, backend.WithSolverOptions(params.SolverOption())); err != nil {
			b.Fatal(err)
		}
	}
}

// timingKey has distinct bases and the real points at infinity. (gnark's DummySetup has one point for
// all bases, and the wrong wires at infinity: times taken with it are wrong, even in order.)
func timingKey(b *testing.B, r *cs.R1CS) *groth16.ProvingKey {
	b.Helper()
	pk := &groth16.ProvingKey{}
	if err := groth16.DummySetup(r, pk); err != nil {
		b.Fatal(err)
	}
	n := len(pk.InfinityA)
	for i := range n {
		pk.InfinityA[i], pk.InfinityB[i] = true, true
	}
	for _, c := range r.GetR1Cs() {
		for _, t := range c.L {
			pk.InfinityA[t.WireID()] = false
		}
		for _, t := range c.R {
			pk.InfinityB[t.WireID()] = false
		}
	}
	finite := func(infinity []bool) int {
		k := 0
		for _, x := range infinity {
			if !x {
				k++
			}
		}
		return k
	}
	na, nb := finite(pk.InfinityA), finite(pk.InfinityB)
	pk.NbInfinityA, pk.NbInfinityB = uint64(n-na), uint64(n-nb)
	pool := distinctPoints(max(na, nb, len(pk.G1.K), len(pk.G1.Z)))
	pk.G1.A, pk.G1.B, pk.G1.K, pk.G1.Z = pool[:na], pool[:nb], pool[:len(pk.G1.K)], pool[:len(pk.G1.Z)]
	_, g2, _, _ := bn254.Generators()
	var step bn254.G2Affine
	step.FromJacobian(&g2)
	pk.G2.B = make([]bn254.G2Affine, nb)
	for i := range pk.G2.B {
		g2.AddMixed(&step)
		pk.G2.B[i].FromJacobian(&g2)
	}
	for i := range pk.CommitmentKeys {
		m := len(pk.CommitmentKeys[i].Basis)
		pk.CommitmentKeys[i].Basis, pk.CommitmentKeys[i].BasisExpSigma = pool[:m], pool[:m]
	}
	return pk
}

func distinctPoints(n int) []bn254.G1Affine {
	g, _, _, _ := bn254.Generators()
	var sum bn254.G1Jac
	sum.ScalarMultiplication(&g, big.NewInt(987654321987654321))
	points := make([]bn254.G1Jac, n)
	for i := range points {
		sum.AddAssign(&g)
		points[i] = sum
	}
	return bn254.BatchJacobianToAffineG1(points)
}
