package wrapped

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
	"golang.org/x/crypto/sha3"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/msm"
	"github.com/zkinfer/zkinfer/verifier"
)

// Seed begins the transcript: the statement, the pads, and every row of Z in order (parameters, externals, trace, pads).
func Seed(s fr.Element, pads bn254.G1Affine, rows ...[]bn254.G1Affine) (seed [32]byte) {
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte("zkinfer/sumcheck/1"))
	b := s.Bytes()
	h.Write(b[:])
	for _, points := range append([][]bn254.G1Affine{{pads}}, rows...) {
		var n fr.Element
		b = n.SetUint64(uint64(len(points))).Bytes()
		h.Write(b[:])
		for i := range points {
			p := points[i].RawBytes()
			h.Write(p[:])
		}
	}
	h.Sum(seed[:0])
	return seed
}

// Digest is F: what a run ended with, as a field element.
func Digest(r *claims.Run) (f fr.Element) {
	state := r.State()
	return *f.SetBytes(state[:])
}

// Challenge is what gnark's circuit draws from a commitment and the public values that it covers.
func Challenge(commitment bn254.G1Affine, covered ...fr.Element) (c fr.Element) {
	h := sha3.NewLegacyKeccak256()
	p := commitment.RawBytes()
	h.Write(p[:])
	for i := range covered {
		b := covered[i].Bytes()
		h.Write(b[:])
	}
	return *c.SetBytes(h.Sum(nil))
}

// Run executes the protocol up to its opening. A verifier has no provers.
func (a *Architecture) Run(r *claims.Run, public [][]int64, network claims.NetworkProver, merge claims.MergeProver) (*claims.Opening, error) {
	if err := a.Network.Prove(r, public, network); err != nil {
		return nil, err
	}
	if linear, _, _ := r.Used(); linear > a.layout.Pads.Rows<<a.RowBits {
		return nil, fmt.Errorf("%w: %d linear messages, there are %d rows of pads", claims.ErrMessages, linear, a.layout.Pads.Rows)
	}
	first := a.layout.FirstPad()
	return r.Merge(a.layout.AddressBits, func(i int) int { return first + i }, merge)
}

// Public are the values of the network's public tensors in a statement that fits the architecture.
func (a *Architecture) Public(st *verifier.Statement) [][]int64 {
	out := make([][]int64, len(a.Network.Public))
	a.eachBorder(st, func(b *Border, v *verifier.TensorValue) {
		if !b.Private {
			out[b.Index] = v.Values
		}
	})
	return out
}

// externals are the rows of private tensors in a statement.
func (a *Architecture) externals(st *verifier.Statement) [][]bn254.G1Affine {
	out := make([][]bn254.G1Affine, len(a.layout.Externals))
	a.eachBorder(st, func(b *Border, v *verifier.TensorValue) {
		if b.Private {
			out[b.Index] = v.Commitment
		}
	})
	return out
}

func (a *Architecture) eachBorder(st *verifier.Statement, visit func(*Border, *verifier.TensorValue)) {
	for i := range a.Inputs {
		visit(&a.Inputs[i], &st.Inputs[i])
	}
	for i := range a.Outputs {
		visit(&a.Outputs[i], &st.Outputs[i])
	}
}

// Seeded are all rows of Z in the order of the seed: those of the model, of the statement, and of the proof.
func (c *Commitment) Seeded(st *verifier.Statement, proof []bn254.G1Affine) [][]bn254.G1Affine {
	trace := c.Architecture.layout.Trace.Rows
	return slices.Concat([][]bn254.G1Affine{c.Rows}, c.Architecture.externals(st), [][]bn254.G1Affine{proof[:trace], proof[trace:]})
}

// Verify implements verifier.Key.
func (k *Key) Verify(m verifier.Commitment, st *verifier.Statement, proof []byte) error {
	s, err := verifier.StatementDigest(k, m, st)
	if err != nil {
		return err
	}
	c, err := k.model(m)
	if err != nil {
		return err
	}
	p, err := DecodeProof(c.Architecture, proof)
	if err != nil {
		return err
	}
	return k.check(c, st, s, p)
}

// Claim is what a run of the protocol leaves to be shown: that the circuit holds for public inputs, and that its row is
// the combination of all rows, with H, that the weights say.
type Claim struct {
	Inputs  [publicInputs]fr.Element // challenges last
	Rows    []bn254.G1Affine
	Weights []fr.Element
}

// Challenges are those of the commitments.
func (c *Claim) Challenges() []fr.Element { return c.Inputs[publicInputs-commitments:] }

// Claim runs the protocol on a decoded proof of a statement that fits the model; s is its digest.
func (k *Key) Claim(c *Commitment, st *verifier.Statement, s fr.Element, p *Proof) (*Claim, error) {
	a := c.Architecture
	rows := c.Seeded(st, p.Rows)
	r := claims.NewVerifier(Seed(s, p.Commitments[CommitPads], rows...), p.Sent)
	opening, err := a.Run(r, a.Public(st), nil, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", verifier.ErrInvalidProof, err)
	}
	u, err := k.Class.PublicForm(r, opening)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", verifier.ErrInvalidProof, err)
	}
	f := Digest(r)
	first := Challenge(p.Commitments[CommitPads], s)
	z := Challenge(p.Commitments[CommitForm], f, first)
	last := Challenge(p.Commitments[CommitRow], z)
	out := &Claim{Inputs: [publicInputs]fr.Element{s, f, claims.Combine(u, z), first, z, last}}
	out.addRows(k, a.layout, rows, p, opening.Point)
	return out, nil
}

// addRows weighs the rows of all regions, and H.
func (c *Claim) addRows(k *Key, l *claims.Layout, rows [][]bn254.G1Affine, p *Proof, point []fr.Element) {
	eq := claims.EqTable(point[:len(point)-l.RowBits])
	for i, region := range l.Seeded() {
		c.Rows = append(c.Rows, rows[i]...)
		c.Weights = append(c.Weights, eq[region.First:region.First+region.Rows]...)
	}
	c.Rows, c.Weights = append(c.Rows, k.H), append(c.Weights, p.Delta)
}

// ErrRows is a row of the circuit that is not the combination of the proof's rows.
var ErrRows = fmt.Errorf("%w: it was not made with these rows", verifier.ErrInvalidProof)

func (k *Key) check(c *Commitment, st *verifier.Statement, s fr.Element, p *Proof) error {
	claim, err := k.Claim(c, st, s, p)
	if err != nil {
		return err
	}
	if err := k.groth16(p, claim.Inputs[:]); err != nil {
		return err
	}
	if err := k.knowledge(p, claim.Challenges()); err != nil {
		return err
	}
	return claim.link(p)
}

// groth16 checks e(A, B) = e(α, β)·e(Σ x·K + Σ D, γ)·e(C, δ).
func (k *Key) groth16(p *Proof, inputs []fr.Element) error {
	var sum bn254.G1Affine
	all := msm.MultiExp(k.K[1:], inputs)
	sum.FromJacobian(&all)
	sum.Add(&sum, &k.K[0])
	for i := range p.Commitments {
		sum.Add(&sum, &p.Commitments[i])
	}
	var minus bn254.G1Affine
	minus.Neg(&p.Ar)
	ok, err := bn254.PairingCheck([]bn254.G1Affine{minus, k.Alpha, sum, p.Krs}, []bn254.G2Affine{p.Bs, k.Beta, k.Gamma, k.Delta})
	if err != nil || !ok {
		return fmt.Errorf("%w: the pairing equation does not hold", verifier.ErrInvalidProof)
	}
	return nil
}

// knowledge checks the folded proof of knowledge, each commitment with its own σ.
func (k *Key) knowledge(p *Proof, challenges []fr.Element) error {
	var hashed []byte
	for i := range challenges {
		b := challenges[i].Bytes()
		hashed = append(hashed, b[:]...)
	}
	fold, err := fr.Hash(hashed, []byte("G16-BSB22"), 1)
	if err != nil {
		return err
	}
	if err := pedersen.BatchVerifyMultiVk(k.Knowledge[:], p.Commitments[:], []bn254.G1Affine{p.PoK}, fold[0]); err != nil {
		return fmt.Errorf("%w: proof of knowledge of the commitments: %w", verifier.ErrInvalidProof, err)
	}
	return nil
}

// link compares the row that the circuit folded with the combination of all rows.
func (c *Claim) link(p *Proof) error {
	var row bn254.G1Jac
	row.FromAffine(&p.Commitments[CommitRow])
	if sum := msm.MultiExp(c.Rows, c.Weights); !sum.Equal(&row) {
		return ErrRows
	}
	return nil
}
