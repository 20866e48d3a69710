package sumcheck

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

func random(n int) []fr.Element {
	out := make([]fr.Element, n)
	for i := range out {
		out[i].MustSetRandom()
	}
	return out
}

// forest are trees of several heights, one with public numerators.
type forest struct {
	p, q  [][]fr.Element
	trees []claims.Tree
	roots [][2]claims.Message
}

func newForest(heights ...int) *forest {
	f := &forest{}
	for i, h := range heights {
		p, q := random(1<<h), random(1<<h)
		t := claims.Tree{Name: fmt.Sprint(i), Height: h}
		if i == 0 {
			t.Numerators = func(point []fr.Element) fr.Element { return claims.Extension(p, point) }
		}
		f.p, f.q, f.trees = append(f.p, p), append(f.q, q), append(f.trees, t)
	}
	return f
}

func (f *forest) provers() []claims.TreeProver {
	var out []claims.TreeProver
	for i := range f.p {
		out = append(out, NewFractions(append([]fr.Element(nil), f.p[i]...), append([]fr.Element(nil), f.q[i]...)))
	}
	return out
}

// prove runs the prover with random pads and returns the messages in the clear and under them.
func (f *forest) prove(seed [32]byte, provers []claims.TreeProver) (r *claims.Run, secret []fr.Element, leaves []claims.Leaf) {
	var pads []fr.Element
	r = claims.NewProver(seed, func(claims.Kind, int) fr.Element {
		pad := random(1)[0]
		pads = append(pads, pad)
		return pad
	})
	f.roots, leaves = r.Fractions(f.trees, provers)
	for i := range pads {
		var m fr.Element
		secret = append(secret, *m.Sub(&r.Sent[i], &pads[i]))
	}
	return r, secret, leaves
}

// holds tells whether all checks do, the leaves' claims among them.
func (f *forest) holds(r *claims.Run, secret []fr.Element, leaves []claims.Leaf) bool {
	checks := append([]claims.Check(nil), r.Checks...)
	one, minus := fr.One(), fr.One()
	minus.Neg(&minus)
	for t, leaf := range leaves {
		for _, side := range []struct {
			form   claims.Form
			values []fr.Element
		}{{leaf.P, f.p[t]}, {leaf.Q, f.q[t]}} {
			var c claims.Check
			c.Form.Add(one, side.form)
			c.Form.Add(minus, claims.Public(claims.Extension(side.values, leaf.Point)))
			checks = append(checks, c)
		}
	}
	for i := range checks {
		if v := checks[i].Value(secret, nil); !v.IsZero() {
			return false
		}
	}
	return true
}

// TestFractions: honest messages satisfy every check, the verifier's run makes the same checks, roots are the
// sums; any message changed breaks a check, also where everything after it follows honestly.
func TestFractions(t *testing.T) {
	for _, heights := range [][]int{{0}, {1}, {3}, {5, 2}, {1, 4, 4}, {0, 3, 1}} {
		t.Run(fmt.Sprint(heights), func(t *testing.T) {
			f := newForest(heights...)
			seed := [32]byte{byte(len(heights))}
			r, secret, leaves := f.prove(seed, f.provers())
			if err := r.Finish(); err != nil {
				t.Fatal(err)
			}
			if !f.holds(r, secret, leaves) {
				t.Fatal("honest messages break a check")
			}
			f.checkRoots(t, secret)
			v := claims.NewVerifier(seed, r.Sent)
			_, theirs := v.Fractions(f.trees, nil)
			if err := v.Finish(); err != nil {
				t.Fatal(err)
			}
			if !f.holds(v, secret, theirs) {
				t.Error("the verifier's checks are others")
			}
			for i := range secret {
				lie := append([]fr.Element(nil), secret...)
				one := fr.One()
				lie[i].Add(&lie[i], &one)
				if f.holds(r, lie, leaves) {
					t.Errorf("message %d changed: no check notices", i)
				}
			}
			for i := range secret {
				lying := f.provers()
				for k := range lying {
					lying[k] = &liar{TreeProver: lying[k], at: i / (2 * len(lying))}
				}
				r, secret, leaves := f.prove(seed, lying)
				if lied(lying) && f.holds(r, secret, leaves) {
					t.Errorf("a prover who lies in message %d: no check notices", i)
				}
			}
			if v := claims.NewVerifier(seed, r.Sent[:len(r.Sent)-1]); f.finish(v) == nil {
				t.Error("a message too few was accepted")
			}
			if v := claims.NewVerifier(seed, append(r.Sent, fr.One())); f.finish(v) == nil {
				t.Error("a message too many was accepted")
			}
		})
	}
}

func (f *forest) finish(v *claims.Run) error {
	v.Fractions(f.trees, nil)
	return v.Finish()
}

// checkRoots compares the roots with the sums of fractions.
func (f *forest) checkRoots(t *testing.T, secret []fr.Element) {
	t.Helper()
	for i := range f.p {
		var sum, v fr.Element
		for k := range f.p[i] {
			sum.Add(&sum, v.Div(&f.p[i][k], &f.q[i][k]))
		}
		if v.Div(&secret[f.roots[i][0]], &secret[f.roots[i][1]]); !v.Equal(&sum) {
			t.Errorf("tree %d: the root is not the sum", i)
		}
	}
}

// liar changes one of its messages and goes on honestly.
type liar struct {
	claims.TreeProver
	at, calls int
	told      bool
}

func lied(provers []claims.TreeProver) bool {
	for _, p := range provers {
		if p.(*liar).told {
			return true
		}
	}
	return false
}

func (l *liar) lie(v *fr.Element) {
	if l.calls == l.at {
		one := fr.One()
		v.Add(v, &one)
		l.told = true
	}
	l.calls++
}

func (l *liar) Root() (p, q fr.Element) {
	p, q = l.TreeProver.Root()
	l.lie(&p)
	return p, q
}

func (l *liar) Round() (difference, leading fr.Element) {
	difference, leading = l.TreeProver.Round()
	l.lie(&leading)
	return difference, leading
}

func (l *liar) Children() [4]fr.Element {
	c := l.TreeProver.Children()
	l.lie(&c[2])
	return c
}

func BenchmarkFractions(b *testing.B) {
	f := newForest(18)
	for b.Loop() {
		r := claims.NewProver([32]byte{}, func(claims.Kind, int) fr.Element { return fr.Element{} })
		r.Fractions(f.trees, f.provers())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(1<<18), "ns/leaf")
}
