package test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/canister"
)

// The frozen proofs verify, as files and as claims, as queries and as updates.
func TestFrozenProofs(t *testing.T) {
	for _, name := range []string{"public", "private", "plonk", "plonk-hello", "plonk-mnist", "plonk-ad01"} {
		a := readArtifacts(t, vectors+name)
		d := deploy(t, a.vk, a.model, "controllers")
		s, err := verifier.StatementDigest(a.vk, a.model, &a.bundle.Statement)
		if err != nil {
			t.Fatal(err)
		}
		want := s.Bytes()
		for what, argument := range map[string][]byte{"file": fileMessage(t, a.file), "claim": claimMessage(t, a.bundle, nil),
			"claim with its model": claimMessage(t, a.bundle, a.bundle.Model[:])} {
			for _, answer := range [][]byte{d.query(anonymous, "verify", argument), d.update(anonymous, "verify_update", argument)} {
				d.expect(name+" "+what, "", answer)
				v := decoded(t, answer)
				if got := bytesAt(t, v, "ok", "statement"); !bytes.Equal(got, want[:]) {
					t.Errorf("%s %s: statement %x, expected %x", name, what, got, want)
				}
				if name == "public" && (at(v, "ok", "outputs", 0, "values", 0) != int32(42) || at(v, "ok", "outputs", 0, "values", 1) != int32(18)) {
					t.Errorf("outputs %v", at(v, "ok", "outputs"))
				}
			}
		}
	}
}

// Every byte of a proof file's contents altered: the canister says what package verifier says.
func TestTampered(t *testing.T) {
	for _, name := range []string{"public", "private", "plonk"} {
		a := readArtifacts(t, vectors+name)
		d := deploy(t, a.vk, a.model, "controllers")
		b, err := a.bundle.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		classes := map[string]int{}
		for at := range b {
			altered := bytes.Clone(b)
			altered[at] ^= 1 << (at % 8)
			want := verdict(a, altered)
			if want == "" {
				t.Fatalf("byte %d: accepted by package verifier", at)
			}
			classes[want]++
			d.expect(name, want, d.query(anonymous, "verify", fileMessage(t, envelope.Encode(artifact.KindProof, 1, altered))))
		}
		t.Logf("%s: %d bytes altered, %v", name, len(b), classes)
	}
}

func verdict(a *artifacts, contents []byte) string {
	bundle, err := verifier.UnmarshalBundle(contents)
	if err == nil {
		err = verifier.VerifyBundle(a.vk, a.model, bundle)
	}
	return verifier.Class(err)
}

// Frames of files: other kinds, other versions, damage.
func TestFrames(t *testing.T) {
	a := readArtifacts(t, vectors+"public")
	d := deploy(t, a.vk, a.model, "controllers")
	b, err := a.bundle.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(a.file)
	flipped[60] ^= 1
	frame := bytes.Clone(a.file)
	frame[7] = 2
	for what, c := range map[string]struct {
		file []byte
		want string
	}{
		"whole":           {a.file, ""},
		"empty":           {nil, "malformed_proof"},
		"flipped":         {flipped, "malformed_proof"},
		"cut":             {a.file[:len(a.file)-1], "malformed_proof"},
		"extended":        {append(bytes.Clone(a.file), 0), "malformed_proof"},
		"another kind":    {envelope.Encode(artifact.KindModelCommitment, 1, b), "wrong_kind"},
		"another version": {envelope.Encode(artifact.KindProof, 2, b), "unsupported_version"},
		"another frame":   {frame, "unsupported_version"},
	} {
		d.expect(what, c.want, d.query(anonymous, "verify", fileMessage(t, c.file)))
	}
}

// Claims that no key admits.
func TestClaims(t *testing.T) {
	a := readArtifacts(t, vectors+"public")
	private := readArtifacts(t, vectors+"private")
	d := deploy(t, a.vk, a.model, "controllers")
	for what, c := range map[string]struct {
		edit func(b *verifier.Bundle)
		want string
	}{
		"another context":     {func(b *verifier.Bundle) { b.Statement.Context = []byte("task 2") }, "rejected"},
		"another output":      {func(b *verifier.Bundle) { b.Statement.Outputs = []verifier.TensorValue{{Values: []int64{42, 19}}} }, "rejected"},
		"an output too many":  {func(b *verifier.Bundle) { b.Statement.Outputs = append(b.Statement.Outputs, b.Statement.Outputs[0]) }, "bad_statement"},
		"an input too long":   {func(b *verifier.Bundle) { b.Statement.Inputs = []verifier.TensorValue{{Values: []int64{30, 12, 0}}} }, "bad_statement"},
		"an input in its way": {func(b *verifier.Bundle) { b.Statement.Inputs = private.bundle.Statement.Inputs }, "bad_statement"},
		"out of range":        {func(b *verifier.Bundle) { b.Statement.Inputs = []verifier.TensorValue{{Values: []int64{30, 101}}} }, "bad_statement"},
		"a short proof":       {func(b *verifier.Bundle) { b.Proof = b.Proof[1:] }, "malformed_proof"},
	} {
		b := *a.bundle
		c.edit(&b)
		d.expect(what, c.want, d.query(anonymous, "verify", claimMessage(t, &b, nil)))
	}
	d.expect("another model", "key_mismatch", d.query(anonymous, "verify", claimMessage(t, a.bundle, make([]byte, 32))))
	d.expect("no digest", "bad_statement", d.query(anonymous, "verify", claimMessage(t, a.bundle, make([]byte, 31))))
}

// What is no message of the interface is trapped on, and changes nothing.
func TestTrapsRollBack(t *testing.T) {
	a := readArtifacts(t, vectors+"public")
	d := deploy(t, a.vk, a.model, "controllers")
	ctx := context.Background()
	d.expect("open", "", d.update(controller, "open_task", openMessage(t, a.bundle)))
	before := d.state()
	for what, argument := range map[string][]byte{"nothing": nil, "no argument": nothing(t), "text": []byte("DIDL\x00\x01\x71\x01a"),
		"endless list": []byte("DIDL\x01\x6d\x7f\x01\x00\xff\xff\xff\xff\x0f")} {
		for _, method := range []string{"settle", "open_task", "replace_key", "register_model"} {
			var trap *Trap
			if _, err := d.Update(ctx, controller, method, argument); !errors.As(err, &trap) {
				t.Errorf("%s of %s: %v", method, what, err)
			}
			d.same(before, method+" of "+what)
		}
	}
	// A message that runs out of instructions, wherever that is, and stable memory with half of it written.
	for _, limit := range []int64{1e6, 1e7, 1e8} {
		d.Limit = limit
		if _, err := d.Update(ctx, somebody, "settle", fileMessage(t, a.file)); !errors.Is(err, ErrInstructions) {
			t.Errorf("settled with %d instructions: %v", limit, err)
		}
		d.same(before, "a limit of instructions")
	}
	d.Limit = 0
	d.expect("settle", "", d.update(somebody, "settle", fileMessage(t, a.file)))
	needed := d.Instructions - int64(d.DirtyPages)*dirtyPageCost
	second := deploy(t, a.vk, a.model, "controllers")
	second.expect("open", "", second.update(controller, "open_task", openMessage(t, a.bundle)))
	before = second.state()
	for short := int64(1); short < 4e6; short *= 3 { // in the writing of the settlement, its hashes, the answer
		second.Limit = needed - short
		if _, err := second.Update(ctx, somebody, "settle", fileMessage(t, a.file)); !errors.Is(err, ErrInstructions) {
			t.Errorf("settled with %d instructions too few: %v", short, err)
		}
		second.same(before, "too few instructions")
	}
}

// Queries leave no trace, whatever they compute.
func TestQueriesLeaveNoTrace(t *testing.T) {
	a := readArtifacts(t, vectors+"public")
	d := deploy(t, a.vk, a.model, "controllers")
	before := d.state()
	for range 3 {
		d.query(anonymous, "verify", fileMessage(t, a.file))
		d.same(before, "verify")
	}
	if _, err := d.Query(context.Background(), controller, "settle", fileMessage(t, a.file)); err == nil {
		t.Error("an update method was called as a query")
	}
}

// same fails unless the canister is as it was.
func (d *deployed) same(before *state, what string) {
	d.t.Helper()
	now := d.state()
	for name, equal := range map[string]bool{"heap": bytes.Equal(now.memory, before.memory), "stable memory": bytes.Equal(now.stable, before.stable),
		"certified data": bytes.Equal(now.certified, before.certified)} {
		if !equal {
			d.t.Errorf("%s: %s changed", what, name)
		}
	}
	for i := range now.globals {
		if now.globals[i] != before.globals[i] {
			d.t.Errorf("%s: global %d changed", what, i)
		}
	}
}

// The text arguments of an export say what the tests' messages say.
func TestSetupArgument(t *testing.T) {
	a := readArtifacts(t, vectors+"public")
	text, err := canister.SetupArgument(a.vk, a.model, true)
	if err != nil {
		t.Fatal(err)
	}
	v := setupValue(t, a.vk, a.model, "anyone")
	if got := textBlobs(t, text); len(got) != 2 || !bytes.Equal(got[0], v["key"].([]byte)) || !bytes.Equal(got[1], v["model"].([]byte)) {
		t.Errorf("%d blobs in %.200s", len(got), text)
	}
	if got := textBlobs(t, canister.ProofArgument(a.file)); len(got) != 1 || !bytes.Equal(got[0], a.file) {
		t.Error("the file is another one in its argument")
	}
}
