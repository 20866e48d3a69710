package evmtest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"hash"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	gnarkbn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/solidity"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkinfer/zkinfer/verifier"
)

// product is the smallest model with a committed parameter: y = p·x. Its commitments are the trace
// (x, y and a wire that is one) and the parameter.
type product struct {
	S, PackedX, PackedY frontend.Variable `gnark:",public"`
	X, Y, P, One        frontend.Variable
}

func (c *product) Define(api frontend.API) error {
	committer := api.(frontend.Committer)
	for _, w := range []frontend.Variable{c.X, c.Y, c.P} {
		api.AssertIsEqual(api.Mul(w, w, c.One), api.Mul(w, w)) // a constraint of its own for every wire
	}
	alpha, err := committer.Commit(c.S, c.X, c.Y, c.One)
	if err != nil {
		return err
	}
	beta, err := committer.Commit(alpha, c.P)
	if err != nil {
		return err
	}
	api.AssertIsEqual(api.Mul(c.P, c.X), c.Y)
	api.AssertIsEqual(c.X, c.PackedX)
	api.AssertIsEqual(c.Y, c.PackedY)
	api.AssertIsEqual(c.One, 1)
	api.AssertIsDifferent(beta, 0)
	return nil
}

// factory has the keys for product.
type factory struct {
	system  constraint.ConstraintSystem
	proving *gnarkbn254.ProvingKey
	gnark   *gnarkbn254.VerifyingKey
	key     *verifier.VerifyingKey
	misread bool // proofs are made for challenges as gnark's contract computes them
}

func newFactory(t *testing.T) *factory {
	t.Helper()
	logger.Disable()
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &product{})
	if err != nil {
		t.Fatal(err)
	}
	pk, vk, err := groth16.Setup(system)
	if err != nil {
		t.Fatal(err)
	}
	f := &factory{system: system, proving: pk.(*gnarkbn254.ProvingKey), gnark: vk.(*gnarkbn254.VerifyingKey)}
	tensor := []verifier.TensorSpec{{Name: "t", Shape: []int{1}, Type: "uint8", Max: 255, Binding: verifier.BindingPacked}}
	f.key = &verifier.VerifyingKey{Alpha: f.gnark.G1.Alpha, Beta: f.gnark.G2.Beta, Gamma: f.gnark.G2.Gamma, Delta: f.gnark.G2.Delta,
		K: f.gnark.G1.K, FoldRows: 1, Inputs: tensor, Outputs: tensor}
	for k, role := range []verifier.Role{verifier.RoleTrace, verifier.RoleParameters} {
		f.key.Commitments = append(f.key.Commitments, verifier.CommitmentKey{Role: role, G: f.gnark.CommitmentKeys[k].G,
			GSigmaNeg: f.gnark.CommitmentKeys[k].GSigmaNeg, PublicCommitted: f.gnark.PublicAndCommitmentCommitted[k]})
	}
	basis := f.proving.CommitmentKeys[1].Basis
	f.key.Commitments[1].H = basis[len(basis)-1]
	return f
}

// commit is the model commitment to p, with salt zero.
func (f *factory) commit(p int64) bn254.G1Affine {
	var c bn254.G1Affine
	return *c.ScalarMultiplication(&f.proving.CommitmentKeys[1].Basis[0], big.NewInt(p))
}

// prove proves 3·p under a model commitment, with whatever proving key; all masks are mask.
func (f *factory) prove(t *testing.T, pk *gnarkbn254.ProvingKey, row bn254.G1Affine, p int64, mask fr.Element) (*proved, *gnarkbn254.Proof) {
	t.Helper()
	m := &verifier.ModelCommitment{Rows: []bn254.G1Affine{row}}
	st := verifier.Statement{Inputs: []verifier.TensorValue{{Values: []int64{3}}}, Outputs: []verifier.TensorValue{{Values: []int64{3 * p}}}}
	s, err := verifier.StatementDigest(f.key, m, &st)
	if err != nil {
		t.Fatal(err)
	}
	w, err := frontend.NewWitness(&product{S: s, PackedX: 3, PackedY: 3 * p, X: 3, Y: 3 * p, P: p, One: 1}, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	hashing := solidity.WithProverTargetSolidityVerifier(backend.GROTH16)
	if f.misread {
		hashing = backend.WithProverHashToFieldFunction(&misreading{Hash: sha256.New(), s: s.Bytes()})
	}
	proof, err := groth16.Prove(f.system, pk, w, hashing, backend.WithSolverOptions(fixMasks(t, mask)))
	if err != nil {
		t.Fatal(err)
	}
	g := proof.(*gnarkbn254.Proof)
	ours := &verifier.Proof{Ar: g.Ar, Bs: g.Bs, Krs: g.Krs, Commitments: g.Commitments, PoK: g.CommitmentPok, Deltas: []fr.Element{mask}}
	return &proved{"product", f.key, m, &verifier.Bundle{Backend: verifier.BackendGroth16, VKDigest: f.key.Digest(), Model: m.Digest(),
		Statement: st, Proof: ours.Encode()}}, g
}

func fixMasks(t *testing.T, mask fr.Element) solver.Option {
	t.Helper()
	for _, h := range solver.GetRegisteredHints() {
		if strings.HasSuffix(solver.GetHintName(h), "hints.Randomize") {
			return solver.OverrideHint(solver.GetHintID(h), func(_ *big.Int, _, out []*big.Int) error {
				mask.BigInt(out[0])
				return nil
			})
		}
	}
	t.Fatal("gnark's mask hint is not registered")
	return nil
}

// deployGnark deploys the contract that gnark exports for the same key.
func (f *factory) deployGnark(t *testing.T) *deployed {
	t.Helper()
	var source bytes.Buffer
	if err := f.gnark.ExportSolidity(&source); err != nil {
		t.Fatal(err)
	}
	d, err := newChain(t).create(compile(t, optimized, map[string][]byte{"Verifier.sol": source.Bytes()}, true)["Verifier"], nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// askGnark is the verdict of gnark's contract on a proof of p's statement.
func (d *deployed) askGnark(t *testing.T, p *proved, g *gnarkbn254.Proof) error {
	t.Helper()
	s := p.digest(t)
	st := &p.bundle.Statement
	_, err := d.do(0, "verifyProof", g.MarshalSolidity(), [3]*big.Int{new(big.Int).SetBytes(s[:]), bigInt(st.Inputs[0].Values[0]), bigInt(st.Outputs[0].Values[0])})
	return err
}

// A forged model commitment: its owner knows no parameter that it opens to, because it has a part on a
// base of the trace. That part is taken from D_0 and put into D_1, so that D_1 fits the model
// commitment (the outer check passes) and the sum of both, which is all that Groth16 sees, stays. With
// such parts an owner commits to traces in the name of a model.
//
// The proofs of knowledge are there to find this: D_1 is not on its own bases. gnark's contract checks
// that of D_0 only, with σ_0, and accepts. Ours checks all of them, each with its own σ, and rejects.
//
// gnark's contract has a second fault with several commitments: for the challenge that is hashed into
// the next one it reads past the public inputs, and gets the length of the proof. So the forgery is
// made twice from the same commitments, for each contract with the challenges that it computes.
func TestForgeryThatGnarkAccepts(t *testing.T) {
	contracts(t, optimized, frozen(t, "public").key) // skips where there is no compiler
	f := newFactory(t)
	gnark := f.deployGnark(t)
	mask := fr.NewElement(7)

	honest, g := f.prove(t, f.proving, f.commit(5), 5, mask)
	honest.checkAccepted(t, deploy(t, optimized, f.key, honest.model))
	if err := gnark.askGnark(t, honest, g); err == nil {
		t.Error("gnark's contract accepts the honest proof: the comment above is out of date")
	}

	f.misread = true
	forged, g := f.forge(t, mask)
	if err := gnark.askGnark(t, forged, g); err != nil {
		t.Fatalf("gnark's contract rejects the forgery (%s): this test shows nothing", nameOf(gnark, err))
	}
	f.misread = false
	forged, same := f.forge(t, mask)
	if !slices.Equal(same.Commitments, g.Commitments) {
		t.Fatal("the two forgeries have different commitments")
	}
	d := deploy(t, optimized, f.key, forged.model)
	forged.agree(t, d, "the forgery", "rejected")
	_, _, err := d.call(forged.call(t).Data(), 0)
	if _, why := d.reason(err); !strings.Contains(why, "pairing") {
		t.Errorf("the forgery is rejected because of %q, expected the proofs of knowledge", why)
	}
	err = verifier.VerifyBundle(f.key, forged.model, forged.bundle)
	if err == nil || !strings.Contains(err.Error(), "knowledge") {
		t.Errorf("Go rejects it because of %v, expected the proofs of knowledge", err)
	}
}

// misreading is the hash of challenges as gnark's contract computes it: keccak, in which the word after
// a commitment is the length of the proof wherever it is not S.
type misreading struct {
	hash.Hash
	s       [32]byte
	written []byte
}

func (m *misreading) Write(b []byte) (int, error) {
	m.written = append(m.written, b...)
	return len(b), nil
}

func (m *misreading) Reset() { m.written = nil }

func (m *misreading) Sum(b []byte) []byte {
	covered := m.written[len(m.written)-32:]
	if !bytes.Equal(covered, m.s[:]) {
		big.NewInt(gnarkProofBytes).FillBytes(covered)
	}
	return append(b, crypto.Keccak256(m.written)...)
}

// gnarkProofBytes is the length of gnark's proof with two commitments.
const gnarkProofBytes = 256 + 3*64

// forge makes a proof whose D_1 holds the trace's wire One.
func (f *factory) forge(t *testing.T, mask fr.Element) (*proved, *gnarkbn254.Proof) {
	t.Helper()
	trace, parameters := cloned(f.proving.CommitmentKeys[0]), cloned(f.proving.CommitmentKeys[1])
	one := len(trace.Basis) - 2 // the last wire before the mask
	moved := trace.Basis[one]
	trace.Basis[one], trace.BasisExpSigma[one] = bn254.G1Affine{}, bn254.G1Affine{}
	// The mask's base takes what is moved: mask·H' = mask·H + moved.
	var inverse fr.Element
	inverse.Inverse(&mask)
	var share bn254.G1Affine
	share.ScalarMultiplication(&moved, toBig(inverse))
	h := &parameters.Basis[len(parameters.Basis)-1]
	h.Add(h, &share)
	pk := *f.proving
	pk.CommitmentKeys = []pedersen.ProvingKey{trace, parameters}

	row := f.commit(5)
	row.Add(&row, &moved)
	p, g := f.prove(t, &pk, row, 5, mask)

	// gnark folded two proofs of knowledge; what is left without the second is the first.
	second := f.knowledge(t, parameters, mask)
	var challenges []byte
	covered := p.digest(t)
	for k, c := range g.Commitments {
		var s fr.Element
		s.SetBytes(covered[:])
		if f.misread && k > 0 {
			s.SetUint64(gnarkProofBytes)
		}
		e := verifier.Challenge(c, s)
		covered = e.Bytes()
		challenges = append(challenges, covered[:]...)
	}
	fold, err := fr.Hash(challenges, []byte("G16-BSB22"), 1)
	if err != nil {
		t.Fatal(err)
	}
	second.ScalarMultiplication(&second, toBig(fold[0]))
	g.CommitmentPok.Sub(&g.CommitmentPok, &second)
	return p, g
}

// knowledge is the proof of knowledge of D_1 under a proving key.
func (f *factory) knowledge(t *testing.T, k pedersen.ProvingKey, mask fr.Element) bn254.G1Affine {
	t.Helper()
	out, err := k.ProveKnowledge([]fr.Element{fr.NewElement(5), mask})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func cloned(k pedersen.ProvingKey) pedersen.ProvingKey {
	return pedersen.ProvingKey{Basis: slices.Clone(k.Basis), BasisExpSigma: slices.Clone(k.BasisExpSigma)}
}

// One σ for all commitments would do no better: who may move parts between commitments moves the same
// part of their proofs of knowledge. Here a key has the trace's σ twice, and a forger the secret of
// none; the contract for such a key accepts, so that it is the second σ that makes the difference.
func TestOneSigmaIsNotEnough(t *testing.T) {
	contracts(t, optimized, frozen(t, "public").key)
	f := newFactory(t)
	sigma, err := rand.Int(rand.Reader, fr.Modulus())
	if err != nil {
		t.Fatal(err)
	}
	for k := range f.proving.CommitmentKeys { // as a setup with one σ makes them
		c := &f.proving.CommitmentKeys[k]
		for i := range c.Basis {
			c.BasisExpSigma[i].ScalarMultiplication(&c.Basis[i], sigma)
		}
		f.key.Commitments[k].GSigmaNeg.ScalarMultiplication(&f.key.Commitments[k].G, new(big.Int).Sub(fr.Modulus(), sigma))
	}
	mask := fr.NewElement(7)
	forged := f.forgeWithOneSigma(t, mask)
	if err := verifier.VerifyBundle(f.key, forged.model, forged.bundle); err != nil {
		t.Fatalf("%v, expected the forgery to pass with one σ", err)
	}
	if class := deploy(t, optimized, f.key, forged.model).verdict(forged.call(t)); class != "" {
		t.Errorf("%q, expected the forgery to pass with one σ", class)
	}
}

// forgeWithOneSigma moves the part of the wire One together with its proof of knowledge.
func (f *factory) forgeWithOneSigma(t *testing.T, mask fr.Element) *proved {
	t.Helper()
	trace, parameters := cloned(f.proving.CommitmentKeys[0]), cloned(f.proving.CommitmentKeys[1])
	one, h := len(trace.Basis)-2, len(parameters.Basis)-1
	var inverse fr.Element
	inverse.Inverse(&mask)
	moved := trace.Basis[one]
	for _, move := range []struct{ from, to *bn254.G1Affine }{
		{&trace.Basis[one], &parameters.Basis[h]}, {&trace.BasisExpSigma[one], &parameters.BasisExpSigma[h]},
	} {
		var share bn254.G1Affine
		share.ScalarMultiplication(move.from, toBig(inverse))
		move.to.Add(move.to, &share)
		*move.from = bn254.G1Affine{}
	}
	pk := *f.proving
	pk.CommitmentKeys = []pedersen.ProvingKey{trace, parameters}
	row := f.commit(5)
	row.Add(&row, &moved)
	p, _ := f.prove(t, &pk, row, 5, mask)
	return p
}

// A commitment and its negative have the same x. An owner who commits to −p and proves with p makes
// D_1 = −(C_0 + δ·H): only the second coordinate tells that these are other weights.
func TestOppositeWeights(t *testing.T) {
	contracts(t, optimized, frozen(t, "public").key)
	f := newFactory(t)
	row := f.commit(5)
	row.Neg(&row)
	mask := fr.NewElement(7)
	p, _ := f.prove(t, f.proving, row, 5, mask)
	proof, err := verifier.DecodeProof(f.key, p.bundle.Proof)
	if err != nil {
		t.Fatal(err)
	}
	proof.Deltas[0].Neg(&mask)
	var shift bn254.G1Affine
	shift.ScalarMultiplication(&f.key.Commitments[1].H, toBig(proof.Deltas[0]))
	if shift.Add(&shift, &row); !shift.X.Equal(&proof.Commitments[1].X) || shift.Equal(&proof.Commitments[1]) {
		t.Fatal("the commitments are not each other's negatives: this test shows nothing")
	}
	p.with(func(b *verifier.Bundle) { b.Proof = proof.Encode() }).agree(t, deploy(t, optimized, f.key, p.model), "opposite weights", "rejected")
}
