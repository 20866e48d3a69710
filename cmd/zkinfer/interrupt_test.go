package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInterrupt: a command whose context ends exits with 130, says so in JSON, and leaves no file.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	run := slowRun(t, dir)
	tiny := run[1]
	setup := []string{"setup", tiny, "-o", filepath.Join(dir, "keys"), "--unsafe-dev-setup"}
	class := []string{"setup", "--size-class", "12", "-o", filepath.Join(dir, "keys"), "--unsafe-dev-setup"}
	waiting := []string{"run", tiny, "--input", "-"} // for standard input, on which nothing comes
	for _, c := range []struct {
		name  string
		args  []string
		delay time.Duration
	}{
		{"run at once", run, 0},
		{"run later", run, 20 * time.Millisecond},
		{"setup at once", setup, 0},
		{"setup later", setup, 5 * time.Millisecond},
		{"setup of a class at once", class, 0},
		{"setup of a class later", class, 20 * time.Millisecond},
		{"waiting", waiting, 20 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) { interrupt(t, dir, c.args, c.delay) })
	}
}

func interrupt(t *testing.T, dir string, args []string, delay time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if delay == 0 {
		cancel()
	} else {
		time.AfterFunc(delay, cancel)
	}
	silent, writer := io.Pipe()
	defer writer.Close()
	before := entries(t, dir)
	var out, errOut bytes.Buffer
	if code := run(ctx, append(args, "--json"), silent, &out, &errOut); code != exitInterrupted {
		t.Errorf("exit code %d, expected %d\n%s", code, exitInterrupted, errOut.String())
	}
	if got := out.String(); !strings.HasPrefix(got, `{"error":{"class":"interrupted"`) || strings.Count(got, "\n") != 1 {
		t.Errorf("standard output %q", got)
	}
	if after := entries(t, dir); after != before {
		t.Errorf("left behind: %s", after)
	}
}

// slowRun is a command that would take seconds.
func slowRun(t *testing.T, dir string) []string {
	t.Helper()
	g, err := tinyModel()
	if err != nil {
		t.Fatal(err)
	}
	b, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	modelFile, input := filepath.Join(dir, "tiny.zkm"), filepath.Join(dir, "input.raw")
	for path, content := range map[string][]byte{modelFile: b, input: make([]byte, 3<<20)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"run", modelFile, "--input", input, "--all", "--raw-output", filepath.Join(dir, "out.raw")}
}

func entries(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestBrokenOutput: a result that cannot be printed is a failure.
func TestBrokenOutput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.Close()
	args := slowRun(t, t.TempDir())
	var errOut bytes.Buffer
	if code := run(context.Background(), []string{"inspect", args[1], "--json"}, nil, w, &errOut); code != exitFailure {
		t.Errorf("exit code %d, expected %d\n%s", code, exitFailure, errOut.String())
	}
}
