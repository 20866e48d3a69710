package test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aviate-labs/agent-go/candid/idl"
	"github.com/aviate-labs/agent-go/principal"

	"github.com/zkinfer/zkinfer/verifier/canister"
)

// pocketIC is one instance of a PocketIC server: a replica's execution without its network.
type pocketIC struct {
	t    *testing.T
	base string // of the instance's addresses
	root string
}

// newPocketIC starts the server that POCKET_IC_BIN names, and skips the test if it names none.
func newPocketIC(t *testing.T) *pocketIC {
	t.Helper()
	binary := os.Getenv("POCKET_IC_BIN")
	if binary == "" {
		t.Skip("not run: POCKET_IC_BIN does not name a PocketIC server")
	}
	portFile := filepath.Join(t.TempDir(), "port")
	ctx, stop := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, binary, "--ttl", "300", "--port-file", portFile)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); _ = server.Wait() }) // killed: an error is what it ends with
	p := &pocketIC{t: t}
	for range 300 {
		if b, err := os.ReadFile(portFile); err == nil && bytes.HasSuffix(b, []byte("\n")) {
			p.root = "http://127.0.0.1:" + strings.TrimSpace(string(b))
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if p.root == "" {
		t.Fatal("the server wrote no port")
	}
	p.create()
	return p
}

func (p *pocketIC) create() {
	var created struct {
		Created struct {
			ID int `json:"instance_id"`
		}
	}
	p.post(p.root+"/instances", map[string]any{"subnet_config_set": map[string]any{"system": []any{}, "verified_application": []any{},
		"application": []any{map[string]any{"state_config": "New", "instruction_config": "Production"}}}}, &created)
	p.base = fmt.Sprintf("%s/instances/%d", p.root, created.Created.ID)
}

// post sends JSON and waits for an answer that is not ready at once.
func (p *pocketIC) post(address string, body, into any) {
	p.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	answer, status := p.read(http.Post(address, "application/json", bytes.NewReader(b)))
	for deadline := time.Now().Add(time.Minute); status == http.StatusAccepted; {
		var later struct {
			State string `json:"state_label"`
			Op    string `json:"op_id"`
		}
		if err := json.Unmarshal(answer, &later); err != nil || time.Now().After(deadline) {
			p.t.Fatalf("no answer: %s, %v", answer, err)
		}
		time.Sleep(50 * time.Millisecond)
		var next []byte
		if next, status = p.read(http.Get(p.root + "/read_graph/" + later.State + "/" + later.Op)); status == http.StatusOK {
			answer = next
		} else {
			status = http.StatusAccepted
		}
	}
	if err := json.Unmarshal(answer, into); err != nil || status >= 300 {
		p.t.Fatalf("%s: status %d, %s, %v", address, status, answer, err)
	}
}

func (p *pocketIC) read(r *http.Response, err error) ([]byte, int) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return b, r.StatusCode
}

// result is a call's outcome; Ok is a reply, in an object of its own before version 7.
type result struct {
	Ok  json.RawMessage
	Err json.RawMessage
}

func (p *pocketIC) reply(r result) []byte {
	p.t.Helper()
	var reply []byte
	var wrapped struct{ Reply []byte }
	if json.Unmarshal(r.Ok, &reply) != nil {
		if err := json.Unmarshal(r.Ok, &wrapped); err != nil {
			p.t.Fatalf("no reply: %s %s", r.Ok, r.Err)
		}
		reply = wrapped.Reply
	}
	return reply
}

// rawCall is a call as the server takes it; bytes are base64 in JSON.
func rawCall(canister []byte, effective any, method string, argument []byte) map[string]any {
	return map[string]any{"sender": controller, "canister_id": canister, "effective_principal": effective, "method": method, "payload": argument}
}

func (p *pocketIC) update(canister []byte, effective any, method string, argument []byte) []byte {
	p.t.Helper()
	var submitted, done result
	p.post(p.base+"/update/submit_ingress_message", rawCall(canister, effective, method, argument), &submitted)
	p.post(p.base+"/update/await_ingress_message", submitted.Ok, &done)
	return p.reply(done)
}

func (p *pocketIC) query(canister []byte, method string, argument []byte) []byte {
	p.t.Helper()
	var done result
	p.post(p.base+"/read/query", rawCall(canister, "None", method, argument), &done)
	return p.reply(done)
}

// install creates a canister and puts the module into it, or another time upgrades it.
func (p *pocketIC) install(id []byte, mode string, argument []byte) {
	modeType := idl.NewVariantType(fields{"install": new(idl.NullType), "upgrade": idl.NewOptionalType(new(idl.NullType))})
	var value any = idl.Null{}
	if mode == "upgrade" {
		value = nil
	}
	p.update(nil, map[string]any{"CanisterId": id}, "install_code", encoded(p.t, idl.NewRecordType(fields{"mode": modeType,
		"canister_id": new(idl.PrincipalType), "wasm_module": blobType, "arg": blobType}), map[string]any{
		"mode": idl.Variant{Name: mode, Value: value, Type: modeType}, "canister_id": principal.Principal{Raw: id},
		"wasm_module": canister.Module, "arg": argument}))
}

// The frozen proof verifies on a real replica's execution, a task is settled once, and an upgrade keeps it.
func TestPocketIC(t *testing.T) {
	p := newPocketIC(t)
	a := readArtifacts(t, vectors+"public")
	created := decoded(t, p.update(nil, "None", "provisional_create_canister_with_cycles", encoded(t, idl.NewRecordType(fields{
		"amount": idl.NewOptionalType(new(idl.NatType))}), map[string]any{"amount": idl.NewNat(uint64(100_000_000_000_000))})))
	id := at(created, "canister_id").(principal.Principal).Raw
	p.install(id, "install", setupMessage(t, a.vk, a.model, "controllers"))
	check := func(what, want string, answer []byte) {
		t.Helper()
		if got := class(t, answer); got != want {
			t.Errorf("%s: %q, expected %q", what, got, want)
		}
	}
	check("verify", "", p.query(id, "verify", fileMessage(t, a.file)))
	check("verify_update", "", p.update(id, "None", "verify_update", fileMessage(t, a.file)))
	check("open", "", p.update(id, "None", "open_task", openMessage(t, a.bundle)))
	check("settle", "", p.update(id, "None", "settle", fileMessage(t, a.file)))
	p.install(id, "upgrade", nothing(t))
	check("settle again", "already_settled", p.update(id, "None", "settle", fileMessage(t, a.file)))
}
