package rewrite

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Compile builds a program, a package below dir, for WASI.
func Compile(dir, program string) ([]byte, error) {
	version, err := exec.Command("go", "list", "-C", dir, "-m", "-f", "{{.GoVersion}}").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	tmp, err := os.MkdirTemp("", "canister")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, "module.wasm")
	c := exec.Command("go", "build", "-C", dir, "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-buildmode=c-shared", "-o", out, program)
	c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOWASM=", "GOEXPERIMENT=", "CGO_ENABLED=0", "GOWORK=off",
		"GOTOOLCHAIN=go"+strings.TrimSpace(string(version)))
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("go build: %w", err)
	}
	return os.ReadFile(out)
}
