package evmtest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/evm"
)

// budget is what a transaction that checks a proof may cost at fold height 16.
const budget = 700_000

// Gas and sizes, compared with testdata/gas.golden; UPDATE_GOLDEN=1 writes it anew. Keys and proofs
// are random, and zero bytes are cheaper as call data: gas may differ by a hair.
func TestGas(t *testing.T) {
	const path = "testdata/gas.golden"
	var table strings.Builder
	fmt.Fprintf(&table, "%-40s %12s %10s %6s %10s\n", "proof", "transaction", "call data", "code", "deployment")
	measure := func(t *testing.T, p *proved, d *deployed) {
		gas := p.checkAccepted(t, d)
		p.checkOutputs(t, d)
		code := contracts(t, optimized, p.key)["ZkInferVerifier"].runtime
		fmt.Fprintf(&table, "%-40s %12d %10d %6d %10d\n", p.name, gas, len(p.call(t).Data()), code, d.gas)
		if g, ok := p.key.(*verifier.VerifyingKey); ok {
			if strings.HasPrefix(p.name, "fold 16") && g.FoldRows != 16 {
				t.Errorf("fold height %d, expected 16", g.FoldRows)
			}
			if g.FoldRows <= 16 && gas > budget {
				t.Errorf("%d gas at fold height %d, at most %d", gas, g.FoldRows, budget)
			}
		}
		if code > evm.MaxCode {
			t.Errorf("%d bytes of code, at most %d", code, evm.MaxCode)
		}
	}
	each(t, measure)
	eachOf(t, []*proved{frozen(t, "mnist"), frozen(t, "mnist-private"), frozen(t, "ad01"),
		frozen(t, "plonk"), frozen(t, "plonk-hello"), frozen(t, "plonk-mnist"), frozen(t, "plonk-ad01")}, measure)
	t.Logf("\n%s", table.String())
	compareTable(t, path, table.String())
}

// compareTable compares numbers up to a hair.
func compareTable(t *testing.T, path, table string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(string(golden), "\n"), strings.Split(table, "\n")
	if len(want) != len(got) {
		t.Fatalf("%d lines, expected %d", len(got), len(want))
	}
	for i := 1; i < len(want)-1; i++ {
		if !similar(want[i], got[i]) {
			t.Errorf("%s\nexpected\n%s", got[i], want[i])
		}
	}
}

// similar compares lines field by field, numbers up to a hair.
func similar(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		m, errM := strconv.Atoi(x[i])
		n, errN := strconv.Atoi(y[i])
		if x[i] != y[i] && (errM != nil || errN != nil || max(m-n, n-m) > 600+m/500) {
			return false
		}
	}
	return true
}
