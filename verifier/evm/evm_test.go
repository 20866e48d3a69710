package evm_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/evm"
)

func read(name string) (*verifier.VerifyingKey, *verifier.ModelCommitment, *verifier.Bundle) {
	dir := "../../testvectors/proofs/" + name + "/"
	vk, err := artifact.ReadVerifyingKey(dir + "verifying.key")
	if err != nil {
		log.Fatal(err)
	}
	m, err := artifact.ReadModelCommitment(dir + "model.zkc")
	if err != nil {
		log.Fatal(err)
	}
	b, err := artifact.ReadProof(dir + "proof.zkp")
	if err != nil {
		log.Fatal(err)
	}
	return vk.(*verifier.VerifyingKey), m.Commitment.(*verifier.ModelCommitment), b
}

// From a key to a contract, and from a proof to a call of it.
func Example() {
	vk, model, proof := read("public")
	source, err := evm.Contract(vk) // compile it with solc
	if err != nil {
		log.Fatal(err)
	}
	argument, err := evm.Constructor(vk, model) // append it to the creation code
	if err != nil {
		log.Fatal(err)
	}
	call, err := evm.Encode(vk, model, proof)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Contains(string(source), "contract ZkInferVerifier is IZkInferVerifier"), len(argument))
	fmt.Printf("%x… %d bytes, of which the proof has %d\n", call.Data()[:4], len(call.Data()), len(call.Proof))
	// Output:
	// true 128
	// c36e6500… 996 bytes, of which the proof has 480
}

// One key has one contract, which names key and fold height.
func TestContract(t *testing.T) {
	for _, name := range []string{"public", "private"} {
		vk, _, _ := read(name)
		first, err := evm.Contract(vk)
		if err != nil {
			t.Fatal(err)
		}
		second, err := evm.Contract(vk)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: two contracts for one key differ (%v)", name, err)
		}
		digest := vk.Digest()
		if !bytes.Contains(first, []byte("verifyingKeyDigest = 0x"+hex.EncodeToString(digest[:]))) {
			t.Errorf("%s: the contract does not name its key", name)
		}
		if bytes.Contains(first, []byte("<no value>")) {
			t.Errorf("%s: the template was not filled", name)
		}
	}
}

// A name in a key cannot end the comment that it stands in.
func TestHostileNames(t *testing.T) {
	vk, _, _ := read("public")
	vk.Description.Name = "m\n} selfdestruct(payable(msg.sender)); /*\u202e */ //"
	vk.Inputs = slices.Clone(vk.Inputs)
	vk.Inputs[0].Name = "x\r\u2028contract Evil {}"
	source, err := evm.Contract(vk)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.FieldsFunc(string(source), func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) }) {
		if (strings.Contains(line, "selfdestruct") || strings.Contains(line, "Evil")) && !strings.HasPrefix(line, "//") {
			t.Errorf("outside of a comment: %q", line)
		}
	}
	if bytes.ContainsRune(source, '\u202e') {
		t.Error("the source has a character that turns the reading direction around")
	}
}

func TestContractErrors(t *testing.T) {
	vk, _, _ := read("public")
	tall := *vk
	tall.FoldRows = 512
	if _, err := evm.Contract(&tall); !errors.Is(err, evm.ErrTooLarge) || !strings.Contains(err.Error(), "--fold-rows") {
		t.Errorf("512 points: %v", err)
	}
	wide := *vk
	wide.Inputs = slices.Clone(vk.Inputs)
	wide.Inputs[0].Shape, wide.Inputs[0].Binding = []int{31 * 200}, verifier.BindingPacked
	for range 200 {
		wide.K = append(slices.Clone(wide.K), vk.K[0])
	}
	wide.Commitments = slices.Clone(vk.Commitments)
	for k := 1; k < len(wide.Commitments); k++ {
		wide.Commitments[k].PublicCommitted = []int{vk.Commitments[k].PublicCommitted[0] + 200}
	}
	if _, err := evm.Contract(&wide); !errors.Is(err, evm.ErrTooLarge) || !strings.Contains(err.Error(), "201 public") {
		t.Errorf("200 public inputs: %v", err)
	}
	broken := *vk
	broken.K = vk.K[1:]
	if _, err := evm.Contract(&broken); !errors.Is(err, verifier.ErrMalformed) {
		t.Errorf("a key whose parts do not fit: %v", err)
	}
}

func TestEncodeErrors(t *testing.T) {
	vk, m, b := read("public")
	otherKey, otherModel, _ := read("private")
	short := &verifier.ModelCommitment{Rows: m.Rows[1:]}
	if _, err := evm.Constructor(vk, short); !errors.Is(err, verifier.ErrKeyMismatch) {
		t.Errorf("a model commitment with a point less: %v", err)
	}
	edited := func(edit func(*verifier.Bundle)) *verifier.Bundle {
		c := *b
		c.Statement.Outputs = slices.Clone(b.Statement.Outputs)
		edit(&c)
		return &c
	}
	for what, c := range map[string]struct {
		key    *verifier.VerifyingKey
		model  *verifier.ModelCommitment
		bundle *verifier.Bundle
		want   error
	}{
		"key":       {otherKey, m, b, verifier.ErrKeyMismatch},
		"model":     {vk, otherModel, b, verifier.ErrKeyMismatch},
		"backend":   {vk, m, edited(func(b *verifier.Bundle) { b.Backend = "plonk" }), verifier.ErrKeyMismatch},
		"proof":     {vk, m, edited(func(b *verifier.Bundle) { b.Proof = b.Proof[1:] }), verifier.ErrMalformed},
		"no output": {vk, m, edited(func(b *verifier.Bundle) { b.Statement.Outputs = nil }), verifier.ErrStatement},
		"output out of range": {vk, m, edited(func(b *verifier.Bundle) { b.Statement.Outputs[0] = verifier.TensorValue{Values: []int64{1 << 30, 0}} }),
			verifier.ErrStatement},
	} {
		if _, err := evm.Encode(c.key, c.model, c.bundle); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, expected %v", what, err, c.want)
		}
	}
}

// A call has the same digest as the statement: the tensors are the bytes that the statement binds.
func TestTensorBytes(t *testing.T) {
	vk, m, b := read("public")
	c, err := evm.Encode(vk, m, b)
	if err != nil {
		t.Fatal(err)
	}
	// x = (30, 12) in [0, 100]; y = (42, 18) in [-256, 255], two bytes each, little-endian.
	if !bytes.Equal(c.Inputs[0], []byte{30, 12}) || !bytes.Equal(c.Outputs[0], []byte{42, 1, 18, 1}) || string(c.Context) != "task 1" {
		t.Errorf("input %x, output %x, context %q", c.Inputs[0], c.Outputs[0], c.Context)
	}
	if len(c.Proof) != evm.ProofSize(vk) {
		t.Errorf("proof of %d bytes, expected %d", len(c.Proof), evm.ProofSize(vk))
	}
}

// otherKey is a key of a proof system that has no contract.
type otherKey struct{ verifier.Key }

func (otherKey) Backend() string { return "other" }

func TestNoContract(t *testing.T) {
	vk, m, b := read("public")
	if _, err := evm.Contract(otherKey{vk}); !errors.Is(err, evm.ErrNoContract) || !strings.Contains(err.Error(), "plonk") {
		t.Errorf("contract: %v", err)
	}
	if err := evm.Supports(otherKey{vk}); !errors.Is(err, evm.ErrNoContract) || evm.Supports(vk) != nil {
		t.Errorf("supported: %v", err)
	}
	b.Backend = "other"
	if _, err := evm.Encode(otherKey{vk}, m, b); !errors.Is(err, evm.ErrNoContract) {
		t.Errorf("call: %v", err)
	}
	if n := evm.ProofSize(otherKey{vk}); n != 0 {
		t.Errorf("a proof of %d bytes", n)
	}
}
