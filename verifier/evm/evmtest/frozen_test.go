package evmtest

import (
	"bytes"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/evm"
)

// proved is a proof with the key and the model commitment it belongs to.
type proved struct {
	name   string
	key    verifier.Key
	model  verifier.Commitment
	bundle *verifier.Bundle
}

// frozen reads a proof from testvectors.
func frozen(t *testing.T, name string) *proved {
	t.Helper()
	dir := "../../../testvectors/proofs/" + name + "/"
	vk, err := artifact.ReadVerifyingKey(dir + "verifying.key")
	if err != nil {
		t.Fatal(err)
	}
	m, err := artifact.ReadModelCommitment(dir + "model.zkc")
	if err != nil {
		t.Fatal(err)
	}
	b, err := artifact.ReadProof(dir + "proof.zkp")
	if err != nil {
		t.Fatal(err)
	}
	return &proved{"frozen " + name, vk, m.Commitment, b}
}

func (p *proved) call(t *testing.T) *evm.Call {
	t.Helper()
	c, err := evm.Encode(p.key, p.model, p.bundle)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// digest is S as the verifier in Go computes it.
func (p *proved) digest(t *testing.T) [32]byte {
	t.Helper()
	s, err := verifier.StatementDigest(p.key, p.model, &p.bundle.Statement)
	if err != nil {
		t.Fatal(err)
	}
	return s.Bytes()
}

// solidityStatement is the struct of the interface, for go-ethereum's encoder.
type solidityStatement struct {
	Inputs, Outputs [][]byte
	Context         []byte
}

func statementOf(c *evm.Call) solidityStatement {
	return solidityStatement{c.Inputs, c.Outputs, c.Context}
}

// checkAccepted demands that the contract accepts, returns S, and says what it is for; it returns the
// transaction's gas.
func (p *proved) checkAccepted(t *testing.T, d *deployed) uint64 {
	t.Helper()
	c := p.call(t)
	out, gas, err := d.call(c.Data(), 0)
	if err != nil {
		_, why := d.reason(err)
		t.Fatalf("an honest proof is rejected: %v (%s)", err, why)
	}
	if s := p.digest(t); !bytes.Equal(out, s[:]) {
		t.Errorf("verify returns %x, S is %x", out, s)
	}
	if s := d.get("statementDigest", statementOf(c)).([32]byte); s != p.digest(t) {
		t.Errorf("statementDigest returns %x, S is %x", s, p.digest(t))
	}
	if m := d.get("modelCommitment").([32]byte); m != p.model.Digest() {
		t.Errorf("model commitment %x, expected %x", m, p.model.Digest())
	}
	if k := d.get("verifyingKeyDigest").([32]byte); k != p.key.Digest() {
		t.Errorf("verifying key %x, expected %x", k, p.key.Digest())
	}
	private := false
	for _, v := range append(append([]verifier.TensorValue{}, p.bundle.Statement.Inputs...), p.bundle.Statement.Outputs...) {
		private = private || v.Commitment != nil
	}
	if d.get("hasPrivateTensors").(bool) != private {
		t.Errorf("hasPrivateTensors is %t", !private)
	}
	return gas
}

// The contract accepts what verifiers in Go accept, however it is compiled.
func TestFrozenProofs(t *testing.T) {
	for _, mode := range []solcMode{optimized, {name: "via IR", viaIR: true, optimized: true}, {name: "not optimized"}} {
		for _, name := range []string{"public", "private", "plonk", "plonk-hello"} {
			t.Run(mode.name+"/"+name, func(t *testing.T) {
				p := frozen(t, name)
				p.checkAccepted(t, deploy(t, mode, p.key, p.model))
			})
		}
	}
}

// Our encoding of calls is that of go-ethereum.
func TestEncoding(t *testing.T) {
	for _, name := range []string{"public", "private"} {
		p := frozen(t, name)
		a := contracts(t, optimized, p.key)["ZkInferVerifier"].abi
		c := p.call(t)
		want, err := a.Pack("verify", c.Proof, statementOf(c))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Data(); !bytes.Equal(got, want) {
			t.Errorf("%s: call data\n%x, expected\n%x", name, got, want)
		}
		if id := crypto.Keccak256([]byte(evm.Signature))[:4]; !bytes.Equal(a.Methods["verify"].ID, id) {
			t.Errorf("verify is %x, its signature gives %x", a.Methods["verify"].ID, id)
		}
		var rows []byte
		for i := range p.rows().Rows {
			b := p.rows().Rows[i].RawBytes()
			rows = append(rows, b[:]...)
		}
		want, err = a.Pack("", rows)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := evm.Constructor(p.key, p.model); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: constructor's argument %x, %v, expected %x", name, got, err, want)
		}
	}
}

// Contracts read the integers of public outputs.
func TestOutputAt(t *testing.T) {
	p := frozen(t, "public")
	d := deploy(t, optimized, p.key, p.model)
	p.checkOutputs(t, d)
	private := frozen(t, "private")
	d = deploy(t, optimized, private.key, private.model)
	if _, err := d.do(0, "outputAt", bigInt(0), private.call(t).Outputs[0], bigInt(0)); d.classOf(err) != "bad_statement" {
		t.Errorf("an element of a private output: %v", err)
	}
}

func (p *proved) checkOutputs(t *testing.T, d *deployed) {
	t.Helper()
	outputs := p.call(t).Outputs
	for i, v := range p.bundle.Statement.Outputs {
		for k, want := range v.Values[:min(len(v.Values), 20)] {
			if got := d.get("outputAt", bigInt(int64(i)), outputs[i], bigInt(int64(k))); got.(interface{ Int64() int64 }).Int64() != want {
				t.Errorf("element %d of output %d is %v, expected %d", k, i, got, want)
			}
		}
		for what, arguments := range map[string][]any{
			"element beyond the end":    {bigInt(int64(i)), outputs[i], bigInt(int64(len(v.Values)))},
			"output that is not there":  {bigInt(int64(len(outputs))), outputs[i], bigInt(0)},
			"bytes of another length":   {bigInt(int64(i)), outputs[i][1:], bigInt(0)},
			"bytes of another length +": {bigInt(int64(i)), append(outputs[i][:len(outputs[i]):len(outputs[i])], 0), bigInt(0)},
		} {
			if _, err := d.do(0, "outputAt", arguments...); d.classOf(err) != "bad_statement" {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

// groth16 is the key of a proof by Groth16.
func (p *proved) groth16() *verifier.VerifyingKey { return p.key.(*verifier.VerifyingKey) }

// rows is a model commitment of points.
func (p *proved) rows() *verifier.ModelCommitment { return p.model.(*verifier.ModelCommitment) }
