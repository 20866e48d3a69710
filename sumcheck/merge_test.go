package sumcheck

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/msm"
)

// randomFactors are an outer product over some bits, of factors of all kinds.
func randomFactors(rng *rand.Rand, bits int) (out []claims.Factor) {
	for bits > 0 {
		n := 1 + rng.IntN(bits)
		switch rng.IntN(3) {
		case 0:
			out = append(out, claims.EqFactor(random(n)))
		case 1:
			n = min(n, 6)
			out = append(out, claims.Factor{Dense: random(1 << n)})
		default:
			pairs := make([][2]fr.Element, n)
			for i := range pairs {
				pairs[i] = [2]fr.Element(random(2))
			}
			out = append(out, claims.Factor{Pairs: pairs})
		}
		bits -= n
	}
	if rng.IntN(4) == 0 {
		out = append(out, claims.Factor{Dense: random(1)})
	}
	return out
}

// merged is a case: cells, pads behind them, and blocks everywhere.
type merged struct {
	bits, firstPad int
	cells          []int64
	pads           []fr.Element
	blocks         []claims.Block
}

func randomMerge(rng *rand.Rand, bits, blocks int) *merged {
	m := &merged{bits: bits}
	most := []int64{1, 200, 1 << 15, 1 << 32, msm.MaxValue}[rng.IntN(5)]
	m.cells = make([]int64, rng.IntN(1<<bits+1))
	for i := range m.cells {
		if i/20%3 > 0 { // stretches of zeros
			m.cells[i] = rng.Int64N(most+1) * (2*rng.Int64N(2) - 1)
		}
	}
	left := 1<<bits - len(m.cells)
	m.pads = random(min(rng.IntN(left+1), 40))
	m.firstPad = len(m.cells) + rng.IntN(left-len(m.pads)+1)
	shared := randomFactors(rng, bits/2)
	for range blocks {
		n := rng.IntN(bits + 1)
		b := claims.Block{Offset: rng.IntN(1<<bits) >> n << n, Coefficient: random(1)[0], Factors: randomFactors(rng, n)}
		if n >= bits/2 && rng.IntN(2) == 0 { // equal at the end
			b.Factors = append(randomFactors(rng, n-bits/2), shared...)
		}
		m.blocks = append(m.blocks, b)
		if rng.IntN(4) == 0 { // the same cells again
			b.Coefficient = random(1)[0]
			m.blocks = append(m.blocks, b)
		}
	}
	return m
}

// tables are Z and E, address by address.
func (m *merged) tables() (z, e []fr.Element) {
	z, e = make([]fr.Element, 1<<m.bits), make([]fr.Element, 1<<m.bits)
	for i, v := range m.cells {
		z[i].SetInt64(v)
	}
	copy(z[m.firstPad:], m.pads)
	for i := range m.blocks {
		m.blocks[i].AddTo(e)
	}
	return z, e
}

// TestMerge: every message, and the values at the end, are those of the sum over tables of Z and E.
func TestMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for bits := range 15 {
		for k := range 12 {
			m := randomMerge(rng, bits, k)
			t.Run(fmt.Sprint(bits, k), func(t *testing.T) {
				want := NewProduct(m.tables())
				got := NewMerge(m.bits, m.cells, m.pads, m.firstPad, m.blocks)
				for range m.bits {
					if a, b := got.Sum(), want.Sum(); !a.Equal(&b) {
						t.Fatal("the sum is another")
					}
					a0, a2 := got.Round()
					b0, b2 := want.Round()
					if !a0.Equal(&b0) || !a2.Equal(&b2) {
						t.Fatal("a message is another")
					}
					r := random(1)[0]
					got.Bind(r)
					want.Bind(r)
				}
				a, b := got.Values()
				if c, d := want.Values(); !a.Equal(&c) || !b.Equal(&d) {
					t.Error("the values at the end are others")
				}
			})
		}
	}
}

// layer are blocks over 2^bits cells as a layer's claims are: eq of points along rows, columns and channels, and a dense
// vector of windows.
func layer(bits, offset int, point []fr.Element) (out []claims.Block) {
	for _, c := range random(2) {
		out = append(out, claims.Block{Offset: offset, Coefficient: c, Factors: []claims.Factor{claims.EqFactor(point[len(point)-bits:])}})
	}
	return append(out, claims.Block{Offset: offset, Coefficient: random(1)[0], Factors: []claims.Factor{
		{Dense: random(1 << ((bits - 6) / 2))}, {Dense: random(1 << ((bits - 5) / 2))}, claims.EqFactor(random(6))}})
}

// BenchmarkMerge: the whole sum over 2^20 addresses, three blocks for each cell, cells of 16 bits.
func BenchmarkMerge(b *testing.B) {
	const bits = 20
	rng := rand.New(rand.NewPCG(9, 10))
	cells := make([]int64, 1<<bits)
	for i := range cells {
		cells[i] = rng.Int64N(1<<16) - 1<<15
	}
	point := random(bits)
	for _, size := range []int{10, 13, 16, 20} {
		var blocks []claims.Block
		for offset := 0; offset < 1<<bits; offset += 1 << size {
			blocks = append(blocks, layer(size, offset, point)...)
		}
		b.Run(fmt.Sprintf("%dblocks", len(blocks)), func(b *testing.B) {
			r := random(1)[0]
			for b.Loop() {
				m := NewMerge(bits, cells, nil, 0, blocks)
				for range bits {
					m.Round()
					m.Bind(r)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(1<<bits), "ns/address")
		})
	}
}
