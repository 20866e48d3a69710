package evmtest

import (
	"encoding/hex"
	"testing"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/evm"
	"github.com/zkinfer/zkinfer/verifier/session/vectortest"
)

// The vectors that every embedding of the verifier runs. What a contract has no part in is left out and counted: files that
// cannot be read or that name another key or model, of which no call is made, and demands on the context, which are the caller's.
func TestSharedVectors(t *testing.T) {
	v := vectortest.Load(t)
	chains := map[string]*deployed{}
	asked, encoding, deployment, left := 0, 0, 0, 0
	for i := range v.Cases {
		c := &v.Cases[i]
		p := provedOf(v, c)
		if p == nil || c.Context != nil {
			left++
			continue
		}
		d, known := chains[c.Key+"\n"+c.Commitment]
		if !known {
			d = tryDeployment(t, p)
			chains[c.Key+"\n"+c.Commitment] = d
		}
		if d == nil {
			if deployment++; c.Class != "key_mismatch" {
				t.Errorf("%s: refused at deployment, expected %q", c.Name, c.Class)
			}
			continue
		}
		call, err := evm.Encode(p.key, p.model, p.bundle)
		if err != nil {
			if encoding++; verifier.Class(err) != c.Class {
				t.Errorf("%s: cannot be encoded: %v, expected %q", c.Name, err, c.Class)
			}
			continue
		}
		asked++
		out, _, err := d.call(call.Data(), 0)
		if got := d.classOf(err); got != c.Class || err == nil && hex.EncodeToString(out) != c.Statement {
			t.Errorf("%s: %q (%x), expected %q (%s)", c.Name, got, out, c.Class, c.Statement)
		}
	}
	t.Logf("%d cases answered by contracts, %d refused when encoded, %d at deployment, %d left out", asked, encoding, deployment, left)
	if asked < 250 {
		t.Errorf("only %d cases were answered by contracts", asked)
	}
}

// provedOf is nil for files that are refused before anything is sent, and for proof systems that have no contract.
func provedOf(v *vectortest.Vectors, c *vectortest.Case) *proved {
	key, err := artifact.DecodeVerifyingKey(v.Files[c.Key])
	if err != nil {
		return nil
	}
	m, err := artifact.DecodeModelCommitment(v.Files[c.Commitment])
	if err != nil || m.Key != key.Digest() {
		return nil
	}
	if evm.ProofSize(key) == 0 || key.Backend() != m.Commitment.Backend() || len(m.Inputs) != len(key.Fixed().Inputs) {
		return nil
	}
	b, err := artifact.DecodeProof(c.Proof)
	if err != nil {
		return nil
	}
	return &proved{c.Name, key, m.Commitment, b}
}

// tryDeployment is nil if there can be no contract for this key and this model.
func tryDeployment(t *testing.T, p *proved) *deployed {
	t.Helper()
	arguments, err := evm.Constructor(p.key, p.model)
	if err != nil {
		return nil
	}
	d, err := newChain(t).create(contracts(t, optimized, p.key)["ZkInferVerifier"], arguments)
	if err != nil {
		return nil
	}
	return d
}
