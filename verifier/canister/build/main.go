// Command build makes the canister's module, ../zkinfer.wasm.gz, from the program in ../module: it
// compiles it for WASI with the Go version that go.mod names, turns the result into a module that
// imports the Internet Computer's system interface and nothing else, and compresses it.
//
// The same sources give the same bytes on every machine: paths, version control and the environment's
// settings are left out, and the compiler is one version. With -check nothing is written; it fails if
// the file is not what the sources give.
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/zkinfer/zkinfer/verifier/canister/internal/rewrite"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("canister: ")
	check := flag.Bool("check", false, "compare, write nothing")
	dir := flag.String("dir", ".", "folder of verifier/canister")
	flag.Parse()
	if err := run(*dir, *check); err != nil {
		log.Fatal(err)
	}
}

func run(dir string, check bool) error {
	compiled, err := rewrite.Compile(dir, "./module")
	if err != nil {
		return err
	}
	did, err := os.ReadFile(filepath.Join(dir, "zkinfer.did"))
	if err != nil {
		return err
	}
	module, err := rewrite.Module(compiled, string(did))
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "zkinfer.wasm.gz")
	if check {
		return compare(path, module)
	}
	packed, err := compress(module)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes, %d compressed\n", path, len(module), len(packed))
	return os.WriteFile(path, packed, 0o644)
}

func compress(module []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(module); err != nil {
		return nil, err
	}
	err = z.Close()
	return out.Bytes(), err
}

// compare is about the module itself: how well it is compressed may differ between versions of Go.
func compare(path string, module []byte) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	kept, err := io.ReadAll(z)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !bytes.Equal(kept, module) {
		return fmt.Errorf("%s is not what the sources give: run go generate ./verifier/canister", path)
	}
	fmt.Printf("%s is up to date\n", path)
	return nil
}
