package claims

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func random(n int) []fr.Element {
	out := make([]fr.Element, n)
	for i := range out {
		out[i].MustSetRandom()
	}
	return out
}

func cells(z []fr.Element) func(int) fr.Element { return func(i int) fr.Element { return z[i] } }

// randomBlock is a functional of pairs and dense factors somewhere in 2^addressBits cells.
func randomBlock(rng *rand.Rand, addressBits int) Block {
	b := Block{Coefficient: random(1)[0]}
	left := rng.IntN(addressBits + 1)
	for left > 0 {
		n := 1 + rng.IntN(left)
		if rng.IntN(2) == 0 {
			b.Factors = append(b.Factors, Factor{Dense: random(1 << n)})
		} else {
			b.Factors = append(b.Factors, EqFactor(random(n)))
		}
		left -= n
	}
	b.Offset = rng.IntN(1<<(addressBits-b.Bits())) << b.Bits()
	return b
}

// TestBlocks: a functional's extension is that of its table, its sum the table's; its value at a vector is
// the inner product.
func TestBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		const bits = 7
		b := randomBlock(rng, bits)
		if err := b.check(bits); err != nil {
			t.Fatal(err)
		}
		table := make([]fr.Element, 1<<bits)
		b.AddTo(table)
		point, z := random(bits), random(1<<bits)
		if got, want := b.At(point), Extension(table, point); !got.Equal(&want) {
			t.Fatalf("%+v: extension %s, want %s", b, got.String(), want.String())
		}
		var sum, inner, v fr.Element
		for i := range table {
			sum.Add(&sum, &table[i])
			inner.Add(&inner, v.Mul(&table[i], &z[i]))
		}
		if got := b.Sum(); !got.Equal(&sum) {
			t.Fatalf("%+v: sum %s, want %s", b, got.String(), sum.String())
		}
		if got := b.of(cells(z)); !got.Equal(&inner) {
			t.Fatalf("%+v: value %s, want %s", b, got.String(), inner.String())
		}
	}
	for _, b := range []Block{{Offset: 1, Factors: []Factor{EqFactor(random(1))}}, {Offset: 8}, {Offset: -1}, {Factors: []Factor{EqFactor(random(4))}}} {
		if b.check(3) == nil {
			t.Errorf("%d bits at %d: accepted in 2^3 addresses", b.Bits(), b.Offset)
		}
	}
}

// eq is eq(a, b).
func eq(a, b []fr.Element) fr.Element {
	out := fr.One()
	one := fr.One()
	for i := range a {
		var v, w fr.Element // a·b + (1−a)(1−b) = 1 − a − b + 2ab
		v.Mul(&a[i], &b[i]).Double(&v)
		w.Add(&a[i], &b[i])
		v.Sub(&v, &w).Add(&v, &one)
		out.Mul(&out, &v)
	}
	return out
}

// TestEq: tables and values agree with the definition at corners, and with each other elsewhere.
func TestEq(t *testing.T) {
	for n := range 6 {
		a, b := random(n), random(n)
		got, want := Extension(EqTable(a), b), eq(a, b)
		if !got.Equal(&want) {
			t.Errorf("%d coordinates: %s, want %s", n, got.String(), want.String())
		}
		corner := make([]fr.Element, n)
		for i := range corner {
			corner[i].SetUint64(uint64(i) & 1)
		}
		for x, v := range EqTable(corner) {
			at := 0
			for i := range corner {
				at = at<<1 | i&1
			}
			if v.IsOne() != (x == at) || !v.IsOne() && !v.IsZero() {
				t.Errorf("eq of corner %d at %d is %s", at, x, v.String())
			}
		}
	}
}

// TestDraw: challenges depend on everything sent, on their order and on the label.
func TestDraw(t *testing.T) {
	draw := func(label string, sent ...uint64) fr.Element {
		var m []fr.Element
		for _, v := range sent {
			m = append(m, fr.NewElement(v))
		}
		r := NewVerifier([32]byte{7}, m)
		for range sent {
			r.Send(Linear, 1, nil)
		}
		return r.Draw(label)
	}
	seen := map[fr.Element]bool{}
	for _, c := range []fr.Element{draw("a"), draw("b"), draw("a", 1), draw("a", 1, 2), draw("a", 2, 1), draw("a", 12)} {
		if seen[c] {
			t.Error("a challenge repeats")
		}
		seen[c] = true
	}
}

// TestProductsNeedWires: a product of a message whose pad is no wire is a mistake of the protocol's author.
func TestProductsNeedWires(t *testing.T) {
	r := NewVerifier([32]byte{}, random(9))
	linear, group, next := r.Send(Linear, 1, nil), r.Send(Multiplied, 4, nil), r.sendFrom(2, Multiplied, 2, nil)
	for _, c := range []struct {
		a, b    Message
		allowed bool
	}{
		{group[0], group[3], true}, {group[2], group[1], true}, {group[3], group[2], true}, {next[0], next[1], true},
		{group[0], group[1], false}, {group[0], group[2], false}, {group[1], group[3], false}, {group[0], group[0], false},
		{linear[0], group[0], false}, {group[3], next[0], false}, {group[2], next[1], false},
	} {
		_, _, ok := r.Pattern(Product{A: c.a, B: c.b})
		if ok != c.allowed {
			t.Errorf("messages %d and %d: allowed is %v", c.a, c.b, ok)
		}
	}
	if linear, singles, groups := r.Used(); linear != 1 || singles != 0 || groups != 2 {
		t.Errorf("%d linear, %d single, %d groups", linear, singles, groups)
	}
	defer func() {
		if recover() == nil {
			t.Error("accepted")
		}
	}()
	r.Require(Check{Products: []Product{{A: linear[0], B: group[0], Coefficient: fr.One()}}})
}
