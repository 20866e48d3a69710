package test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// Budgets.
const (
	maxVerifyInstructions = 400_000_000
	maxClassInstructions  = 700_000_000 // of the sumcheck backend
	maxHeapBytes          = 32 << 20
	heapCalls             = 1000
)

// fold64 is a frozen proof with much for a verifier to add up: a model commitment of 64 points, and an
// input of 1,984 bytes, 64 coefficients of the fold.
const fold64 = "testdata/fold64"

// Run with UPDATE_GOLDEN=1 to write the counts anew, with UPDATE_GOLDEN=proof after a change of formats.
func TestInstructions(t *testing.T) {
	if os.Getenv("UPDATE_GOLDEN") == "proof" {
		freeze(t)
	}
	got := map[string]int64{}
	for name, dir := range map[string]string{"public": vectors + "public", "private": vectors + "private",
		"mnist": vectors + "mnist", "mnist-private": vectors + "mnist-private", "ad01": vectors + "ad01", "fold64": fold64,
		"plonk": vectors + "plonk", "plonk-mnist": vectors + "plonk-mnist", "plonk-ad01": vectors + "plonk-ad01",
		"sumcheck": vectors + "sumcheck", "sumcheck-private": vectors + "sumcheck-private", "resnet8": vectors + "resnet8"} {
		a := readArtifacts(t, dir)
		if name == "fold64" && (a.model.Points() != 64 || a.vk.Fixed().Inputs[0].Len() < 64*31) {
			t.Fatalf("%d points, or fewer values of input", a.model.Points())
		}
		d := deploy(t, a.vk, a.model, "anyone")
		got[name+" install"] = d.Instructions
		d.expect(name, "", d.query(anonymous, "verify", fileMessage(t, a.file)))
		got[name+" verify"] = d.Instructions
		d.expect(name, "", d.update(somebody, "open_task", openMessage(t, a.bundle)))
		got[name+" open_task"] = d.Instructions
		d.expect(name, "", d.update(somebody, "settle", fileMessage(t, a.file)))
		got[name+" settle"] = d.Instructions
		if err := d.Upgrade(context.Background(), controller, nothing(t)); err != nil {
			t.Fatal(err)
		}
		got[name+" upgrade"] = d.Instructions
		for _, method := range []string{"verify", "settle"} {
			limit := int64(maxVerifyInstructions)
			if a.vk.Backend() == wrapped.Backend {
				limit = maxClassInstructions
			}
			if n := got[name+" "+method]; n > limit {
				t.Errorf("%s %s: %d instructions, at most %d", name, method, n, limit)
			}
		}
	}
	compareGolden(t, "testdata/instructions.json", got)
}

// compareGolden allows 1 %: counts move a little with whatever is built into the module.
func compareGolden(t *testing.T, path string, got map[string]int64) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]int64
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for name, n := range got {
		t.Logf("%-45s %12d", name, n)
		if w := want[name]; n < w-w/100 || n > w+w/100 {
			t.Errorf("%s: %d, %d in %s; run with UPDATE_GOLDEN=1 if that is meant", name, n, w, path)
		}
	}
}

func freeze(t *testing.T) {
	t.Helper()
	p := newProved(t, dense(t, 1984, 700, 2), 64, prover.Options{})
	input := make([]int64, 1984)
	for i := range input {
		input[i] = int64(i % 101)
	}
	bundle := p.prove(t, input, "fold 64")
	if err := os.MkdirAll(fold64, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		artifact.WriteVerifyingKey(filepath.Join(fold64, "verifying.key"), true, p.keys.Verifying),
		artifact.WriteModelCommitment(filepath.Join(fold64, "model.zkc"), true, &artifact.ModelCommitment{Commitment: p.opening.Commitment,
			Key: p.keys.Verifying.Digest(), Inputs: []artifact.Meaning{{Scale: 1}}, Outputs: []artifact.Meaning{{Scale: 1}}}),
		artifact.WriteProof(filepath.Join(fold64, "proof.zkp"), true, bundle),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The heap stays small over a thousand updates, each of them undone by nobody: verifications, and tasks
// between them.
func TestHeap(t *testing.T) {
	a := readArtifacts(t, fold64)
	d := deploy(t, a.vk, a.model, "anyone")
	argument := fileMessage(t, a.file)
	for i := range heapCalls {
		if i%10 == 0 {
			b := *a.bundle
			b.Statement.Context = []byte{byte(i), byte(i >> 8)}
			d.expect("open", "", d.update(somebody, "open_task", openMessage(t, &b)))
			continue
		}
		// A wrong proof costs its decoding only, so every second call is a right one.
		if i%2 == 1 {
			d.expect("verify", "", d.update(somebody, "verify_update", argument))
		} else {
			d.expect("verify", "bad_statement", d.update(somebody, "verify_update", claimMessage(t, &verifier.Bundle{Proof: a.bundle.Proof}, nil)))
		}
	}
	t.Logf("%d bytes of heap, %d of stable memory after %d calls", d.HeapBytes(), len(d.Stable), heapCalls)
	if d.HeapBytes() > maxHeapBytes {
		t.Errorf("%d bytes of heap after %d calls, at most %d", d.HeapBytes(), heapCalls, maxHeapBytes)
	}
}

// Nor does it grow over updates with a proof of the sumcheck backend, whose verification takes more memory.
func TestHeapOfClass(t *testing.T) {
	a := readArtifacts(t, vectors+"resnet8")
	d := deploy(t, a.vk, a.model, "anyone")
	argument := fileMessage(t, a.file)
	settled := 0
	for i := range 60 {
		d.expect("verify", "", d.update(somebody, "verify_update", argument))
		if i == 19 {
			settled = d.HeapBytes()
		}
	}
	t.Logf("%d bytes of heap after 20 calls, %d after 60", settled, d.HeapBytes())
	if d.HeapBytes() > maxHeapBytes || d.HeapBytes() > settled+settled/8 {
		t.Errorf("%d bytes of heap after 60 calls, %d after 20, at most %d", d.HeapBytes(), settled, maxHeapBytes)
	}
}
