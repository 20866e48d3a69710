package service

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/candid"
)

// machine is a System without rollback.
type machine struct {
	stable      []byte
	caller      []byte
	controllers map[string]bool
	certified   []byte
}

const page = 1 << 16

func (m *machine) Pages() uint64 { return uint64(len(m.stable) / page) }
func (m *machine) Grow(n uint64) bool {
	m.stable = append(m.stable, make([]byte, n*page)...)
	return true
}
func (m *machine) Read(at uint64, b []byte)     { copy(b, m.stable[at:at+uint64(len(b))]) }
func (m *machine) Write(at uint64, b []byte)    { copy(m.stable[at:at+uint64(len(b))], b) }
func (m *machine) Caller() []byte               { return m.caller }
func (m *machine) IsController(p []byte) bool   { return m.controllers[string(p)] }
func (m *machine) Time() uint64                 { return 42 }
func (m *machine) SetCertifiedData(data []byte) { m.certified = bytes.Clone(data) }
func (m *machine) Certificate() []byte          { return []byte("certificate") }

var controller = []byte{1, 2, 3}

func newMachine() *machine {
	return &machine{caller: controller, controllers: map[string]bool{string(controller): true}}
}

const vectors = "../../../../testvectors/proofs/"

// setupOf is an install argument for frozen artifacts.
func setupOf(t testing.TB, name string) []byte {
	t.Helper()
	vk, err := artifact.ReadVerifyingKey(vectors + name + "/verifying.key")
	if err != nil {
		t.Fatal(err)
	}
	m, err := artifact.ReadModelCommitment(vectors + name + "/model.zkc")
	if err != nil {
		t.Fatal(err)
	}
	key, err := vk.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	model, err := m.Commitment.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return candid.Encode([]*candid.Type{candid.Opt(setupType)}, []any{[]any{key, model, nil}})
}

func proofOf(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(vectors + name + "/proof.zkp")
	if err != nil {
		t.Fatal(err)
	}
	return candid.Encode([]*candid.Type{proofType}, []any{candid.Case{Name: "file", Value: file}})
}

func install(t testing.TB, m *machine, name string) *Service {
	t.Helper()
	s, err := Install(m, setupOf(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// outcome is the case of an answer, and of the error in it.
func outcome(t testing.TB, answer []byte) string {
	t.Helper()
	values, err := candid.Decode(answer, candid.Variant(f("ok", &candid.Type{Kind: candid.KindReserved}), f("err", errorType)))
	if err != nil {
		t.Fatal(err)
	}
	c := values[0].(candid.Case)
	if c.Name == "err" {
		return c.Value.(candid.Case).Name
	}
	return c.Name
}

func TestVerify(t *testing.T) {
	for _, name := range []string{"public", "private"} {
		s := install(t, newMachine(), name)
		answer, err := s.verify(proofOf(t, name))
		if err != nil || outcome(t, answer) != "ok" {
			t.Errorf("%s: %q, %v", name, answer, err)
		}
		other := map[string]string{"public": "private", "private": "public"}[name]
		if answer, err = s.verify(proofOf(t, other)); err != nil || outcome(t, answer) != "key_mismatch" {
			t.Errorf("a proof for another key: %q, %v", answer, err)
		}
	}
}

func TestResumeKeepsEverything(t *testing.T) {
	m := newMachine()
	before := install(t, m, "public")
	answer, err := before.info(candid.Encode(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, argument := range [][]byte{nil, candid.Encode(nil, nil), candid.Encode([]*candid.Type{candid.Opt(setupType)}, []any{nil})} {
		after, err := Resume(m, argument)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := after.info(candid.Encode(nil, nil)); err != nil || !bytes.Equal(again, answer) {
			t.Errorf("info changed: %q, %v", again, err)
		}
	}
	if _, err := Install(m, setupOf(t, "public")); err == nil {
		t.Error("installed over what was there")
	}
	if _, err := Resume(newMachine(), nil); err == nil {
		t.Error("resumed from nothing")
	}
	if _, err := Install(newMachine(), candid.Encode(nil, nil)); err == nil {
		t.Error("installed without a key")
	}
}

// FuzzMethods feeds arguments to every method. A method may refuse or fail, never panic, and nothing
// changes what is proved: the frozen proof verifies as before, unless a controller's key replaced it.
func FuzzMethods(f *testing.F) {
	f.Add(uint8(0), proofOf(f, "public"))
	f.Add(uint8(1), proofOf(f, "private"))
	f.Add(uint8(2), setupOf(f, "public"))
	tensors := []any{candid.Case{Name: "values", Value: []int32{30, 12}}}
	f.Add(uint8(3), candid.Encode([]*candid.Type{openType}, []any{[]any{nil, tensors, []byte("task 1")}}))
	f.Add(uint8(4), candid.Encode([]*candid.Type{candid.Blob}, []any{make([]byte, 32)}))
	f.Add(uint8(5), candid.Encode([]*candid.Type{proofType}, []any{candid.Case{Name: "claim", Value: []any{nil, tensors, tensors, []byte{}, []byte{}}}}))
	var methods []Method
	for _, list := range []map[string]Method{Queries, Updates} {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			if name != "replace_key" {
				methods = append(methods, list[name])
			}
		}
	}
	setup, proof := setupOf(f, "public"), proofOf(f, "public")
	m := newMachine()
	s, err := Install(m, setup)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which uint8, argument []byte) {
		defer allocation.Bound(t)()
		if _, err := methods[int(which)%len(methods)](s, argument); err == nil && which%16 == 0 {
			if answer, err := s.verify(proof); err != nil || outcome(t, answer) != "ok" {
				t.Fatalf("the frozen proof is refused: %v", err)
			}
		}
	})
}
