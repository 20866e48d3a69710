package test

import (
	"os"
	"os/exec"
	"testing"
)

// The Motoko example compiles against the interface.
func TestMotokoExample(t *testing.T) {
	const dir = "../example"
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("not run: node is not installed")
	}
	if _, err := os.Stat(dir + "/node_modules/motoko"); err != nil {
		t.Skip("not run: npm install in verifier/canister/example brings the Motoko compiler")
	}
	c := exec.Command("node", "compile.js")
	c.Dir = dir
	out, err := c.CombinedOutput()
	// An uncaught error prints the compiler's source, megabytes of it.
	t.Logf("%s", out[max(0, len(out)-2000):])
	if err != nil {
		t.Error(err)
	}
}
