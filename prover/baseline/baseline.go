// Package baseline proves models with Groth16 as most tools do, a product a constraint, so that folding
// has something to be measured against.
//
// The promise: activations, lookups and statement are those of package prover; only the linear layers
// differ, and keys, proofs and verification are gnark's own. So a ratio of two times is that of the two
// ways to hold weights.
//
// Pitfall: this is for measuring. A proof does not name the model it is for, and its context is fixed.
package baseline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover/keygen"
)

// Baseline is one model with its circuit and, once there are any, its keys.
type Baseline struct {
	graph   *model.Graph
	plan    *circuits.Plan
	circuit *circuits.Baseline

	system    *cs.R1CS
	proving   *groth16bn254.ProvingKey
	verifying *groth16bn254.VerifyingKey
}

// Proof is a proof with the public inputs that it is for.
type Proof struct {
	groth16 *groth16bn254.Proof
	public  witness.Witness
}

// New plans the circuit of a model, with its parameters held as h says.
func New(g *model.Graph, h circuits.Holding) (*Baseline, error) {
	logger.Disable()
	plan, err := circuits.NewPlan(g, circuits.Options{PackTensors: true})
	if err != nil {
		return nil, err
	}
	circuit, err := plan.NewBaseline(g, h)
	return &Baseline{graph: g, plan: plan, circuit: circuit}, err
}

// Compile makes the constraint system and returns its number of constraints.
func (b *Baseline) Compile() (int, error) {
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, b.circuit, circuits.CompileOption())
	if err != nil {
		return 0, fmt.Errorf("compiling the circuit: %w", err)
	}
	b.system = system.(*cs.R1CS)
	return b.system.GetNbConstraints(), nil
}

// Setup makes keys, as a single party.
func (b *Baseline) Setup(ctx context.Context) (err error) {
	b.proving, b.verifying, err = keygen.Setup(ctx, b.system)
	return err
}

// The files of a folder that Save writes.
const (
	provingFile   = "proving.key"
	verifyingFile = "verifying.key"
	circuitFile   = "circuit.bin"
)

// Save writes circuit and keys to a folder and returns the keys' sizes in bytes.
func (b *Baseline) Save(dir string) (provingBytes, verifyingBytes int64, err error) {
	if provingBytes, err = save(dir, provingFile, b.proving.WriteDump); err != nil {
		return 0, 0, err
	}
	verifyingBytes, err = save(dir, verifyingFile, func(w io.Writer) error { _, err := b.verifying.WriteRawTo(w); return err })
	if err != nil {
		return 0, 0, err
	}
	_, err = save(dir, circuitFile, func(w io.Writer) error { _, err := b.system.WriteTo(w); return err })
	return provingBytes, verifyingBytes, err
}

// Open reads what Save wrote.
func (b *Baseline) Open(dir string) error {
	b.proving, b.verifying, b.system = &groth16bn254.ProvingKey{}, &groth16bn254.VerifyingKey{}, &cs.R1CS{}
	return errors.Join(
		open(dir, provingFile, b.proving.ReadDump),
		open(dir, verifyingFile, func(r io.Reader) error { _, err := b.verifying.UnsafeReadFrom(r); return err }),
		open(dir, circuitFile, func(r io.Reader) error { _, err := b.system.ReadFrom(r); return err }),
	)
}

// Prove runs the model and proves the result.
func (b *Baseline) Prove(ctx context.Context, inputs [][]int64) (*Proof, error) {
	trace, err := b.graph.Execute(ctx, inputs)
	if err != nil {
		return nil, err
	}
	assigned, err := b.plan.Assign(trace)
	if err != nil {
		return nil, err
	}
	full, err := b.circuit.Full(assigned, fr.One())
	if err != nil {
		return nil, err
	}
	public, err := full.Public()
	if err != nil {
		return nil, err
	}
	proof, err := groth16bn254.Prove(b.system, b.proving, full)
	return &Proof{proof, public}, err
}

// Bytes is the size of the encoded proof.
func (p *Proof) Bytes() (int64, error) { return p.groth16.WriteTo(io.Discard) }

// Verify checks a proof.
func (b *Baseline) Verify(p *Proof) error {
	return groth16.Verify(p.groth16, b.verifying, p.public)
}

func save(dir, name string, write func(io.Writer) error) (int64, error) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err := errors.Join(write(w), w.Flush(), f.Close()); err != nil {
		return 0, fmt.Errorf("writing %s: %w", f.Name(), err)
	}
	info, err := os.Stat(f.Name())
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func open(dir, name string, read func(io.Reader) error) error {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := read(bufio.NewReaderSize(f, 1<<20)); err != nil {
		return fmt.Errorf("reading %s: %w", f.Name(), err)
	}
	return nil
}
