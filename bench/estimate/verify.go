package estimate

import (
	"math"

	"github.com/zkinfer/zkinfer/circuits"
)

// Verification is what checking one proof costs: natively, as a canister of the Internet Computer, and
// as a contract of the Ethereum Virtual Machine.
type Verification struct {
	Native               Cost  `json:"native_seconds"`
	CanisterInstructions int64 `json:"canister_instructions"`
	CanisterCycles       int64 `json:"canister_cycles"`
	EVMGas               int64 `json:"evm_gas"` // 0 where there is no contract
}

// operations counts what a verifier does on the curve.
type operations struct {
	pairs       int // of the equation and of the proof of knowledge
	muls        int // full-size scalar multiplications, most of them in multi-exponentiations
	commitments int
}

func operationsOf(s circuits.Shape) operations {
	n := len(s.Committed)
	// Public inputs and challenges; the rows of the model commitment; masks of all commitments but the first; the
	// combination of commitments for the proof of knowledge.
	o := operations{pairs: 4 + n + 1, muls: s.Public + n + s.FoldRows + (n - 1) + n, commitments: n}
	if s.FoldedElements > 0 {
		o.muls++ // the fold of the public tensors
	}
	return o
}

// Canister instructions, from what docs/canister.md measures: a verification of two commitments and nine
// points; a commitment more, a point more.
const (
	canisterBase            = 202e6
	canisterBaseCommitments = 2
	canisterBaseMuls        = 9
	canisterCommitment      = 25.4e6
	canisterMul             = 1.3e6
	// A call on a subnet of 13 nodes costs this many cycles, and one an instruction.
	canisterCall = 5e6
)

// EVM gas, by the Yellow Paper and EIP-1108; what the contract of package verifier/evm adds was fitted to
// its transactions (a test compares).
const (
	gasTransaction = 21000
	gasPairing     = 45000
	gasPair        = 34000
	gasMul         = 6000
	gasAdd         = 150
	gasAround      = 250   // what the contract does around a multiplication
	gasByte        = 14    // of calldata: 16, or 4 if it is zero
	gasFolded      = 450   // of the fold of the public tensors, a field element
	gasRest        = 33000 // decoding, hashing, memory
	frameBytes     = 500   // of a call's data beside proof and statement
)

// groth16Finals are the two final exponentiations, and what else does not depend on the key: points that are checked to be of their
// groups.
const groth16Finals = 4

// NewVerification estimates the check of one proof.
func NewVerification(s circuits.Shape, r *Rates) Verification {
	o := operationsOf(s)
	v := Verification{
		Native: total(r.Pair.times(float64(o.pairs)), r.Final.times(groth16Finals), r.multiExp(o.muls)),
		CanisterInstructions: int64(canisterBase + canisterCommitment*float64(o.commitments-canisterBaseCommitments) +
			canisterMul*float64(o.muls-canisterBaseMuls)),
	}
	v.CanisterCycles = canisterCall + v.CanisterInstructions
	proof := 64 + 128 + 64 + 64*o.commitments + 64 + 32*(o.commitments-1)
	v.EVMGas = int64(gasTransaction + gasPairing + o.pairs*gasPair + o.muls*(gasMul+gasAdd+gasAround) +
		gasByte*(proof+s.StatementBytes+frameBytes) + gasFolded*s.FoldedElements + gasRest)
	return v
}

// What a verification of the sumcheck backend takes in canister instructions, by what docs/canister.md measures:
// the pairings; a point of the sum over all rows; a message; a byte that the statement shows.
const (
	canisterClass   = 215e6
	canisterRow     = 1.1e6
	canisterMessage = 0.21e6
	canisterShown   = 3.5e3
)

// What a verification takes natively: additions for a point of the sum over all rows; multiplications of the scalar field for a message, a
// byte that the statement shows, a lookup. Fitted to the verifications of 15 models in one
// process each (docs/bench.md), all of which they meet within a quarter; the first one of a process takes up to half as much again.
const (
	rowAdditions = 22
	messageMuls  = 370
	shownMuls    = 0.73
	lookupMuls   = 0.02
)

// NewSumcheckVerification estimates the check of one proof of the sumcheck backend, for which there is no contract.
func NewSumcheckVerification(s Sumcheck, r *Rates) Verification {
	rows := s.Rows + s.ModelRows
	const pairs, finals, points = 4 + 4, 3, 12
	v := Verification{
		Native: total(r.Pair.times(pairs), r.Final.times(finals), r.G1Add.times(rowAdditions*float64(points+rows)),
			r.FieldMul.times(messageMuls*float64(s.Messages)+shownMuls*float64(s.StatementBytes)+lookupMuls*float64(s.Lookups))),
		CanisterInstructions: int64(canisterClass + canisterRow*float64(rows) + canisterMessage*float64(s.Messages) + canisterShown*float64(s.StatementBytes)),
	}
	v.CanisterCycles = canisterCall + v.CanisterInstructions
	return v
}

// batched is what an addition takes in a multi-exponentiation, where several share an inversion, over one alone.
const batched = 0.8

// multiExp is a multi-exponentiation of so few points that the probe's rates do not hold: additions to the buckets of each
// window and of these, and the doublings between windows.
func (r *Rates) multiExp(n int) Cost {
	best := math.Inf(1)
	for c := 2; c <= 16; c++ {
		windows := (254 + c - 1) / c
		best = min(best, float64(windows*(n+1<<c)+254))
	}
	return r.G1Add.times(batched * best)
}
