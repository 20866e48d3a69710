package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// The service listens where it says, answers, and ends with exit code 0 when it is interrupted.
func TestServe(t *testing.T) {
	const dir = "../../testvectors/proofs/public/"
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, w := io.Pipe()
	var errOut bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"serve", "--verify", "--keys", dir, "--listen", "127.0.0.1:0", "--json"}, nil, w, &errOut)
		w.Close()
	}()
	var report serveReport
	line, err := bufio.NewReader(r).ReadBytes('\n')
	if err != nil {
		t.Fatalf("%v\n%s", err, errOut.String())
	}
	if err := json.Unmarshal(line, &report); err != nil {
		t.Fatal(err)
	}
	proof := readVector(t, dir+"proof.zkp")
	answer, err := http.Post(report.Listening+"/v1/verify?context=0x7461736b2031", "application/octet-stream", bytes.NewReader(proof))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"ints":[42,18]`)) {
		t.Errorf("%v: %d %s", err, answer.StatusCode, body)
	}
	cancel()
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d\n%s", got, errOut.String())
	}
}
