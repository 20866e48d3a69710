package plonk

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	fcs "github.com/consensys/gnark/frontend/cs"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
)

// small is a network with a convolution, a pooling, and a dense layer.
func small(t testing.TB, seed uint64) *model.Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	b := model.NewBuilder("small")
	x, err := b.Input(modeltest.Bytes(1, 2, 6, 6))
	if err != nil {
		t.Fatal(err)
	}
	window := model.Window{Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, PadBefore: [2]int{1, 1}, PadAfter: [2]int{1, 1}}
	rescale := modeltest.Rescale(11)
	x, err = b.Add("conv", &model.Conv{Window: window, OutC: 4, Groups: 1, Weights: modeltest.Noise(r, 4*2*9, 9), Bias: modeltest.Noise(r, 4, 99), Rescale: rescale}, 1, 0, x)
	if err != nil {
		t.Fatal(err)
	}
	half := model.Window{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Dilation: [2]int{1, 1}}
	if x, err = b.Add("pool", &model.MaxPool{Window: half}, 1, 0, x); err != nil {
		t.Fatal(err)
	}
	if x, err = b.Add("flat", &model.Reshape{Shape: []int{1, 36}}, 1, 0, x); err != nil {
		t.Fatal(err)
	}
	x, err = b.Add("dense", &model.Dense{OutN: 5, Weights: modeltest.Noise(r, 5*36, 9), Bias: modeltest.Noise(r, 5, 99), Rescale: rescale}, 1, 0, x)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(x)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// randomInputs are values over the whole range of each input.
func randomInputs(g *model.Graph, seed uint64) [][]int64 {
	r := rand.New(rand.NewPCG(seed, 3))
	out := make([][]int64, len(g.Inputs))
	for i, id := range g.Inputs {
		t := &g.Tensors[id]
		out[i] = make([]int64, t.Len())
		for k := range out[i] {
			out[i][k] = t.Min + r.Int64N(t.Max-t.Min+1)
		}
	}
	return out
}

// assign is the full witness for a run.
func assign(t testing.TB, c *Circuit, inputs [][]int64) witness.Witness {
	t.Helper()
	trace, err := c.graph.Execute(context.Background(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.Plan.Assign(trace)
	if err != nil {
		t.Fatal(err)
	}
	full, err := w.Full(fr.NewElement(12345))
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// satisfied evaluates every gate, those that commit values and receive challenges included, which gnark's
// solver passes over.
func satisfied(system *cs.SparseR1CS, full witness.Witness, options ...solver.Option) error {
	info := system.CommitmentInfo.(constraint.PlonkCommitments)
	values := make([]map[int]fr.Element, len(info))
	challenges := make(map[int]fr.Element)
	var lock sync.Mutex
	commit := func(_ *big.Int, in, out []*big.Int) error {
		lock.Lock()
		defer lock.Unlock()
		k := int(in[0].Int64())
		values[k] = map[int]fr.Element{}
		for i, gate := range info[k].Committed {
			var v fr.Element
			values[k][gate] = *v.SetBigInt(in[1+i])
		}
		var c fr.Element
		if _, err := c.SetRandom(); err != nil {
			return err
		}
		challenges[info[k].CommitmentIndex] = c
		c.BigInt(out[0])
		return nil
	}
	options = append(options, solver.OverrideHint(solver.GetHintID(fcs.Bsb22CommitmentComputePlaceholder), commit))
	solved, err := system.Solve(full, options...)
	if err != nil {
		return err
	}
	wires := solved.(*cs.SparseR1CSSolution)
	it, j := system.GetSparseR1CIterator(), 0
	for c := it.Next(); c != nil; c = it.Next() {
		i := system.GetNbPublicVariables() + j
		l, r, o := wires.L[i], wires.R[i], wires.O[i]
		sum, t := system.Coefficients[c.QC], fr.Element{}
		t.Mul(&l, &r).Mul(&t, &system.Coefficients[c.QM])
		sum.Add(&sum, &t)
		for _, x := range []struct {
			q uint32
			w fr.Element
		}{{c.QL, l}, {c.QR, r}, {c.QO, o}} {
			t.Mul(&system.Coefficients[x.q], &x.w)
			sum.Add(&sum, &t)
		}
		for k := range values {
			if v, ok := values[k][j]; ok {
				sum.Add(&sum, &v)
			}
		}
		if v, ok := challenges[j]; ok {
			sum.Add(&sum, &v)
		}
		if !sum.IsZero() {
			return fmt.Errorf("gate %d does not hold: %+v", j, c)
		}
		j++
	}
	return nil
}

// proven are keys of small, with a proof.
type proven struct {
	graph   *model.Graph
	keys    *Keys
	opening *prover.ModelOpening
	proved  *prover.Proved
}

var fixture = sync.OnceValues(func() (*proven, error) {
	var t testing.T
	f := &proven{graph: small(&t, 1)}
	ctx := context.Background()
	c, err := Compile(ctx, f.graph, prover.Options{})
	if err != nil {
		return nil, err
	}
	if f.keys, err = c.UnsafeDevSetup(ctx); err != nil {
		return nil, err
	}
	return f, f.prove()
})

func (f *proven) prove() (err error) {
	ctx := context.Background()
	if f.opening, err = f.keys.CommitModel(ctx, f.graph, prover.Private); err != nil {
		return err
	}
	f.proved, err = f.keys.Prove(ctx, f.graph, f.opening, randomInputs(f.graph, 7), []byte("context"))
	return err
}

func theFixture(t *testing.T) *proven {
	t.Helper()
	f, err := fixture()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *proven) verify(st *verifier.Statement, proof []byte) error {
	return f.keys.Verifying.Verify(f.opening.Commitment, st, proof)
}
