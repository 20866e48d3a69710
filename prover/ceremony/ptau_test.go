package ceremony

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
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
)

const fixture = "testdata/powers7.ptau"

// A file that snarkjs made gives a ceremony whose keys prove.
func TestPtauOfSnarkjs(t *testing.T) {
	ctx := context.Background()
	c, err := Create(ctx, filepath.Join(t.TempDir(), "ceremony"), toySystem(), toyFor, fixture)
	if err != nil {
		t.Fatal(err)
	}
	const published = "c43d1fc0485dcc31dd42025c8fde662b96d00ca789e78124333e4d54620a179b241a1411fe785f1e1b01c2badcc7ed1d7cbf365be64df51ed4fccfb6a434db7e"
	if s := c.Entries[1].Source; s == nil || s.Power != 7 || hex.EncodeToString(s.Blake2b) != published {
		t.Errorf("source %+v", s)
	}
	if c.Phase() != 2 || len(c.Entries) != 3 {
		t.Fatalf("phase %d after %d steps, expected phase 2 after 3", c.Phase(), len(c.Entries))
	}
	if err := verdict(c); err != nil {
		t.Fatal(err)
	}
	contribute(t, c, "Ada", "Bob")
	if _, err := c.Finish(ctx, toySystem(), beacon2); err != nil {
		t.Fatal(err)
	}
	o, err := c.Verify(ctx, toySystem())
	if err != nil {
		t.Fatal(err)
	}
	proveToy(t, o)
	// The keys are those of the file's α and β.
	powers, _, err := readPtau(fixture, 7)
	if err != nil {
		t.Fatal(err)
	}
	if !o.VerifyingKey.G1.Alpha.Equal(&powers.G1.AlphaTau[0]) || !o.VerifyingKey.G2.Beta.Equal(&powers.G2.Beta) {
		t.Error("the keys have another α or β than the file")
	}
}

// Powers that are exchanged in the transcript are found, by themselves or by what phase 2 begins with.
func TestExchangedPowers(t *testing.T) {
	c, err := Create(context.Background(), filepath.Join(t.TempDir(), "ceremony"), toySystem(), toyFor, fixture)
	if err != nil {
		t.Fatal(err)
	}
	contribute(t, c, "Ada")
	path := filepath.Join(t.TempDir(), "other.ptau")
	writePtau(t, path, someTau(t, 4), nil)
	other, _, err := readPtau(path, 4)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := encode(other)
	if err != nil {
		t.Fatal(err)
	}
	_, _, one, _ := bn254.Generators()
	g := one.Bytes()
	for name, edit := range map[string]func(body []byte) []byte{
		"others":       func([]byte) []byte { return foreign },
		"one of them":  func(b []byte) []byte { copy(b[8+g2Size+3*g1Size:], g[:]); return b },
		"β":            func(b []byte) []byte { copy(b[8:], foreign[8:8+g2Size]); return b },
		"α reset to 1": func(b []byte) []byte { copy(b[len(b)-c.Shape.domain()*g1Size:], g[:]); return b },
	} {
		forged := copied(t, c)
		forge(t, forged, 1, func(_ *header, b []byte) []byte { return edit(bytes.Clone(b)) })
		if err := verdict(forged); !errors.Is(err, ErrRejected) {
			t.Errorf("%s: %v, expected ErrRejected", name, err)
		}
	}
}

// Who begins a ceremony may write powers that no file held: verify finds them by pairings, though all
// that follows fits them.
func TestMaliciousPowers(t *testing.T) {
	ctx := context.Background()
	honest, err := ShapeOf(toySystem())
	if err != nil {
		t.Fatal(err)
	}
	n := honest.Power
	for name, e := range map[string]struct {
		powers mpcsetup.SrsCommons
		change func(c *mpcsetup.SrsCommons)
		want   error
	}{
		"honest":            {powers: powersOfPower(3, 5, 7, n)},
		"nobody's":          {powers: untouched(n), want: ErrRejected},
		"τ is 0":            {powers: powersOfPower(0, 5, 7, n), want: ErrRejected},
		"α at infinity":     {powersOfPower(3, 5, 7, n), func(c *mpcsetup.SrsCommons) { clear(c.G1.AlphaTau) }, ErrRejected},
		"β at infinity":     {powersOfPower(3, 5, 7, n), func(c *mpcsetup.SrsCommons) { clear(c.G1.BetaTau); c.G2.Beta = bn254.G2Affine{} }, ErrRejected},
		"another β in G2":   {powersOfPower(3, 5, 7, n), func(c *mpcsetup.SrsCommons) { c.G2.Beta.Double(&c.G2.Beta) }, ErrRejected},
		"one power":         {powersOfPower(3, 5, 7, n), func(c *mpcsetup.SrsCommons) { c.G1.Tau[6].Double(&c.G1.Tau[6]) }, ErrRejected},
		"another τ in G2":   {powersOfPower(3, 5, 7, n), func(c *mpcsetup.SrsCommons) { c.G2.Tau = powersOfPower(4, 5, 7, n).G2.Tau }, ErrRejected},
		"another τ times α": {powersOfPower(3, 5, 7, n), func(c *mpcsetup.SrsCommons) { c.G1.AlphaTau = powersOfPower(4, 5, 7, n).G1.AlphaTau }, ErrRejected},
	} {
		if e.change != nil {
			e.change(&e.powers)
		}
		c := newToy(t)
		body, err := encode(&e.powers)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.append(ctx, &header{Step: StepPowers, Source: &Source{make([]byte, 64), 7}}, body); err != nil {
			t.Fatal(err)
		}
		if err := c.appendCircuit(ctx, &replay{ceremony: c, system: toySystem(), powers: &e.powers}, nil); err != nil {
			t.Fatal(err)
		}
		contribute(t, c, "Ada")
		if err := verdict(c); !errors.Is(err, e.want) {
			t.Errorf("%s: %v, expected %v", name, err, e.want)
		}
	}
}

// someTau are powers for 2^power constraints.
func someTau(t *testing.T, power int) *mpcsetup.SrsCommons {
	t.Helper()
	p := mpcsetup.NewPhase1(1 << power)
	p.Contribute()
	c := p.Seal([]byte("test"))
	return &c
}

// ptauFile is a .ptau file in parts, as this test writes it: independent of the code that reads it.
type ptauFile struct {
	magic    string
	version  uint32
	sections []ptauSection
}

type ptauSection struct {
	id   uint32
	data []byte
}

func (f *ptauFile) find(id uint32) *ptauSection {
	i := slices.IndexFunc(f.sections, func(s ptauSection) bool { return s.id == id })
	return &f.sections[i]
}

// writePtau writes powers as snarkjs does; edit may change the parts.
func writePtau(t *testing.T, path string, c *mpcsetup.SrsCommons, edit func(f *ptauFile)) {
	t.Helper()
	number := func(b []byte, e *fp.Element) []byte { // the limbs are the Montgomery form
		for _, limb := range e {
			b = binary.LittleEndian.AppendUint64(b, limb)
		}
		return b
	}
	list1 := func(points []bn254.G1Affine) (b []byte) {
		for i := range points {
			b = number(number(b, &points[i].X), &points[i].Y)
		}
		return b
	}
	list2 := func(points ...bn254.G2Affine) (b []byte) {
		for i := range points {
			p := &points[i]
			b = number(number(number(number(b, &p.X.A0), &p.X.A1), &p.Y.A0), &p.Y.A1)
		}
		return b
	}
	prime := fp.Modulus().Bytes()
	slices.Reverse(prime)
	power := uint32(0)
	for 1<<power < len(c.G2.Tau) {
		power++
	}
	head := append(binary.LittleEndian.AppendUint32(nil, 32), prime...)
	head = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(head, power), 28)
	f := &ptauFile{"ptau", 1, []ptauSection{
		{1, head}, {2, list1(c.G1.Tau)}, {3, list2(c.G2.Tau...)}, {4, list1(c.G1.AlphaTau)}, {5, list1(c.G1.BetaTau)}, {6, list2(c.G2.Beta)},
		{7, make([]byte, 4)},
	}}
	if edit != nil {
		edit(f)
	}
	b := binary.LittleEndian.AppendUint32([]byte(f.magic), f.version)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.sections)))
	for _, s := range f.sections {
		b = binary.LittleEndian.AppendUint32(b, s.id)
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(s.data))), s.data...)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What is written in the format is read, also for a smaller domain than it was made for.
func TestPtauRoundTrip(t *testing.T) {
	c := someTau(t, 5)
	path := filepath.Join(t.TempDir(), "some.ptau")
	writePtau(t, path, c, nil)
	for power := minPower; power <= 5; power++ {
		got, s, err := readPtau(path, power)
		if err != nil {
			t.Fatal(err)
		}
		n := 1 << power
		if s.Power != 5 || !slices.Equal(got.G1.Tau, c.G1.Tau[:2*n-1]) || !slices.Equal(got.G2.Tau, c.G2.Tau[:n]) ||
			!slices.Equal(got.G1.AlphaTau, c.G1.AlphaTau[:n]) || !slices.Equal(got.G1.BetaTau, c.G1.BetaTau[:n]) || got.G2.Beta != c.G2.Beta {
			t.Errorf("power %d: other points than were written", power)
		}
	}
	if _, _, err := readPtau(path, 6); !errors.Is(err, ErrPowers) {
		t.Errorf("too small: %v", err)
	}
}

// Powers that are wrong in one point, or that nobody contributed to, are refused.
func TestPtauRefused(t *testing.T) {
	good := someTau(t, 4)
	_, _, g1, g2 := bn254.Generators()
	notInGroup := onTwist(t)
	for name, change := range map[string]func(c *mpcsetup.SrsCommons){
		"a power of τ":        func(c *mpcsetup.SrsCommons) { c.G1.Tau[7].Double(&c.G1.Tau[7]) },
		"the last power of τ": func(c *mpcsetup.SrsCommons) { c.G1.Tau[30].Double(&c.G1.Tau[30]) },
		"a power of τ in G2":  func(c *mpcsetup.SrsCommons) { c.G2.Tau[9] = g2 },
		"the generator":       func(c *mpcsetup.SrsCommons) { c.G1.Tau[0].Double(&g1) },
		"the generator of G2": func(c *mpcsetup.SrsCommons) { c.G2.Tau[0].Double(&g2) },
		"all over 2": func(c *mpcsetup.SrsCommons) {
			for i := range c.G1.Tau {
				c.G1.Tau[i].Double(&c.G1.Tau[i])
			}
		},
		"a power times α":         func(c *mpcsetup.SrsCommons) { c.G1.AlphaTau[2] = g1 },
		"a power times β":         func(c *mpcsetup.SrsCommons) { c.G1.BetaTau[15] = g1 },
		"β in G2":                 func(c *mpcsetup.SrsCommons) { c.G2.Beta = g2 },
		"infinity":                func(c *mpcsetup.SrsCommons) { c.G1.Tau[3] = bn254.G1Affine{} },
		"infinity in G2":          func(c *mpcsetup.SrsCommons) { c.G2.Beta = bn254.G2Affine{} },
		"not on the curve":        func(c *mpcsetup.SrsCommons) { c.G1.Tau[3].X, c.G1.Tau[3].Y = c.G1.Tau[3].Y, c.G1.Tau[3].X },
		"not in the group":        func(c *mpcsetup.SrsCommons) { c.G2.Tau[5] = notInGroup },
		"powers by nobody":        func(c *mpcsetup.SrsCommons) { *c = untouched(4) },
		"τ is 1":                  func(c *mpcsetup.SrsCommons) { *c = powersOf(1, 5, 7) },
		"α is 1":                  func(c *mpcsetup.SrsCommons) { *c = powersOf(3, 1, 7) },
		"β is 1":                  func(c *mpcsetup.SrsCommons) { *c = powersOf(3, 5, 1) },
		"τ is 0":                  func(c *mpcsetup.SrsCommons) { *c = powersOf(0, 5, 7) },
		"another τ in the halves": func(c *mpcsetup.SrsCommons) { c.G2.Tau = powersOf(4, 5, 7).G2.Tau },
	} {
		bad := *good
		bad.G1.Tau, bad.G2.Tau = slices.Clone(good.G1.Tau), slices.Clone(good.G2.Tau)
		bad.G1.AlphaTau, bad.G1.BetaTau = slices.Clone(good.G1.AlphaTau), slices.Clone(good.G1.BetaTau)
		change(&bad)
		path := filepath.Join(t.TempDir(), "bad.ptau")
		writePtau(t, path, &bad, nil)
		_, _, err := readPtau(path, 4)
		if !errors.Is(err, ErrPowers) {
			t.Errorf("%s: %v, expected ErrPowers", name, err)
		}
		// These must not reach pairings, which hold for points of the groups only.
		if single := slices.Contains([]string{"infinity", "infinity in G2", "not on the curve", "not in the group"}, name); single && !strings.Contains(err.Error(), "no point of the group") {
			t.Errorf("%s: %v, found by pairings", name, err)
		}
	}
}

// untouched are the powers that every ceremony begins with.
func untouched(power int) mpcsetup.SrsCommons { return powersOfPower(1, 1, 1, power) }

func powersOf(tau, alpha, beta uint64) mpcsetup.SrsCommons { return powersOfPower(tau, alpha, beta, 4) }

func powersOfPower(tau, alpha, beta uint64, power int) (c mpcsetup.SrsCommons) {
	_, _, g1, g2 := bn254.Generators()
	n := 1 << power
	for i := range 2*n - 1 {
		c.G1.Tau = append(c.G1.Tau, g1)
		if i < n {
			c.G2.Tau = append(c.G2.Tau, g2)
			c.G1.AlphaTau, c.G1.BetaTau = append(c.G1.AlphaTau, g1), append(c.G1.BetaTau, g1)
		}
	}
	c.G2.Beta = g2
	factor := func(v uint64) *fr.Element { e := fr.NewElement(v); return &e }
	if tau != 0 {
		for _, s := range [][]bn254.G1Affine{c.G1.Tau, c.G1.AlphaTau, c.G1.BetaTau} {
			curve.UpdateMonomialsG1(s, factor(tau))
		}
		curve.UpdateMonomialsG2(c.G2.Tau, factor(tau))
	} else {
		clear(c.G1.Tau[1:])
		clear(c.G2.Tau[1:])
		clear(c.G1.AlphaTau[1:])
		clear(c.G1.BetaTau[1:])
	}
	curve.UpdateValues(factor(alpha), nil, 0, c.G1.AlphaTau)
	curve.UpdateValues(factor(beta), nil, 0, c.G1.BetaTau, &c.G2.Beta)
	return c
}

// onTwist is a point of the curve over the extension that is not in the subgroup.
func onTwist(t *testing.T) bn254.G2Affine {
	t.Helper()
	_, _, _, g := bn254.Generators()
	// b of the twist is y² − x³ of any point on it.
	var b, x3, y2 bn254.E2
	b.Square(&g.Y)
	b.Sub(&b, x3.Square(&g.X).Mul(&x3, &g.X))
	for i := uint64(1); ; i++ {
		var p bn254.G2Affine
		p.X.A0.SetUint64(i)
		y2.Square(&p.X).Mul(&y2, &p.X).Add(&y2, &b)
		if y2.Legendre() != 1 {
			continue
		}
		p.Y.Sqrt(&y2)
		if p.IsOnCurve() && !p.IsInSubGroup() {
			return p
		}
	}
}

// Files that are no .ptau file, or a damaged one.
func TestPtauMalformed(t *testing.T) {
	c := someTau(t, 4)
	for name, edit := range map[string]func(f *ptauFile){
		"magic":              func(f *ptauFile) { f.magic = "zkey" },
		"version":            func(f *ptauFile) { f.version = 2 },
		"no header":          func(f *ptauFile) { f.sections = f.sections[1:] },
		"no betas":           func(f *ptauFile) { f.sections = f.sections[:5] },
		"a section twice":    func(f *ptauFile) { f.sections = append(f.sections, f.sections[2]) },
		"many sections":      func(f *ptauFile) { f.sections = make([]ptauSection, 65) },
		"another prime":      func(f *ptauFile) { f.find(1).data[4] ^= 1 },
		"numbers of 48":      func(f *ptauFile) { f.find(1).data[0] = 48 },
		"a greater power":    func(f *ptauFile) { f.find(1).data[36]++ },
		"a huge power":       func(f *ptauFile) { f.find(1).data[39] = 0x80 },
		"power 0":            func(f *ptauFile) { f.find(1).data[36] = 0 },
		"a shorter section":  func(f *ptauFile) { s := f.find(4); s.data = s.data[64:] },
		"a longer header":    func(f *ptauFile) { s := f.find(1); s.data = append(s.data, 0) },
		"a number too great": func(f *ptauFile) { copy(f.find(2).data[64:], bytes.Repeat([]byte{0xff}, 32)) },
		"a number plus the prime": func(f *ptauFile) { // the same point, and another file
			x := f.find(2).data[64:96]
			carry := uint16(0)
			for i, p := range f.find(1).data[4:36] {
				carry += uint16(x[i]) + uint16(p)
				x[i] = byte(carry)
				carry >>= 8
			}
		},
		"the prime for 0": func(f *ptauFile) {
			s := f.find(6)
			copy(s.data[:32], f.find(1).data[4:36])
		},
	} {
		path := filepath.Join(t.TempDir(), "bad.ptau")
		writePtau(t, path, c, edit)
		if _, _, err := readPtau(path, 4); !errors.Is(err, ErrPowers) {
			t.Errorf("%s: %v, expected ErrPowers", name, err)
		}
	}
	good, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 3, 11, 12, 20, 30, 100, len(good) / 2, len(good) - 1} {
		path := filepath.Join(t.TempDir(), "cut.ptau")
		if err := os.WriteFile(path, good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := readPtau(path, 4); !errors.Is(err, ErrPowers) {
			t.Errorf("cut to %d bytes: %v, expected ErrPowers", n, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "ceremony")
	if _, err := Create(context.Background(), dir, toySystem(), toyFor, "none.ptau"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a ceremony was made without its powers")
	}
}
