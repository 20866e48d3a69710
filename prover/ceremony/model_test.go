package ceremony

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/groth16"
	"github.com/zkinfer/zkinfer/verifier"
)

// doubler is a layer of two outputs, (w·x0, x1), in steps of a sixteenth.
func doubler(t testing.TB, w int64) *model.Graph {
	t.Helper()
	b := model.NewBuilder("doubler")
	x, err := b.Input(model.Tensor{Name: "x", Shape: []int{2}, Min: 0, Max: 3, Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Add("y", &model.Dense{OutN: 2, Weights: []int64{16 * w, 0, 0, 16}, Bias: []int64{0, 0},
		Rescale: model.Rescale{Shift: 4, QMin: -8, QMax: 7, Table: model.ClampTable(-8, 7, -8, 7)}}, 1, 0, x)
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

func compileModel(t testing.TB, g *model.Graph, o prover.Options) *groth16.Circuit {
	t.Helper()
	c, err := groth16.Compile(context.Background(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func keysOf(t testing.TB, c *groth16.Circuit, o *Outcome) *groth16.Keys {
	t.Helper()
	keys, err := c.CeremonyKeys(o.ProvingKey, o.VerifyingKey, o.Digest)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// modelCeremony is a ceremony up to phase 2, with one contribution to each phase.
func modelCeremony(t testing.TB, c *groth16.Circuit) *Ceremony {
	t.Helper()
	ctx := context.Background()
	out, err := Create(ctx, filepath.Join(t.TempDir(), "ceremony"), c.System(), toyFor, "")
	if err != nil {
		t.Fatal(err)
	}
	contribute(t, out, "Ada")
	if err := out.BeginPhase2(ctx, c.System(), beacon1); err != nil {
		t.Fatal(err)
	}
	contribute(t, out, "Ada")
	return out
}

// A model's keys from a ceremony are saved, opened, and prove; all checks of the verifier hold, and
// reject what they should.
func TestModelKeys(t *testing.T) {
	ctx := context.Background()
	for _, o := range []prover.Options{{}, {PrivateInput: true, PrivateOutput: true, FoldRows: 2}} {
		circuit := compileModel(t, doubler(t, 2), o)
		c := modelCeremony(t, circuit)
		t.Logf("%d constraints, %d commitments", circuit.Constraints(), len(c.Shape.Committed))
		outcome, err := c.Finish(ctx, circuit.System(), beacon2)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "keys")
		if _, err := keysOf(t, circuit, outcome).Save(dir, false); err != nil {
			t.Fatal(err)
		}
		manifest, err := prover.ReadManifest(dir)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := groth16.OpenKeys(dir, manifest)
		if err != nil {
			t.Fatal(err)
		}
		setup, digest := prover.SplitSetup(keys.Verifying.Description.TrustedSetup)
		if manifest.TrustedSetup != "ceremony" || setup != "ceremony" || digest != manifest.Ceremony || len(digest) != 64 {
			t.Errorf("manifest: %s, %s; verifying key: %s, %s", manifest.TrustedSetup, manifest.Ceremony, setup, digest)
		}
		proveModel(t, keys)
	}
}

// proveModel proves with one set of weights, and that another set's commitment rejects it.
func proveModel(t *testing.T, keys *groth16.Keys) {
	t.Helper()
	ctx := context.Background()
	commit := func(w int64) *prover.ModelOpening {
		o, err := keys.CommitModel(ctx, doubler(t, w), prover.Private)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	two, one := commit(2), commit(1)
	p, err := keys.Prove(ctx, doubler(t, 2), two, [][]int64{{3, 1}}, []byte("task"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Outputs[0], []int64{6, 1}) {
		t.Errorf("outputs %v", p.Outputs)
	}
	b, err := keys.Verifying.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	vk, err := verifier.UnmarshalVerifyingKey(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify(vk, two.Commitment, &p.Bundle.Statement, p.Bundle.Proof); err != nil {
		t.Error(err)
	}
	if err := verifier.Verify(vk, one.Commitment, &p.Bundle.Statement, p.Bundle.Proof); !errors.Is(err, verifier.ErrInvalidProof) {
		t.Errorf("other weights: %v", err)
	}
}

// The bases of model commitments come from phase 1 and the circuit: a commitment outlives further
// contributions to phase 2, the keys' digest does not.
func TestCommitmentsOutlivePhase2(t *testing.T) {
	ctx := context.Background()
	circuit := compileModel(t, doubler(t, 2), prover.Options{})
	first := modelCeremony(t, circuit)
	second := copied(t, first)
	contribute(t, second, "Bob")
	var digests [][32]byte
	var commitments [][32]byte
	for _, c := range []*Ceremony{first, second} {
		outcome, err := c.Finish(ctx, circuit.System(), beacon2)
		if err != nil {
			t.Fatal(err)
		}
		keys := keysOf(t, circuit, outcome)
		o, err := keys.CommitModel(ctx, doubler(t, 2), prover.Public)
		if err != nil {
			t.Fatal(err)
		}
		digests, commitments = append(digests, keys.Verifying.Digest()), append(commitments, o.Commitment.Digest())
	}
	if commitments[0] != commitments[1] || digests[0] == digests[1] {
		t.Errorf("commitments %x, keys %x", commitments, digests)
	}
}

// A circuit compiled again has the digest that the transcript holds; one of another architecture, or
// with other choices, has not.
func TestCircuitDigest(t *testing.T) {
	digest := func(w int64, o prover.Options) [32]byte {
		return CircuitDigest(compileModel(t, doubler(t, w), o).System())
	}
	first := digest(2, prover.Options{})
	if again := digest(1, prover.Options{}); again != first {
		t.Error("other weights, another digest")
	}
	if digest(2, prover.Options{PrivateInput: true}) == first || digest(2, prover.Options{PrivateOutput: true}) == digest(2, prover.Options{PrivateInput: true}) {
		t.Error("other choices, the same digest")
	}
	c := modelCeremony(t, compileModel(t, doubler(t, 2), prover.Options{}))
	_, err := c.Verify(context.Background(), compileModel(t, doubler(t, 2), prover.Options{PrivateInput: true}).System())
	if !errors.Is(err, ErrCircuit) || !strings.Contains(err.Error(), "digest") {
		t.Error(err)
	}
}
