package verifier_test

import (
	"crypto/rand"
	"errors"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	gnarkbn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/solidity"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"

	"github.com/zkinfer/zkinfer/verifier"
)

// A model small enough to be written down: y = P·x for a 2×40 matrix P, and z = x + 1 elementwise,
// all in offsets from the tensors' minima. The tensors are bound as a layout says.
const (
	rows    = 2
	columns = 40
)

// layout says how x, y and z are bound; the number of commitments is 2 and one for each that is private.
type layout struct {
	name    string
	x, y, z verifier.Binding
}

var layouts = []layout{
	{"2 commitments", verifier.BindingPacked, verifier.BindingPacked, verifier.BindingPacked},
	{"3 commitments, private input", verifier.BindingCommitted, verifier.BindingPacked, verifier.BindingPacked},
	{"2 commitments, folded input", verifier.BindingFolded, verifier.BindingPacked, verifier.BindingPacked},
	{"4 commitments", verifier.BindingCommitted, verifier.BindingCommitted, verifier.BindingPacked},
	{"4 commitments, folded output", verifier.BindingCommitted, verifier.BindingCommitted, verifier.BindingFolded},
	{"2 commitments, all folded", verifier.BindingFolded, verifier.BindingFolded, verifier.BindingFolded},
}

// folds reports whether a tensor is folded.
func (l layout) folds() bool {
	return l.x == verifier.BindingFolded || l.y == verifier.BindingFolded || l.z == verifier.BindingFolded
}

func (l layout) specs() (in, out []verifier.TensorSpec) {
	return []verifier.TensorSpec{{Name: "x", Shape: []int{5, 8}, Type: "int16", Min: -3, Max: 252, Binding: l.x}},
		[]verifier.TensorSpec{
			{Name: "y", Shape: []int{rows}, Type: "int32", Min: -100, Max: 1 << 17, Binding: l.y},
			{Name: "z", Shape: []int{columns}, Type: "uint16", Min: 1, Max: 999, Binding: l.z},
		}
}

// circuit is the model's, with public inputs S and the packed tensors.
type circuit struct {
	Public []frontend.Variable `gnark:",public"`
	X      [columns]frontend.Variable
	Y      [rows]frontend.Variable
	Z      [columns]frontend.Variable
	Aux    frontend.Variable // the trace is never empty
	layout layout
}

func newCircuit(l layout) *circuit {
	c := &circuit{layout: l, Public: make([]frontend.Variable, 1)}
	in, out := l.specs()
	for _, t := range append(in, out...) {
		if per := 31 / t.Width(); t.Binding == verifier.BindingPacked {
			c.Public = append(c.Public, make([]frontend.Variable, (t.Len()+per-1)/per)...)
		}
	}
	return c
}

// foldHint computes the folded parameters. It is replaced for each proof: the matrix is no part of
// the circuit.
func foldHint(*big.Int, []*big.Int, []*big.Int) error { return errors.New("no parameters given") }

func (c *circuit) Define(api frontend.API) error {
	committer := api.(frontend.Committer)
	in, out := c.layout.specs()
	tensors := []struct {
		spec  verifier.TensorSpec
		wires []frontend.Variable
	}{{in[0], c.X[:]}, {out[0], c.Y[:]}, {out[1], c.Z[:]}}
	trace := []frontend.Variable{c.Public[0], c.Aux}
	packed := c.Public[1:]
	var folded []frontend.Variable
	for _, t := range tensors {
		for _, w := range t.wires {
			api.AssertIsEqual(api.Mul(w, w, c.Aux), api.Mul(w, w)) // a constraint of its own for every wire
		}
		if t.spec.Binding != verifier.BindingCommitted {
			trace = append(trace, t.wires...)
		}
		switch t.spec.Binding {
		case verifier.BindingPacked:
			for _, e := range pieces(api, t.spec.Width(), t.wires) {
				api.AssertIsEqual(packed[0], e)
				packed = packed[1:]
			}
		case verifier.BindingFolded:
			folded = append(folded, pieces(api, t.spec.Width(), t.wires)...)
		}
	}
	alpha, err := committer.Commit(trace...)
	if err != nil {
		return err
	}
	u, err := api.NewHint(foldHint, columns, alpha)
	if err != nil {
		return err
	}
	object := append([]frontend.Variable{alpha}, u...)
	if c.layout.folds() {
		object = append(object, fold(api, alpha, folded))
	}
	challenge, err := committer.Commit(object...)
	if err != nil {
		return err
	}
	c.defineModel(api, alpha, u)
	for _, t := range tensors {
		if t.spec.Binding != verifier.BindingCommitted {
			continue
		}
		if challenge, err = committer.Commit(append([]frontend.Variable{challenge}, t.wires...)...); err != nil {
			return err
		}
	}
	api.AssertIsDifferent(challenge, 0)
	return nil
}

// defineModel is Σ αⁱ·y_i = Σ u_j·x_j and z = x + 1; the minima are -100, -3 and 1.
func (c *circuit) defineModel(api frontend.API, alpha frontend.Variable, u []frontend.Variable) {
	left, right := frontend.Variable(0), frontend.Variable(0)
	for i := rows - 1; i >= 0; i-- {
		left = api.Add(api.Mul(left, alpha), c.Y[i])
	}
	for j := range u {
		right = api.Add(right, api.Mul(u[j], c.X[j]))
		api.AssertIsEqual(c.Z[j], api.Add(c.X[j], 1))
	}
	api.AssertIsEqual(left, right)
	api.AssertIsEqual(c.Aux, 1)
}

// pieces is the packing as docs/formats.md has it, written here once more. Nothing here checks the range of the
// values: a test of outer checks needs none.
func pieces(api frontend.API, width int, wires []frontend.Variable) (out []frontend.Variable) {
	for per := 31 / width; len(wires) > 0; {
		n := min(per, len(wires))
		sum := frontend.Variable(0)
		for j, w := range wires[:n] {
			sum = api.Add(sum, api.Mul(w, new(big.Int).Lsh(big.NewInt(1), uint(8*width*j))))
		}
		out = append(out, sum)
		wires = wires[n:]
	}
	return out
}

// fold is Σ e_j·α^(rows+j), a wire since it is a product.
func fold(api frontend.API, alpha frontend.Variable, e []frontend.Variable) frontend.Variable {
	sum := frontend.Variable(0)
	for j := len(e) - 1; j >= 0; j-- {
		sum = api.Add(api.Mul(sum, alpha), e[j])
	}
	for range rows {
		sum = api.Mul(sum, alpha)
	}
	return sum
}

// matrix holds the parameters; salts open the model commitment.
type matrix [rows][columns]fr.Element

func newMatrix(seed uint64) *matrix {
	var m matrix
	for i := range m {
		for j := range m[i] {
			m[i][j].SetUint64((seed*uint64(7+i) + uint64(j*j)) % 6)
		}
	}
	return &m
}

// rig is a layout with its keys.
type rig struct {
	layout  layout
	system  constraint.ConstraintSystem
	proving *gnarkbn254.ProvingKey
	gnark   *gnarkbn254.VerifyingKey
	key     *verifier.VerifyingKey
}

func newRig(t *testing.T, l layout) *rig {
	t.Helper()
	logger.Disable()
	solver.RegisterHint(foldHint)
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, newCircuit(l))
	if err != nil {
		t.Fatal(err)
	}
	pk, vk, err := groth16.Setup(system)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{layout: l, system: system, proving: pk.(*gnarkbn254.ProvingKey), gnark: vk.(*gnarkbn254.VerifyingKey)}
	r.key = r.verifyingKey()
	if b, err := r.key.MarshalBinary(); err != nil {
		t.Fatal(err)
	} else if r.key, err = verifier.UnmarshalVerifyingKey(b); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) verifyingKey() *verifier.VerifyingKey {
	in, out := r.layout.specs()
	vk := &verifier.VerifyingKey{Alpha: r.gnark.G1.Alpha, Beta: r.gnark.G2.Beta, Gamma: r.gnark.G2.Gamma, Delta: r.gnark.G2.Delta,
		K: r.gnark.G1.K, FoldRows: rows, Inputs: in, Outputs: out, Description: verifier.Description{Name: r.layout.name}}
	keys := []verifier.CommitmentKey{{Role: verifier.RoleTrace}, {Role: verifier.RoleParameters}}
	for i, b := range []verifier.Binding{r.layout.x, r.layout.y, r.layout.z} {
		if b != verifier.BindingCommitted {
			continue
		}
		c := verifier.CommitmentKey{Role: verifier.RoleInput, IsOutput: i > 0, Tensor: max(0, i-1)}
		if i > 0 {
			c.Role = verifier.RoleOutput
		}
		keys = append(keys, c)
	}
	for k := range keys {
		basis := r.proving.CommitmentKeys[k].Basis
		keys[k].G, keys[k].GSigmaNeg = r.gnark.CommitmentKeys[k].G, r.gnark.CommitmentKeys[k].GSigmaNeg
		keys[k].PublicCommitted = r.gnark.PublicAndCommitmentCommitted[k]
		if k > 0 {
			keys[k].H = basis[len(basis)-1]
		}
		if keys[k].Role == verifier.RoleParameters && r.layout.folds() {
			keys[k].Base = basis[len(basis)-2]
		}
	}
	vk.Commitments = keys
	return vk
}

// commit is Σ values·bases + salt·H of commitment k.
func (r *rig) commit(t *testing.T, k int, values []fr.Element, salt fr.Element) bn254.G1Affine {
	t.Helper()
	var c bn254.G1Affine
	if _, err := c.MultiExp(r.proving.CommitmentKeys[k].Basis, append(append([]fr.Element{}, values...), salt), ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	return c
}

// claim is what a prover says (the statement and the opened objects), and proof what it does. An
// honest prover's agree.
type claim struct {
	model     *verifier.ModelCommitment
	rowSalts  [rows]fr.Element
	salts     map[int]fr.Element // by commitment, of private tensors
	statement *verifier.Statement
}

// proved is a claim with a proof.
type proved struct {
	claim
	proof  *verifier.Proof
	digest fr.Element
}

// values are the model's tensors on an input.
func (m *matrix) run(x []int64) (y, z []int64) {
	for i := range m {
		var sum uint64
		for j := range x {
			sum += m[i][j].Uint64() * uint64(x[j]+3)
		}
		y = append(y, int64(sum)-100)
	}
	for _, v := range x {
		z = append(z, v+5) // z − 1 = (x + 3) + 1
	}
	return y, z
}

func sampleInput(seed int) []int64 {
	x := make([]int64, columns)
	for j := range x {
		x[j] = int64((j*37+seed*11)%256) - 3
	}
	return x
}

// claimOf commits to a matrix and to the private tensors among x, y and z, with fresh salts.
func (r *rig) claimOf(t *testing.T, m *matrix, x, y, z []int64) claim {
	t.Helper()
	c := claim{model: &verifier.ModelCommitment{}, salts: map[int]fr.Element{}, statement: &verifier.Statement{Context: []byte("task")}}
	for i := range m {
		if _, err := c.rowSalts[i].SetRandom(); err != nil {
			t.Fatal(err)
		}
		row := slices.Clone(m[i][:])
		if r.layout.folds() {
			row = append(row, fr.Element{}) // at the fold's base
		}
		c.model.Rows = append(c.model.Rows, r.commit(t, 1, row, c.rowSalts[i]))
	}
	c.statement.Inputs = []verifier.TensorValue{{Values: x}}
	c.statement.Outputs = []verifier.TensorValue{{Values: y}, {Values: z}}
	for k, ck := range r.key.Commitments {
		if ck.Role != verifier.RoleInput && ck.Role != verifier.RoleOutput {
			continue
		}
		side, specs := c.statement.Inputs, r.key.Inputs
		if ck.IsOutput {
			side, specs = c.statement.Outputs, r.key.Outputs
		}
		var salt fr.Element
		if _, err := salt.SetRandom(); err != nil {
			t.Fatal(err)
		}
		point := r.commit(t, k, offsets(specs[ck.Tensor], side[ck.Tensor].Values), salt)
		c.salts[k] = salt
		side[ck.Tensor] = verifier.TensorValue{Commitment: []bn254.G1Affine{point}}
	}
	return c
}

func offsets(t verifier.TensorSpec, values []int64) []fr.Element {
	out := make([]fr.Element, len(values))
	for k, v := range values {
		out[k].SetUint64(uint64(v - t.Min))
	}
	return out
}

// masks records what gnark's mask hint draws.
type masks struct {
	mu    sync.Mutex
	drawn []fr.Element
	fixed *fr.Element
}

func (m *masks) option() solver.Option {
	for _, h := range solver.GetRegisteredHints() {
		if strings.HasSuffix(solver.GetHintName(h), "hints.Randomize") {
			return solver.OverrideHint(solver.GetHintID(h), m.draw)
		}
	}
	panic("gnark's mask hint is not registered")
}

func (m *masks) draw(field *big.Int, _, out []*big.Int) error {
	v, err := rand.Int(rand.Reader, field)
	if err != nil {
		return err
	}
	if m.fixed != nil {
		m.fixed.BigInt(v)
	}
	var e fr.Element
	e.SetBigInt(v)
	out[0].Set(v)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drawn = append(m.drawn, e)
	return nil
}

// prove runs gnark on matrix m and the tensors x, y, z under the claim c; the two need not agree.
func (r *rig) prove(t *testing.T, c claim, m *matrix, x, y, z []int64, mk *masks, pk *gnarkbn254.ProvingKey) *proved {
	t.Helper()
	s, err := verifier.StatementDigest(r.key, c.model, c.statement)
	if err != nil {
		t.Fatal(err)
	}
	a := newCircuit(r.layout)
	for i, v := range verifier.PublicInputs(r.key.Fixed(), c.statement, s) {
		a.Public[i] = v
	}
	in, out := r.layout.specs()
	assign(a.X[:], in[0], x)
	assign(a.Y[:], out[0], y)
	assign(a.Z[:], out[1], z)
	a.Aux = 1
	w, err := frontend.NewWitness(a, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	folder := solver.OverrideHint(solver.GetHintID(foldHint), m.fold)
	p, err := groth16.Prove(r.system, pk, w, solidity.WithProverTargetSolidityVerifier(backend.GROTH16), backend.WithSolverOptions(folder, mk.option()))
	if err != nil {
		t.Fatal(err)
	}
	g := p.(*gnarkbn254.Proof)
	return &proved{claim: c, digest: s, proof: &verifier.Proof{Ar: g.Ar, Bs: g.Bs, Krs: g.Krs, Commitments: g.Commitments, PoK: g.CommitmentPok}}
}

func assign(wires []frontend.Variable, t verifier.TensorSpec, values []int64) {
	for k, v := range offsets(t, values) {
		wires[k] = v
	}
}

func (m *matrix) fold(_ *big.Int, in, out []*big.Int) error {
	var alpha fr.Element
	alpha.SetBigInt(in[0])
	for j := range out {
		var u fr.Element
		for i := rows - 1; i >= 0; i-- {
			u.Mul(&u, &alpha)
			u.Add(&u, &m[i][j])
		}
		u.BigInt(out[j])
	}
	return nil
}

// open finds the scalars of the outer checks for what the proof really holds: from the salts of the
// claim c (its points are those the prover used) and whichever mask fits.
func (r *rig) open(t *testing.T, p *proved, honest claim, mk *masks) {
	t.Helper()
	alpha := verifier.Challenge(p.proof.Commitments[0], p.digest)
	for k := 1; k < len(r.key.Commitments); k++ {
		object, salt := r.object(t, k, honest, alpha)
		fits := false
		for _, mask := range mk.drawn {
			var delta fr.Element
			delta.Sub(&mask, &salt)
			shift := times(r.key.Commitments[k].H, delta)
			shift.Add(&shift, &object)
			if shift.Equal(&p.proof.Commitments[k]) {
				p.proof.Deltas, fits = append(p.proof.Deltas, delta), true
				break
			}
		}
		if !fits {
			t.Fatalf("commitment %d opens to none of the masks", k)
		}
	}
}

func (r *rig) object(t *testing.T, k int, c claim, alpha fr.Element) (object bn254.G1Affine, salt fr.Element) {
	t.Helper()
	ck := r.key.Commitments[k]
	side := c.statement.Inputs
	if ck.IsOutput {
		side = c.statement.Outputs
	}
	if ck.Role == verifier.RoleParameters {
		power := fr.One()
		for i, row := range c.model.Rows {
			var s fr.Element
			s.Mul(&power, &c.rowSalts[i])
			salt.Add(&salt, &s)
			term := times(row, power)
			object.Add(&object, &term)
			power.Mul(&power, &alpha)
		}
		for _, e := range r.folded(c.statement) { // with the powers after those of the rows
			e.Mul(&e, &power)
			term := times(ck.Base, e)
			object.Add(&object, &term)
			power.Mul(&power, &alpha)
		}
		return object, salt
	}
	return side[ck.Tensor].Commitment[0], c.salts[k]
}

// folded are the pieces of the folded tensors, computed here once more.
func (r *rig) folded(st *verifier.Statement) (out []fr.Element) {
	values := append(slices.Clone(st.Inputs), st.Outputs...)
	for i, spec := range append(slices.Clone(r.key.Inputs), r.key.Outputs...) {
		if spec.Binding != verifier.BindingFolded {
			continue
		}
		for chunk := range slices.Chunk(offsets(spec, values[i].Values), 31/spec.Width()) {
			var sum, base fr.Element
			base.SetUint64(1 << (8 * spec.Width()))
			for j := len(chunk) - 1; j >= 0; j-- {
				sum.Mul(&sum, &base)
				sum.Add(&sum, &chunk[j])
			}
			out = append(out, sum)
		}
	}
	return out
}

func times(p bn254.G1Affine, s fr.Element) (out bn254.G1Affine) {
	var b big.Int
	return *out.ScalarMultiplication(&p, s.BigInt(&b))
}

// theirs is gnark's verdict on the proof for S and the statement's packed tensors.
func (r *rig) theirs(p *proved) error {
	public := verifier.PublicInputs(r.key.Fixed(), p.statement, p.digest)
	g := &gnarkbn254.Proof{Ar: p.proof.Ar, Bs: p.proof.Bs, Krs: p.proof.Krs, Commitments: p.proof.Commitments, CommitmentPok: p.proof.PoK}
	return gnarkbn254.Verify(g, r.gnark, public, solidity.WithVerifierTargetSolidityVerifier(backend.GROTH16))
}

func (r *rig) ours(p *proved) error {
	return verifier.Verify(r.key, p.model, p.statement, p.proof.Encode())
}
