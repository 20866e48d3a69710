package verifier_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
	gnarkbn254 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zkinfer/zkinfer/verifier"
)

// honest is a claim and its proof, by a prover who does what it says.
func (r *rig) honest(t *testing.T) *proved {
	t.Helper()
	m, x := newMatrix(1), sampleInput(1)
	y, z := m.run(x)
	c, mk := r.claimOf(t, m, x, y, z), &masks{}
	p := r.prove(t, c, m, x, y, z, mk, r.proving)
	r.open(t, p, c, mk)
	return p
}

// clone is a copy that can be edited.
func (p *proved) clone() *proved {
	q := *p
	proof := *p.proof
	proof.Commitments, proof.Deltas = slices.Clone(p.proof.Commitments), slices.Clone(p.proof.Deltas)
	st := *p.statement
	st.Inputs, st.Outputs = slices.Clone(st.Inputs), slices.Clone(st.Outputs)
	q.proof, q.statement = &proof, &st
	q.model = &verifier.ModelCommitment{Rows: slices.Clone(p.model.Rows)}
	return &q
}

// Our verdict on Groth16 and the proof of knowledge is gnark's, for every role a commitment can have:
// on honest proofs, and with every point replaced, swapped and sent to infinity.
func TestAgreesWithGnark(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			r := newRig(t, l)
			p := r.honest(t)
			if theirs, ours := r.theirs(p), r.ours(p); theirs != nil || ours != nil {
				t.Fatalf("honest proof: gnark says %v, we say %v", theirs, ours)
			}
			for what, edit := range pointEdits(len(r.key.Commitments)) {
				q := p.clone()
				edit(q.proof)
				theirs, ours := r.theirs(q), r.ours(q)
				if theirs == nil || !errors.Is(ours, verifier.ErrInvalidProof) {
					t.Errorf("%s: gnark says %v, we say %v; expected both to reject", what, theirs, ours)
				}
			}
			testScalars(t, r, p)
			testLengths(t, r, p)
			testStatements(t, r, p)
		})
	}
}

func pointEdits(commitments int) map[string]func(*verifier.Proof) {
	_, _, g1, g2 := bn254.Generators()
	edits := map[string]func(*verifier.Proof){
		"A":               func(p *verifier.Proof) { p.Ar.Add(&p.Ar, &g1) },
		"A negated":       func(p *verifier.Proof) { p.Ar.Neg(&p.Ar) },
		"A at infinity":   func(p *verifier.Proof) { p.Ar = bn254.G1Affine{} },
		"B":               func(p *verifier.Proof) { p.Bs.Add(&p.Bs, &g2) },
		"B negated":       func(p *verifier.Proof) { p.Bs.Neg(&p.Bs) },
		"B at infinity":   func(p *verifier.Proof) { p.Bs = bn254.G2Affine{} },
		"C":               func(p *verifier.Proof) { p.Krs.Add(&p.Krs, &g1) },
		"C at infinity":   func(p *verifier.Proof) { p.Krs = bn254.G1Affine{} },
		"A and C swapped": func(p *verifier.Proof) { p.Ar, p.Krs = p.Krs, p.Ar },
		"knowledge":       func(p *verifier.Proof) { p.PoK.Add(&p.PoK, &g1) },
		"no knowledge":    func(p *verifier.Proof) { p.PoK = bn254.G1Affine{} },
		"nothing at all": func(p *verifier.Proof) {
			*p = verifier.Proof{Commitments: make([]bn254.G1Affine, len(p.Commitments)), Deltas: make([]fr.Element, len(p.Deltas))}
		},
	}
	for k := range commitments {
		edits[fmt.Sprintf("commitment %d", k)] = func(p *verifier.Proof) { p.Commitments[k].Add(&p.Commitments[k], &g1) }
		edits[fmt.Sprintf("commitment %d at infinity", k)] = func(p *verifier.Proof) { p.Commitments[k] = bn254.G1Affine{} }
		edits[fmt.Sprintf("commitment %d swapped", k)] = func(p *verifier.Proof) {
			o := (k + 1) % len(p.Commitments)
			p.Commitments[k], p.Commitments[o] = p.Commitments[o], p.Commitments[k]
		}
	}
	return edits
}

// The scalars are ours: gnark accepts whatever they are, we none but the right ones.
func testScalars(t *testing.T, r *rig, p *proved) {
	one := fr.One()
	for k := range p.proof.Deltas {
		edits := map[string]func([]fr.Element){
			"plus one": func(d []fr.Element) { d[k].Add(&d[k], &one) },
			"negated":  func(d []fr.Element) { d[k].Neg(&d[k]) },
			"zero":     func(d []fr.Element) { d[k].SetZero() },
		}
		if o := (k + 1) % len(p.proof.Deltas); o != k {
			edits["swapped"] = func(d []fr.Element) { d[k], d[o] = d[o], d[k] }
		}
		for what, edit := range edits {
			q := p.clone()
			edit(q.proof.Deltas)
			if theirs, ours := r.theirs(q), r.ours(q); theirs != nil || !errors.Is(ours, verifier.ErrInvalidProof) {
				t.Errorf("δ %d %s: gnark says %v, we say %v; expected only us to reject", k, what, theirs, ours)
			}
		}
	}
	// S + r: gnark takes it for S. Here no public input is taken from anybody, S is recomputed.
	if s := p.digest.Bytes(); s[0] > 0x1f {
		t.Errorf("S = %x exceeds 253 bits", s)
	}
}

func testLengths(t *testing.T, r *rig, p *proved) {
	b := p.proof.Encode()
	if len(b) != verifier.ProofSize(r.key) {
		t.Fatalf("proof of %d bytes, the key says %d", len(b), verifier.ProofSize(r.key))
	}
	for n := range b {
		if err := verifier.Verify(r.key, p.model, p.statement, b[:n]); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("truncated to %d bytes: %v", n, err)
		}
	}
	for _, more := range []int{1, 32, 64} {
		if err := verifier.Verify(r.key, p.model, p.statement, append(slices.Clone(b), make([]byte, more)...)); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("extended by %d bytes: %v", more, err)
		}
	}
	for k := range p.proof.Deltas { // all of them must be below r
		over := slices.Clone(b)
		fr.Modulus().FillBytes(over[len(b)-32*(k+1) : len(b)-32*k])
		if err := verifier.Verify(r.key, p.model, p.statement, over); !errors.Is(err, verifier.ErrMalformed) {
			t.Errorf("δ = r: %v", err)
		}
	}
}

// Whatever of the statement is another, the proof is not for it.
func testStatements(t *testing.T, r *rig, p *proved) {
	other := r.claimOf(t, newMatrix(2), sampleInput(2), []int64{1, 2}, sampleInput(5))
	for what, c := range map[string]struct {
		edit func(*proved)
		want error
	}{
		"context":       {func(q *proved) { q.statement.Context = []byte("other") }, verifier.ErrInvalidProof},
		"input":         {func(q *proved) { q.statement.Inputs[0] = other.statement.Inputs[0] }, verifier.ErrInvalidProof},
		"output y":      {func(q *proved) { q.statement.Outputs[0] = other.statement.Outputs[0] }, verifier.ErrInvalidProof},
		"model":         {func(q *proved) { q.model = other.model }, verifier.ErrInvalidProof},
		"rows swapped":  {func(q *proved) { slices.Reverse(q.model.Rows) }, verifier.ErrInvalidProof},
		"a row less":    {func(q *proved) { q.model.Rows = q.model.Rows[1:] }, verifier.ErrKeyMismatch},
		"a row more":    {func(q *proved) { q.model.Rows = append(q.model.Rows, q.model.Rows[0]) }, verifier.ErrKeyMismatch},
		"output lost":   {func(q *proved) { q.statement.Outputs = q.statement.Outputs[:1] }, verifier.ErrStatement},
		"out of range":  {func(q *proved) { q.statement.Outputs[0] = verifier.TensorValue{Values: []int64{-101, 0}} }, verifier.ErrStatement},
		"nothing for x": {func(q *proved) { q.statement.Inputs[0] = verifier.TensorValue{} }, verifier.ErrStatement},
	} {
		q := p.clone()
		c.edit(q)
		if err := r.ours(q); !errors.Is(err, c.want) {
			t.Errorf("other %s: %v, expected %v", what, err, c.want)
		}
	}
}

// A prover who claims one object and proves with another satisfies Groth16, and gnark accepts: only
// the outer check of the object's role stands in the way. One lie for each role.
func TestOuterChecks(t *testing.T) {
	r, folded, all := newRig(t, layouts[4]), newRig(t, layouts[2]), newRig(t, layouts[5])
	m, x := newMatrix(1), sampleInput(1)
	y, z := m.run(x)
	m2, x2 := newMatrix(2), sampleInput(2)
	y2, _ := m2.run(x)
	for _, lie := range []struct {
		what    string
		rig     *rig
		said    func(*rig) claim
		message string
	}{
		{"weights", r, func(r *rig) claim { return r.claimOf(t, m2, x, y, z) }, "weights"},
		{"private input", r, func(r *rig) claim { return r.claimOf(t, m, x2, y, z) }, "committed input"},
		{"private output", r, func(r *rig) claim { return r.claimOf(t, m, x, y2, z) }, "committed output"},
		{"folded output", r, func(r *rig) claim { return r.claimOf(t, m, x, y, raised(z)) }, "stated values"},
		{"folded input", folded, func(r *rig) claim { return r.claimOf(t, m, raised(x), y, z) }, "stated values"},
		{"weights beside a fold", folded, func(r *rig) claim { return r.claimOf(t, m2, x, y, z) }, "weights"},
		{"first folded value", all, func(r *rig) claim { return r.claimOf(t, m, first(x), y, z) }, "stated values"},
		{"folded tensor between others", all, func(r *rig) claim { return r.claimOf(t, m, x, raised(y), z) }, "stated values"},
		{"two folded tensors", all, func(r *rig) claim { return r.claimOf(t, m, raised(x), y, first(z)) }, "stated values"},
	} {
		t.Run(lie.what, func(t *testing.T) {
			done := lie.rig.claimOf(t, m, x, y, z)
			said := lie.said(lie.rig)
			keepSalts(&said, &done, lie.rig)
			mk := &masks{}
			p := lie.rig.prove(t, said, m, x, y, z, mk, lie.rig.proving)
			lie.rig.open(t, p, done, mk)
			if err := lie.rig.theirs(p); err != nil {
				t.Fatalf("gnark rejects (%v): the lie tests nothing of the outer checks", err)
			}
			if err := lie.rig.ours(p); !errors.Is(err, verifier.ErrInvalidProof) || !strings.Contains(err.Error(), lie.message) {
				t.Errorf("%v, expected the outer check that says %q", err, lie.message)
			}
		})
	}
}

func raised(v []int64) []int64 {
	out := slices.Clone(v)
	out[len(out)-1]++
	return out
}

// first raises the first value.
func first(v []int64) []int64 {
	out := slices.Clone(v)
	out[0]++
	return out
}

// An owner whose model commitment has something at the fold's base, as much as the stated and the used input differ
// by: the fold's powers of α are others than those of the rows, so that no row makes up for the difference.
func TestFoldBaseInModelCommitment(t *testing.T) {
	r := newRig(t, layouts[5])
	m, x := newMatrix(1), sampleInput(1)
	y, z := m.run(x)
	done, said := r.claimOf(t, m, x, y, z), r.claimOf(t, m, raised(raised(x)), y, z)
	used, stated := r.folded(done.statement), r.folded(said.statement)
	for _, row := range []int{0, 1} {
		said.model = &verifier.ModelCommitment{Rows: slices.Clone(done.model.Rows)}
		var difference fr.Element
		for j := range used { // one of them differs
			var d fr.Element
			d.Sub(&used[j], &stated[j])
			difference.Add(&difference, &d)
		}
		if difference.IsZero() {
			t.Fatal("the stated input is the used one")
		}
		moved := times(r.key.Commitments[1].Base, difference)
		said.model.Rows[row].Add(&said.model.Rows[row], &moved)
		mk := &masks{}
		p := r.prove(t, said, m, x, y, z, mk, r.proving)
		r.open(t, p, done, mk)
		if err := r.theirs(p); err != nil {
			t.Fatalf("gnark rejects (%v): the outer check is not tested", err)
		}
		if err := r.ours(p); !errors.Is(err, verifier.ErrInvalidProof) || !strings.Contains(err.Error(), "stated values") {
			t.Errorf("row %d: %v, expected the outer check to fail", row, err)
		}
	}
}

// keepSalts makes done the opening of what the proof holds: it differs from said in the object that is
// lied about and in nothing else, so that every other outer check passes.
func keepSalts(said, done *claim, r *rig) {
	for k, ck := range r.key.Commitments {
		if ck.Role != verifier.RoleInput && ck.Role != verifier.RoleOutput {
			continue
		}
		a, b := said.statement.Inputs, done.statement.Inputs
		if ck.IsOutput {
			a, b = said.statement.Outputs, done.statement.Outputs
		}
		// Same value, other salt: use said's point, which δ then fits.
		shift := times(ck.H, said.salts[k])
		back := times(ck.H, done.salts[k])
		var u, v bn254.G1Affine
		u.Sub(&a[ck.Tensor].Commitment[0], &shift)
		v.Sub(&b[ck.Tensor].Commitment[0], &back)
		if u.Equal(&v) {
			b[ck.Tensor], done.salts[k] = a[ck.Tensor], said.salts[k]
		}
	}
	var u, v bn254.G1Affine
	shift, back := times(r.key.Commitments[1].H, said.rowSalts[0]), times(r.key.Commitments[1].H, done.rowSalts[0])
	u.Sub(&said.model.Rows[0], &shift)
	v.Sub(&done.model.Rows[0], &back)
	if u.Equal(&v) {
		done.model, done.rowSalts = said.model, said.rowSalts
	}
}

// A base of the trace inside D1 and the model commitment: an owner who moves the first trace wire's
// component over passes Groth16, which sees the sum of the commitments, and the outer check. The
// proof of knowledge, with a secret for each commitment, is all that finds it.
func TestTraceBaseInParameters(t *testing.T) {
	r := newRig(t, layouts[0])
	m, x := newMatrix(1), sampleInput(1)
	y, z := m.run(x)
	c := r.claimOf(t, m, x, y, z)

	// The wire Aux comes last among the trace's: it is 1, so its whole component is its base.
	keys := slices.Clone(r.proving.CommitmentKeys)
	trace, parameters := clonePedersen(keys[0]), clonePedersen(keys[1])
	aux := len(trace.Basis) - 2 // before the mask
	moved := trace.Basis[aux]
	trace.Basis[aux], trace.BasisExpSigma[aux] = bn254.G1Affine{}, bn254.G1Affine{}
	mask := fr.NewElement(7)
	var inverse fr.Element
	inverse.Inverse(&mask)
	share := times(moved, inverse)
	h := &parameters.Basis[len(parameters.Basis)-1] // mask·H' = mask·H + moved
	h.Add(h, &share)
	keys[0], keys[1] = trace, parameters
	pk := *r.proving
	pk.CommitmentKeys = keys

	c.model.Rows[0].Add(&c.model.Rows[0], &moved)
	mk := &masks{fixed: &mask}
	p := r.prove(t, c, m, x, y, z, mk, &pk)
	r.open(t, p, c, mk) // fails unless D1 = Σ αⁱ·C_i + δ·H, moved base included
	if ok, err := r.pairingHolds(p); err != nil || !ok {
		t.Fatalf("Groth16's equation: %t, %v; expected the forgery to satisfy it", ok, err)
	}
	if err := r.theirs(p); err == nil {
		t.Error("gnark accepts")
	}
	if err := r.ours(p); !errors.Is(err, verifier.ErrInvalidProof) || !strings.Contains(err.Error(), "knowledge") {
		t.Errorf("%v, expected the proof of knowledge to fail", err)
	}
}

func clonePedersen(k pedersen.ProvingKey) pedersen.ProvingKey {
	return pedersen.ProvingKey{Basis: slices.Clone(k.Basis), BasisExpSigma: slices.Clone(k.BasisExpSigma)}
}

// pairingHolds is Groth16's equation alone, without proof of knowledge and outer checks.
func (r *rig) pairingHolds(p *proved) (bool, error) {
	public := verifier.PublicInputs(r.key.Fixed(), p.statement, p.digest)
	sum := r.key.K[0]
	for k, ck := range r.key.Commitments {
		public = append(public, verifier.Challenge(p.proof.Commitments[k], public[ck.PublicCommitted[0]-1]))
		sum.Add(&sum, &p.proof.Commitments[k])
	}
	for i := range public {
		term := times(r.key.K[i+1], public[i])
		sum.Add(&sum, &term)
	}
	var a bn254.G1Affine
	a.Neg(&p.proof.Ar)
	return bn254.PairingCheck([]bn254.G1Affine{a, r.key.Alpha, sum, p.proof.Krs},
		[]bn254.G2Affine{p.proof.Bs, r.key.Beta, r.key.Gamma, r.key.Delta})
}

// A base H of the prover's choice opens every commitment. It is part of the key, hence of every
// statement: a key with another H is another key.
func TestForeignMaskBase(t *testing.T) {
	r := newRig(t, layouts[0])
	p := r.honest(t)
	bundle := &verifier.Bundle{Backend: verifier.BackendGroth16, VKDigest: r.key.Digest(), Model: p.model.Digest(), Statement: *p.statement, Proof: p.proof.Encode()}
	if err := verifier.VerifyBundle(r.key, p.model, bundle); err != nil {
		t.Fatal(err)
	}
	// Some other model's rows, and the H for which D1 = Σ αⁱ·C_i + 1·H.
	other := r.claimOf(t, newMatrix(9), sampleInput(1), []int64{0, 0}, sampleInput(5))
	sum, _ := r.object(t, 1, other, verifier.Challenge(p.proof.Commitments[0], p.digest))
	forged := *r.key
	forged.Commitments = slices.Clone(r.key.Commitments)
	forged.Commitments[1].H.Sub(&p.proof.Commitments[1], &sum)
	q := p.clone()
	q.model, q.proof.Deltas[0] = other.model, fr.One()
	if err := verifier.Verify(&forged, q.model, q.statement, q.proof.Encode()); !errors.Is(err, verifier.ErrInvalidProof) {
		t.Errorf("a key with an H made for the proof: %v", err)
	}
	if err := verifier.VerifyBundle(&forged, p.model, bundle); !errors.Is(err, verifier.ErrKeyMismatch) {
		t.Errorf("a key with another H: %v, expected another digest", err)
	}
}

// A private input's commitment is valid for one key: its bases are those of one setup.
func TestInputCommitmentOfAnotherKey(t *testing.T) {
	r, other := newRig(t, layouts[1]), newRig(t, layouts[1])
	m, x := newMatrix(1), sampleInput(1)
	y, z := m.run(x)
	done := r.claimOf(t, m, x, y, z)
	said := done
	st := *done.statement
	st.Inputs = other.claimOf(t, m, x, y, z).statement.Inputs
	said.statement = &st
	mk := &masks{}
	p := r.prove(t, said, m, x, y, z, mk, r.proving)
	r.open(t, p, done, mk)
	if err := r.theirs(p); err != nil {
		t.Fatalf("gnark rejects (%v): the outer check is not tested", err)
	}
	if err := r.ours(p); !errors.Is(err, verifier.ErrInvalidProof) || !strings.Contains(err.Error(), "committed input") {
		t.Errorf("%v, expected the outer check of the input to fail", err)
	}
}

// A key for a proof without a commitment to the parameters says nothing about any model.
func TestOneCommitmentIsNoKey(t *testing.T) {
	vk := newRig(t, layouts[0]).verifyingKey()
	vk.Commitments, vk.K = vk.Commitments[:1], vk.K[:len(vk.K)-1]
	if _, err := vk.MarshalBinary(); !errors.Is(err, verifier.ErrMalformed) {
		t.Errorf("%v, expected the key to be refused", err)
	}
	var proof gnarkbn254.Proof
	if err := verifier.Verify(vk, &verifier.ModelCommitment{Rows: make([]bn254.G1Affine, rows)}, &verifier.Statement{}, proof.Ar.Marshal()); !errors.Is(err, verifier.ErrMalformed) {
		t.Errorf("%v, expected the key to be refused", err)
	}
}
