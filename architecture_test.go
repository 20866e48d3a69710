package zkinfer

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/zkinfer/zkinfer/"

// allowed lists what each package may import of this module. Imports point down: what is missing here
// is a package on a higher floor, or a sibling it must know nothing of.
var allowed = map[string][]string{
	"fixedpoint":         {},
	"internal/compact":   {"internal/wire"},
	"internal/msm":       {"internal/share"},
	"internal/share":     {},
	"internal/envelope":  {},
	"internal/statement": {},
	"internal/wire":      {},
	"internal/samples":   {"model", "fixedpoint"},
	"model":              {"fixedpoint", "internal/envelope"},
	"model/float":        {},
	"model/onnx":         {"model/float", "model/onnx/internal/onnxpb"},
	"model/quantize":     {"model", "model/float", "fixedpoint"},
	"model/tflite":       {"model", "model/float", "fixedpoint", "model/tflite/internal/schema"},
	"circuits":           {"model", "fixedpoint"},
	"claims":             {},
	"claims/plain":       {"claims"},
	"sumcheck":           {"claims", "internal/share", "model", "fixedpoint"},
	"model/modeltest":    {"model", "fixedpoint"},
	"verifier":           {"internal/statement", "internal/wire"},
	"verifier/plonk":     {"verifier", "internal/statement", "internal/wire"},
	"verifier/backends":  {"verifier", "verifier/plonk", "verifier/wrapped"},
	"verifier/artifact":  {"verifier", "verifier/backends", "internal/envelope"},
	"verifier/wrapped":   {"claims", "internal/msm", "verifier", "internal/statement", "internal/wire", "internal/envelope", "internal/compact"},
	"verifier/evm":       {"verifier", "verifier/plonk", "internal/statement"},
	"verifier/canister":  {"verifier"},
	"prover":             {"circuits", "model", "verifier", "verifier/artifact", "internal/envelope", "bench/estimate"},
	"prover/groth16":     {"circuits", "internal/msm", "model", "verifier", "prover", "prover/keygen", "prover/proofgen", "bench/estimate"},
	"prover/plonk":       {"circuits", "model", "verifier", "verifier/plonk", "prover", "prover/srs", "bench/estimate"},
	"prover/backends":    {"model", "prover", "prover/groth16", "prover/plonk", "prover/sumcheck", "bench/estimate"},
	"prover/keygen":      {},
	"prover/proofgen":    {"internal/msm"},
	"prover/baseline":    {"circuits", "model", "prover/keygen"},
	"bench": {"circuits", "model", "model/float", "model/onnx", "model/quantize", "model/tflite", "internal/samples", "internal/envelope",
		"bench/estimate", "prover", "prover/baseline", "prover/groth16", "prover/plonk", "prover/srs", "prover/sumcheck", "testvectors", "verifier", "verifier/wrapped"},
	"bench/estimate":      {"circuits", "model"},
	"prover/ceremony":     {"internal/envelope", "prover", "prover/ptau"},
	"prover/ptau":         {},
	"prover/provertest":   {"internal/samples", "model", "model/float", "model/onnx", "model/onnx/onnxtest", "model/quantize", "model/tflite", "prover", "verifier", "verifier/artifact"},
	"prover/srs":          {"prover/keygen", "prover/ptau", "internal/envelope"},
	"prover/wrap":         {"circuits", "claims", "internal/msm", "prover", "prover/keygen", "prover/proofgen", "verifier", "verifier/wrapped"},
	"prover/sumcheck":     {"bench/estimate", "claims", "internal/msm", "model", "prover", "prover/wrap", "sumcheck", "verifier", "verifier/wrapped"},
	"testvectors":         {},
	"model/onnx/onnxtest": {"model/float", "model/onnx", "model/onnx/internal/onnxpb"},

	// The verifier in other programs.
	"verifier/canister/build":     {"verifier/canister/internal/rewrite"},
	"verifier/session":            {"verifier", "verifier/artifact"},
	"verifier/session/vectortest": {},
	"verifier/service":            {"verifier/session"},
	"verifier/wasm":               {"verifier/session"},
	"verifier/wasm/npm":           {},
	"verifier/wasm/page":          {"verifier/wasm/npm"},

	// For tests.
	"internal/allocation": {},
}

func TestImportsPointDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}:{{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		pkg, imports, _ := strings.Cut(line, ":")
		name := strings.TrimPrefix(pkg, module)
		may, known := allowed[name]
		if !known {
			if name != "cmd/zkinfer" && !strings.Contains(name, "/internal/") && pkg+"/" != module {
				t.Errorf("package %s has no line in this test: say what it may import", name)
			}
			continue
		}
		for _, i := range strings.Fields(imports) {
			if rest, ours := strings.CutPrefix(i, module); ours && !contains(may, rest) {
				t.Errorf("%s imports %s", name, rest)
			}
			if strings.HasPrefix(i, "github.com/consensys/gnark/") && name != "circuits" && !strings.HasPrefix(name, "prover") {
				t.Errorf("%s imports gnark", name)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
