package ceremony

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	curve "github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/prover"
)

// copied is the transcript of c in a folder of its own.
func copied(t testing.TB, c *Ceremony) *Ceremony {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(c.Dir)); err != nil {
		t.Fatal(err)
	}
	out, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// forge rewrites the file of an entry, and every digest after it: what somebody does who runs the
// ceremony and has read how files are made.
func forge(t *testing.T, c *Ceremony, number int, edit func(h *header, body []byte) []byte) {
	t.Helper()
	previous := c.Entries[number].previous
	for i := number; i < len(c.Entries); i++ {
		h, body, _, _, err := c.load(c.Entries[i].File)
		if err != nil {
			t.Fatal(err)
		}
		if h.Previous = previous; i == number {
			body = edit(h, body)
		}
		previous = rewrite(t, c, h, body)
	}
}

func rewrite(t *testing.T, c *Ceremony, h *header, body []byte) (digest []byte) {
	t.Helper()
	b, err := encodeEntry(h, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Dir, nameOf(h.Number, h.Step)), b, 0o600); err != nil {
		t.Fatal(err)
	}
	d := sum(b)
	return d[:]
}

// dropLast takes the last contribution out again, as whoever runs a ceremony does with a bad one.
func dropLast(t *testing.T, c *Ceremony) *Ceremony {
	t.Helper()
	if err := os.Remove(filepath.Join(c.Dir, c.Entries[len(c.Entries)-1].File)); err != nil {
		t.Fatal(err)
	}
	out, err := Open(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// verdict is what a third person finds.
func verdict(c *Ceremony) error {
	again, err := Open(c.Dir)
	if err != nil {
		return err
	}
	_, err = again.Verify(context.Background(), toySystem())
	return err
}

// The entries of finished.
const (
	entryAda1, entryBob1 = 1, 2
	entryCircuit         = 3
	entryAda2, entryBob2 = 4, 5
	entryEnd             = 6
)

// Whoever runs a ceremony and rewrites its files, digests included, is found out.
func TestForgedTranscripts(t *testing.T) {
	whole := finished(t)
	if err := verdict(whole); err != nil {
		t.Fatal(err)
	}
	other := finished(t)
	bodyOf := func(c *Ceremony, number int) []byte {
		b, err := c.body(&c.Entries[number])
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		number int
		edit   func(h *header, body []byte) []byte
	}{
		"contribution to phase 1 of another ceremony": {entryBob1, func(_ *header, _ []byte) []byte { return bodyOf(other, entryBob1) }},
		"contribution to phase 2 of another ceremony": {entryBob2, func(_ *header, _ []byte) []byte { return bodyOf(other, entryBob2) }},
		"Ada's phase 1 for Bob's":                     {entryBob1, func(_ *header, _ []byte) []byte { return bodyOf(whole, entryAda1) }},
		"Ada's phase 2 for Bob's":                     {entryBob2, func(_ *header, _ []byte) []byte { return bodyOf(whole, entryAda2) }},
		"phase 1 of another ceremony":                 {entryAda1, func(_ *header, _ []byte) []byte { return bodyOf(other, entryAda1) }},
		"a start of phase 2 of another ceremony":      {entryCircuit, func(_ *header, _ []byte) []byte { return bodyOf(other, entryCircuit) }},
		"another name in phase 1":                     {entryAda1, func(h *header, b []byte) []byte { h.Name = "Eve"; return b }},
		"another name in phase 2":                     {entryBob2, func(h *header, b []byte) []byte { h.Name = "Eve"; return b }},
		"another random value after phase 1":          {entryCircuit, func(h *header, b []byte) []byte { h.Beacon = []byte("chosen by the coordinator"); return b }},
		"Ada's proofs of knowledge in Bob's phase 1": {entryBob1, func(_ *header, b []byte) []byte {
			copy(b[:3*updateSize], bodyOf(whole, entryAda1))
			return b
		}},
		"Ada's proofs of knowledge in Bob's phase 2": {entryBob2, func(_ *header, b []byte) []byte {
			n := len(b) - 1 - challengeSize - 4*updateSize
			copy(b[n:len(b)-1-challengeSize], bodyOf(whole, entryAda2)[n:])
			return b
		}},
		"a proof of σ₁ for σ₂": {entryBob2, func(_ *header, b []byte) []byte {
			n := len(b) - 1 - challengeSize - 2*updateSize
			copy(b[n:], slices.Clone(b[n-updateSize:n]))
			return b
		}},
		"another challenge":    {entryBob2, func(_ *header, b []byte) []byte { b[len(b)-1] ^= 1; return b }},
		"another model's name": {0, func(h *header, b []byte) []byte { h.Description.Model = "other"; return b }},
		"another choice":       {0, func(h *header, b []byte) []byte { h.Description.PrivateInput = true; return b }},
		"another architecture's circuit": {0, func(h *header, b []byte) []byte {
			h.Description.Circuit = bytes.Repeat([]byte{1}, 32)
			return b
		}},
	} {
		forged := copied(t, whole)
		forge(t, forged, c.number, c.edit)
		if err := verdict(forged); !errors.Is(err, ErrRejected) && !errors.Is(err, ErrCircuit) {
			t.Errorf("%s: %v, expected ErrRejected", name, err)
		}
	}
}

// Without new digests, every exchange of files is found when the folder is opened.
func TestExchangedFiles(t *testing.T) {
	whole, other := finished(t), finished(t)
	file := func(c *Ceremony, number int) string { return filepath.Join(c.Dir, c.Entries[number].File) }
	for name, exchange := range map[string]func(c *Ceremony) error{
		"one of another ceremony": func(c *Ceremony) error { return os.Rename(file(copied(t, other), entryBob1), file(c, entryBob1)) },
		"two in another order": func(c *Ceremony) error {
			return errors.Join(os.Rename(file(c, entryAda2), file(c, 0)+"x"), os.Rename(file(c, entryBob2), file(c, entryAda2)), os.Rename(file(c, 0)+"x", file(c, entryBob2)))
		},
		"one named for another step": func(c *Ceremony) error {
			return os.Rename(file(c, entryBob2), filepath.Join(c.Dir, nameOf(entryBob2, StepPhase1)))
		},
		"one missing":     func(c *Ceremony) error { return os.Remove(file(c, entryBob1)) },
		"the first gone":  func(c *Ceremony) error { return os.Remove(file(c, 0)) },
		"one twice":       func(c *Ceremony) error { return os.Link(file(c, entryBob1), filepath.Join(c.Dir, "0007-phase1.zkt")) },
		"one with a name": func(c *Ceremony) error { return os.Rename(file(c, entryBob1), filepath.Join(c.Dir, "bob.zkt")) },
		"a folder for one": func(c *Ceremony) error {
			return errors.Join(os.Remove(file(c, entryBob1)), os.Mkdir(file(c, entryBob1), 0o755))
		},
	} {
		c := copied(t, whole)
		if err := exchange(c); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(c.Dir); !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrRejected) && !errors.Is(err, ErrOrder) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every file cut, extended or with one bit changed is refused, as malformed and without panic.
func TestDamagedFiles(t *testing.T) {
	whole := finished(t)
	for _, e := range whole.Entries {
		good, err := os.ReadFile(filepath.Join(whole.Dir, e.File))
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(good)
		flipped[len(flipped)/2] ^= 4
		for what, b := range map[string][]byte{
			"empty": nil, "cut in its frame": good[:30], "cut in half": good[:len(good)/2], "short of a byte": good[:len(good)-1],
			"extended": append(bytes.Clone(good), 0), "altered": flipped,
		} {
			c := copied(t, whole)
			if err := os.WriteFile(filepath.Join(c.Dir, e.File), b, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(c.Dir); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), e.File) {
				t.Errorf("%s %s: %v, expected ErrMalformed and the file's name", e.File, what, err)
			}
		}
	}
}

// malicious2 contributes to phase 2 as change makes it, with factors and proofs of its own.
func malicious2(t *testing.T, c *Ceremony, factors []fr.Element, change func(p *mpcsetup.Phase2)) {
	t.Helper()
	p, err := c.Shape.decodePhase2(lastBody(t, c), challengeSize)
	if err != nil {
		t.Fatal(err)
	}
	p.Challenge = binding(c.last(), "Eve")
	p.Challenge = digestOf(t, p)
	scale := func(v []bn254.G1Affine, by *fr.Element) {
		var b big.Int
		for i := range v {
			v[i].ScalarMultiplication(&v[i], by.BigInt(&b))
		}
	}
	var inverse fr.Element
	inverse.Inverse(&factors[0])
	p.Delta = curve.UpdateValues(&factors[0], p.Challenge, mpcsetup.DST_DELTA, &p.Parameters.G1.Delta, &p.Parameters.G2.Delta)
	scale(p.Parameters.G1.Z, &inverse)
	scale(p.Parameters.G1.PKK, &inverse)
	for i := range p.Sigmas {
		p.Sigmas[i] = curve.UpdateValues(&factors[i+1], p.Challenge, mpcsetup.DST_SIGMA+byte(i), p.Parameters.G1.SigmaCKK[i], &p.Parameters.G2.Sigma[i])
	}
	if change != nil {
		change(p)
	}
	body, err := encode(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.append(context.Background(), &header{Step: StepPhase2, Name: "Eve"}, body); err != nil {
		t.Fatal(err)
	}
}

func lastBody(t *testing.T, c *Ceremony) []byte {
	t.Helper()
	b, err := c.body(&c.Entries[len(c.Entries)-1])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func digestOf(t *testing.T, p *mpcsetup.Phase2) []byte {
	t.Helper()
	b, err := encode(p)
	if err != nil {
		t.Fatal(err)
	}
	d := sum(b)
	return d[:]
}

func elements(values ...uint64) []fr.Element {
	out := make([]fr.Element, len(values))
	for i, v := range values {
		out[i].SetUint64(v)
	}
	return out
}

// inPhase2 is a ceremony to which one has contributed in phase 2.
func inPhase2(t *testing.T) *Ceremony {
	t.Helper()
	c := newToy(t)
	contribute(t, c, "Ada")
	if err := c.BeginPhase2(context.Background(), toySystem(), beacon1); err != nil {
		t.Fatal(err)
	}
	contribute(t, c, "Ada")
	return c
}

// A contributor who changes one kind of point otherwise than it proves is found, each kind; and what
// gnark would take but does not help is refused.
func TestMaliciousPhase2(t *testing.T) {
	honest := elements(101, 102, 103, 104)
	twice := func(p *bn254.G1Affine) { p.Double(p) }
	for name, e := range map[string]struct {
		factors []fr.Element
		change  func(p *mpcsetup.Phase2)
	}{
		"δ in G1 only":                     {honest, func(p *mpcsetup.Phase2) { twice(&p.Parameters.G1.Delta) }},
		"δ in G2 only":                     {honest, func(p *mpcsetup.Phase2) { p.Parameters.G2.Delta.Double(&p.Parameters.G2.Delta) }},
		"one base of the quotient":         {honest, func(p *mpcsetup.Phase2) { twice(&p.Parameters.G1.Z[3]) }},
		"one private wire":                 {honest, func(p *mpcsetup.Phase2) { twice(&p.Parameters.G1.PKK[1]) }},
		"two bases exchanged":              {honest, func(p *mpcsetup.Phase2) { z := p.Parameters.G1.Z; z[0], z[1] = z[1], z[0] }},
		"one base of a proof of knowledge": {honest, func(p *mpcsetup.Phase2) { twice(&p.Parameters.G1.SigmaCKK[2][0]) }},
		"σ of one commitment in G2":        {honest, func(p *mpcsetup.Phase2) { p.Parameters.G2.Sigma[1].Double(&p.Parameters.G2.Sigma[1]) }},
		"σ of two commitments exchanged": {honest, func(p *mpcsetup.Phase2) {
			s := p.Parameters.G2.Sigma
			s[0], s[1] = s[1], s[0]
		}},
		"a commitment's bases and σ reset to 1": {honest, func(p *mpcsetup.Phase2) {
			p.Parameters.G2.Sigma[0] = generator2()
		}},
		"proofs exchanged between commitments": {honest, func(p *mpcsetup.Phase2) { p.Sigmas[0], p.Sigmas[1] = p.Sigmas[1], p.Sigmas[0] }},
		"δ at infinity": {honest, func(p *mpcsetup.Phase2) {
			p.Parameters.G1.Delta, p.Parameters.G2.Delta = bn254.G1Affine{}, bn254.G2Affine{}
		}},
		"all bases of σ at infinity": {honest, func(p *mpcsetup.Phase2) {
			clear(p.Parameters.G1.SigmaCKK[0])
			p.Parameters.G2.Sigma[0] = bn254.G2Affine{}
		}},
		"no proof of δ":             {honest, func(p *mpcsetup.Phase2) { p.Delta = curve.UpdateProof{} }},
		"δ times 1":                 {elements(1, 102, 103, 104), nil},
		"one σ times 1":             {elements(101, 102, 1, 104), nil},
		"two σ times the same":      {elements(101, 102, 103, 103), nil},
		"δ and a σ times the same":  {elements(101, 101, 103, 104), nil},
		"a proof for somebody else": {honest, func(p *mpcsetup.Phase2) { p.Challenge = make([]byte, 32) }},
	} {
		c := inPhase2(t)
		malicious2(t, c, slices.Clone(e.factors), e.change)
		if err := verdict(c); !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), `"Eve"`) {
			t.Errorf("%s: %v, expected ErrRejected and who it was", name, err)
		}
		if _, err := c.Finish(context.Background(), toySystem(), beacon2); !errors.Is(err, ErrRejected) || c.Phase() != 2 {
			t.Errorf("%s: finished: %v", name, err)
		}
	}
	// Known factors are taken: that they are known cannot be seen. Ada's secrets protect the keys.
	c := inPhase2(t)
	malicious2(t, c, honest, nil)
	if err := verdict(c); err != nil {
		t.Errorf("an honest contribution by the same code: %v", err)
	}
}

func generator2() bn254.G2Affine {
	_, _, _, g := bn254.Generators()
	return g
}

// edit1 contributes to phase 1 honestly, and then puts other points into the file.
func edit1(t *testing.T, c *Ceremony, edit func(body []byte)) {
	t.Helper()
	body, err := c.contribute1("Eve")
	if err != nil {
		t.Fatal(err)
	}
	edit(body)
	if err := c.append(context.Background(), &header{Step: StepPhase1, Name: "Eve"}, body); err != nil {
		t.Fatal(err)
	}
}

// The same for phase 1: each kind of point altered alone.
func TestMaliciousPhase1(t *testing.T) {
	n := 1 << newToy(t).Shape.Power
	_, _, g1, g2 := bn254.Generators()
	one, two := g1.Bytes(), g2.Bytes()
	beta := 3*updateSize + 8
	tau := beta + g2Size
	tau2 := tau + (2*n-2)*g1Size
	betaTau := tau2 + (n-1)*g2Size
	alphaTau := betaTau + n*g1Size
	for name, e := range map[string]struct {
		at    int
		point []byte
	}{
		"β in G2": {beta, two[:]}, "τ": {tau, one[:]}, "a power of τ": {tau + 5*g1Size, one[:]}, "the last power of τ": {tau2 - g1Size, one[:]},
		"τ in G2": {tau2, two[:]}, "a power of τ in G2": {tau2 + 3*g2Size, two[:]}, "the last power of τ in G2": {betaTau - g2Size, two[:]},
		"β": {betaTau, one[:]}, "a power times β": {betaTau + 2*g1Size, one[:]}, "α": {alphaTau, one[:]}, "the last power times α": {alphaTau + (n-1)*g1Size, one[:]},
		"factor of τ": {0, one[:]}, "proof of τ": {g1Size, two[:]}, "factor of β": {2 * updateSize, one[:]},
	} {
		c := newToy(t)
		contribute(t, c, "Ada")
		edit1(t, c, func(body []byte) { copy(body[e.at:], e.point) })
		if err := verdict(c); !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), `"Eve"`) {
			t.Errorf("%s: %v, expected ErrRejected and who it was", name, err)
		}
		if err := c.BeginPhase2(context.Background(), toySystem(), beacon1); !errors.Is(err, ErrRejected) || c.Phase() != 1 {
			t.Errorf("%s: phase 2 began: %v", name, err)
		}
	}
}

// malicious1 contributes to phase 1 with factors of her choice for τ, α and β, and honest proofs.
func malicious1(t *testing.T, c *Ceremony, factors []fr.Element) {
	t.Helper()
	before, err := c.lastPhase1()
	if err != nil {
		t.Fatal(err)
	}
	before.Challenge = binding(c.last(), "Eve")
	b, err := encode(before)
	if err != nil {
		t.Fatal(err)
	}
	challenge := sum(b)
	powers, err := c.Shape.decodePowers(b[3*updateSize : int64(3*updateSize)+c.Shape.powers().bytes()])
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range [][]bn254.G1Affine{powers.G1.Tau, powers.G1.AlphaTau, powers.G1.BetaTau} {
		curve.UpdateMonomialsG1(s, &factors[0])
	}
	curve.UpdateMonomialsG2(powers.G2.Tau, &factors[0])
	var body []byte
	for i, proof := range []curve.UpdateProof{
		curve.UpdateValues(&factors[0], challenge[:], mpcsetup.DST_TAU),
		curve.UpdateValues(&factors[1], challenge[:], mpcsetup.DST_ALPHA, powers.G1.AlphaTau),
		curve.UpdateValues(&factors[2], challenge[:], mpcsetup.DST_BETA, powers.G1.BetaTau, &powers.G2.Beta),
	} {
		b, err := encode(&proof)
		if err != nil {
			t.Fatal(i, err)
		}
		body = append(body, b...)
	}
	if b, err = encode(powers); err != nil {
		t.Fatal(err)
	}
	body = append(append(append(body, b...), challengeSize), challenge[:]...)
	if err := c.append(context.Background(), &header{Step: StepPhase1, Name: "Eve"}, body); err != nil {
		t.Fatal(err)
	}
}

// Factors that do not help are refused in phase 1, too; the same code with others is taken.
func TestTrivialPhase1(t *testing.T) {
	for name, e := range map[string]struct {
		factors []fr.Element
		want    error
	}{
		"τ times 1": {elements(1, 5, 7), ErrRejected}, "α times 1": {elements(3, 1, 7), ErrRejected}, "β times 1": {elements(3, 5, 1), ErrRejected},
		"τ and β times the same": {elements(3, 5, 3), ErrRejected}, "α and β times the same": {elements(3, 5, 5), ErrRejected},
		"others": {elements(3, 5, 7), nil},
	} {
		c := newToy(t)
		contribute(t, c, "Ada")
		malicious1(t, c, e.factors)
		if err := verdict(c); !errors.Is(err, e.want) {
			t.Errorf("%s: %v, expected %v", name, err, e.want)
		}
	}
}

// A contribution that starts from the state before the last, which would take out the last
// contributor's secret, is refused, whatever predecessor its file names.
func TestForeignPredecessor(t *testing.T) {
	c := inPhase2(t)
	short := copied(t, c)
	if err := os.Remove(filepath.Join(short.Dir, short.Entries[len(short.Entries)-1].File)); err != nil {
		t.Fatal(err)
	}
	short, err := Open(short.Dir)
	if err != nil {
		t.Fatal(err)
	}
	contribute(t, short, "Eve")
	body := lastBody(t, short)
	if err := c.append(context.Background(), &header{Step: StepPhase2, Name: "Eve"}, body); err != nil {
		t.Fatal(err)
	}
	if err := verdict(c); !errors.Is(err, ErrRejected) {
		t.Errorf("%v, expected ErrRejected", err)
	}
}

// Bodies that are made to hurt whoever decodes them: gnark's decoders would allocate what a length says,
// or take another point than the one encoding stands for. They are refused as malformed, with memory
// in proportion to the file.
func TestHostileBodies(t *testing.T) {
	whole := finished(t)
	n := whole.Shape.domain()
	pkk := 2 + g1Size // length of the private wires in phase 2
	huge := bytes.Repeat([]byte{0xff}, 8)
	twist := onTwist(t)
	outside := twist.Bytes()
	for name, e := range map[string]struct {
		number, at int
		bytes      []byte
	}{
		"a domain of 2^64 points":       {entryBob1, 3 * updateSize, huge},
		"a domain of twice the size":    {entryBob1, 3*updateSize + 6, []byte{byte(2 * n >> 8), byte(2 * n)}},
		"2^32 private wires":            {entryBob2, pkk, huge[:4]},
		"65535 commitments":             {entryBob2, 0, huge[:2]},
		"no commitments":                {entryBob2, 0, []byte{0, 0}},
		"an uncompressed point":         {entryBob2, 2, []byte{0}},
		"an uncompressed point of many": {entryBob2, pkk + 4 + g1Size, []byte{0}},
		"no point of the curve":         {entryBob2, pkk + 4, append([]byte{0x80}, bytes.Repeat([]byte{6}, 31)...)},
		"infinity with something in it": {entryBob2, pkk + 4, []byte{0x40, 1}},
		"x beyond the modulus":          {entryBob1, 3*updateSize + 8 + g2Size, bytes.Repeat([]byte{0xbf}, 32)},
		"a point outside the group":     {entryBob1, 3*updateSize + 8, outside[:]},
		"a proof outside the group":     {entryBob1, g1Size, outside[:]},
		"a longer challenge":            {entryBob1, int(whole.Shape.phase1().bytes()) - 1 - challengeSize, []byte{33}},
		"no challenge":                  {entryBob1, int(whole.Shape.phase1().bytes()) - 1 - challengeSize, []byte{0}},
	} {
		c := copied(t, whole)
		forge(t, c, e.number, func(_ *header, b []byte) []byte { copy(b[e.at:], e.bytes); return b })
		var err error
		if used := allocation.Of(func() { err = verdict(c) }); used > 64<<20 {
			t.Errorf("%s: %d bytes allocated", name, used)
		}
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, expected ErrMalformed", name, err)
		}
	}
}

// A point that says it is uncompressed would shift what gnark's decoder reads behind it, so that it takes
// a length from where the layout has points: here 2^32 − 1 points for the quotient.
func TestShiftedLength(t *testing.T) {
	whole := finished(t)
	private := 2 + g1Size + 4
	quotient := private + whole.Shape.Private*g1Size // its length stands here
	c := copied(t, whole)
	forge(t, c, entryBob2, func(_ *header, b []byte) []byte {
		_, _, one, _ := bn254.Generators()
		raw := one.RawBytes()
		copy(b[private:], raw[:])
		var p bn254.G1Affine // begins as the length does, which is where the decoder expects a point now
		for i := byte(0); !p.IsOnCurve() || p.IsInfinity(); i++ {
			x := append(bytes.Clone(b[quotient:][:4]), bytes.Repeat([]byte{i}, 28)...)
			p.X.SetBytes(x)
			p.Y.Square(&p.X).Mul(&p.Y, &p.X)
			p.Y.Add(&p.Y, new(fp.Element).SetUint64(3))
			p.Y.Sqrt(&p.Y)
		}
		raw = p.RawBytes()
		copy(b[quotient:], raw[:])
		copy(b[quotient+len(raw):], []byte{0xff, 0xff, 0xff, 0xff})
		return b
	})
	var err error
	if used := allocation.Of(func() { err = verdict(c) }); used > 64<<20 {
		t.Errorf("%d bytes allocated", used)
	}
	if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "compressed") {
		t.Errorf("%v, expected ErrMalformed", err)
	}
}

// writeHeader replaces the file of an entry by one with a header that encodeEntry might refuse.
func writeHeader(t *testing.T, c *Ceremony, file string, h *header, body []byte) {
	t.Helper()
	b, err := envelope.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	payload := append(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...), body...)
	if err := os.WriteFile(filepath.Join(c.Dir, file), envelope.Encode(KindTranscript, transcriptVersion, payload), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Headers hold what their step has and nothing else.
func TestHostileHeaders(t *testing.T) {
	whole := finished(t)
	for name, e := range map[string]struct {
		number int
		edit   func(h *header)
	}{
		"a name in two lines":         {entryBob2, func(h *header) { h.Name = "Bob\nEve" }},
		"a name that hides":           {entryBob2, func(h *header) { h.Name = "Bob\u202e" }},
		"a long name":                 {entryBob2, func(h *header) { h.Name = strings.Repeat("B", maxNameBytes+1) }},
		"no name":                     {entryBob2, func(h *header) { h.Name = "" }},
		"a name of nobody":            {entryCircuit, func(h *header) { h.Name = "Eve" }},
		"a random value of nothing":   {entryBob2, func(h *header) { h.Beacon = beacon2 }},
		"no random value":             {entryCircuit, func(h *header) { h.Beacon = nil }},
		"no random value at the end":  {entryEnd, func(h *header) { h.Beacon = nil }},
		"that of phase 1 at the end":  {entryEnd, func(h *header) { h.Beacon = beacon1 }},
		"a short random value":        {entryEnd, func(h *header) { h.Beacon = beacon2[:8] }},
		"a long random value":         {entryEnd, func(h *header) { h.Beacon = bytes.Repeat(beacon2, 3) }},
		"a description":               {entryBob2, func(h *header) { h.Description = &whole.Description }},
		"a source":                    {entryBob2, func(h *header) { h.Source = &Source{make([]byte, 64), 7} }},
		"another number":              {entryBob2, func(h *header) { h.Number++ }},
		"a negative number":           {entryBob2, func(h *header) { h.Number = -1 }},
		"another step":                {entryBob2, func(h *header) { h.Step = StepPhase1 }},
		"an unknown step":             {entryBob2, func(h *header) { h.Step = "phase3" }},
		"no predecessor":              {entryBob2, func(h *header) { h.Previous = nil }},
		"part of a predecessor":       {entryBob2, func(h *header) { h.Previous = h.Previous[:31] }},
		"a predecessor of the first":  {0, func(h *header) { h.Previous = make([]byte, 32) }},
		"no description of the first": {0, func(h *header) { h.Description = nil }},
	} {
		c := copied(t, whole)
		file := c.Entries[e.number].File
		h, body, _, _, err := c.load(file)
		if err != nil {
			t.Fatal(err)
		}
		e.edit(h)
		writeHeader(t, c, file, h, body)
		if _, err := Open(c.Dir); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, expected ErrMalformed", name, err)
		}
	}
}

// Points in a step that has none, or more than it has, are refused: nothing unread hides in a transcript.
func TestPointsTooMany(t *testing.T) {
	whole := finished(t)
	for _, e := range whole.Entries {
		c := copied(t, whole)
		forge(t, c, e.Number, func(_ *header, b []byte) []byte { return append(bytes.Clone(b), make([]byte, g1Size)...) })
		if _, err := Open(c.Dir); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), e.File) {
			t.Errorf("%s: %v, expected ErrMalformed and the file's name", e.File, err)
		}
	}
}

// A header that says the same in more bytes is refused: a transcript has one digest.
func TestHeaderEncoding(t *testing.T) {
	c := finished(t)
	path := filepath.Join(c.Dir, c.Entries[entryBob2].File)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, payload, err := envelope.Decode(b, KindTranscript)
	if err != nil {
		t.Fatal(err)
	}
	longer := bytes.Replace(payload, []byte("\x66number\x05"), []byte("\x66number\x18\x05"), 1)
	if longer[3]++; len(longer) != len(payload)+1 {
		t.Fatal("no number in the header")
	}
	if err := os.WriteFile(path, envelope.Encode(KindTranscript, transcriptVersion, longer), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c.Dir); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "canonical") {
		t.Errorf("%v, expected ErrMalformed", err)
	}
}

// A file that is exchanged between opening and verifying is found.
func TestChangedMeanwhile(t *testing.T) {
	c := inPhase2(t)
	opened, err := Open(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	forge(t, c, 0, func(h *header, b []byte) []byte { h.Description.Model = "other"; return b })
	if _, err := opened.Verify(context.Background(), toySystem()); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "meanwhile") {
		t.Errorf("%v, expected ErrMalformed", err)
	}
}

// A first file that claims what no circuit has is refused before anything of that size is made.
func TestHostileDescriptions(t *testing.T) {
	for name, edit := range map[string]func(d *Description){
		"a domain of 2^60":         func(d *Description) { d.Shape.Power = 60 },
		"a domain of 2^-1":         func(d *Description) { d.Shape.Power = -1 },
		"2^40 private wires":       func(d *Description) { d.Shape.Private = 1 << 40 },
		"2^40 public wires":        func(d *Description) { d.Shape.Public = 1 << 40 },
		"no public wires":          func(d *Description) { d.Shape.Public = 0 },
		"−1 private wires":         func(d *Description) { d.Shape.Private = -1 },
		"256 commitments":          func(d *Description) { d.Shape.Committed = make([]int, 256) },
		"an empty commitment":      func(d *Description) { d.Shape.Committed[1] = 0 },
		"2^62 wires in two":        func(d *Description) { d.Shape.Committed = []int{1 << 61, 1 << 61} },
		"a short digest":           func(d *Description) { d.Circuit = d.Circuit[:31] },
		"a name in two lines":      func(d *Description) { d.Model = "a\x1b[2J" },
		"fold height 0":            func(d *Description) { d.FoldRows = 0 },
		"more constraints":         func(d *Description) { d.Constraints = 1 << 40 },
		"an input's name too long": func(d *Description) { d.Inputs = []string{strings.Repeat("x", 2000)} },
		"no architecture":          func(d *Description) { d.Architecture = nil },
		"a size class, too":        func(d *Description) { d.SizeClass = prover.MinSizeClass },
	} {
		c := newToy(t)
		if err := describedAs(t, c, edit); !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// describedAs opens a transcript whose description was edited.
func describedAs(t *testing.T, c *Ceremony, edit func(d *Description)) error {
	t.Helper()
	d := c.Description
	d.Shape.Committed = slices.Clone(d.Shape.Committed)
	edit(&d)
	writeHeader(t, c, FirstFile, &header{Step: StepInit, Description: &d}, nil)
	_, err := Open(c.Dir)
	return err
}

// A description of a size class says its number, one that there is, and nothing of a model.
func TestHostileClasses(t *testing.T) {
	circuit := compileClass(t, prover.MinSizeClass)
	for name, edit := range map[string]func(d *Description){
		"a class below the least":   func(d *Description) { d.SizeClass = prover.MinSizeClass - 1 },
		"a class above the most":    func(d *Description) { d.SizeClass = prover.MaxSizeClass + 1 },
		"a negative class":          func(d *Description) { d.SizeClass = -1 },
		"no class":                  func(d *Description) { d.SizeClass = 0 },
		"an architecture":           func(d *Description) { d.Architecture = make([]byte, 32) },
		"a model's name":            func(d *Description) { d.Model = "mnist" },
		"an input's name":           func(d *Description) { d.Inputs = []string{"x"} },
		"an output's name":          func(d *Description) { d.Outputs = []string{"y"} },
		"a private input":           func(d *Description) { d.PrivateInput = true },
		"a private output":          func(d *Description) { d.PrivateOutput = true },
		"a fold height":             func(d *Description) { d.FoldRows = 1 },
		"a version in two lines":    func(d *Description) { d.Version = "a\nb" },
		"a short digest":            func(d *Description) { d.Circuit = d.Circuit[:31] },
		"no constraints":            func(d *Description) { d.Constraints = 0 },
		"a domain of 2^60":          func(d *Description) { d.Shape.Power = 60 },
		"a list of no names at all": func(d *Description) { d.Inputs = []string{""} },
	} {
		if err := describedAs(t, newClass(t, circuit), edit); !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := describedAs(t, newClass(t, circuit), func(*Description) {}); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}
