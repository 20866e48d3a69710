package test

import (
	"bytes"
	"context"
	"testing"

	"github.com/aviate-labs/agent-go/certification/hashtree"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
)

// malleated is another valid proof of the same statement: A and B negated.
func malleated(t *testing.T, vk *verifier.VerifyingKey, b *verifier.Bundle) *verifier.Bundle {
	t.Helper()
	p, err := verifier.DecodeProof(vk, b.Proof)
	if err != nil {
		t.Fatal(err)
	}
	p.Ar.Neg(&p.Ar)
	p.Bs.Neg(&p.Bs)
	out := *b
	out.Proof = p.Encode()
	return &out
}

// The four questions: which input, which output, which code, which weights. Each is submitted or
// registered, verified, and can be read later, after an upgrade too.
func TestTaskFlow(t *testing.T) {
	for _, name := range []string{"public", "private"} {
		t.Run(name, func(t *testing.T) { flow(t, readArtifacts(t, vectors+name)) })
	}
}

func flow(t *testing.T, a *artifacts) {
	d := deploy(t, a.vk, a.model, "anyone")
	d.expect("settle before there is a task", "unknown_task", d.update(somebody, "settle", claimMessage(t, a.bundle, nil)))
	opened := d.update(somebody, "open_task", openMessage(t, a.bundle))
	d.expect("open", "", opened)
	id := bytesAt(t, decoded(t, opened), "ok")
	d.expect("open again", "task_exists", d.update(somebody, "open_task", openMessage(t, a.bundle)))
	if task := decoded(t, d.query(anonymous, "task", blobMessage(t, id))); at(task, "ok", "settlement") != nil {
		t.Errorf("settled before there was a proof: %v", task)
	}
	d.certified(id)

	wrong := *a.bundle
	wrong.Proof = bytes.Clone(a.bundle.Proof)
	wrong.Proof[len(wrong.Proof)-1] ^= 1
	d.expect("settle with a wrong proof", "rejected", d.update(somebody, "settle", claimMessage(t, &wrong, nil)))

	settled := d.update(anonymous, "settle", claimMessage(t, a.bundle, nil))
	d.expect("settle", "", settled)
	d.expect("settle again", "already_settled", d.update(somebody, "settle", claimMessage(t, a.bundle, nil)))
	other := malleated(t, a.vk.(*verifier.VerifyingKey), a.bundle)
	d.expect("the other proof is valid", "", d.query(somebody, "verify", claimMessage(t, other, nil)))
	d.expect("settle with other bytes", "already_settled", d.update(somebody, "settle", claimMessage(t, other, nil)))

	if err := d.Upgrade(context.Background(), controller, nothing(t)); err != nil {
		t.Fatal(err)
	}
	d.expect("settle after an upgrade", "already_settled", d.update(somebody, "settle", fileMessage(t, a.file)))
	d.readable(a, id)
	d.certified(id)
}

// readable checks that all of a settled task can be read.
func (d *deployed) readable(a *artifacts, id []byte) {
	t := d.t
	answer := decoded(t, d.query(anonymous, "task", blobMessage(t, id)))
	key := a.vk.Digest()
	s, err := verifier.StatementDigest(a.vk, a.model, &a.bundle.Statement)
	if err != nil {
		t.Fatal(err)
	}
	statement := s.Bytes()
	for what, c := range map[string]struct{ got, want []byte }{
		"key":       {bytesAt(t, answer, "ok", "key"), key[:]},
		"model":     {bytesAt(t, answer, "ok", "model"), a.bundle.Model[:]},
		"context":   {bytesAt(t, answer, "ok", "context"), a.bundle.Statement.Context},
		"statement": {bytesAt(t, answer, "ok", "settlement", "statement"), statement[:]},
		"proof":     {bytesAt(t, answer, "ok", "settlement", "proof"), a.bundle.Proof},
		"task":      {bytesAt(t, decoded(t, d.query(anonymous, "task_of_statement", blobMessage(t, statement[:]))), "ok"), id},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: %x, expected %x", what, c.got, c.want)
		}
	}
	sameTensors(t, at(answer, "ok", "inputs"), a.bundle.Statement.Inputs)
	sameTensors(t, at(answer, "ok", "settlement", "outputs"), a.bundle.Statement.Outputs)
	// Code and weights: what was installed and registered, whole.
	vk, err := verifier.UnmarshalVerifyingKey(bytesAt(t, decoded(t, d.query(anonymous, "verifying_key", nothing(t)))))
	if err != nil || vk.Digest() != key {
		t.Errorf("verifying key: %v", err)
	}
	m, err := verifier.UnmarshalModelCommitment(bytesAt(t, decoded(t, d.query(anonymous, "model", blobMessage(t, a.bundle.Model[:]))), "ok", "commitment"))
	if err != nil || m.Digest() != a.bundle.Model {
		t.Errorf("model commitment: %v", err)
	}
}

func sameTensors(t testing.TB, got any, want []verifier.TensorValue) {
	t.Helper()
	for i, v := range want {
		if v.Commitment != nil {
			if !bytes.Equal(bytesAt(t, got, i, "commitment"), v.CommitmentBytes()) {
				t.Errorf("tensor %d: %v", i, at(got, i))
			}
			continue
		}
		for k, x := range v.Values {
			if at(got, i, "values", k) != int32(x) {
				t.Errorf("tensor %d: %v, expected %v", i, at(got, i), v.Values)
			}
		}
	}
}

// certified checks a task's witness as a client does, with another implementation of hash trees, and
// that it holds the task that can be read without it.
func (d *deployed) certified(id []byte) {
	t := d.t
	t.Helper()
	v := decoded(t, d.query(anonymous, "certified_task", blobMessage(t, id)))
	if want := certificateOf(d.CertifiedData); !bytes.Equal(bytesAt(t, v, "ok", "certificate"), want) {
		t.Error("another certificate")
	}
	tree, err := hashtree.Deserialize(bytesAt(t, v, "ok", "witness"))
	if err != nil {
		t.Fatal(err)
	}
	if root := tree.Reconstruct(); !bytes.Equal(root[:], d.CertifiedData) {
		t.Errorf("the witness's hash is %x, certified is %x", root, d.CertifiedData)
	}
	leaf, err := hashtree.Lookup(tree, hashtree.Label("zkinfer tasks"), hashtree.Label(id))
	if err != nil || !bytes.Equal(leaf, bytesAt(t, v, "ok", "task")) {
		t.Fatalf("the witness does not hold the task: %v", err)
	}
	plain := decoded(t, d.query(anonymous, "task", blobMessage(t, id)))
	if got := bytesAt(t, decoded(t, leaf), "id"); !bytes.Equal(got, bytesAt(t, plain, "ok", "id")) {
		t.Errorf("certified task %x", got)
	}
	if (at(decoded(t, leaf), "settlement") == nil) != (at(plain, "ok", "settlement") == nil) {
		t.Error("the certified task is another one than what can be read")
	}
}

// Many tasks: every witness holds, and every task is its own.
func TestManyTasks(t *testing.T) {
	a := readArtifacts(t, vectors+"public")
	d := deploy(t, a.vk, a.model, "anyone")
	var ids [][]byte
	for i := range 40 {
		b := *a.bundle
		b.Statement.Context = []byte{byte(i)}
		ids = append(ids, bytesAt(t, decoded(t, d.update(somebody, "open_task", openMessage(t, &b))), "ok"))
	}
	d.update(somebody, "open_task", openMessage(t, a.bundle))
	d.expect("settle", "", d.update(somebody, "settle", fileMessage(t, a.file)))
	for _, id := range ids {
		d.certified(id)
	}
	info := decoded(t, d.query(anonymous, "info", nothing(t)))
	if at(info, "tasks") != uint64(41) || at(info, "settled") != uint64(1) || at(info, "models") != uint64(1) {
		t.Errorf("info: %v", info)
	}
}

// Who may do what.
func TestPermissions(t *testing.T) {
	a := readArtifacts(t, vectors+"public")
	other := newProved(t, dense(t, 2, 2), 1, prover.Options{})
	model, err := a.model.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	replace := encoded(t, setupType, setupValue(t, other.keys.Verifying, other.opening.Commitment, "anyone"))
	for _, access := range []string{"controllers", "anyone"} {
		d := deploy(t, a.vk, a.model, access)
		for _, c := range []struct {
			who  string
			by   []byte
			want string
		}{{"anonymous", anonymous, "not_authorized"}, {"somebody", somebody, map[string]string{"controllers": "not_authorized"}[access]}, {"controller", controller, ""}} {
			b := *a.bundle
			b.Statement.Context = []byte(c.who)
			d.expect(access+": register by "+c.who, c.want, d.update(c.by, "register_model", blobMessage(t, model)))
			d.expect(access+": open by "+c.who, c.want, d.update(c.by, "open_task", openMessage(t, &b)))
			if c.who != "controller" {
				before := d.state()
				d.expect(access+": replace by "+c.who, "not_authorized", d.update(c.by, "replace_key", replace))
				if !bytes.Equal(before.stable, d.Stable) {
					t.Error("a refused replacement changed stable memory")
				}
			}
		}
		if err := d.Upgrade(context.Background(), somebody, nothing(t)); err == nil {
			t.Error("somebody upgraded the canister")
		}
	}
}

// A controller replaces the key: proofs for the old one are refused, its tasks stay readable, and new
// ones work. An upgrade with a setup does the same.
func TestReplaceKey(t *testing.T) {
	a := readArtifacts(t, vectors+"public")
	other := newProved(t, dense(t, 2, 2), 1, prover.Options{})
	proof := other.prove(t, []int64{1, 2}, "new")
	for _, how := range []string{"replace_key", "upgrade"} {
		d := deploy(t, a.vk, a.model, "controllers")
		id := bytesAt(t, decoded(t, d.update(controller, "open_task", openMessage(t, a.bundle))), "ok")
		d.expect("settle", "", d.update(controller, "settle", fileMessage(t, a.file)))
		unsettled := *a.bundle
		unsettled.Statement.Context = []byte("later")
		d.expect("open", "", d.update(controller, "open_task", openMessage(t, &unsettled)))
		if how == "replace_key" {
			d.expect(how, "", d.update(controller, how, encoded(t, setupType, setupValue(t, other.keys.Verifying, other.opening.Commitment, "controllers"))))
			d.expect("malformed key", "malformed_key", d.update(controller, how, encoded(t, setupType, map[string]any{"key": []byte{1}, "model": []byte{1},
				"access": nil})))
		} else if err := d.Upgrade(context.Background(), controller, setupMessage(t, other.keys.Verifying, other.opening.Commitment, "controllers")); err != nil {
			t.Fatal(err)
		}
		d.expect("a proof for the old key", "key_mismatch", d.query(anonymous, "verify", fileMessage(t, a.file)))
		d.expect("a task of the old key", "unknown_task", d.update(controller, "settle", claimMessage(t, &unsettled, a.bundle.Model[:])))
		d.expect("a proof for the new key", "", d.query(anonymous, "verify", claimMessage(t, proof, nil)))
		if v := decoded(t, d.query(anonymous, "task", blobMessage(t, id))); at(v, "ok", "settlement", "settled") == nil {
			t.Errorf("the old task is gone: %v", v)
		}
		d.certified(id)
	}
}

// Several models under one key: a proof settles the task of its own model only.
func TestModels(t *testing.T) {
	p := newProved(t, dense(t, 2, 2), 1, prover.Options{PrivateInput: true})
	d := deploy(t, p.keys.Verifying, p.opening.Commitment, "controllers")
	first := p.opening.Commitment.Digest()
	p.commit(t)
	b := p.prove(t, []int64{3, 4}, "second")
	d.expect("before it is registered", "key_mismatch", d.query(anonymous, "verify", claimMessage(t, b, b.Model[:])))
	model, err := p.opening.Commitment.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	d.expect("register", "", d.update(controller, "register_model", blobMessage(t, model)))
	d.expect("its own model", "", d.query(anonymous, "verify", claimMessage(t, b, b.Model[:])))
	d.expect("another model", "rejected", d.query(anonymous, "verify", claimMessage(t, b, first[:])))
	d.expect("open for the second", "", d.update(controller, "open_task", openMessage(t, b)))
	d.expect("settle for the first", "unknown_task", d.update(controller, "settle", claimMessage(t, b, nil)))
	d.expect("settle for the second", "", d.update(controller, "settle", claimMessage(t, b, b.Model[:])))
	d.expect("points of another number", "key_mismatch", d.update(controller, "register_model", blobMessage(t, append([]byte{0, 0, 0, 2}, append(model[4:], model[4:]...)...))))
	d.expect("no points", "malformed_proof", d.update(controller, "register_model", blobMessage(t, []byte{1, 2, 3})))
}
