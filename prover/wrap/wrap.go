package wrap

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/solidity"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/prover/keygen"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// Keys are those of a size class.
type Keys struct {
	Verifying *wrapped.Key

	proving *groth16bn254.ProvingKey
	system  *cs.R1CS
}

// UnsafeDevSetup makes keys by a single-party setup: whoever runs it could keep the secrets and forge proofs.
func UnsafeDevSetup(ctx context.Context, c claims.Class) (*Keys, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	compiled, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, newCircuit(c), circuits.CompileOption())
	if err != nil {
		return nil, err
	}
	system := compiled.(*cs.R1CS)
	if left := circuits.Dependent(system.GetR1Cs(), system.CommitmentInfo.(constraint.Groth16Commitments)); len(left) > 0 {
		return nil, fmt.Errorf("the columns of %d committed wires may depend on each other", len(left))
	}
	pk, vk, err := keygen.Setup(ctx, system)
	if err != nil {
		return nil, err
	}
	key := &wrapped.Key{Class: c, Alpha: vk.G1.Alpha, Beta: vk.G2.Beta, Gamma: vk.G2.Gamma, Delta: vk.G2.Delta, K: vk.G1.K}
	copy(key.Knowledge[:], vk.CommitmentKeys)
	key.H = pk.CommitmentKeys[wrapped.CommitRow].Basis[c.Row()]
	return &Keys{Verifying: key, proving: pk, system: system}, nil
}

// RowBases are the bases of a row's cells; the row's mask has Verifying.H.
func (k *Keys) RowBases() []bn254.G1Affine {
	return k.proving.CommitmentKeys[wrapped.CommitRow].Basis[:k.Verifying.Class.Row()]
}

// Secrets are what a prover draws once for a proof: a pad for each wire, and masks.
type Secrets struct {
	Pads             []fr.Element
	PadMask, RowMask fr.Element
}

// NewSecrets draws them.
func (k *Keys) NewSecrets() (*Secrets, error) {
	s := &Secrets{Pads: make([]fr.Element, k.Verifying.Class.Pads())}
	for i := range s.Pads {
		if _, err := s.Pads[i].SetRandom(); err != nil {
			return nil, err
		}
	}
	if _, err := s.PadMask.SetRandom(); err != nil {
		return nil, err
	}
	_, err := s.RowMask.SetRandom()
	return s, err
}

// CommitPads is the first commitment, with which a transcript begins.
func (k *Keys) CommitPads(s *Secrets) (bn254.G1Affine, error) {
	return k.commit(wrapped.CommitPads, append(slices.Clone(s.Pads), s.PadMask))
}

func (k *Keys) commit(which int, values []fr.Element) (out bn254.G1Affine, err error) {
	_, err = out.MultiExp(k.proving.CommitmentKeys[which].Basis[:len(values)], values, ecc.MultiExpConfig{})
	return out, err
}

// errOther is a proof whose commitments are not those that the transcript is about.
var errOther = errors.New("gnark committed to something else than the transcript is about")

// Prove makes the Groth16 proof for a public form U and the combination of rows, and fills in the proof's part
// of it. s and f are the digests of statement and transcript.
func (k *Keys) Prove(secrets *Secrets, s, f fr.Element, u, row []fr.Element, into *wrapped.Proof) error {
	form, err := k.commit(wrapped.CommitForm, u)
	if err != nil {
		return err
	}
	pads := into.Commitments[wrapped.CommitPads]
	z := wrapped.Challenge(form, f, wrapped.Challenge(pads, s))
	full, err := frontend.NewWitness(k.assignment(secrets, s, f, claims.Combine(u, z), u, row), ecc.BN254.ScalarField())
	if err != nil {
		return err
	}
	made, err := groth16.Prove(k.system, k.proving, full,
		solidity.WithProverTargetSolidityVerifier(backend.GROTH16), backend.WithSolverOptions(noMask()))
	if err != nil {
		return fmt.Errorf("proving: %w", err)
	}
	proof := made.(*groth16bn254.Proof)
	if !proof.Commitments[wrapped.CommitPads].Equal(&pads) || !proof.Commitments[wrapped.CommitForm].Equal(&form) {
		return errOther
	}
	into.Ar, into.Bs, into.Krs, into.PoK = proof.Ar, proof.Bs, proof.Krs, proof.CommitmentPok
	copy(into.Commitments[:], proof.Commitments)
	return nil
}

func (k *Keys) assignment(secrets *Secrets, s, f, p fr.Element, u, row []fr.Element) *circuit {
	w := newCircuit(k.Verifying.Class)
	w.S, w.F, w.P, w.PadMask, w.RowMask = s, f, p, secrets.PadMask, secrets.RowMask
	for _, x := range []struct {
		to   []frontend.Variable
		from []fr.Element
	}{{w.Pads, secrets.Pads}, {w.U, u}, {w.Row, row}} {
		for i := range x.to {
			x.to[i] = x.from[i]
		}
	}
	return w
}

// noMask sets gnark's masks to 0: what hides are masks of our own, which the prover knows before it proves.
func noMask() solver.Option {
	for _, h := range solver.GetRegisteredHints() {
		if strings.HasSuffix(solver.GetHintName(h), "hints.Randomize") {
			return solver.OverrideHint(solver.GetHintID(h), func(_ *big.Int, _, out []*big.Int) error {
				out[0].SetInt64(0)
				return nil
			})
		}
	}
	panic("gnark's mask hint is not registered: this gnark version is not supported")
}
