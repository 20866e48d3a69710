package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkinfer/zkinfer/verifier/session"
	"github.com/zkinfer/zkinfer/verifier/session/vectortest"
)

const octets = "application/octet-stream"

// openPublic is the service's handler for the frozen public proof, and that proof.
func openPublic(t testing.TB, o Options) (*handler, []byte) {
	t.Helper()
	v := vectortest.Load(t)
	h, err := newFor(v, "public/verifying.key", "public/model.zkc", o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Cases {
		if c.Valid {
			return h, c.Proof
		}
	}
	t.Fatal("no valid proof")
	return nil, nil
}

func newFor(v *vectortest.Vectors, key, commitment string, o Options) (*handler, error) {
	s, err := session.Open(v.Files[key], v.Files[commitment])
	if err != nil {
		return nil, err
	}
	h, err := New(s, o)
	if err != nil {
		return nil, err
	}
	return h.(*handler), nil
}

// send is one request, without a network.
func send(h http.Handler, method, target, contentType string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Every case of the shared vectors, over HTTP, answered as the description says.
func TestVectors(t *testing.T) {
	v := vectortest.Load(t)
	for i := range v.Cases {
		c := &v.Cases[i]
		status, r := answerOf(t, v, c)
		got := ""
		if r.Error != nil {
			got = r.Error.Class
		}
		if r.Valid != c.Valid || got != c.Class || r.Statement != c.Statement {
			t.Errorf("%s: %+v; expected valid %t, %q", c.Name, r, c.Valid, c.Class)
		}
		if want := map[bool]int{true: 200, false: 422}[c.Valid]; status != want {
			t.Errorf("%s: status %d, expected %d", c.Name, status, want)
		}
	}
}

// answerOf makes a service for the case's key, which may fail already, and asks it.
func answerOf(t *testing.T, v *vectortest.Vectors, c *vectortest.Case) (status int, r session.Report) {
	t.Helper()
	h, err := newFor(v, c.Key, c.Commitment, Options{})
	if err != nil {
		return http.StatusUnprocessableEntity, *session.Refusal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	target := server.URL + "/v1/verify"
	if c.Context != nil {
		target += "?context=" + *c.Context
	}
	answer, err := http.Post(target, octets, bytes.NewReader(c.Proof))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	conforms(t, "/v1/verify", "post", answer.StatusCode, body)
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, r
}

// What is no proof to check is refused with a status and a class of its own.
func TestRefusals(t *testing.T) {
	h, proof := openPublic(t, Options{MaxBody: 4096})
	for _, c := range []struct {
		what, method, target, kind string
		body                       []byte
		status                     int
		class                      string
	}{
		{"body at the limit", "POST", "/v1/verify", octets, make([]byte, 4096), 422, "malformed_proof"},
		{"body beyond the limit", "POST", "/v1/verify", octets, make([]byte, 4097), 413, "too_large"},
		{"empty body", "POST", "/v1/verify", octets, nil, 422, "malformed_proof"},
		{"no content type", "POST", "/v1/verify", "", proof, 415, "media_type"},
		{"JSON", "POST", "/v1/verify", "application/json", proof, 415, "media_type"},
		{"form of a page", "POST", "/v1/verify", "text/plain", proof, 415, "media_type"},
		{"method", "GET", "/v1/verify", "", nil, 405, "method_not_allowed"},
		{"method of the key", "POST", "/v1/key", "", nil, 405, "method_not_allowed"},
		{"path", "GET", "/v2/verify", "", nil, 404, "not_found"},
		{"context without prefix", "POST", "/v1/verify?context=01", octets, proof, 400, "usage"},
		{"context not hexadecimal", "POST", "/v1/verify?context=0x0g", octets, proof, 400, "usage"},
		{"context twice", "POST", "/v1/verify?context=0x01&context=0x02", octets, proof, 400, "usage"},
		{"misspelt demand", "POST", "/v1/verify?contxt=0x01", octets, proof, 400, "usage"},
		{"broken query", "POST", "/v1/verify?%zz", octets, proof, 400, "usage"},
		{"another context", "POST", "/v1/verify?context=0x01", octets, proof, 422, "rejected"},
		{"empty context", "POST", "/v1/verify?context=0x", octets, proof, 422, "rejected"},
	} {
		w := send(h, c.method, c.target, c.kind, c.body)
		var r session.Report
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if w.Code != c.status || r.Valid || r.Error == nil || r.Error.Class != c.class {
			t.Errorf("%s: %d %s, expected %d %s", c.what, w.Code, w.Body, c.status, c.class)
		}
	}
	if w := send(h, "POST", "/v1/verify", octets+"; charset=binary", proof); w.Code != 200 {
		t.Errorf("content type with a parameter: %d %s", w.Code, w.Body)
	}
}

// When all places are taken, requests are told to come back, before they are read or after waiting.
func TestBusy(t *testing.T) {
	h, proof := openPublic(t, Options{MaxInFlight: 1, MaxConcurrent: 1, MaxWait: 10 * time.Millisecond})
	ask := func() *httptest.ResponseRecorder { return send(h, "POST", "/v1/verify", octets, proof) }
	for what, places := range map[string]chan struct{}{"in flight": h.flight, "verifying": h.slots} {
		places <- struct{}{}
		if w := ask(); w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"class":"busy"`) {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
		<-places
		if w := ask(); w.Code != 200 {
			t.Errorf("%s, afterwards: %d %s", what, w.Code, w.Body)
		}
	}
	if len(h.flight) != 0 || len(h.slots) != 0 || h.metrics.inFlight.Load() != 0 {
		t.Error("a place is still taken")
	}
	if _, err := New(h.session, Options{MaxBody: -1}); err == nil {
		t.Error("a limit below 0 was taken")
	}
}

// Many clients at a time, some of them with wrong proofs: everybody gets the right answer.
func TestConcurrent(t *testing.T) {
	h, proof := openPublic(t, Options{MaxConcurrent: 2})
	wrong := bytes.Clone(proof)
	wrong[len(wrong)-1] ^= 1
	codes := make(chan [2]int)
	for i := range 64 {
		go func() {
			body, want := proof, 200
			if i%2 == 1 {
				body, want = wrong, 422
			}
			codes <- [2]int{send(h, "POST", "/v1/verify", octets, body).Code, want}
		}()
	}
	for range 64 {
		if c := <-codes; c[0] != c[1] {
			t.Errorf("status %d, expected %d", c[0], c[1])
		}
	}
}

// The other paths answer as described, and HEAD as GET does.
func TestPaths(t *testing.T) {
	h, proof := openPublic(t, Options{})
	for _, path := range []string{"/v1/key", "/healthz", "/openapi.json"} {
		w := send(h, "GET", path, "", nil)
		if w.Code != 200 || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		conforms(t, path, "get", w.Code, w.Body.Bytes())
		if w := send(h, "HEAD", path, "", nil); w.Code != 200 {
			t.Errorf("HEAD %s: %d", path, w.Code)
		}
	}
	send(h, "POST", "/v1/verify", octets, proof)
	send(h, "POST", "/v1/verify", octets, proof[1:])
	text := send(h, "GET", "/metrics", "", nil).Body.String()
	for _, want := range []string{
		`zkinfer_answers_total{result="valid"} 1`, `zkinfer_answers_total{result="malformed_proof"} 1`,
		`zkinfer_verify_seconds_bucket{le="+Inf"} 2`, "zkinfer_verify_seconds_count 2", "zkinfer_requests_in_flight 0",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	line := regexp.MustCompile(`^(# (HELP|TYPE) zkinfer_[a-z_]+ .+|zkinfer_[a-z_]+(\{[a-z]+="[^"]*"\})? [0-9.e+-]+)$`)
	for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
		if !line.MatchString(l) {
			t.Errorf("metrics: %q", l)
		}
	}
}

// A service that ends finishes the request that it has begun to read, and takes no other.
func TestGracefulShutdown(t *testing.T) {
	h, proof := openPublic(t, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, h) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /v1/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", octets, len(proof))
	for h.metrics.inFlight.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	for { // until nothing listens any more
		other, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break
		}
		other.Close()
		time.Sleep(time.Millisecond)
	}
	c.Write(proof)
	answer, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") || !strings.Contains(string(answer), `"valid":true`) {
		t.Errorf("%v: %s", err, answer)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A listener that fails ends the service with its error.
func TestListenerFails(t *testing.T) {
	h, _ := openPublic(t, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := Serve(context.Background(), l, h); err == nil {
		t.Error("no error")
	}
}

// conforms holds an answer against the description.
func conforms(t *testing.T, path, method string, status int, body []byte) {
	t.Helper()
	var description, answer any
	if err := json.Unmarshal(OpenAPI, &description); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	d := schema{description}
	response := d.at("paths", path, method, "responses", fmt.Sprint(status), "content", "application/json", "schema")
	if response == nil {
		t.Fatalf("%s %s answered %d, which is not described", method, path, status)
	}
	if err := d.check(response.(map[string]any), answer); err != nil {
		t.Errorf("%s %s: %v in %s", method, path, err, body)
	}
}

// schema checks values against the part of JSON Schema that openapi.json uses.
type schema struct{ document any }

func (d schema) at(path ...string) any {
	v := d.document
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func (d schema) check(s map[string]any, v any) error {
	if ref, ok := s["$ref"].(string); ok {
		s = d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
	}
	if want, found := s["const"]; found && v != want {
		return fmt.Errorf("%v, expected %v", v, want)
	}
	if list, found := s["enum"].([]any); found && !slices.Contains(list, v) {
		return fmt.Errorf("%v, expected one of %v", v, list)
	}
	if kind, found := s["type"]; found && !hasType(kind, v) {
		return fmt.Errorf("%v, expected type %v", v, kind)
	}
	if array, ok := v.([]any); ok {
		for _, e := range array {
			if err := d.check(s["items"].(map[string]any), e); err != nil {
				return err
			}
		}
	}
	if object, ok := v.(map[string]any); ok {
		return d.checkObject(s, object)
	}
	return nil
}

func (d schema) checkObject(s, object map[string]any) error {
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, found := object[name.(string)]; !found {
			return fmt.Errorf("%v is missing", name)
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for name, v := range object {
		p, known := properties[name].(map[string]any)
		if !known {
			if s["additionalProperties"] == false {
				return fmt.Errorf("%s is not described", name)
			}
			continue
		}
		if err := d.check(p, v); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func hasType(kind, v any) bool {
	if list, ok := kind.([]any); ok {
		return slices.ContainsFunc(list, func(k any) bool { return hasType(k, v) })
	}
	switch x := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && x == float64(int64(x))
	case []any:
		return kind == "array"
	}
	return kind == "object"
}
