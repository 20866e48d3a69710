package test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/groth16"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/canister"
)

// proved is a model of ours with keys, that makes proofs for a context.
type proved struct {
	graph   *model.Graph
	keys    *groth16.Keys
	opening *prover.ModelOpening
}

// newProved sets up keys for a graph, with a model commitment of at most so many points.
func newProved(t testing.TB, g *model.Graph, rows int, o prover.Options) *proved {
	t.Helper()
	ctx := context.Background()
	o.FoldRows = rows
	circuit, err := groth16.Compile(ctx, g, o)
	if err != nil {
		t.Fatal(err)
	}
	p := &proved{graph: g}
	if p.keys, err = circuit.UnsafeDevSetup(ctx); err != nil {
		t.Fatal(err)
	}
	p.commit(t)
	return p
}

// dense builds a network of dense layers: widths[0] inputs, then so many outputs each.
func dense(t testing.TB, widths ...int) *model.Graph {
	t.Helper()
	b := model.NewBuilder("dense")
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{widths[0]}, Min: 0, Max: 100, Scale: 1})
	for i := 1; i < len(widths) && err == nil; i++ {
		weights := make([]int64, widths[i-1]*widths[i])
		for k := range weights {
			weights[k] = int64(k%33 - 16)
		}
		x, err = b.Add(fmt.Sprint("y", i), &model.Dense{OutN: widths[i], Weights: weights, Bias: make([]int64, widths[i]),
			Rescale: model.Rescale{Shift: 8, QMin: -32768, QMax: 32767, Table: model.ClampTable(-32768, 32767, -128, 127)}}, 1, 0, x)
	}
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

// commit makes a model commitment, another one each time.
func (p *proved) commit(t testing.TB) {
	t.Helper()
	var err error
	if p.opening, err = p.keys.CommitModel(context.Background(), p.graph, prover.Private); err != nil {
		t.Fatal(err)
	}
}

func (p *proved) prove(t testing.TB, input []int64, task string) *verifier.Bundle {
	t.Helper()
	made, err := p.keys.Prove(context.Background(), p.graph, p.opening, [][]int64{input}, []byte(task))
	if err != nil {
		t.Fatal(err)
	}
	return made.Bundle
}

// artifacts are files of a key, a model and a proof, decoded.
type artifacts struct {
	vk     verifier.Key
	model  verifier.Commitment
	bundle *verifier.Bundle
	file   []byte // of the proof
}

const vectors = "../../../testvectors/proofs/"

func readArtifacts(t testing.TB, dir string) *artifacts {
	t.Helper()
	vk, err := artifact.ReadVerifyingKey(filepath.Join(dir, "verifying.key"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := artifact.ReadModelCommitment(filepath.Join(dir, "model.zkc"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := artifact.ReadProof(filepath.Join(dir, "proof.zkp"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "proof.zkp"))
	if err != nil {
		t.Fatal(err)
	}
	return &artifacts{vk, m.Commitment, b, file}
}

// engine is compiled once for all tests.
var engine = sync.OnceValues(func() (*Engine, error) {
	module, err := unpacked()
	if err != nil {
		return nil, err
	}
	return NewEngine(context.Background(), module)
})

// unpacked is the canister's module.
func unpacked() ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(canister.Module))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

var (
	controller = []byte{1, 2, 3}
	somebody   = []byte{7, 7}
	anonymous  = []byte{4}
)

// deployed is a canister in a test.
type deployed struct {
	*Canister
	t testing.TB
}

func deploy(t testing.TB, vk verifier.Key, m verifier.Commitment, access string) *deployed {
	t.Helper()
	e, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Install(context.Background(), controller, setupMessage(t, vk, m, access))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.module.Close(context.Background()) })
	return &deployed{c, t}
}

// query and update fail the test if the canister traps.
func (d *deployed) query(caller []byte, method string, argument []byte) []byte {
	d.t.Helper()
	answer, err := d.Query(context.Background(), caller, method, argument)
	if err != nil {
		d.t.Fatalf("%s: %v", method, err)
	}
	return answer
}

func (d *deployed) update(caller []byte, method string, argument []byte) []byte {
	d.t.Helper()
	answer, err := d.Update(context.Background(), caller, method, argument)
	if err != nil {
		d.t.Fatalf("%s: %v", method, err)
	}
	return answer
}

// expect fails unless an answer is this error, or ok for "".
func (d *deployed) expect(what, want string, answer []byte) {
	d.t.Helper()
	if got := class(d.t, answer); got != want {
		d.t.Errorf("%s: %q, expected %q (%v)", what, got, want, decoded(d.t, answer))
	}
}
