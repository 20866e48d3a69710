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
	Inputs          int // elements that enter contractions
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
// these steps use all cores and wait for memory in between), fitted to whole proofs of the models in docs/bench.md.
const (
	perCell      = 60 // of 8 bits; committing, placing, folding
	perAddress   = 20 // of the last sum
	perLookup    = 75
	perTableRow  = 120
	perInput     = 20
	perParameter = 30
	perProduct   = 60
	perMAC       = 0.12
)

// prove adds up the steps, and the circuit's proof.
func (s *Sumcheck) prove(r *Rates) Cost {
	b := s.Class.bases()
	rows := r.G1Full.of(s.Pads, s.Pads)
	steps := perCell*float64(s.Cells) + perAddress*float64(int(1)<<s.Addresses) + perLookup*float64(s.Lookups) +
		perTableRow*float64(s.TableRows) + perInput*float64(s.Inputs) + perParameter*float64(s.Parameters) +
		perProduct*float64(s.Products) + perMAC*float64(s.MACs)
	return total(r.FFT.times(steps), rows, b.prove(r, 0))
}

// The peak of a proving process in bytes, fitted likewise: the program with the keys of the class; a cell, an
// address, a lookup.
const (
	sumcheckMemoryBase       = 40_000_000
	sumcheckMemoryConstraint = 3000
	sumcheckMemoryAddress    = 64
	sumcheckMemoryLookup     = 130
	sumcheckMemoryParameter  = 30
)

func (s *Sumcheck) memory() int64 {
	return sumcheckMemoryBase + sumcheckMemoryConstraint*int64(s.Class.Constraints) + sumcheckMemoryAddress<<s.Addresses +
		sumcheckMemoryLookup*int64(s.Lookups) + sumcheckMemoryParameter*int64(s.Parameters)
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
