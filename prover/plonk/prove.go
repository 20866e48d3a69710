package plonk

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/crypto/sha3"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	plonkbn254 "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"

	"github.com/zkinfer/zkinfer/circuits"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/plonk"
)

// CommitModel implements prover.Keys. The key is the commitment: g must have the weights that it was made
// with, and the privacy.
func (k *Keys) CommitModel(_ context.Context, g *model.Graph, privacy prover.Privacy) (*prover.ModelOpening, error) {
	if _, err := k.plan(g); err != nil {
		return nil, err
	}
	switch public := privacy == prover.Public; {
	case public && !k.Options.PublicParameters:
		return nil, fmt.Errorf("%w: they hide the weights, so that nobody could recompute a public commitment; run setup with --public-weights, or commit without --public", prover.ErrKeyMismatch)
	case !public && k.Options.PublicParameters:
		return nil, fmt.Errorf("%w: they were made for public weights, which anybody can compare with them; run commit with --public, or setup without --public-weights", prover.ErrKeyMismatch)
	}
	return &prover.ModelOpening{Commitment: k.commitment(), Key: k.Verifying.Digest(), Parameters: k.parameters}, nil
}

func (k *Keys) commitment() *plonk.ModelCommitment {
	return &plonk.ModelCommitment{Key: k.Verifying.Digest()}
}

// plan is the plan of g's circuit, if the keys are for g.
func (k *Keys) plan(g *model.Graph) (*circuits.Plan, error) {
	if g.ArchitectureDigest() != k.Verifying.Architecture || g.ParameterDigest() != k.parameters {
		return nil, fmt.Errorf("%w: model %q is not the one that they were made for; PLONK keys hold the weights: run setup for it", prover.ErrKeyMismatch, g.Name)
	}
	return circuits.NewPlan(g, k.Options)
}

// Prove implements prover.Keys.
func (k *Keys) Prove(ctx context.Context, g *model.Graph, opening *prover.ModelOpening, inputs [][]int64, context []byte) (*prover.Proved, error) {
	plan, err := k.plan(g)
	if err != nil {
		return nil, err
	}
	if err := opening.CheckFor(k.Verifying, g); err != nil {
		return nil, err
	}
	start := time.Now()
	trace, err := g.Execute(ctx, inputs)
	if err != nil {
		return nil, err
	}
	executed := time.Now()
	assigned, err := plan.Assign(trace)
	if err != nil {
		return nil, err
	}
	st := statementOf(g, trace, context)
	s, err := verifier.StatementDigest(k.Verifying, opening.Commitment, st)
	if err != nil {
		return nil, err
	}
	full, err := assigned.Full(s)
	if err != nil {
		return nil, err
	}
	solved := time.Now()
	proof, err := prover.Interruptible(ctx, func() (*plonk.Proof, error) { return k.prove(full) })
	if err != nil {
		return nil, err
	}
	proved := time.Now()
	out := &prover.Proved{
		Outputs:    trace.Outputs(g),
		InputSalts: make([][]fr.Element, len(g.Inputs)), OutputSalts: make([][]fr.Element, len(g.Outputs)),
		Bundle: &verifier.Bundle{Backend: plonk.BackendName, VKDigest: k.Verifying.Digest(),
			Model: opening.Commitment.Digest(), Statement: *st, Proof: proof.Encode()},
	}
	if err := verifier.VerifyBundle(k.Verifying, opening.Commitment, out.Bundle); err != nil {
		return nil, fmt.Errorf("the finished proof does not verify and is withheld (are the keys damaged or foreign?): %w", err)
	}
	out.Stats = prover.Stats{Execute: executed.Sub(start), Assign: solved.Sub(executed), Prove: proved.Sub(solved),
		Verify: time.Since(proved), Constraints: gatesOf(k.system)}
	return out, nil
}

func statementOf(g *model.Graph, t *model.Trace, context []byte) *verifier.Statement {
	st := &verifier.Statement{Context: context}
	for _, id := range g.Inputs {
		st.Inputs = append(st.Inputs, verifier.TensorValue{Values: t.Values[id]})
	}
	for _, id := range g.Outputs {
		st.Outputs = append(st.Outputs, verifier.TensorValue{Values: t.Values[id]})
	}
	return st
}

// prove runs gnark's prover with the hash functions that package verifier/plonk knows.
func (k *Keys) prove(full witness.Witness) (*plonk.Proof, error) {
	p, err := plonkbn254.Prove(k.system, k.proving, full,
		backend.WithProverChallengeHashFunction(sha3.NewLegacyKeccak256()),
		backend.WithProverKZGFoldingHashFunction(sha3.NewLegacyKeccak256()),
		backend.WithProverHashToFieldFunction(sha3.NewLegacyKeccak256()),
		backend.WithStatisticalZeroKnowledge())
	if err != nil {
		return nil, fmt.Errorf("proving: %w", err)
	}
	return fromGnark(p)
}

// fromGnark leaves out the value of the linearized polynomial, which verifiers compute.
func fromGnark(p *plonkbn254.Proof) (*plonk.Proof, error) {
	values := p.BatchedProof.ClaimedValues
	if len(values) != 6+plonk.Commitments || len(p.Bsb22Commitments) != plonk.Commitments {
		return nil, fmt.Errorf("%w: a proof with %d values and %d commitments", errForeign, len(values), len(p.Bsb22Commitments))
	}
	return &plonk.Proof{
		Committed: [plonk.Commitments]bn254.G1Affine(p.Bsb22Commitments), L: p.LRO[0], R: p.LRO[1], O: p.LRO[2], Z: p.Z, H: p.H,
		Opening: p.BatchedProof.H, Shifted: p.ZShiftedOpening.H,
		AtL: values[1], AtR: values[2], AtO: values[3], AtS: [2]fr.Element(values[4:6]),
		AtQcp: [plonk.Commitments]fr.Element(values[6:]), AtZ: p.ZShiftedOpening.ClaimedValue,
	}, nil
}
