package estimate

import "math/bits"

// Sumcheck counts what a proof of the sumcheck backend is made of.
type Sumcheck struct {
	Class           ClassCircuit
	Cells           int // committed for each proof, the whole rows of trace and private tensors
	Pads            int // committed for each proof, full-size values
	Parameters      int // cells of the model commitment
	Rows, ModelRows int // points of the proof, of the model commitment
	Lookups         int
	TableRows       int
	Products        int
	MACs            int64
	Messages        int
	Addresses       int // logarithm of the number of addresses of the last sum
	ProofBytes      int
	StatementBytes  int // of public tensors
}

// ClassCircuit counts the circuit of a size class.
type ClassCircuit struct{ Constraints, Pads, Form, Row int }

// bases are the points of the circuit's proving key, as setups have them (a test compares).
func (c *ClassCircuit) bases() bases {
	b := bases{
		domain: 1 << bits.Len(uint(max(c.Constraints, 2)-1)),
		aFull:  c.Constraints + c.Row + c.Form - 3, bFull: c.Form + 3,
		k: c.Constraints - 5, publics: 7,
		committedFull: c.Pads + 2 + c.Form + 1 + c.Row + 2,
	}
	b.z = b.domain - 1
	return b
}

// wires of the circuit, by which a key's flags are counted.
func (c *ClassCircuit) wires() int { return c.Constraints + c.Row + c.Form + c.Pads }

// What the steps of a proof take, in butterflies of a Fourier transform (about 9 ns on one core; like them,
// these steps use all cores and wait for memory in between), fitted by least squares to whole proofs of fifteen models
// from hello-world to VGG11 and ten million activations, all of which they meet within a quarter of processor time
// (docs/bench.md says how to fit them anew).
const (
	perProof    = 3.4e6
	perElement  = 22.4 // a cell that is committed, a lookup, a product: made, committed, proved
	perTableRow = 35.8
	perAddress  = 1.74 // of the last sum
	perMAC      = 0.21
	// What the circuit's proof takes of what its plan says: commitments that are known already are not made again.
	classRest = 0.8
)

// prove adds up the steps, and the circuit's proof.
func (s *Sumcheck) prove(r *Rates) Cost {
	b := s.Class.bases()
	circuit := b.prove(r, 0).plus(r.G1Full.of(s.Pads, s.Pads)).times(classRest)
	steps := perProof + perElement*float64(s.Cells+s.Lookups+s.Products) + perTableRow*float64(s.TableRows) +
		perAddress*float64(int(1)<<s.Addresses) + perMAC*float64(s.MACs)
	return circuit.plus(r.FFT.times(steps))
}

// The peak of a proving process in bytes, fitted likewise, within a quarter: the program; a constraint with its part of the
// keys; a lookup, a row of a table, an address, a parameter.
const (
	sumcheckMemoryBase       = 30_200_000
	sumcheckMemoryConstraint = 4140
	sumcheckMemoryLookup     = 61
	sumcheckMemoryTableRow   = 213
	sumcheckMemoryAddress    = 9
	sumcheckMemoryParameter  = 11
)

func (s *Sumcheck) memory() int64 {
	return sumcheckMemoryBase + sumcheckMemoryConstraint*int64(s.Class.Constraints) + sumcheckMemoryAddress<<s.Addresses +
		sumcheckMemoryLookup*int64(s.Lookups) + sumcheckMemoryTableRow*int64(s.TableRows) + sumcheckMemoryParameter*int64(s.Parameters)
}

// NewSumcheckProof estimates for a machine of these rates.
func NewSumcheckProof(s Sumcheck, r *Rates) Proof {
	b := s.Class.bases()
	return Proof{
		Constraints: s.Class.Constraints, DomainSize: b.domain, ProvingKeyBytes: b.provingKeyBytes(s.Class.wires()),
		Prove: s.prove(r).plus(NewSumcheckVerification(s, r).Native), Setup: b.setup(r),
		VerifyingKeyBytes: classKeyBytes, ProofBytes: s.ProofBytes, Memory: s.memory(),
	}
}

// classKeyBytes is the size of a verifying key, whatever the class; texts differ by a few bytes.
const classKeyBytes = 1830
