package estimate

import (
	"math/bits"

	"github.com/zkinfer/zkinfer/circuits"
)

// gatesPerConstraint is how many gates of three wires a constraint becomes, by counts of compiled circuits (a
// test compares). A row of a table becomes a quotient and a term, and a term for each further column; a constraint
// that has a parameter is one gate.
const gatesPerConstraint = 3.9

// Gates estimates the gates of PLONK for a plan that was made for them.
func Gates(s circuits.Shape) int {
	rest := s.Constraints - s.Columns - s.TableRows
	return s.TableRows + s.TableCells + int(gatesPerConstraint*float64(rest)) + s.Columns + s.Public
}

// What gnark's PLONK does for each point of the domain: multi-exponentiations of full-size scalars (three
// columns of wires, the permutation, three parts of the quotient, two openings) and of small ones (what is
// committed before the challenges); Fourier transforms, and multiplications in the field, which were fitted to
// whole proofs over domains of 2^12 to 2^18 points.
const (
	plonkFull       = 9
	plonkSmall      = 2
	plonkTransforms = 110
	plonkMuls       = 1000
)

// NewPlonkProof estimates setup and proofs of PLONK for a machine of these rates, from a structured reference
// string that is there in both bases.
func NewPlonkProof(s circuits.Shape, r *Rates) Proof {
	gates := Gates(s)
	levels := bits.Len(uint(max(gates, 2) - 1))
	n := 1 << levels
	curve := total(r.G1Full.of(n, n).times(plonkFull), r.G1Small.of(n, n).times(plonkSmall))
	field := total(r.FFT.times(float64(plonkTransforms*n*levels)), r.FieldMul.times(float64(plonkMuls*n)))
	p := Proof{
		Constraints: gates, DomainSize: n,
		Prove: total(curve, field, NewPlonkVerification(s, r).Native),
		// Ten polynomials are committed to; compiling is that of Groth16, and the gates made of it.
		Setup:             total(r.G1Full.of(n, n).times(plonkSelectors), r.FieldMul.times(2*compileMuls*float64(s.Constraints))),
		ProvingKeyBytes:   int64(2*n*g1Bytes) + 20000,
		VerifyingKeyBytes: plonkKeyBytes,
		ProofBytes:        plonkProofBytes,
		Memory:            plonkMemoryBase + plonkMemoryPoint*int64(n),
	}
	return p
}

const (
	plonkSelectors  = 10
	plonkKeyBytes   = 1000
	plonkProofBytes = 608
	// Of a process that proves, fitted to the same proofs: the program, and what a point of the domain takes.
	plonkMemoryBase  = 27_000_000
	plonkMemoryPoint = 2700
)

// What a verifier of PLONK does on the curve, decompression of the points apart; and its instructions in a
// canister, from what docs/canister.md measures: of a proof, and of a public input more. Gas was fitted to the contract's
// transactions (gas.golden of verifier/evm, within 3 %).
const (
	plonkPairs             = 2
	plonkMulsG1            = 27
	plonkCanister          = 221e6
	plonkCanisterPerPublic = 0.14e6
	plonkGas               = 332_000
	plonkGasPerPublic      = 1650
)

// NewPlonkVerification estimates the check of one proof.
func NewPlonkVerification(s circuits.Shape, r *Rates) Verification {
	v := Verification{
		Native:               total(r.Pair.times(plonkPairs), r.Final, r.ScalarMul.times(multiExpShare*plonkMulsG1)),
		CanisterInstructions: int64(plonkCanister + plonkCanisterPerPublic*float64(s.Public)),
	}
	v.CanisterCycles = canisterCall + v.CanisterInstructions
	v.EVMGas = int64(plonkGas + plonkGasPerPublic*s.Public + gasByte*s.StatementBytes)
	return v
}
