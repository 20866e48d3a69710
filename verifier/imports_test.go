package verifier

import (
	"os/exec"
	"strings"
	"testing"
)

// The verifier stays small: beside the standard library, only what is named here.
func TestImports(t *testing.T) {
	allowed := []string{
		"github.com/consensys/gnark-crypto/", "github.com/bits-and-blooms/bitset/", "golang.org/x/crypto/sha3/", "golang.org/x/sys/",
		"github.com/zkinfer/zkinfer/verifier/", "github.com/zkinfer/zkinfer/internal/statement/", "github.com/zkinfer/zkinfer/internal/wire/",
	}
	for _, p := range list(t, "-deps", ".") {
		first, _, _ := strings.Cut(p, "/")
		if p == "net" || strings.HasPrefix(p, "net/") {
			t.Errorf("the verifier depends on %s", p)
		}
		if strings.Contains(first, ".") && !hasPrefix(p+"/", allowed) {
			t.Errorf("the verifier depends on %s", p)
		}
	}
}

// The core neither reads files nor inspects types at run time.
func TestDirectImports(t *testing.T) {
	for _, p := range list(t, "-f", `{{join .Imports "\n"}}`, ".") {
		if p == "os" || p == "reflect" || p == "unsafe" || strings.HasPrefix(p, "encoding/json") {
			t.Errorf("the verifier imports %s", p)
		}
	}
}

func list(t *testing.T, arguments ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, arguments...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
