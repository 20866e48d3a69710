package npm

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	// What the module is made of. Go runs a test again when what it imports or reads has changed.
	_ "github.com/zkinfer/zkinfer/verifier/session"
)

// maxPacked is the budget of the module in bytes.
const maxPacked = 1_500_000

// The module is what its sources give, and small. Another release of Go than go.mod names gives other
// bytes, hence only that one is compared.
func TestModuleIsBuiltFromSources(t *testing.T) {
	packed, err := Files.ReadFile(Module)
	if err != nil {
		t.Fatal(err)
	}
	if len(packed) > maxPacked {
		t.Errorf("%d bytes, at most %d", len(packed), maxPacked)
	}
	if made, here := goVersionOf(t, packed), toolchain(t); made != here {
		t.Skipf("the module was built by %s, this is %s: they cannot be compared", made, here)
	}
	readSources(t)
	path := filepath.Join(t.TempDir(), "verifier.wasm")
	if out, err := exec.Command("../build.sh", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	built, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(built, unpack(t, packed)) {
		t.Error("verifier.wasm.gz is not what its sources give: run verifier/wasm/build.sh")
	}
}

// readSources opens what is in the module's own folder, for the same reason as the import above.
func readSources(t *testing.T) {
	t.Helper()
	paths, err := filepath.Glob("../*.*")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, path := range paths {
		if _, err := os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goVersionOf is the release of Go that the module says it was built by.
func goVersionOf(t *testing.T, packed []byte) string {
	t.Helper()
	_, rest, found := bytes.Cut(unpack(t, packed), []byte("\x00go1."))
	if !found {
		return "an unknown Go"
	}
	end := bytes.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	return "go1." + string(rest[:max(end, 0)])
}

func toolchain(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(out))
}
