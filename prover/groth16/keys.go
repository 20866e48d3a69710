package groth16

import (
	"encoding/hex"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
)

// VerifyingKey implements prover.Keys.
func (k *Keys) VerifyingKey() verifier.Key { return k.Verifying }

// Save implements prover.Keys.
func (k *Keys) Save(dir string, force bool) (*prover.Manifest, error) {
	m := prover.NewManifest(k.Verifying)
	m.Architecture = hex.EncodeToString(k.Verifying.Architecture[:])
	m.Constraints, m.PublicInputs = k.system.GetNbConstraints(), k.system.GetNbPublicVariables()-1
	m.PrivateInput, m.PrivateOutput, m.FoldRows = k.Options.PrivateInput, k.Options.PrivateOutput, k.Options.FoldRows
	return m, prover.SaveFolder(dir, force, m, k.Verifying, map[string]func(io.Writer) error{
		prover.ProvingKeyFile: k.proving.WriteDump,
		prover.CircuitFile:    func(w io.Writer) error { _, err := k.system.WriteTo(w); return err },
	})
}

// OpenKeys reads the key folder whose manifest is m.
func OpenKeys(dir string, m *prover.Manifest) (*Keys, error) {
	prover.SilenceGnark()
	key, err := m.ReadVerifyingKey(dir)
	if err != nil {
		return nil, err
	}
	vk, ok := key.(*verifier.VerifyingKey)
	if !ok {
		return nil, fmt.Errorf("%w: %s has keys of backend %q, expected %q", prover.ErrMalformedKeys, dir, key.Backend(), verifier.BackendGroth16)
	}
	k := &Keys{
		Verifying: vk,
		Options:   prover.Options{PrivateInput: m.PrivateInput, PrivateOutput: m.PrivateOutput, FoldRows: m.FoldRows},
		proving:   groth16.NewProvingKey(ecc.BN254).(*groth16bn254.ProvingKey),
		system:    groth16.NewCS(ecc.BN254).(*cs.R1CS),
	}
	if err := m.ReadFile(dir, prover.ProvingKeyFile, k.proving.ReadDump); err != nil {
		return nil, err
	}
	if err := m.ReadFile(dir, prover.CircuitFile, func(r io.Reader) error { _, err := k.system.ReadFrom(r); return err }); err != nil {
		return nil, err
	}
	if len(k.proving.CommitmentKeys) != len(vk.Commitments) {
		return nil, fmt.Errorf("%w: the proving key has %d commitments, the verifying key %d", prover.ErrMalformedKeys, len(k.proving.CommitmentKeys), len(vk.Commitments))
	}
	return k, prover.RefuseInfinity(k.proving)
}
