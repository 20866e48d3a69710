package evmtest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/evm"
)

const solcVersion = "0.8.37"

// compiled is one contract.
type compiled struct {
	abi     abi.ABI
	create  []byte
	runtime int // bytes of code once deployed
}

// solcMode is a way to compile. What is documented is the first.
type solcMode struct {
	name      string
	viaIR     bool
	optimized bool
}

var optimized = solcMode{name: "optimized", optimized: true}

// cache of compilations, by source and mode: most tests share their keys.
var cache sync.Map

// compile compiles sources by file name into contracts by name. Warnings are failures, except those of
// foreign sources.
func compile(t *testing.T, mode solcMode, sources map[string][]byte, foreign bool) map[string]*compiled {
	t.Helper()
	files := map[string]any{}
	for name, source := range sources {
		files[name] = map[string]string{"content": string(source)}
	}
	request, err := json.Marshal(map[string]any{"language": "Solidity", "sources": files, "settings": map[string]any{
		"viaIR": mode.viaIR, "evmVersion": "cancun", "optimizer": map[string]any{"enabled": mode.optimized, "runs": 200},
		"outputSelection": map[string]any{"*": map[string]any{"*": []string{"abi", "evm.bytecode.object", "evm.deployedBytecode.object"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := cache.Load(string(request)); ok {
		return c.(map[string]*compiled)
	}
	out := decodeAnswer(t, solc(t, request), foreign)
	cache.Store(string(request), out)
	return out
}

// solc runs the compiler; the test is skipped, with the reason, where there is none.
func solc(t *testing.T, request []byte) []byte {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed: contracts cannot be compiled")
	}
	cmd := exec.Command("node", "testdata/compile.js", solcVersion)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(request), &stderr
	answer, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		t.Skip(strings.TrimSpace(stderr.String()) + ": contracts cannot be compiled")
	}
	if err != nil {
		t.Fatalf("solc: %v\n%s", err, stderr.String())
	}
	return answer
}

func decodeAnswer(t *testing.T, answer []byte, foreign bool) map[string]*compiled {
	t.Helper()
	type object struct{ Object string }
	var decoded struct {
		Errors    []struct{ Severity, FormattedMessage string }
		Contracts map[string]map[string]struct {
			ABI json.RawMessage
			EVM struct{ Bytecode, DeployedBytecode object }
		}
	}
	if err := json.Unmarshal(answer, &decoded); err != nil {
		t.Fatal(err)
	}
	for _, e := range decoded.Errors {
		if e.Severity == "error" || !foreign {
			t.Fatal(e.FormattedMessage)
		}
	}
	out := map[string]*compiled{}
	for _, contracts := range decoded.Contracts {
		for name, c := range contracts {
			parsed, err := abi.JSON(bytes.NewReader(c.ABI))
			if err != nil {
				t.Fatal(err)
			}
			code, err := hex.DecodeString(c.EVM.Bytecode.Object)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = &compiled{parsed, code, len(c.EVM.DeployedBytecode.Object) / 2}
		}
	}
	return out
}

// contracts compiles the verifier for a key with the bounty, and what testdata has for tests.
func contracts(t *testing.T, mode solcMode, vk verifier.Key) map[string]*compiled {
	t.Helper()
	source, err := evm.Contract(vk)
	if err != nil {
		t.Fatal(err)
	}
	worker, err := os.ReadFile("testdata/GreedyWorker.sol")
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, mode, map[string][]byte{evm.ContractFile: source, evm.BountyFile: evm.Bounty, "GreedyWorker.sol": worker}, false)
}
