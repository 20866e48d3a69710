package evmtest

import (
	"context"
	"fmt"
	"math/bits"
	"sync"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/groth16"
	"github.com/zkinfer/zkinfer/verifier"
)

// network is an architecture with the way its tensors are bound: what a contract may look like.
type network struct {
	name    string
	build   func(*model.Builder) error
	options prover.Options
}

// networks have each way to bind a tensor, on each side, in one and in several bytes, and the fold
// heights that a contract is for.
var networks = []network{
	{"fold 16, public", dense(100, 0, 255, 256, 10), prover.Options{FoldRows: 16}},
	{"fold 16, private input and output", dense(100, 0, 255, 256, 10), prover.Options{FoldRows: 16, PrivateInput: true, PrivateOutput: true}},
	{"fold 16, public 28×28 image", dense(784, 0, 255, 256, 10), prover.Options{FoldRows: 16}},
	{"fold 16, public 3×32×32 image", dense(3072, 0, 255, 256, 10), prover.Options{FoldRows: 16}},
	{"fold 16, private 3×32×32 image", dense(3072, 0, 255, 256, 10), prover.Options{FoldRows: 16, PrivateInput: true}},
	{"folded input and output, narrow", table(2100, -20, 99), prover.Options{}},
	{"two folded inputs of two bytes", sum(1000, -300, 300), prover.Options{}},
	{"inputs and output of a few elements", sum(40, -300, 300), prover.Options{}},
	{"private input, folded output", table(16, -300, 300), prover.Options{PrivateInput: true}},
	{"folded input of three bytes", dense(700, -100_000, 100_000, 4), prover.Options{}},
	{"private output only", sum(7, 0, 65), prover.Options{PrivateOutput: true}},
}

// dense has a layer from n values to each of the sizes.
func dense(n int, lo, hi int64, sizes ...int) func(*model.Builder) error {
	return func(b *model.Builder) error {
		x, err := b.Input(model.Tensor{Name: "x", Shape: []int{1, n}, Min: lo, Max: hi, Scale: 1})
		for layer, size := range sizes {
			if err != nil {
				return err
			}
			// No sum exceeds 2^10 once it is shifted: weights are at most 2.
			shift := bits.Len64(uint64(2*int64(n)*max(hi, -lo))) - 9
			if layer > 0 {
				shift = bits.Len64(uint64(2*n*128)) - 9
			}
			x, err = b.Add(fmt.Sprint("layer ", layer), &model.Dense{OutN: size, Weights: weights(n * size), Bias: make([]int64, size),
				Rescale: model.Rescale{Shift: uint(shift), QMin: -512, QMax: 511, Table: model.ClampTable(-512, 511, -128, 127)}}, 1, 0, x)
			n = size
		}
		b.Output(x)
		return err
	}
}

func weights(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i*i%5) - 2
	}
	return out
}

// table halves each of n values.
func table(n int, lo, hi int64) func(*model.Builder) error {
	return func(b *model.Builder) error {
		x, err := b.Input(model.Tensor{Name: "x", Shape: []int{n}, Min: lo, Max: hi, Scale: 1})
		if err != nil {
			return err
		}
		t := model.Table{Min: lo}
		for v := lo; v <= hi; v++ {
			t.Values = append(t.Values, v>>1)
		}
		y, err := b.Add("half", &model.Activation{Table: t}, 1, 0, x)
		b.Output(y)
		return err
	}
}

// sum adds two inputs of n values.
func sum(n int, lo, hi int64) func(*model.Builder) error {
	return func(b *model.Builder) error {
		var ids [2]model.TensorID
		for i, name := range []string{"left", "right"} {
			var err error
			if ids[i], err = b.Input(model.Tensor{Name: name, Shape: []int{n}, Min: lo, Max: hi, Scale: 1}); err != nil {
				return err
			}
		}
		y, err := b.Add("sum", &model.Add{Zeros: []int64{0, 0}, Multipliers: []int64{16, 16}, Bias: []int64{0},
			Rescale: model.Rescale{Shift: 4, QMin: -1024, QMax: 1023, Table: model.ClampTable(-1024, 1023, -1000, 1000)}}, 1, 0, ids[0], ids[1])
		b.Output(y)
		return err
	}
}

// made are keys and proofs by network: making them takes seconds.
var made struct {
	sync.Mutex
	proofs map[string]*proved
}

// prove makes keys for a network, and proves one inference.
func (n *network) prove(t *testing.T) *proved {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if p, ok := made.proofs[n.name]; ok {
		return p
	}
	b := model.NewBuilder(n.name)
	if err := n.build(b); err != nil {
		t.Fatal(err)
	}
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	circuit, err := groth16.Compile(ctx, g, n.options)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := circuit.UnsafeDevSetup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	opening, err := keys.CommitModel(ctx, g, prover.Private)
	if err != nil {
		t.Fatal(err)
	}
	result, err := keys.Prove(ctx, g, opening, sample(g), []byte("task 1"))
	if err != nil {
		t.Fatal(err)
	}
	if made.proofs == nil {
		made.proofs = map[string]*proved{}
	}
	p := &proved{n.name, keys.Verifying, opening.Commitment.(*verifier.ModelCommitment), result.Bundle}
	made.proofs[n.name] = p
	return p
}

// sample is an input that takes all values of its range, the least and the greatest among them.
func sample(g *model.Graph) [][]int64 {
	var out [][]int64
	for i, id := range g.Inputs {
		t := g.Tensors[id]
		values := make([]int64, t.Len())
		for k := range values {
			values[k] = t.Min + int64(k*37+i*11)%(t.Max-t.Min+1)
		}
		values[0], values[len(values)-1] = t.Min, t.Max
		out = append(out, values)
	}
	return out
}
