package wrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/msm"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/keygen"
	"github.com/zkinfer/zkinfer/prover/proofgen"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// Keys are those of a size class.
type Keys struct {
	Verifying *wrapped.Key

	proving *groth16bn254.ProvingKey
	system  *cs.R1CS
}

// Circuit is the circuit of a size class, compiled for a setup.
type Circuit struct {
	class  claims.Class
	system *cs.R1CS
}

// Compile makes the circuit of a class, and errs unless all columns of committed wires are independent: the
// commitments of keys for it bind, whoever makes the keys.
func Compile(ctx context.Context, c claims.Class) (*Circuit, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	compiled, err := prover.Interruptible(ctx, func() (constraint.ConstraintSystem, error) {
		return frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, newCircuit(c), circuits.CompileOption())
	})
	if err != nil {
		return nil, err
	}
	system := compiled.(*cs.R1CS)
	if left := circuits.Dependent(system.GetR1Cs(), system.CommitmentInfo.(constraint.Groth16Commitments)); len(left) > 0 {
		return nil, fmt.Errorf("the columns of %d committed wires may depend on each other", len(left))
	}
	return &Circuit{c, system}, nil
}

// System is what a setup is for. It must not be changed.
func (c *Circuit) System() *cs.R1CS { return c.system }

// UnsafeDevSetup makes keys by a single-party setup: whoever runs it could keep the secrets and forge proofs.
func (c *Circuit) UnsafeDevSetup(ctx context.Context) (*Keys, error) {
	pk, vk, err := keygen.Setup(ctx, c.system)
	if err != nil {
		return nil, err
	}
	return newKeys(c.class, c.system, pk, vk, prover.UnsafeDev)
}

// CeremonyKeys are keys of what a ceremony for the circuit ended with, as prover.CeremonyCircuit has it.
func (c *Circuit) CeremonyKeys(pk *groth16bn254.ProvingKey, vk *groth16bn254.VerifyingKey, digest [32]byte) (*Keys, error) {
	return newKeys(c.class, c.system, pk, vk, prover.CeremonySetup(digest))
}

func newKeys(c claims.Class, system *cs.R1CS, pk *groth16bn254.ProvingKey, vk *groth16bn254.VerifyingKey, setup string) (*Keys, error) {
	if err := prover.RefuseInfinity(pk); err != nil {
		return nil, err
	}
	key := &wrapped.Key{Class: c, Alpha: vk.G1.Alpha, Beta: vk.G2.Beta, Gamma: vk.G2.Gamma, Delta: vk.G2.Delta,
		H: pk.CommitmentKeys[wrapped.CommitRow].Basis[c.Row()]}
	copy(key.K[:], vk.G1.K)
	copy(key.Knowledge[:], vk.CommitmentKeys)
	key.Description = verifier.Description{Name: prover.SizeClassName(c.RowBits), TrustedSetup: setup,
		LibraryVersion: prover.Version, Constraints: uint64(system.GetNbConstraints())}
	return &Keys{Verifying: key, proving: pk, system: system}, nil
}

// WriteProving and WriteCircuit store what a prover needs beside the verifying key; Read takes them back.
func (k *Keys) WriteProving(w io.Writer) error { return k.proving.WriteDump(w) }

// WriteCircuit is WriteProving for the circuit.
func (k *Keys) WriteCircuit(w io.Writer) error {
	_, err := k.system.WriteTo(w)
	return err
}

// Open makes keys whose parts are read by ReadProving and ReadCircuit.
func Open(vk *wrapped.Key) *Keys {
	return &Keys{Verifying: vk, proving: groth16.NewProvingKey(ecc.BN254).(*groth16bn254.ProvingKey), system: groth16.NewCS(ecc.BN254).(*cs.R1CS)}
}

// ReadProving reads what WriteProving wrote. The reader is trusted: gnark believes lengths that it reads.
func (k *Keys) ReadProving(r io.Reader) error { return k.proving.ReadDump(r) }

// ReadCircuit reads what WriteCircuit wrote, likewise.
func (k *Keys) ReadCircuit(r io.Reader) error {
	_, err := k.system.ReadFrom(r)
	return err
}

// Check errs where proving and verifying key do not belong together.
func (k *Keys) Check() error {
	pedersen := k.proving.CommitmentKeys
	if len(pedersen) != len(k.Verifying.Knowledge) {
		return fmt.Errorf("the proving key has %d commitments, expected %d", len(pedersen), len(k.Verifying.Knowledge))
	}
	for i, n := range []int{k.Verifying.Class.Pads(), k.Verifying.Class.Public(), k.Verifying.Class.Row()} {
		if len(pedersen[i].Basis) < n {
			return fmt.Errorf("commitment %d of the proving key has %d bases, expected at least %d", i, len(pedersen[i].Basis), n)
		}
	}
	row := pedersen[wrapped.CommitRow].Basis
	if len(row) <= k.Verifying.Class.Row() || !row[k.Verifying.Class.Row()].Equal(&k.Verifying.H) {
		return errors.New("the proving key has another base for the rows' masks than the verifying key")
	}
	return nil
}

// Constraints is the number of constraints of the circuit.
func (k *Keys) Constraints() int { return k.system.GetNbConstraints() }

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
func (k *Keys) CommitPads(s *Secrets) bn254.G1Affine {
	return k.commit(wrapped.CommitPads, append(slices.Clone(s.Pads), s.PadMask))
}

func (k *Keys) commit(which int, values []fr.Element) (out bn254.G1Affine) {
	sum := msm.MultiExp(k.proving.CommitmentKeys[which].Basis[:len(values)], values)
	return *out.FromJacobian(&sum)
}

// Prove makes the Groth16 proof for a public form U and the combination of rows, and fills in the proof's part
// of it. s and f are the digests of statement and transcript.
func (k *Keys) Prove(secrets *Secrets, s, f fr.Element, u, row []fr.Element, into *wrapped.Proof) error {
	form := k.commit(wrapped.CommitForm, u)
	pads := into.Commitments[wrapped.CommitPads]
	z := wrapped.Challenge(form, f, wrapped.Challenge(pads, s))
	full, err := frontend.NewWitness(k.assignment(secrets, s, f, claims.Combine(u, z), u, row), ecc.BN254.ScalarField())
	if err != nil {
		return err
	}
	proof, err := proofgen.Prove(k.system, k.proving, full, proofgen.Options{Solver: []solver.Option{noMask()},
		Commitments: map[int]bn254.G1Affine{wrapped.CommitPads: pads, wrapped.CommitForm: form}})
	if err != nil {
		return fmt.Errorf("proving: %w", err)
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
