package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/ceremony"
	"github.com/zkinfer/zkinfer/prover/groth16"
)

func writeModel(t *testing.T, path string, g *model.Graph) {
	t.Helper()
	b, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// runOK runs a command line that must succeed.
func runOK(t *testing.T, args ...string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := run(context.Background(), args, nil, &out, &errOut); code != exitOK {
		t.Fatalf("zkinfer %s: exit code %d\n%s", strings.Join(args, " "), code, errOut.String())
	}
	return out.String()
}

// Who verifies a ceremony need not have the weights: any model of the architecture gives the same keys,
// whatever it and its tensors are called.
func TestCeremonyOfAnotherModel(t *testing.T) {
	dir := t.TempDir()
	g, err := pixelModel()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs, transcript, keys := filepath.Join(dir, "a.zkm"), filepath.Join(dir, "b.zkm"), filepath.Join(dir, "cer"), filepath.Join(dir, "keys")
	writeModel(t, ours, g)
	g.Name, g.Tensors[g.Inputs[0]].Name, g.Tensors[g.Outputs[0]].Name = "renamed", "in", "out"
	writeModel(t, theirs, g)
	const beacon = "0x102132435465768798a9bacbdcedfe0f"
	runOK(t, "ceremony", "init", ours, "-o", transcript)
	runOK(t, "ceremony", "contribute", transcript, "--name", "Ada")
	runOK(t, "ceremony", "phase2", transcript, "--model", theirs, "--beacon", beacon+"01")
	runOK(t, "ceremony", "contribute", transcript, "--name", "Ada")
	runOK(t, "ceremony", "finalize", transcript, "--model", ours, "--beacon", beacon, "-o", keys)
	out := runOK(t, "ceremony", "verify", transcript, "--model", theirs, "--keys", keys, "--json")
	if !strings.Contains(out, `"keys_match":true`) || !strings.Contains(out, `"model":"pixels"`) {
		t.Error(out)
	}
}

// An interrupted step leaves the transcript as it was.
func TestCeremonyInterrupt(t *testing.T) {
	dir := t.TempDir()
	g, err := tinyModel()
	if err != nil {
		t.Fatal(err)
	}
	tiny, transcript := filepath.Join(dir, "tiny.zkm"), filepath.Join(dir, "cer")
	writeModel(t, tiny, g)
	interrupt(t, dir, []string{"ceremony", "init", tiny, "-o", transcript}, 0)
	runOK(t, "ceremony", "init", tiny, "-o", transcript)
	for _, delay := range []time.Duration{0, 20 * time.Millisecond} { // a contribution takes half a second
		interrupt(t, transcript, []string{"ceremony", "contribute", transcript, "--name", "Ada"}, delay)
	}
	runOK(t, "ceremony", "verify", transcript, "--model", tiny)
}

// A ceremony that another version began is refused as such, not as one of another circuit.
func TestCeremonyOfAnotherVersion(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	g, err := pixelModel()
	if err != nil {
		t.Fatal(err)
	}
	circuit, err := groth16.Compile(ctx, g, prover.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pixels, transcript := filepath.Join(dir, "pixels.zkm"), filepath.Join(dir, "cer")
	writeModel(t, pixels, g)
	d := ceremony.Description{Version: "zkinfer/0", Subject: prover.Subject{Model: "pixels", Architecture: make([]byte, 32), FoldRows: 1}}
	if _, err := ceremony.Create(ctx, transcript, circuit.System(), d, ""); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	code := run(ctx, []string{"ceremony", "verify", transcript, "--model", pixels, "--json"}, nil, &out, &errOut)
	if code != exitFailure || !strings.Contains(out.String(), `"class":"unsupported_version"`) {
		t.Errorf("exit code %d, %s", code, out.String())
	}
}
