package estimate

import (
	"math/bits"

	"github.com/zkinfer/zkinfer/circuits"
)

// How many gates of three wires things become, fitted to the counts of 45 compiled circuits from hello-world to kws, all
// of which they meet within 5 % (1.3 % on average; a test compares): a row of a table, a quotient and a term; a committed value that
// is looked up; a term of a running sum beside the parameters, which take one each; a lookup of several values; and the values of
// functions, which many rows share.
const (
	gatesPerRow    = 1.94
	gatesPerLimb   = 4.19
	gatesPerSum    = 2.56
	gatesPerLookup = 3.45
	gatesFunctions = 680 // at most: a table that only bounds has none
)

// Gates estimates the gates of PLONK for a plan that was made for them. Circuits within that error of a power of two may be taken
// for those of the next domain, at twice the cost, or of the one before.
func Gates(s circuits.Shape) int {
	limbs := s.Trace - s.TableRows // all but multiplicities
	return s.Columns + int(gatesPerRow*float64(s.TableRows)+gatesPerLimb*float64(limbs)+gatesPerSum*float64(s.Sums-s.Columns)+
		gatesPerLookup*float64(s.Inverses-s.Trace)) + min(gatesFunctions, s.TableCells-s.TableRows)
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
		// Ten polynomials are committed to, most of them of small values; compiling is that of Groth16, and the gates made of it.
		Setup:             total(r.G1Full.of(n, n).times(plonkSelectors), r.FieldMul.times(plonkSetupMuls+2*compileMuls*float64(s.Constraints))),
		ProvingKeyBytes:   int64(2*n*g1Bytes) + 20000,
		VerifyingKeyBytes: plonkKeyBytes,
		ProofBytes:        plonkProofBytes,
		Memory:            plonkMemoryBase + plonkMemoryPoint*int64(n),
	}
	return p
}

const (
	plonkSelectors  = 4.3 // of full-size values, that take as long
	plonkSetupMuls  = 2e6
	plonkKeyBytes   = 1070
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
	plonkFinals            = 3 // a final exponentiation, and what does not depend on the key
	plonkMulsG1            = 27
	plonkCanister          = 221e6
	plonkCanisterPerPublic = 0.14e6
	plonkGas               = 332_000
	plonkGasPerPublic      = 1650
)

// NewPlonkVerification estimates the check of one proof.
func NewPlonkVerification(s circuits.Shape, r *Rates) Verification {
	v := Verification{
		Native:               total(r.Pair.times(plonkPairs), r.Final.times(plonkFinals), r.multiExp(plonkMulsG1)),
		CanisterInstructions: int64(plonkCanister + plonkCanisterPerPublic*float64(s.Public)),
	}
	v.CanisterCycles = canisterCall + v.CanisterInstructions
	v.EVMGas = int64(plonkGas + plonkGasPerPublic*s.Public + gasByte*s.StatementBytes)
	return v
}
