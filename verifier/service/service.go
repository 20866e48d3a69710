// Package service is the verifier as an HTTP service: an http.Handler over one verifying key with its
// model commitment, and Serve, which runs it with timeouts and ends it gracefully.
//
// The promise: POST /v1/verify answers 200 for a proof that is valid and for nothing else, so that a
// client that looks at the status alone is safe. Everything else carries {"valid": false, "error":
// {"class", "message"}} with the classes of zkinfer verify --json. Bodies are bounded before they are
// read, and so are requests in flight and verifications at a time; whoever comes too late is told to
// come back (503). openapi.json describes all of it, and is served.
//
// Pitfalls: there is no authentication and no TLS here; put a proxy in front where either is needed.
// Metrics say how many proofs are checked and how they end, on the same address.
package service

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/zkinfer/zkinfer/verifier/session"
)

// OpenAPI describes the service (OpenAPI 3.1).
//
//go:embed openapi.json
var OpenAPI []byte

// Options are the service's limits; 0 stands for the default of each.
type Options struct {
	MaxBody       int64         // bytes of a proof file; 1 MiB
	MaxConcurrent int           // verifications at a time; the number of processors
	MaxInFlight   int           // requests at a time, those included that wait or are still sent; 64
	MaxWait       time.Duration // for a verification to begin; 5 s
}

func (o Options) withDefaults() Options {
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxConcurrent == 0 {
		o.MaxConcurrent = runtime.GOMAXPROCS(0)
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 64
	}
	if o.MaxWait == 0 {
		o.MaxWait = 5 * time.Second
	}
	return o
}

// check errs on limits that no service can have.
func (o Options) check() error {
	if o.MaxBody < 0 || o.MaxConcurrent < 0 || o.MaxInFlight < 0 || o.MaxWait < 0 {
		return fmt.Errorf("limits %+v: expected none below 0", o)
	}
	return nil
}

// Classes of errors that only a service has, beside those of package session.
const (
	classTooLarge  = "too_large"
	classBusy      = "busy"
	classUsage     = "usage"
	classMediaType = "media_type"
	classNotFound  = "not_found"
	classMethod    = "method_not_allowed"
)

// handler is the service.
type handler struct {
	session *session.Session
	options Options
	metrics *metrics
	flight  chan struct{} // a place for each request
	slots   chan struct{} // a place for each verification
	routes  map[string]route
}

// route is what a path answers to one method.
type route struct {
	method string
	serve  http.HandlerFunc
}

// New makes the handler. It is safe for concurrent use.
func New(s *session.Session, o Options) (http.Handler, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	h := &handler{
		session: s, options: o, metrics: newMetrics(),
		flight: make(chan struct{}, o.MaxInFlight), slots: make(chan struct{}, o.MaxConcurrent),
	}
	h.routes = map[string]route{
		"/v1/verify":    {http.MethodPost, h.limited(h.verify)},
		"/v1/key":       {http.MethodGet, h.key},
		"/openapi.json": {http.MethodGet, h.openAPI},
		"/healthz":      {http.MethodGet, h.health},
		"/metrics":      {http.MethodGet, h.showMetrics},
	}
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Answers are JSON or text and never a page, whatever a browser would like to make of them.
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	defer func() {
		if recover() != nil { // no input should cause it; a client is told so all the same
			h.refuse(w, http.StatusInternalServerError, "failure", "internal error")
		}
	}()
	route, known := h.routes[r.URL.Path]
	switch {
	case !known:
		h.refuse(w, http.StatusNotFound, classNotFound, "no such path; see /openapi.json")
	case r.Method != route.method && !(r.Method == http.MethodHead && route.method == http.MethodGet):
		w.Header().Set("Allow", route.method)
		h.refuse(w, http.StatusMethodNotAllowed, classMethod, "expected "+route.method)
	default:
		route.serve(w, r)
	}
}

// limited refuses a request when as many as are allowed are in flight, before it is read.
func (h *handler) limited(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case h.flight <- struct{}{}:
			h.metrics.inFlight.Add(1)
			defer func() { h.metrics.inFlight.Add(-1); <-h.flight }()
			serve(w, r)
		default:
			h.busy(w)
		}
	}
}

func (h *handler) verify(w http.ResponseWriter, r *http.Request) {
	expect, err := expectation(r)
	if err != nil {
		h.refuse(w, http.StatusBadRequest, classUsage, err.Error())
		return
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/octet-stream" {
		h.refuse(w, http.StatusUnsupportedMediaType, classMediaType, "expected Content-Type: application/octet-stream, with a .zkp file as the body")
		return
	}
	proof, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.options.MaxBody))
	if err != nil {
		h.unreadable(w, err)
		return
	}
	if !h.acquire(r) {
		h.busy(w)
		return
	}
	defer func() { <-h.slots }()
	start := time.Now()
	report, err := h.session.Check(proof, expect)
	h.metrics.observe(time.Since(start))
	if err != nil {
		h.answer(w, statusOf(err), session.Refusal(err))
		return
	}
	h.answer(w, http.StatusOK, report)
}

// expectation reads the query. What it does not know it refuses: a demand that is misspelt must not be
// taken for none.
func expectation(r *http.Request) (e session.Expect, err error) {
	if len(r.URL.RawQuery) == 0 {
		return e, nil
	}
	query := r.URL.Query()
	values, found := query["context"]
	if !found || len(query) != 1 || len(values) != 1 {
		return e, errors.New("expected no query, or context=0x… once")
	}
	digits, prefixed := strings.CutPrefix(values[0], "0x")
	e.Context, err = hex.DecodeString(digits)
	if err != nil || !prefixed {
		return e, errors.New("context: expected 0x and bytes in hexadecimal")
	}
	return e, nil
}

func (h *handler) unreadable(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		h.refuse(w, http.StatusRequestEntityTooLarge, classTooLarge, fmt.Sprintf("proof file of more than %d bytes", h.options.MaxBody))
		return
	}
	h.refuse(w, http.StatusBadRequest, classUsage, "the body ended early")
}

// acquire waits for a place to verify in. Bodies are read before, so that a slow sender holds none.
func (h *handler) acquire(r *http.Request) bool {
	timeout := time.NewTimer(h.options.MaxWait)
	defer timeout.Stop()
	select {
	case h.slots <- struct{}{}:
		return true
	case <-timeout.C:
	case <-r.Context().Done():
	}
	return false
}

// statusOf is 422 for a proof that was looked at and is not accepted, 500 for what should not happen.
func statusOf(err error) int {
	if session.Class(err) == "failure" {
		return http.StatusInternalServerError
	}
	return http.StatusUnprocessableEntity
}

func (h *handler) key(w http.ResponseWriter, _ *http.Request) {
	h.send(w, http.StatusOK, h.session.Info())
}

func (h *handler) openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(OpenAPI) // whether the client still listens changes nothing here
}

func (h *handler) health(w http.ResponseWriter, _ *http.Request) {
	h.send(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (h *handler) showMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	h.metrics.write(w)
}

func (h *handler) busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	h.refuse(w, http.StatusServiceUnavailable, classBusy, "too many requests at a time; try again")
}

// refuse answers with an error that is the service's own.
func (h *handler) refuse(w http.ResponseWriter, status int, class, message string) {
	h.answer(w, status, &session.Report{Error: &session.Failure{Class: class, Message: message}})
}

// answer counts and sends a report.
func (h *handler) answer(w http.ResponseWriter, status int, r *session.Report) {
	result := "valid"
	if r.Error != nil {
		result = r.Error.Class
	}
	h.metrics.count(result)
	h.send(w, status, r)
}

func (h *handler) send(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"valid":false,"error":{"class":"failure","message":"the answer cannot be encoded"}}`)
	}
	b = append(b, '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	w.Write(b) // whether the client still listens changes nothing here
}
