// Package canister holds a canister of the Internet Computer that verifies proofs: its module, its
// interface, and what a deployment needs. docs/canister.md says how to use it.
//
// The promise: the module answers as package verifier does, imports nothing but the system's interface,
// and is what the sources in this folder give (go run ./build -check). It depends on a key only through
// the argument that it is installed with.
//
// Pitfalls: the canister trusts its controllers, who may replace key and code; whoever relies on its
// answers looks at its controllers and at the module's hash first.
package canister

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/zkinfer/zkinfer/verifier"
)

// Module is the canister, gzipped; the Internet Computer takes it as it is.
//
//go:generate go run ./build
//go:embed zkinfer.wasm.gz
var Module []byte

// Interface is its interface in Candid.
//
//go:embed zkinfer.did
var Interface string

// SetupArgument is the argument of an installation, in Candid's text form: the key, and the model that
// is meant where a claim names none. With anyone, whoever is not anonymous may register models and open
// tasks, otherwise controllers alone.
func SetupArgument(vk verifier.Key, m verifier.Commitment, anyone bool) (string, error) {
	if _, err := vk.Subject(m); err != nil {
		return "", err
	}
	key, err := vk.MarshalBinary()
	if err != nil {
		return "", err
	}
	model, err := m.MarshalBinary()
	if err != nil {
		return "", err
	}
	access := "controllers"
	if anyone {
		access = "anyone"
	}
	return fmt.Sprintf("(opt record {\n  key = %s;\n  model = %s;\n  access = opt variant { %s };\n})\n", blob(key), blob(model), access), nil
}

// ModelArgument is the argument of register_model.
func ModelArgument(m verifier.Commitment) (string, error) {
	model, err := m.MarshalBinary()
	return fmt.Sprintf("(%s)\n", blob(model)), err
}

// ProofArgument is the argument of verify, verify_update and settle for the contents of a proof file.
func ProofArgument(file []byte) string {
	return fmt.Sprintf("(variant { file = %s })\n", blob(file))
}

// DFX is a dfx.json that deploys the canister.
const DFX = `{
  "canisters": {
    "zkinfer": {
      "type": "custom",
      "candid": "zkinfer.did",
      "wasm": "zkinfer.wasm.gz",
      "init_arg_file": "install.args"
    }
  },
  "version": 1
}
`

// ICP is an icp.yaml that does so. An upgrade keeps the key.
const ICP = `canisters:
  - name: zkinfer
    build:
      steps:
        - type: pre-built
          path: zkinfer.wasm.gz
    init_args:
      path: install.args
      format: candid
    upgrade_args:
      value: (null)
      format: candid
`

// blob is bytes in Candid's text form.
func blob(b []byte) string {
	var out strings.Builder
	out.WriteString(`blob "`)
	for _, x := range b {
		fmt.Fprintf(&out, `\%02x`, x)
	}
	out.WriteByte('"')
	return out.String()
}
