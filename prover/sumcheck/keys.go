package sumcheck

import (
	"fmt"
	"io"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/wrap"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// Keys are those of a size class, and what a model that is committed with them keeps private.
type Keys struct {
	Options prover.Options

	wrap *wrap.Keys
}

// VerifyingKey implements prover.Keys.
func (k *Keys) VerifyingKey() verifier.Key { return k.wrap.Verifying }

// Save implements prover.Keys.
func (k *Keys) Save(dir string, force bool) (*prover.Manifest, error) {
	m := prover.NewManifest(k.wrap.Verifying)
	m.PublicInputs = 3 // S, F, P
	m.PrivateInput, m.PrivateOutput = k.Options.PrivateInput, k.Options.PrivateOutput
	return m, prover.SaveFolder(dir, force, m, k.wrap.Verifying, map[string]func(io.Writer) error{
		prover.ProvingKeyFile: k.wrap.WriteProving,
		prover.CircuitFile:    k.wrap.WriteCircuit,
	})
}

// Open implements prover.Backend.
func (Backend) Open(dir string, m *prover.Manifest) (prover.Keys, error) {
	prover.SilenceGnark()
	key, err := m.ReadVerifyingKey(dir)
	if err != nil {
		return nil, err
	}
	vk, ok := key.(*wrapped.Key)
	if !ok {
		return nil, fmt.Errorf("%w: %s has keys of backend %q, expected %q", prover.ErrMalformedKeys, dir, key.Backend(), wrapped.Backend)
	}
	k := &Keys{wrap: wrap.Open(vk), Options: prover.Options{PrivateInput: m.PrivateInput, PrivateOutput: m.PrivateOutput}}
	if err := m.ReadFile(dir, prover.ProvingKeyFile, k.wrap.ReadProving); err != nil {
		return nil, err
	}
	if err := m.ReadFile(dir, prover.CircuitFile, k.wrap.ReadCircuit); err != nil {
		return nil, err
	}
	if err := k.wrap.Check(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", prover.ErrMalformedKeys, dir, err)
	}
	return k, nil
}
