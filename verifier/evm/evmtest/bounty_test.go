package evmtest

import (
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/evm"
)

const reward = 1000

var worker = common.HexToAddress("0x3047")

// bounty is the example with a verifier, a worker and the frozen proof's context.
func bounty(t *testing.T, p *proved, d *deployed, to common.Address) *deployed {
	t.Helper()
	k := contracts(t, optimized, p.key)["InferenceBounty"]
	arguments, err := k.abi.Pack("", d.at, to, p.bundle.Statement.Context)
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.create(k, arguments)
	if err != nil {
		name, _ := reason(k.abi, err)
		t.Fatalf("%v %s", err, name)
	}
	return b
}

// claim sends a proof and returns the gas, and the name of the error if it is refused. Errors of the
// verifier pass through the bounty.
func (d *deployed) claim(verifierOf *deployed, c *evm.Call) (gas uint64, refused string) {
	d.t.Helper()
	data, err := d.abi.Pack("claim", c.Proof, statementOf(c))
	if err != nil {
		d.t.Fatal(err)
	}
	_, gas, err = d.call(data, 0)
	if err == nil {
		return gas, ""
	}
	name, _ := d.reason(err)
	if name == "" {
		name, _ = verifierOf.reason(err)
	}
	if name == "" {
		d.t.Fatalf("refused without a reason: %v", err)
	}
	return gas, name
}

func (c *chain) balance(a common.Address) uint64 { return c.state.GetBalance(a).Uint64() }

// An inference that was asked for is paid for once, whatever is done to its proof.
func TestBountyPaysOnce(t *testing.T) {
	p := frozen(t, "public")
	d := deploy(t, optimized, p.key, p.model)
	b := bounty(t, p, d, worker)
	c := p.call(t)
	expect := func(what, want string, c *evm.Call) {
		t.Helper()
		before := b.balance(worker)
		if _, got := b.claim(d, c); got != want {
			t.Errorf("%s: %q, expected %q", what, got, want)
		}
		if paid := b.balance(worker) - before; (paid == reward) != (want == "") {
			t.Errorf("%s: the worker got %d", what, paid)
		}
	}
	expect("before anybody asked", "NotAsked", c)
	if _, err := b.do(reward, "ask", c.Inputs); err != nil {
		t.Fatal(err)
	}
	if _, err := b.do(reward, "ask", c.Inputs); nameOf(b, err) != "AlreadyAsked" {
		t.Errorf("asked twice: %v", err)
	}

	other := p.with(func(v *verifier.Bundle) {
		v.Statement.Outputs[0] = verifier.TensorValue{Values: []int64{43, 18}}
	}).call(t)
	expect("another output", "Rejected", other)
	foreign := *c
	foreign.Context = []byte("task 2")
	expect("another context", "OtherContext", &foreign)
	foreign = *c
	foreign.Inputs = [][]byte{{1, 2}}
	expect("another question", "NotAsked", &foreign)

	expect("the proof", "", c)
	expect("its replay", "AlreadyPaid", c)
	expect("another proof of the same statement", "AlreadyPaid", rerandomized(t, p).call(t))
	expect("another output after the payment", "Rejected", other)
	if got := b.balance(b.at); got != 0 {
		t.Errorf("%d are left in the bounty", got)
	}
}

func nameOf(d *deployed, err error) string {
	name, _ := d.reason(err)
	return name
}

// rerandomized is another proof of the same statement, made from the proof alone: (z·A, B/z, C).
func rerandomized(t *testing.T, p *proved) *proved {
	t.Helper()
	proof, err := verifier.DecodeProof(p.groth16(), p.bundle.Proof)
	if err != nil {
		t.Fatal(err)
	}
	z := fr.NewElement(12345)
	var inverse fr.Element
	inverse.Inverse(&z)
	proof.Ar.ScalarMultiplication(&proof.Ar, toBig(z))
	var b bn254.G2Affine
	proof.Bs = *b.ScalarMultiplication(&proof.Bs, toBig(inverse))
	q := p.with(func(v *verifier.Bundle) { v.Proof = proof.Encode() })
	if slices.Equal(q.bundle.Proof, p.bundle.Proof) {
		t.Fatal("the proof is the same")
	}
	return q
}

// The verifier itself accepts it, and says that it is the same statement.
func TestRerandomizedProof(t *testing.T) {
	for _, name := range []string{"public", "private"} {
		p := rerandomized(t, frozen(t, name))
		p.checkAccepted(t, deploy(t, optimized, p.key, p.model))
	}
}

// A worker that claims again from within the payment gets nothing more.
func TestBountyReentered(t *testing.T) {
	p := frozen(t, "public")
	d := deploy(t, optimized, p.key, p.model)
	greedy, err := d.create(contracts(t, optimized, p.key)["GreedyWorker"], nil)
	if err != nil {
		t.Fatal(err)
	}
	b := bounty(t, p, d, greedy.at)
	c := p.call(t)
	for _, inputs := range [][][]byte{c.Inputs, {{9, 9}}} { // the bounty holds more than one reward
		if _, err := b.do(reward, "ask", inputs); err != nil {
			t.Fatal(err)
		}
	}
	again, err := b.abi.Pack("claim", c.Proof, statementOf(c))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := greedy.do(0, "prepare", again); err != nil {
		t.Fatal(err)
	}
	if _, refused := b.claim(d, c); refused != "" {
		t.Fatal(refused)
	}
	if got := b.balance(greedy.at); got != reward || !greedy.get("refused").(bool) {
		t.Errorf("the worker got %d, its second claim was refused: %v", got, greedy.get("refused"))
	}
}

// With private tensors every proof is another statement: one inference would be paid for many times.
func TestBountyRefusesPrivateTensors(t *testing.T) {
	p := frozen(t, "private")
	d := deploy(t, optimized, p.key, p.model)
	k := contracts(t, optimized, p.key)["InferenceBounty"]
	arguments, err := k.abi.Pack("", d.at, worker, []byte("task 1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.create(k, arguments); err == nil {
		t.Error("deployed")
	} else if name, _ := reason(k.abi, err); name != "PrivateTensors" {
		t.Errorf("refused for another reason: %v %s", err, name)
	}
}

// What a payment costs, the proof's check included.
func TestBountyGas(t *testing.T) {
	contracts(t, optimized, frozen(t, "public").key) // skips before any key is made
	for _, p := range []*proved{frozen(t, "public"), networks[0].prove(t)} {
		d := deploy(t, optimized, p.key, p.model)
		b := bounty(t, p, d, worker)
		c := p.call(t)
		if _, err := b.do(reward, "ask", c.Inputs); err != nil {
			t.Fatal(err)
		}
		gas, refused := b.claim(d, c)
		if refused != "" || gas > budget {
			t.Errorf("%s: %d gas %s, at most %d", p.name, gas, refused, budget)
		}
		t.Logf("%s: %d gas", p.name, gas)
	}
}
