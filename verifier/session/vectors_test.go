package session_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/session"
	"github.com/zkinfer/zkinfer/verifier/session/vectortest"
)

// Every case has the answer that the file declares.
func TestVectors(t *testing.T) {
	v := vectortest.Load(t)
	for i := range v.Cases {
		c := &v.Cases[i]
		t.Run(c.Name, func(t *testing.T) {
			r := answer(v, c, c.Expected(t))
			if r.Valid != c.Valid || r.Statement != c.Statement || class(r) != c.Class {
				t.Errorf("%+v, expected valid %t, class %q", r, c.Valid, c.Class)
			}
		})
	}
}

// The file is what its generator makes of the frozen proofs. UPDATE_GOLDEN=1, after a deliberate change,
// writes it anew.
func TestVectorsAreGenerated(t *testing.T) {
	v := &vectortest.Vectors{Format: vectortest.Format, Files: map[string][]byte{},
		About: "proofs for every embedding of the verifier; files and proofs are base64; see docs/embedding.md"}
	for _, name := range []string{"public", "private"} {
		newGenerator(t, v, name).everything()
	}
	for _, name := range []string{"mnist", "mnist-private", "ad01", "folded"} {
		newGenerator(t, v, name).claims()
	}
	newGenerator(t, v, "plonk").everythingOfPlonk()
	for _, name := range []string{"plonk-mnist", "plonk-ad01"} {
		newGenerator(t, v, name).claimsOfPlonk()
	}
	newGenerator(t, v, "plonk-hello").honest()
	newGenerator(t, v, "sumcheck").everything()
	newGenerator(t, v, "sumcheck-private").claims()
	newGenerator(t, v, "resnet8").sample()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(vectortest.Path(), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(vectortest.Path())
	if err != nil {
		t.Fatal(err)
	}
	if string(stored) != string(b) {
		t.Error("testvectors/verify.json is not what the generator makes")
	}
}

func answer(v *vectortest.Vectors, c *vectortest.Case, context []byte) *session.Report {
	s, err := session.Open(v.Files[c.Key], v.Files[c.Commitment])
	if err != nil {
		return session.Refusal(err)
	}
	r, err := s.Check(c.Proof, session.Expect{Context: context})
	if err != nil {
		return session.Refusal(err)
	}
	return r
}

func class(r *session.Report) string {
	if r.Error == nil {
		return ""
	}
	return r.Error.Class
}

// generator adds the cases of one frozen proof.
type generator struct {
	t       *testing.T
	v       *vectortest.Vectors
	name    string
	pending []pending
	*frozen
}

func newGenerator(t *testing.T, v *vectortest.Vectors, name string) *generator {
	g := &generator{t: t, v: v, name: name, frozen: readFrozen(t, name)}
	v.Files[g.keyName()], v.Files[g.commitmentName()], v.Files[g.proofName()] = g.keyFile, g.commitmentFile, g.proofFile
	return g
}

// everything is for small proofs: all that can be wrong.
func (g *generator) everything() {
	g.honest()
	g.frames()
	g.statement()
	g.regions()
	g.proofFields()
	g.keys()
	g.commitments()
}

// sample is for proofs of many kilobytes: one case of each kind.
func (g *generator) sample() {
	g.proof("as made", g.proofFile, "")
	g.proof("A doubled and B halved", g.edited(func(b *verifier.Bundle) { b.Proof = g.malleated(b.Proof) }), "")
	g.proof("context altered", g.edited(func(b *verifier.Bundle) { b.Statement.Context[0] ^= 1 }), "rejected")
	g.proof("output raised by one", g.edited(func(b *verifier.Bundle) { b.Statement.Outputs[0].Values[0]++ }), "rejected")
	g.proof("input with a value exchanged", g.edited(func(b *verifier.Bundle) {
		v := b.Statement.Inputs[0].Values
		v[0], v[len(v)-1] = v[len(v)-1], v[0]+1
	}), "rejected")
	g.proof("contents truncated", framed(g.payload[:len(g.payload)-1]), "malformed_proof")
	at := g.classLayout()
	g.scalar("a message", at.messages+32*(at.count/2))
	g.rawPoint("a row", 64*(at.rows/2))
}

// claims are for real models, whose files are larger: what depends on how tensors are bound and on the
// number of commitments, not how files are framed.
func (g *generator) claims() {
	g.honest()
	g.statement()
	g.proofFields()
	g.otherModels()
}

func (g *generator) keyName() string        { return g.name + "/verifying.key" }
func (g *generator) proofName() string      { return g.name + "/proof.zkp" }
func (g *generator) commitmentName() string { return g.name + "/model.zkc" }

// add appends a case whose answer must be one of the declared classes, "" for a valid proof. That
// the verifier gives one of them is demanded here, and by TestVectors that it goes on giving it.
func (g *generator) add(c vectortest.Case, declared ...string) {
	g.t.Helper()
	c.Name = g.name + ": " + c.Name
	if c.Key == "" {
		c.Key = g.keyName()
	}
	if c.Commitment == "" {
		c.Commitment = g.commitmentName()
	}
	r := answer(g.v, &c, c.Expected(g.t))
	c.Valid, c.Class, c.Statement = r.Valid, class(r), r.Statement
	for _, d := range declared {
		if d == c.Class && c.Valid == (d == "") {
			c.Shorten(g.proofName(), g.proofFile)
			g.v.Cases = append(g.v.Cases, c)
			return
		}
	}
	g.t.Errorf("%s: %+v, expected one of %q", c.Name, r.Error, declared)
}

// proof adds a case with a tampered proof file.
func (g *generator) proof(name string, file []byte, declared ...string) {
	g.t.Helper()
	g.add(vectortest.Case{Name: name, Proof: file}, declared...)
}

// with adds a case with another key or another model commitment, or both, "" being the honest one.
func (g *generator) with(name string, key, commitment, proof []byte, declared ...string) {
	g.t.Helper()
	c := vectortest.Case{Name: name, Proof: proof}
	if key != nil {
		c.Key = fmt.Sprintf("%s/%s.key", g.name, name)
		g.v.Files[c.Key] = key
	}
	if commitment != nil {
		c.Commitment = fmt.Sprintf("%s/%s.zkc", g.name, name)
		g.v.Files[c.Commitment] = commitment
	}
	g.add(c, declared...)
}
