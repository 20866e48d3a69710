package ceremony

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/prover"
)

func TestMain(m *testing.M) {
	logger.Disable()
	m.Run()
}

// toy is a circuit of some 2^4 constraints with three commitments.
type toy struct {
	Out frontend.Variable `gnark:",public"`
	X   [4]frontend.Variable
	n   int
	k   int // added in each round: other circuits of the same shape
}

func (c *toy) Define(api frontend.API) error {
	committer := api.(frontend.Committer)
	previous := c.Out
	for i := range 3 {
		challenge, err := committer.Commit(c.X[i], previous)
		if err != nil {
			return err
		}
		api.AssertIsEqual(api.Mul(challenge, 0), api.Sub(api.Mul(c.X[i], c.X[i]), api.Mul(c.X[i], c.X[i])))
		previous = challenge
	}
	v := c.X[3]
	for range c.n {
		v = api.Mul(v, api.Add(v, c.X[0], c.X[1], api.Mul(c.X[2], 1+c.k)))
	}
	api.AssertIsEqual(v, c.Out)
	return nil
}

func compileToy(t testing.TB, n int) *cs.R1CS {
	t.Helper()
	r, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &toy{n: n})
	if err != nil {
		t.Fatal(err)
	}
	return r.(*cs.R1CS)
}

// similar is toySystem but for a coefficient.
func similar(t testing.TB) *cs.R1CS {
	t.Helper()
	r, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &toy{n: 3, k: 4})
	if err != nil {
		t.Fatal(err)
	}
	a, errA := ShapeOf(r.(*cs.R1CS))
	b, errB := ShapeOf(toySystem())
	if errA != nil || errB != nil || !a.equal(&b) {
		t.Fatalf("shapes %+v and %+v, expected the same", a, b)
	}
	return r.(*cs.R1CS)
}

var toySystem = sync.OnceValue(func() *cs.R1CS {
	r, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &toy{n: 3})
	if err != nil {
		panic(err)
	}
	return r.(*cs.R1CS)
})

var (
	beacon1 = []byte("a block hash after phase 1")
	beacon2 = []byte("a block hash after phase 2")
	toyFor  = Description{Version: "test", Subject: prover.Subject{Model: "toy", Architecture: make([]byte, 32), FoldRows: 1}}
)

func newToy(t testing.TB) *Ceremony {
	t.Helper()
	c, err := Create(context.Background(), filepath.Join(t.TempDir(), "ceremony"), toySystem(), toyFor, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func contribute(t testing.TB, c *Ceremony, names ...string) {
	t.Helper()
	for _, n := range names {
		if _, err := c.Contribute(context.Background(), n); err != nil {
			t.Fatal(err)
		}
	}
}

// finished is a whole ceremony of two contributors in each phase.
func finished(t testing.TB) *Ceremony {
	t.Helper()
	ctx := context.Background()
	c := newToy(t)
	contribute(t, c, "Ada", "Bob")
	if err := c.BeginPhase2(ctx, toySystem(), beacon1); err != nil {
		t.Fatal(err)
	}
	contribute(t, c, "Ada", "Bob")
	if _, err := c.Finish(ctx, toySystem(), beacon2); err != nil {
		t.Fatal(err)
	}
	return c
}

// A ceremony of several parties, each of which opens the folder anew, gives keys that prove and verify;
// a third person gets the same keys from the transcript.
func TestCeremony(t *testing.T) {
	ctx := context.Background()
	dir := newToy(t).Dir
	reopen := func() *Ceremony {
		c, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	check := func() {
		if o, err := reopen().Verify(ctx, compileToy(t, 3)); err != nil || o != nil {
			t.Fatalf("an unfinished ceremony: %v, %v", o, err)
		}
	}
	check()
	for _, name := range []string{"Ada", "Bob"} {
		contribute(t, reopen(), name)
		check()
	}
	if err := reopen().BeginPhase2(ctx, compileToy(t, 3), beacon1); err != nil {
		t.Fatal(err)
	}
	check()
	for _, name := range []string{"Ada", "Åsa 🦊"} {
		contribute(t, reopen(), name)
		check()
	}
	made, err := reopen().Finish(ctx, compileToy(t, 3), beacon2)
	if err != nil {
		t.Fatal(err)
	}
	c := reopen()
	if c.Phase() != 3 || len(c.Contributions(1)) != 2 || c.Contributions(2)[1].Name != "Åsa 🦊" {
		t.Errorf("phase %d, contributions %v, %v", c.Phase(), c.Contributions(1), c.Contributions(2))
	}
	again, err := c.Verify(ctx, compileToy(t, 3))
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest != made.Digest || again.Digest != c.Digest() {
		t.Errorf("digests %x and %x, of the transcript %x", made.Digest, again.Digest, c.Digest())
	}
	sameKeys(t, made, again)
	proveToy(t, again)
}

func sameKeys(t *testing.T, a, b *Outcome) {
	t.Helper()
	if a.VerifyingKey.IsDifferent(b.VerifyingKey) || a.ProvingKey.IsDifferent(b.ProvingKey) {
		t.Error("the transcript gives other keys than the ceremony gave")
	}
}

// proveToy proves a statement under the keys with gnark, and no other.
func proveToy(t *testing.T, o *Outcome) {
	t.Helper()
	assign := func(out int) *toy { return &toy{Out: out, X: [4]frontend.Variable{0, 0, 0, 2}} }
	full, err := frontend.NewWitness(assign(256), ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	proof, err := groth16.Prove(toySystem(), o.ProvingKey, full)
	if err != nil {
		t.Fatal(err)
	}
	for out, want := range map[int]bool{256: true, 257: false} {
		public, err := frontend.NewWitness(assign(out), ecc.BN254.ScalarField(), frontend.PublicOnly())
		if err != nil {
			t.Fatal(err)
		}
		if err := groth16.Verify(proof, o.VerifyingKey, public); (err == nil) != want {
			t.Errorf("statement %d: %v", out, err)
		}
	}
}

// Each commitment has a σ of its own, the bases do not depend on phase 2, and all share one G: what the
// verifier's checks assume of keys.
func TestKeysOfSeveralCommitments(t *testing.T) {
	c := finished(t)
	o, err := c.Verify(context.Background(), toySystem())
	if err != nil {
		t.Fatal(err)
	}
	vk, pk := o.VerifyingKey, o.ProvingKey
	if len(vk.CommitmentKeys) != 3 || len(pk.CommitmentKeys) != 3 {
		t.Fatalf("%d and %d commitments", len(vk.CommitmentKeys), len(pk.CommitmentKeys))
	}
	for i := range vk.CommitmentKeys {
		if vk.CommitmentKeys[i].G != vk.CommitmentKeys[0].G {
			t.Errorf("commitment %d has a G of its own", i)
		}
		for k := range i {
			if vk.CommitmentKeys[i].GSigmaNeg == vk.CommitmentKeys[k].GSigmaNeg {
				t.Errorf("commitments %d and %d share σ", i, k)
			}
		}
	}
	r := &replay{ceremony: c, system: toySystem()}
	if err := r.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, bases := range r.evaluations.G1.CKK {
		for k := range bases {
			if !bases[k].Equal(&pk.CommitmentKeys[i].Basis[k]) || bases[k].IsInfinity() {
				t.Errorf("base %d of commitment %d is not that of phase 1", k, i)
			}
		}
	}
}

// Steps out of turn are refused and change nothing.
func TestOrder(t *testing.T) {
	ctx := context.Background()
	c := newToy(t)
	refuse := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, expected %v", what, err, want)
		}
	}
	finish := func(b []byte) error { _, err := c.Finish(ctx, toySystem(), b); return err }
	offer := func(name string) error { _, err := c.Contribute(ctx, name); return err }
	refuse("phase 2 without contributions", c.BeginPhase2(ctx, toySystem(), beacon1), ErrOrder)
	refuse("end in phase 1", finish(beacon2), ErrOrder)
	refuse("no name", offer(""), ErrMalformed)
	refuse("a name of two lines", offer("Ada\nBob"), ErrMalformed)
	refuse("a long name", offer(strings.Repeat("a", 129)), ErrMalformed)
	contribute(t, c, "Ada")
	refuse("no random value", c.BeginPhase2(ctx, toySystem(), nil), ErrBeacon)
	refuse("a short random value", c.BeginPhase2(ctx, toySystem(), beacon1[:15]), ErrBeacon)
	refuse("zeros for a random value", c.BeginPhase2(ctx, toySystem(), make([]byte, 32)), ErrBeacon)
	refuse("a longer circuit", c.BeginPhase2(ctx, compileToy(t, 4), beacon1), ErrCircuit)
	refuse("a circuit with another coefficient", c.BeginPhase2(ctx, similar(t), beacon1), ErrCircuit)
	if err := c.BeginPhase2(ctx, toySystem(), beacon1); err != nil {
		t.Fatal(err)
	}
	refuse("phase 2 twice", c.BeginPhase2(ctx, toySystem(), beacon1), ErrOrder)
	refuse("end without contributions", finish(beacon2), ErrOrder)
	contribute(t, c, "Ada")
	refuse("the random value of phase 1", finish(beacon1), ErrBeacon)
	if err := finish(beacon2); err != nil {
		t.Fatal(err)
	}
	refuse("a contribution after the end", offer("Eve"), ErrOrder)
	refuse("another end", finish(beacon1), ErrOrder)
	if err := finish(nil); err != nil { // interrupted before its keys were written
		t.Error(err)
	}
	_, err := Create(ctx, c.Dir, toySystem(), toyFor, "")
	refuse("a second ceremony in the folder", err, envelope.ErrExists)
	if len(c.Entries) != 5 {
		t.Errorf("%d entries, expected 5", len(c.Entries))
	}
}

// An interrupt leaves nothing behind, and what was there goes on.
func TestInterrupted(t *testing.T) {
	c := newToy(t)
	contribute(t, c, "Ada")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Contribute(ctx, "Bob"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := c.BeginPhase2(ctx, toySystem(), beacon1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := Create(ctx, c.Dir+"-2", toySystem(), toyFor, ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for dir, want := range map[string]int{c.Dir: 2, filepath.Dir(c.Dir): 1} {
		files, err := os.ReadDir(dir)
		if err != nil || len(files) != want {
			t.Errorf("%s holds %v, %v; expected %d", dir, files, err, want)
		}
	}
	// A file that a program left half written has another name and is passed over.
	if err := os.WriteFile(filepath.Join(c.Dir, ".0002-phase1.zkt.0011223344556677.tmp"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Open(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	contribute(t, again, "Bob")
}

// Two who contribute at once: the second is told, and the first's file stays.
func TestRace(t *testing.T) {
	first := newToy(t)
	second, err := Open(first.Dir)
	if err != nil {
		t.Fatal(err)
	}
	contribute(t, first, "Ada")
	if _, err := second.Contribute(context.Background(), "Bob"); !errors.Is(err, envelope.ErrExists) {
		t.Errorf("%v, expected ErrExists", err)
	}
	again, err := Open(first.Dir)
	if err != nil || again.Entries[1].Name != "Ada" {
		t.Errorf("%v, %v", again.Entries, err)
	}
}

func sum(b []byte) [32]byte { return sha256.Sum256(b) }
