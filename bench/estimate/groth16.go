package estimate

import (
	"math"
	"math/bits"

	"github.com/zkinfer/zkinfer/circuits"
)

// Proof is what setup and proofs take.
type Proof struct {
	Constraints       int   `json:"constraints"`
	DomainSize        int   `json:"domain_size"`
	Prove             Cost  `json:"prove_seconds"` // run the model, prove, check
	Setup             Cost  `json:"setup_seconds"` // compile and make keys
	Memory            int64 `json:"memory_bytes"`  // peak of a process that proves
	ProvingKeyBytes   int64 `json:"proving_key_bytes"`
	VerifyingKeyBytes int64 `json:"verifying_key_bytes"`
	ProofBytes        int   `json:"proof_bytes"`
}

// bases count the points of a proving key, those of full-size and of small scalars apart.
type bases struct {
	domain           int
	aFull, aSmall    int
	bFull, bSmall    int
	k, z             int
	committedFull    int // of each commitment twice: bases and their multiples by σ
	committedSmall   int
	publics, columns int
	unused           int // rows of tables that nothing looks up: their multiplicities and quotients are 0
}

// crossShare is the part of small wires for which a wire of full size stands on the right of a
// constraint, by counts of compiled circuits (0.1 to 0.5; they are a few per cent of all points).
const crossShare = 0.3

// newBases counts by what the gadgets put on each side of a constraint: an inverse stands on the left,
// what it is the inverse of on the right; multiplicities and public outputs on neither.
func newBases(s circuits.Shape) bases {
	active := max(s.Trace-s.TableRows, 0)
	cross := int(crossShare * float64(active))
	b := bases{
		domain: 1 << bits.Len(uint(max(s.Constraints, 2)-1)),
		aFull:  max(s.Inverses+s.Columns-cross, 0), aSmall: active,
		bFull: cross, bSmall: active,
		k: s.Constraints, publics: s.Public + len(s.Committed) + 1, columns: s.Columns,
	}
	if s.TableRows > 0 {
		b.unused = int(float64(s.TableRows) * math.Exp(-float64(active)/float64(s.TableRows)))
	}
	b.z = b.domain - 1
	for i, n := range s.Committed {
		if i == circuits.ParameterIndex {
			b.committedFull += n
		} else {
			b.committedSmall += n
		}
		b.committedFull++ // the mask
	}
	return b
}

func (b *bases) a() int { return b.aFull + b.aSmall }
func (b *bases) b() int { return b.bFull + b.bSmall }

// committed are the bases of all commitments.
func (b *bases) committed() int { return b.committedFull + b.committedSmall }

// The sizes of points in a key, uncompressed, in bytes.
const (
	g1Bytes = 64
	g2Bytes = 128
)

// provingKeyBytes is the size of gnark's dump: points, and two flags a wire for points at infinity.
func (b *bases) provingKeyBytes(wires int) int64 {
	g1 := b.a() + b.b() + b.k + b.z + 2*b.committed()
	return int64(g1*g1Bytes + b.b()*g2Bytes + 2*wires)
}

// prove adds up the multi-exponentiations and Fourier transforms of a proof, and what the field
// arithmetic beside them takes. weights is the number of parameters.
func (b *bases) prove(r *Rates, weights int) Cost {
	g1 := func(full, small int) Cost {
		return r.G1Full.of(full, full+small).plus(r.G1Small.of(small, full+small))
	}
	// A wire on the right that is not small is zero as often as not.
	right := b.bFull / 2
	levels := float64(bits.Len(uint(b.domain)) - 1)
	curve := total(
		g1(max(b.aFull-b.unused, 0), b.aSmall), g1(right, b.bSmall), g1(max(b.k-b.unused, 0), 0), g1(b.z, 0),
		g1(b.committedFull, b.committedSmall).times(2),
		r.G2Full.of(right, b.b()), r.G2Small.of(b.bSmall, b.b()),
		r.FFT.times(transforms*float64(b.domain)*levels),
	)
	return curve.times(proveRest).plus(r.FieldMul.times(proofMuls + solveMuls*float64(b.k) + weightMuls*float64(weights)))
}

// What the probe does not see, by comparison with whole proofs and setups: sums of points are faster than the library's, which it
// measures; the tables of a setup exceed the processor's cache.
const (
	proveRest = 0.94
	setupRest = 1.05
	// A setup of this many points in G1 and more waits for memory.
	setupCached = 1 << 16
	setupMemory = 0.25
)

// What field arithmetic takes, in multiplications: of the solver for a constraint, of arranging and
// hashing a weight (both on one core, mostly waiting for memory), and of a proof whatever its circuit; and the Fourier
// transforms of a proof.
const (
	transforms = 7
	solveMuls  = 40
	weightMuls = 5
	proofMuls  = 3e5
)

// setup is compiling, and multiplying two generators by a scalar for each point of the key, window by
// window from tables.
func (b *bases) setup(r *Rates) Cost {
	g1 := b.a() + b.b() + b.k + b.z + b.publics + 2*b.committed()
	curve := r.G1Add.times(additions(g1) * float64(g1)).plus(r.G2Add.times(additions(b.b()) * float64(b.b())))
	rest := setupRest + setupMemory*min(1, float64(g1)/setupCached)
	return curve.times(rest).plus(r.FieldMul.times(compileMuls * float64(b.k)))
}

// compileMuls is what compiling and evaluating a constraint takes, in field multiplications.
const compileMuls = 250

// additions is the number of additions of a multiplication by a fixed base among n, and one for
// making the result affine; tables are made for each setup (compare tableWidth in package keygen).
func additions(n int) float64 {
	best := 0.0
	for w := 1; w <= 14; w++ {
		windows := (254 + w - 1) / w
		if cost := float64(windows) * (1 + float64(int(2)<<w)/float64(max(n, 1))); best == 0 || cost < best {
			best = cost
		}
	}
	return best + 1
}

// NewProof estimates for a machine of these rates. weights is the number of the model's parameters.
func NewProof(s circuits.Shape, weights int, r *Rates) Proof {
	b := newBases(s)
	p := Proof{
		Constraints: s.Constraints, DomainSize: b.domain, ProvingKeyBytes: b.provingKeyBytes(s.Constraints + s.Trace + 2*s.Columns),
		Prove: b.prove(r, weights).plus(NewVerification(s, r).Native), Setup: b.setup(r),
		ProofBytes: 128 + 64*len(s.Committed),
	}
	p.VerifyingKeyBytes = int64(g1Bytes*(b.publics+1) + len(s.Committed)*(2*g2Bytes+g1Bytes) + 3*g2Bytes + 3*g1Bytes + 300)
	p.Memory = memory(&p, weights)
	return p
}
