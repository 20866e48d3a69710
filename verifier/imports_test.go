package verifier

import (
	"os/exec"
	"strings"
	"testing"
)

// The verifier stays small: gnark-crypto and the standard library, nothing of the prover.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Fields(string(out)) {
		for _, banned := range []string{"github.com/consensys/gnark/", "github.com/zkinfer/zkinfer/model", "github.com/zkinfer/zkinfer/circuits",
			"github.com/zkinfer/zkinfer/prover", "fxamacker/cbor", "net/http"} {
			if strings.HasPrefix(p+"/", banned) || strings.Contains(p, "fxamacker/cbor") {
				t.Errorf("the verifier depends on %s", p)
			}
		}
	}
}
