//go:build unix

package wrapped_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// stored are the proofs of the folder that ZKINFER_PROOFS names, NAME.zkp with keys and model commitment in NAME, as
// the commands leave them: so that one set of proofs serves every version that is compared.
func stored(b *testing.B, visit func(b *testing.B, keys, proof string)) {
	folder := os.Getenv("ZKINFER_PROOFS")
	if folder == "" {
		b.Skip("ZKINFER_PROOFS does not name a folder of proofs")
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*.zkp"))
	if err != nil || len(paths) == 0 {
		b.Fatalf("no proofs in %s (%v)", folder, err)
	}
	for _, path := range paths {
		keys := strings.TrimSuffix(path, ".zkp")
		b.Run(filepath.Base(keys), func(b *testing.B) { visit(b, keys, path) })
	}
}

// cpu is the processor time of this process, garbage collection included.
func cpu(b *testing.B) (seconds float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func reportCPU(b *testing.B, before float64) {
	b.ReportMetric(1e3*(cpu(b)-before)/float64(b.N), "cpu-ms/op")
	b.ReportAllocs()
}

// BenchmarkVerifyStored is a verification with everything in memory.
func BenchmarkVerifyStored(b *testing.B) {
	stored(b, func(b *testing.B, keys, proof string) {
		k, m, p := open(b, keys, proof)
		before := cpu(b)
		for b.Loop() {
			if err := verifier.VerifyBundle(k, m, p); err != nil {
				b.Fatal(err)
			}
		}
		reportCPU(b, before)
	})
}

// BenchmarkOpenStored reads what a verification needs.
func BenchmarkOpenStored(b *testing.B) {
	stored(b, func(b *testing.B, keys, proof string) {
		before := cpu(b)
		for b.Loop() {
			open(b, keys, proof)
		}
		reportCPU(b, before)
	})
}

func open(b *testing.B, keys, proof string) (verifier.Key, verifier.Commitment, *verifier.Bundle) {
	k, err := artifact.ReadVerifyingKey(filepath.Join(keys, "verifying.key"))
	if err != nil {
		b.Fatal(err)
	}
	m, err := artifact.ReadModelCommitment(filepath.Join(keys, "model.zkc"))
	if err != nil {
		b.Fatal(err)
	}
	p, err := artifact.ReadProof(proof)
	if err != nil {
		b.Fatal(err)
	}
	if k.Backend() != wrapped.Backend {
		b.Skip("a proof of backend " + k.Backend())
	}
	return k, m.Commitment, p
}
